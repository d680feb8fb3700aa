//! Packages, their origin settings and npm dist-tags.

use larder_core::error::ResourceType;
use larder_core::model::{
    AllowPublish, AllowUpstream, OriginRestrictions, Package, PackageFormat, PackageId, PackageKey, Page, PageRequest,
    RepositoryId, Timestamp, VersionText,
};
use larder_core::ports::PackageFilter;
use larder_core::{Error, Result};

use super::paging::Filtered;
use super::places::Place;
use super::{Transaction, paging};
use crate::sql::{Conn, Row, Value, corrupt, params, statements};

/// Columns of a package, read by [`read_package`].
macro_rules! columns {
    () => {
        "id, format, namespace, name, display_name, allow_publish, allow_upstream, created_at, updated_at, revision,
         repository_id"
    };
}

macro_rules! package {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM package WHERE ", $rest)
    };
}

statements! {
    FIND = package!("repository_id = $1 AND format = $2 AND namespace = $3 AND name = $4");
    FIND_BY_ID = package!("id = $1");
    /// Spelled as the index has it.
    FIND_TWIN = package!("
        repository_id = $1 AND format = $2 AND namespace = $3 AND name <> $4 AND allow_publish = 'ALLOW'
        AND replace(replace(replace(lower(name), '-', ''), '_', ''), '.', '')
            = replace(replace(replace(lower($4), '-', ''), '_', ''), '.', '')
        LIMIT 1");
    LIST = package!("
        repository_id = $1 AND (format, namespace, name) > ($2, $3, $4) ORDER BY format, namespace, name LIMIT $5");
    LIST_OF_FORMAT = package!("
        repository_id = $1 AND format = $2 AND (namespace, name) > ($3, $4) AND namespace < $5
        ORDER BY namespace, name LIMIT $6");
    LIST_BY_NAME = package!("
        repository_id = $1 AND (name, format, namespace) > ($2, $3, $4) AND name < $5
        ORDER BY name, format, namespace LIMIT $6");
    /// One repository after the other would take as many round trips on PostgreSQL.
    REVISIONS = "
        SELECT repository_id, revision
          FROM package
         WHERE repository_id IN ($4, $5, $6, $7, $8, $9, $10, $11) AND format = $1 AND namespace = $2 AND name = $3";
    TAGS = "SELECT tag, version FROM dist_tag WHERE package_id = $1 ORDER BY tag";

    /// Takes the row until the end of the transaction.
    LOCK = concat!("UPDATE package SET revision = revision WHERE id = $1 RETURNING ", columns!());
    LOCK_BY_KEY = concat!(
        "UPDATE package SET revision = revision
          WHERE repository_id = $1 AND format = $2 AND namespace = $3 AND name = $4 RETURNING ",
        columns!()
    );
    CREATE = concat!(
        "INSERT INTO package (repository_id, format, namespace, name, display_name, allow_publish, allow_upstream,
                              created_at, updated_at, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0)
         ON CONFLICT (repository_id, format, namespace, name) DO UPDATE SET revision = package.revision
         RETURNING ",
        columns!()
    );
    /// The first revision is far above any of a package of that name that was deleted: ids are never given twice.
    TOUCH = "
        UPDATE package
           SET revision = CASE revision WHEN 0 THEN id * 16777216 ELSE revision END + 1, updated_at = $2
         WHERE id = $1";
    SET_DISPLAY_NAME = "UPDATE package SET display_name = $2 WHERE id = $1";
    SET_RESTRICTIONS = "UPDATE package SET allow_publish = $2, allow_upstream = $3 WHERE id = $1";
    /// Versions, their details and assets, and dist-tags go with it.
    DELETE = "DELETE FROM package WHERE id = $1";

    FIND_TAG = "SELECT version FROM dist_tag WHERE package_id = $1 AND tag = $2";
    PUT_TAG = "
        INSERT INTO dist_tag (package_id, tag, version) VALUES ($1, $2, $3)
        ON CONFLICT (package_id, tag) DO UPDATE SET version = excluded.version";
    DELETE_TAG = "DELETE FROM dist_tag WHERE package_id = $1 AND tag = $2";
    DELETE_TAGS_OF_VERSION = "DELETE FROM dist_tag WHERE package_id = $1 AND version = $2";
    TAGS_OF_VERSION = "SELECT tag FROM dist_tag WHERE package_id = $1 AND version = $2 ORDER BY tag";
}

/// The slots of [`REVISIONS`]; a chain of upstreams is rarely longer.
const REVISION_SLOTS: usize = 8;

fn publish_text(allow: AllowPublish) -> &'static str {
    match allow {
        AllowPublish::Allow => "ALLOW",
        AllowPublish::Block => "BLOCK",
    }
}

fn upstream_text(allow: AllowUpstream) -> &'static str {
    match allow {
        AllowUpstream::Allow => "ALLOW",
        AllowUpstream::Block => "BLOCK",
    }
}

/// Origin settings as the journal tells them.
fn told(restrictions: OriginRestrictions) -> String {
    format!("publish={} upstream={}", publish_text(restrictions.publish), upstream_text(restrictions.upstream))
}

/// A package without its dist-tags, and its repository.
fn read_package(row: &Row<'_>) -> Result<(Package, RepositoryId)> {
    let id = row.integer(0)?;
    let broken = |what: String| corrupt("package", id, what);
    let format: PackageFormat = row.text(1)?.parse().map_err(|error| broken(format!("{error}")))?;
    let namespace = Some(row.text(2)?).filter(|namespace| !namespace.is_empty());
    let publish = match row.text(5)? {
        "ALLOW" => AllowPublish::Allow,
        "BLOCK" => AllowPublish::Block,
        other => return Err(broken(format!("allow_publish is '{other}'"))),
    };
    let upstream = match row.text(6)? {
        "ALLOW" => AllowUpstream::Allow,
        "BLOCK" => AllowUpstream::Block,
        other => return Err(broken(format!("allow_upstream is '{other}'"))),
    };
    let package = Package {
        id: PackageId(id),
        key: PackageKey::new(format, namespace, row.text(3)?).map_err(|error| broken(error.to_string()))?,
        display_name: row.text(4)?.to_owned(),
        restrictions: OriginRestrictions { publish, upstream },
        tags: Vec::new(),
        created_at: Timestamp(row.integer(7)?),
        updated_at: Timestamp(row.integer(8)?),
        revision: row.integer(9)?,
    };
    Ok((package, RepositoryId(row.integer(10)?)))
}

fn key_values(repository: RepositoryId, key: &PackageKey) -> [Value<'_>; 4] {
    [
        Value::from(repository),
        Value::from(key.format().as_str()),
        Value::from(key.namespace().unwrap_or("")),
        Value::from(key.name()),
    ]
}

/// A package with its dist-tags.
pub(super) async fn find(conn: &mut Conn, repository: RepositoryId, key: &PackageKey) -> Result<Option<Package>> {
    let found = conn.find(&FIND, &key_values(repository, key), read_package).await?;
    let Some((mut package, _)) = found else { return Ok(None) };
    if key.format() == PackageFormat::Npm {
        package.tags = list_tags(conn, package.id).await?;
    }
    Ok(Some(package))
}

/// A package that may be published to and whose name differs in case and punctuation only.
pub(super) async fn find_twin(
    conn: &mut Conn,
    repository: RepositoryId,
    key: &PackageKey,
) -> Result<Option<PackageKey>> {
    let found = conn.find(&FIND_TWIN, &key_values(repository, key), read_package).await?;
    Ok(found.map(|(package, _)| package.key))
}

async fn list_tags(conn: &mut Conn, package: PackageId) -> Result<Vec<(String, String)>> {
    conn.list(&TAGS, params![package], |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).await
}

/// Packages of a repository without their dist-tags, in order of format, namespace, name; with a name prefix in order
/// of name, format, namespace, which is the order of the index that finds them.
pub(super) async fn list(
    conn: &mut Conn,
    repository: RepositoryId,
    filter: &PackageFilter,
    page: &PageRequest,
) -> Result<Page<Package>> {
    let prefix = filter.prefix.as_deref().filter(|prefix| !prefix.is_empty());
    let passes = |(package, _): &(Package, RepositoryId)| {
        let key = &package.key;
        filter.format.is_none_or(|format| format == key.format())
            && filter.namespace.as_ref().is_none_or(|prefix| key.namespace().unwrap_or("").starts_with(&**prefix))
            && filter.publish.is_none_or(|publish| publish == package.restrictions.publish)
            && filter.upstream.is_none_or(|upstream| upstream == package.restrictions.upstream)
    };
    let position = |(package, _): &(Package, RepositoryId)| {
        let key = &package.key;
        let (format, namespace) = (key.format().to_string(), key.namespace().unwrap_or("").to_owned());
        match prefix {
            Some(_) => vec![key.name().to_owned(), format, namespace],
            None => vec![format, namespace, key.name().to_owned()],
        }
    };
    let mut filtered = Filtered::new(page.limit);
    let mut from = page.clone();
    loop {
        let chunk = filtered.chunk();
        let rows = paging::rows(chunk - 1);
        let (first, second, third) = (from.key(0), from.key(1), from.key(2));
        // Nothing is named '', so the first position may be the prefix itself.
        let packages = match (prefix, filter.format) {
            (Some(prefix), _) => {
                let first = if first.is_empty() { prefix } else { first };
                let end = paging::end_of_prefix(prefix);
                let values = params![repository, first, second, third, &end, rows];
                conn.list(&LIST_BY_NAME, values, read_package).await?
            }
            (None, Some(format)) => {
                let prefix = filter.namespace.as_deref().unwrap_or("");
                let second = if first.is_empty() { prefix } else { second };
                let end = paging::end_of_prefix(prefix);
                let values = params![repository, format.as_str(), second, third, &end, rows];
                conn.list(&LIST_OF_FORMAT, values, read_package).await?
            }
            (None, None) => conn.list(&LIST, params![repository, first, second, third, rows], read_package).await?,
        };
        match filtered.take(packages, chunk, passes, position) {
            Ok(page) => return Ok(page.map(|(package, _)| package)),
            Err(next) => from = next,
        }
    }
}

/// Names of one format after a position, in one repository.
pub(super) async fn list_names(
    conn: &mut Conn,
    repository: RepositoryId,
    format: PackageFormat,
    page: &PageRequest,
) -> Result<Vec<(PackageKey, String)>> {
    let end = paging::end_of_prefix("");
    let values = params![repository, format.as_str(), page.key(0), page.key(1), &end, paging::rows(page.limit)];
    conn.list(&LIST_OF_FORMAT, values, |row| read_package(row).map(|(package, _)| (package.key, package.display_name)))
        .await
}

/// Repository and package revision of those repositories that have the package, by repository.
pub(super) async fn revisions(
    conn: &mut Conn,
    repositories: &[RepositoryId],
    key: &PackageKey,
) -> Result<Vec<(RepositoryId, i64)>> {
    let mut found = Vec::new();
    for some in repositories.chunks(REVISION_SLOTS) {
        let mut values = vec![
            Value::from(key.format().as_str()),
            Value::from(key.namespace().unwrap_or("")),
            Value::from(key.name()),
        ];
        // No repository has the id 0.
        values.extend((0..REVISION_SLOTS).map(|slot| Value::Integer(some.get(slot).map_or(0, |id| id.0))));
        let read = |row: &Row<'_>| Ok((RepositoryId(row.integer(0)?), row.integer(1)?));
        found.extend(conn.list(&REVISIONS, &values, read).await?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn gone(package: PackageId) -> Error {
    Error::not_found(ResourceType::Package, package.0.to_string(), "Package not found. It was deleted meanwhile")
}

impl Transaction<'_> {
    /// Takes an existing package for this transaction, with where it is.
    pub(super) async fn lock_package(&mut self, id: PackageId) -> Result<(Package, Place)> {
        let found = self.conn.find(&LOCK, params![id], read_package).await?;
        let (package, repository) = found.ok_or_else(|| gone(id))?;
        let place = self.get_place(repository).await?;
        Ok((package, place))
    }

    /// A package, not taken, with where it is.
    pub(super) async fn get_package(&mut self, id: PackageId) -> Result<(Package, Place)> {
        let found = self.conn.find(&FIND_BY_ID, params![id], read_package).await?;
        let (package, repository) = found.ok_or_else(|| gone(id))?;
        let place = self.get_place(repository).await?;
        Ok((package, place))
    }

    /// Takes a package for this transaction, if it exists.
    pub(super) async fn lock_package_of(
        &mut self,
        repository: RepositoryId,
        key: &PackageKey,
    ) -> Result<Option<Package>> {
        let found = self.conn.find(&LOCK_BY_KEY, &key_values(repository, key), read_package).await?;
        Ok(found.map(|(package, _)| package))
    }

    /// Takes a package for this transaction, created if it does not exist: its revision is 0 then. Two that create it
    /// at once both get the same row, one after the other.
    pub(super) async fn lock_or_create_package(
        &mut self,
        place: &Place,
        repository: RepositoryId,
        key: &PackageKey,
        display_name: &str,
        restrictions: OriginRestrictions,
    ) -> Result<Package> {
        // An insert that meets a row would use up an id.
        if let Some(package) = self.lock_package_of(repository, key).await? {
            return Ok(package);
        }
        let [repository, format, namespace, name] = key_values(repository, key);
        let (publish, upstream) = (publish_text(restrictions.publish), upstream_text(restrictions.upstream));
        let values = [
            repository,
            format,
            namespace,
            name,
            display_name.into(),
            publish.into(),
            upstream.into(),
            self.now().into(),
        ];
        let found = self.conn.find(&CREATE, &values, read_package).await?;
        let (package, _) = found.ok_or_else(|| Error::internal("a package was neither found nor created"))?;
        self.put_variation(place.domain, &package).await?;
        Ok(package)
    }

    /// Makes a change to the package or its versions visible to caches.
    pub(super) async fn touch_package(&mut self, id: PackageId) -> Result<()> {
        let now = self.now();
        self.conn.execute(&TOUCH, params![id, now]).await.map(drop)
    }

    pub(super) async fn set_display_name(&mut self, id: PackageId, display_name: &str) -> Result<()> {
        self.conn.execute(&SET_DISPLAY_NAME, params![id, display_name]).await.map(drop)
    }

    pub(super) async fn put_origin_restrictions(
        &mut self,
        repository: RepositoryId,
        key: &PackageKey,
        restrictions: OriginRestrictions,
    ) -> Result<()> {
        let place = self.get_place(repository).await?;
        let package = self.lock_or_create_package(&place, repository, key, key.name(), restrictions).await?;
        let before = (package.revision > 0).then(|| told(package.restrictions));
        let (publish, upstream) = (publish_text(restrictions.publish), upstream_text(restrictions.upstream));
        self.conn.execute(&SET_RESTRICTIONS, params![package.id, publish, upstream]).await?;
        self.touch_package(package.id).await?;
        let resource = place.package(self.region, key);
        self.record(resource.as_str(), before.as_deref(), Some(&told(restrictions))).await
    }

    pub(super) async fn delete_package(&mut self, id: PackageId) -> Result<()> {
        let (package, place) = self.lock_package(id).await?;
        self.release_package(place.domain, id).await?;
        self.conn.execute(&DELETE, params![id]).await?;
        let resource = place.package(self.region, &package.key);
        self.record(resource.as_str(), Some(&told(package.restrictions)), None).await
    }

    pub(super) async fn put_tag(&mut self, id: PackageId, tag: &str, version: Option<&VersionText>) -> Result<()> {
        let (package, place) = self.lock_package(id).await?;
        let before = self.find_dist_tag(id, tag).await?;
        match version {
            Some(version) => {
                self.get_version_of(id, version).await?;
                self.set_dist_tag(id, tag, version).await?;
            }
            None if before.is_none() => {
                let message = format!("package '{}' has no tag '{tag}'", package.display_name);
                return Err(Error::not_found(ResourceType::Package, &package.display_name, message));
            }
            None => {
                self.conn.execute(&DELETE_TAG, params![id, tag]).await?;
            }
        }
        self.touch_package(id).await?;
        let told = |version: &str| format!("{tag}={version}");
        let resource = place.package(self.region, &package.key);
        let (before, after) = (before.as_deref().map(told), version.map(|version| told(version.as_str())));
        self.record(resource.as_str(), before.as_deref(), after.as_deref()).await
    }

    /// What a dist-tag points to.
    pub(super) async fn find_dist_tag(&mut self, id: PackageId, tag: &str) -> Result<Option<String>> {
        self.conn.find(&FIND_TAG, params![id, tag], |row| row.text(0).map(str::to_owned)).await
    }

    /// Adds or moves a dist-tag.
    pub(super) async fn set_dist_tag(&mut self, id: PackageId, tag: &str, version: &VersionText) -> Result<()> {
        self.conn.execute(&PUT_TAG, params![id, tag, version.as_str()]).await.map(drop)
    }

    /// Which dist-tags point to a version.
    pub(super) async fn dist_tags_of(&mut self, id: PackageId, version: &VersionText) -> Result<Vec<String>> {
        let values = params![id, version.as_str()];
        self.conn.list(&TAGS_OF_VERSION, values, |row| row.text(0).map(str::to_owned)).await
    }

    /// Removes the dist-tags that point to a version that goes.
    pub(super) async fn delete_dist_tags_of(&mut self, id: PackageId, version: &VersionText) -> Result<()> {
        self.conn.execute(&DELETE_TAGS_OF_VERSION, params![id, version.as_str()]).await.map(drop)
    }
}
