//! Package versions.

use std::collections::HashMap;

use bytes::Bytes;
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    Asset, AssetName, DomainId, EntryPoint, ExternalConnection, Origin, OriginType, Package, PackageId, PackageKey,
    PackageVersion, Page, PageRequest, RepositoryId, RepositoryName, Revision, Timestamp, VersionDetails, VersionId,
    VersionStatus, VersionText,
};
use larder_core::ports::VersionFilter;
use larder_core::{Error, Result};

use super::journal::VersionChange;
use super::paging::Filtered;
use super::places::Place;
use super::{Transaction, assets, paging};
use crate::sql::{Conn, Row, corrupt, params, statements};

/// Columns of a version, read by [`read_version`].
macro_rules! version {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.version, v.status, v.revision, v.origin_type, v.entry_point, v.source_published_at,
                    v.first_seen_at, v.published_at, v.metadata
               FROM ",
            $rest
        )
    };
}

statements! {
    FIND = version!("
        package p JOIN package_version v ON v.package_id = p.id
         WHERE p.repository_id = $1 AND p.format = $2 AND p.namespace = $3 AND p.name = $4 AND v.version = $5");
    FIND_OF_PACKAGE = version!("package_version v WHERE v.package_id = $1 AND v.version = $2");
    FIND_BY_ID = version!("package_version v WHERE v.id = $1");
    FIND_PACKAGE = "SELECT package_id FROM package_version WHERE id = $1";
    LIST_ALL = version!("package_version v WHERE v.package_id = $1 ORDER BY v.published_at, v.id");
    STATES = "
        SELECT id, version, status, revision,
               (SELECT count(*) FROM asset a WHERE a.version_id = package_version.id)
          FROM package_version
         WHERE package_id = $1 AND version > $2
         ORDER BY version
         LIMIT $3";
    LIST = version!("package_version v WHERE v.package_id = $1 AND v.version > $2 ORDER BY v.version LIMIT $3");
    LIST_NEWEST_FIRST = version!("
        package_version v
         WHERE v.package_id = $1 AND (v.published_at, v.id) < ($2, $3)
         ORDER BY v.published_at DESC, v.id DESC
         LIMIT $4");
    NEWEST = "
        SELECT id, version
          FROM package_version
         WHERE package_id = $1 AND status = 'Published'
         ORDER BY published_at DESC, id DESC
         LIMIT 1";
    DETAILS = "SELECT details FROM version_details WHERE version_id = $1";

    CREATE = "
        INSERT INTO package_version (package_id, version, status, revision, origin_type, entry_point,
                                     source_published_at, first_seen_at, published_at, metadata, canonical)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        RETURNING id";
    /// The first details stay: they are those of the version's own file.
    ADD_DETAILS = "INSERT INTO version_details (version_id, details) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE package_version SET status = $2, revision = $3 WHERE id = $1";
    SET_METADATA = "UPDATE package_version SET metadata = $2, revision = $3 WHERE id = $1";
    /// Details and assets go with it.
    DELETE = "DELETE FROM package_version WHERE id = $1";
}

fn read_version(row: &Row<'_>) -> Result<PackageVersion> {
    let id = row.integer(0)?;
    let broken = |what: String| corrupt("package_version", id, what);
    let status = row.text(2)?;
    let entry_point = row.text(5)?;
    let origin = match OriginType::parse(row.text(4)?) {
        Some(OriginType::Internal) => RepositoryName::new(entry_point).map(Origin::internal),
        Some(OriginType::External) => ExternalConnection::parse(entry_point).map(Origin::external),
        _ => return Err(broken(format!("unknown origin type '{}'", row.text(4)?))),
    };
    Ok(PackageVersion {
        id: VersionId(id),
        version: VersionText::new(row.text(1)?).map_err(|error| broken(error.to_string()))?,
        status: VersionStatus::parse(status).ok_or_else(|| broken(format!("unknown status '{status}'")))?,
        revision: Revision(row.text(3)?.to_owned()),
        origin: origin.map_err(|error| broken(error.to_string()))?,
        source_published_at: row.optional_integer(6)?.map(Timestamp),
        first_seen_at: Timestamp(row.integer(7)?),
        published_at: Timestamp(row.integer(8)?),
        metadata: Bytes::copy_from_slice(row.bytes(9)?),
        assets: Vec::new(),
    })
}

async fn with_assets(conn: &mut Conn, version: Option<PackageVersion>) -> Result<Option<PackageVersion>> {
    let Some(mut version) = version else { return Ok(None) };
    version.assets = assets::list_of_version(conn, version.id).await?;
    Ok(Some(version))
}

/// The empty details for a version that has none.
pub(super) async fn details(conn: &mut Conn, version: VersionId) -> Result<VersionDetails> {
    let read = |row: &Row<'_>| {
        serde_json::from_str(row.text(0)?).map_err(|error| corrupt("version_details", version.0, error))
    };
    Ok(conn.find(&DETAILS, params![version], read).await?.unwrap_or_default())
}

/// One version of a repository's package, with its assets.
pub(super) async fn find(
    conn: &mut Conn,
    repository: RepositoryId,
    key: &PackageKey,
    version: &VersionText,
) -> Result<Option<PackageVersion>> {
    let namespace = key.namespace().unwrap_or("");
    let values = params![repository, key.format().as_str(), namespace, key.name(), version.as_str()];
    let found = conn.find(&FIND, values, read_version).await?;
    with_assets(conn, found).await
}

/// All versions of a package with their assets, in the order in which they came to the repository.
pub(super) async fn load(conn: &mut Conn, package: PackageId) -> Result<Vec<PackageVersion>> {
    let mut versions = conn.list(&LIST_ALL, params![package], read_version).await?;
    let mut by_version: HashMap<VersionId, Vec<Asset>> = HashMap::with_capacity(versions.len());
    for (version, asset) in assets::list_of_package(conn, package).await? {
        by_version.entry(version).or_default().push(asset);
    }
    for version in &mut versions {
        version.assets = by_version.remove(&version.id).unwrap_or_default();
        version.assets.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }
    // Nearly the order in which they entered the domain, in which they were read.
    versions.sort_by_key(|version| version.id);
    Ok(versions)
}

/// Versions of a package without assets, by text or newest first.
pub(super) async fn list(
    conn: &mut Conn,
    package: PackageId,
    filter: &VersionFilter,
    page: &PageRequest,
) -> Result<Page<PackageVersion>> {
    let passes = |version: &PackageVersion| {
        filter.status.is_none_or(|status| status == version.status)
            && filter.origin.is_none_or(|origin| origin == version.origin.origin_type())
    };
    let key = |version: &PackageVersion| {
        if filter.newest_first {
            vec![version.published_at.0.to_string(), version.id.0.to_string()]
        } else {
            vec![version.version.to_string()]
        }
    };
    let mut filtered = Filtered::new(page.limit);
    let mut from = page.clone();
    loop {
        let chunk = filtered.chunk();
        let rows = paging::rows(chunk - 1);
        let versions = if filter.newest_first {
            let published_at = paging::number(&from, 0, i64::MAX)?;
            let id = paging::number(&from, 1, i64::MAX)?;
            conn.list(&LIST_NEWEST_FIRST, params![package, published_at, id, rows], read_version).await?
        } else {
            conn.list(&LIST, params![package, from.key(0), rows], read_version).await?
        };
        match filtered.take(versions, chunk, passes, key) {
            Ok(page) => return Ok(page),
            Err(next) => from = next,
        }
    }
}

/// The version with status Published that was published last.
pub(super) async fn newest(conn: &mut Conn, package: PackageId) -> Result<Option<VersionText>> {
    let read = |row: &Row<'_>| {
        let id = row.integer(0)?;
        VersionText::new(row.text(1)?).map_err(|error| corrupt("package_version", id, error))
    };
    conn.find(&NEWEST, params![package], read).await
}

/// What a new version's row holds.
pub(super) struct NewVersion<'a> {
    pub(super) version: &'a VersionText,
    /// See [`super::canonical`].
    pub(super) canonical: Option<&'a str>,
    pub(super) status: VersionStatus,
    pub(super) origin: &'a Origin,
    pub(super) source_published_at: Option<Timestamp>,
    pub(super) first_seen_at: Timestamp,
    pub(super) published_at: Timestamp,
    pub(super) metadata: &'a [u8],
    pub(super) details: &'a VersionDetails,
    pub(super) assets: &'a [Asset],
}

/// A version's state as the journal tells it.
pub(super) fn told(status: VersionStatus, revision: &Revision) -> String {
    format!("{status} {revision}")
}

/// A version that is about to go with its package.
pub(super) struct Leaving {
    pub(super) version: VersionText,
    pub(super) status: VersionStatus,
    pub(super) revision: Revision,
    pub(super) assets: usize,
}

fn read_leaving(row: &Row<'_>) -> Result<Leaving> {
    let id = row.integer(0)?;
    let broken = |what: String| corrupt("package_version", id, what);
    let status = row.text(2)?;
    Ok(Leaving {
        version: VersionText::new(row.text(1)?).map_err(|error| broken(error.to_string()))?,
        status: VersionStatus::parse(status).ok_or_else(|| broken(format!("unknown status '{status}'")))?,
        revision: Revision(row.text(3)?.to_owned()),
        assets: usize::try_from(row.unsigned(4)?).unwrap_or(usize::MAX),
    })
}

impl Transaction<'_> {
    /// Some versions of a package, by text, after one of them.
    pub(super) async fn list_leaving(&mut self, package: PackageId, after: &str, limit: i64) -> Result<Vec<Leaving>> {
        self.conn.list(&STATES, params![package, after, limit], read_leaving).await
    }

    /// A version of a package with its assets.
    pub(super) async fn find_version_of(
        &mut self,
        package: PackageId,
        version: &VersionText,
    ) -> Result<Option<PackageVersion>> {
        let found = self.conn.find(&FIND_OF_PACKAGE, params![package, version.as_str()], read_version).await?;
        with_assets(self.conn, found).await
    }

    /// As [`Transaction::find_version_of`]; not finding it is an error.
    pub(super) async fn get_version_of(&mut self, package: PackageId, version: &VersionText) -> Result<PackageVersion> {
        self.find_version_of(package, version).await?.ok_or_else(|| {
            let message = format!("Package version not found. Version '{version}' does not exist");
            Error::not_found(ResourceType::PackageVersion, version.as_str(), message)
        })
    }

    /// A version by its row, with its assets and its package.
    pub(super) async fn get_version(&mut self, id: VersionId) -> Result<(PackageId, PackageVersion)> {
        let package = self.conn.find(&FIND_PACKAGE, params![id], |row| row.integer(0).map(PackageId)).await?;
        let found = self.conn.find(&FIND_BY_ID, params![id], read_version).await?;
        let found = with_assets(self.conn, found).await?;
        package.zip(found).ok_or_else(|| {
            let message = "Package version not found. It was deleted meanwhile";
            Error::not_found(ResourceType::PackageVersion, id.0.to_string(), message)
        })
    }

    /// What the API tells of a version.
    pub(super) async fn details_of(&mut self, version: VersionId) -> Result<VersionDetails> {
        details(self.conn, version).await
    }

    /// Adds a version, which the package has not, with its assets. Answers its revision.
    pub(super) async fn create_version(
        &mut self,
        domain: DomainId,
        package: PackageId,
        new: &NewVersion<'_>,
    ) -> Result<Revision> {
        let revision = Revision::of_version(new.metadata, new.assets);
        let entry_point = match &new.origin.entry_point {
            EntryPoint::Repository(name) => name.as_str(),
            EntryPoint::ExternalConnection(connection) => connection.name(),
        };
        let values = params![
            package,
            new.version.as_str(),
            new.status.as_str(),
            revision.as_str(),
            new.origin.origin_type().as_aws(),
            entry_point,
            new.source_published_at,
            new.first_seen_at,
            new.published_at,
            new.metadata,
            new.canonical,
        ];
        let id = self.conn.find(&CREATE, values, |row| row.integer(0).map(VersionId)).await?;
        let id = id.ok_or_else(|| Error::internal("a version was not created"))?;
        self.add_details(id, new.details).await?;
        self.add_assets(domain, id, &new.assets.iter().collect::<Vec<_>>()).await?;
        Ok(revision)
    }

    /// Adds details to a version that has none yet.
    pub(super) async fn add_details(&mut self, version: VersionId, details: &VersionDetails) -> Result<()> {
        if *details == VersionDetails::default() {
            return Ok(());
        }
        let text = serde_json::to_string(details).map_err(Error::internal)?;
        self.conn.execute(&ADD_DETAILS, params![version, &text]).await.map(drop)
    }

    /// Sets status and revision.
    pub(super) async fn update_version(
        &mut self,
        id: VersionId,
        status: VersionStatus,
        revision: &Revision,
    ) -> Result<()> {
        self.conn.execute(&UPDATE, params![id, status.as_str(), revision.as_str()]).await.map(drop)
    }

    /// Sets the format's document and the revision that comes of it.
    pub(super) async fn set_metadata(&mut self, id: VersionId, metadata: &[u8], revision: &Revision) -> Result<()> {
        self.conn.execute(&SET_METADATA, params![id, metadata, revision.as_str()]).await.map(drop)
    }

    pub(super) async fn put_version_metadata(
        &mut self,
        id: VersionId,
        expected: &Revision,
        metadata: &[u8],
    ) -> Result<()> {
        let (package, place, version) = self.lock_version(id, expected).await?;
        let revision = Revision::of_version(metadata, &version.assets);
        self.set_metadata(id, metadata, &revision).await?;
        self.touch_package(package.id).await?;
        let change = VersionChange {
            before: Some((version.status, &version.revision)),
            after: Some((version.status, &revision)),
            metadata_updated: true,
            ..VersionChange::default()
        };
        self.record_version(&place, &package.key, &version.version, &change).await
    }

    /// A version whose revision is `expected`, which nobody else changes from here on.
    async fn lock_version(&mut self, id: VersionId, expected: &Revision) -> Result<(Package, Place, PackageVersion)> {
        let (package, _) = self.get_version(id).await?;
        let (package, place) = self.lock_package(package).await?;
        // Read again, now that nobody else changes it.
        let (_, version) = self.get_version(id).await?;
        if version.revision != *expected {
            let message = format!("current revision: {}, expected revision: {expected}", version.revision);
            let id = version.version.as_str();
            return Err(Error::conflict(ConflictKind::Revision, ResourceType::PackageVersion, id, message));
        }
        Ok((package, place, version))
    }

    /// Removes one asset of a version.
    pub(super) async fn delete_asset(&mut self, id: VersionId, expected: &Revision, name: &AssetName) -> Result<()> {
        let (package, place, version) = self.lock_version(id, expected).await?;
        let left: Vec<_> = version.assets.iter().filter(|asset| asset.name != *name).cloned().collect();
        if left.len() == version.assets.len() {
            let message = format!("version '{}' has no asset '{name}'", version.version);
            return Err(Error::not_found(ResourceType::Asset, name.as_str(), message));
        }
        self.remove_asset(place.domain, id, name).await?;
        let revision = Revision::of_version(&version.metadata, &left);
        self.update_version(id, version.status, &revision).await?;
        self.touch_package(package.id).await?;
        let change = VersionChange {
            before: Some((version.status, &version.revision)),
            after: Some((version.status, &revision)),
            assets_removed: 1,
            ..VersionChange::default()
        };
        self.record_version(&place, &package.key, &version.version, &change).await
    }

    /// Removes a version with its assets.
    pub(super) async fn delete_version(&mut self, domain: DomainId, id: VersionId) -> Result<()> {
        self.delete_assets(domain, id).await?;
        self.conn.execute(&DELETE, params![id]).await.map(drop)
    }
}
