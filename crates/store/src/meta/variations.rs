//! The packages of a domain under what variants of a name have in common: where the packages of a group are found.

use larder_core::Result;
use larder_core::model::{
    AssociationType, DomainId, FOLD_VERSION, FoldedRange, Package, PackageFormat, PackageGroupPattern, PackageKey,
    PackagePath, Page, PageRequest,
};

use super::package_groups::Associations;
use super::paging::Filtered;
use super::{Store, Transaction, paging};
use crate::sql::{Conn, Row, Work, corrupt, params, statements};

/// Packages, or groups, that one transaction folds.
const STEP: i64 = 500;

statements! {
    /// A package that several repositories have comes once for each, next to each other.
    LIST = "
        SELECT v.folded, v.namespace, v.name, p.format, p.id
          FROM package_variation v
          JOIN package p ON p.id = v.package_id
          JOIN repository r ON r.id = p.repository_id AND r.gone = 0
         WHERE v.domain_id = $1 AND (v.folded, v.namespace, v.name) > ($2, $3, $4) AND v.folded < $5
         ORDER BY v.folded, v.namespace, v.name LIMIT $6";
    PUT = "
        INSERT INTO package_variation (package_id, domain_id, folded, namespace, name) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (package_id) DO UPDATE SET folded = excluded.folded";
    STATE = "SELECT version, next_package FROM folding WHERE id = 1";
    SET_STATE = "UPDATE folding SET version = $1, next_package = $2 WHERE id = 1";
    NEXT_PACKAGES = "
        SELECT p.id, r.domain_id, p.format, p.namespace, p.name
          FROM package p JOIN repository r ON r.id = p.repository_id
         WHERE p.id >= $1 ORDER BY p.id LIMIT $2";
    NEXT_GROUPS = "SELECT id, pattern FROM package_group WHERE id >= $1 ORDER BY id LIMIT $2";
    REFOLD_GROUP = "UPDATE package_group SET folded = $2 WHERE id = $1";
}

fn read_key(id: i64, format: &str, namespace: &str, name: &str) -> Result<PackageKey> {
    let broken = |error: String| corrupt("package", id, error);
    let format: PackageFormat = format.parse().map_err(|error| broken(format!("{error}")))?;
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    PackageKey::new(format, namespace, name).map_err(|error| broken(error.to_string()))
}

/// A page of the packages that belong to the group of a pattern, or would if there was one.
pub(super) struct AssociatedPackages {
    pub(super) domain: DomainId,
    pub(super) pattern: PackageGroupPattern,
    pub(super) page: PageRequest,
}

/// A package in list order.
struct Listed {
    folded: String,
    key: PackageKey,
    association: Option<AssociationType>,
}

impl Listed {
    fn position(&self) -> Vec<String> {
        vec![self.folded.clone(), self.key.namespace().unwrap_or("").to_owned(), self.key.name().to_owned()]
    }
}

impl Work for AssociatedPackages {
    type Output = Page<(PackageKey, AssociationType)>;

    async fn run(&self, conn: &mut Conn) -> Result<Self::Output> {
        let (start, end) = match self.pattern.folded_range() {
            // Nothing stored lies between a text and the same with a control character appended.
            FoldedRange::One(text) => (text.clone(), format!("{text}\u{1}")),
            FoldedRange::Prefix(text) => (text.clone(), paging::end_of_prefix(&text)),
        };
        let mut groups = Associations::default();
        let mut filtered = Filtered::new(self.page.limit);
        let mut from = self.page.clone();
        loop {
            let chunk = filtered.chunk();
            let first = match from.key(0) {
                "" => start.as_str(),
                first => first,
            };
            let values = params![self.domain, first, from.key(1), from.key(2), &end, paging::rows(chunk - 1)];
            let rows = conn
                .list(&LIST, values, |row| {
                    let key = read_key(row.integer(4)?, row.text(3)?, row.text(1)?, row.text(2)?)?;
                    Ok(Listed { folded: row.text(0)?.to_owned(), key, association: None })
                })
                .await?;
            let mut last: Option<PackageKey> = None;
            let mut listed = Vec::with_capacity(rows.len());
            for mut row in rows {
                // Of what several repositories have, the first row counts; the others only tell where the list is.
                if last.as_ref() != Some(&row.key) {
                    last = Some(row.key.clone());
                    row.association = self.association(conn, &mut groups, &row.key).await?;
                }
                listed.push(row);
            }
            match filtered.take(listed, chunk, |row| row.association.is_some(), Listed::position) {
                Ok(page) => {
                    let items = page.items.into_iter().filter_map(|row| Some((row.key, row.association?))).collect();
                    return Ok(Page { items, next: page.next });
                }
                Err(next) => from = next,
            }
        }
    }
}

impl AssociatedPackages {
    /// How a package belongs to the group, if it does: no other group that is there is more specific for it.
    async fn association(
        &self,
        conn: &mut Conn,
        groups: &mut Associations,
        key: &PackageKey,
    ) -> Result<Option<AssociationType>> {
        let path = PackagePath::new(key);
        let Some((specificity, association)) = self.pattern.specificity(&path) else { return Ok(None) };
        let (_, present, _) = groups.find(conn, self.domain, &path).await?;
        let present = present.specificity(&path).map(|(specificity, _)| specificity);
        Ok(present.is_none_or(|present| specificity >= present).then_some(association))
    }
}

impl Transaction<'_> {
    /// Makes a package findable under its variants.
    pub(super) async fn put_variation(&mut self, domain: DomainId, package: &Package) -> Result<()> {
        put(self.conn, package.id.0, domain, &package.key).await
    }
}

async fn put(conn: &mut Conn, id: i64, domain: DomainId, key: &PackageKey) -> Result<()> {
    let folded = PackagePath::new(key).folded_text();
    let values = params![id, domain, &folded, key.namespace().unwrap_or(""), key.name()];
    conn.execute(&PUT, values).await.map(drop)
}

fn read_state(row: &Row<'_>) -> Result<(i64, i64)> {
    Ok((row.integer(0)?, row.integer(1)?))
}

/// Folds all groups anew if the rules of folding changed: before anything is asked of them.
struct RefoldGroups;

impl Work for RefoldGroups {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        let state = conn.find(&STATE, params![], read_state).await?;
        if state.is_none_or(|(version, _)| version >= FOLD_VERSION) {
            return Ok(());
        }
        let mut next = 0;
        loop {
            let groups = conn
                .list(&NEXT_GROUPS, params![next, STEP], |row| Ok((row.integer(0)?, row.text(1)?.to_owned())))
                .await?;
            let Some((last, _)) = groups.last() else { break };
            next = last + 1;
            for (id, pattern) in groups {
                let pattern =
                    PackageGroupPattern::new(&pattern).map_err(|error| corrupt("package_group", id, error))?;
                conn.execute(&REFOLD_GROUP, params![id, &pattern.folded_text()]).await?;
            }
        }
        conn.execute(&SET_STATE, params![FOLD_VERSION, 1_i64]).await.map(drop)
    }
}

/// Folds some packages that are not folded yet.
struct FoldStep;

impl Work for FoldStep {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        let Some((version, from)) = conn.find(&STATE, params![], read_state).await? else { return Ok(()) };
        if from == 0 {
            return Ok(());
        }
        let packages = conn
            .list(&NEXT_PACKAGES, params![from, STEP], |row| {
                let id = row.integer(0)?;
                Ok((id, DomainId(row.integer(1)?), read_key(id, row.text(2)?, row.text(3)?, row.text(4)?)?))
            })
            .await?;
        for (id, domain, key) in &packages {
            put(conn, *id, *domain, key).await?;
        }
        let next = packages.last().map_or(0, |(id, ..)| id + 1);
        conn.execute(&SET_STATE, params![version, next]).await.map(drop)
    }
}

impl Store {
    /// Folds the groups anew if that is due.
    pub(super) async fn refold_groups(&self) -> Result<()> {
        let state = self.database.read().await?.find(&STATE, params![], read_state).await?;
        if state.is_some_and(|(version, _)| version < FOLD_VERSION) {
            self.database.write(RefoldGroups).await?;
        }
        Ok(())
    }

    /// Folds what packages are not folded yet, those of before there were package groups. Runs by itself after opening.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn fold_packages(&self) -> Result<()> {
        loop {
            let state = self.database.read().await?.find(&STATE, params![], read_state).await?;
            if state.is_none_or(|(_, next)| next == 0) {
                return Ok(());
            }
            self.database.write(FoldStep).await?;
        }
    }

    /// Folds without making anybody wait.
    pub(super) fn fold_packages_in_background(&self) {
        // Without a runtime, the next store that is opened does it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let this = self.clone();
        runtime.spawn(async move {
            if let Err(error) = this.fold_packages().await {
                tracing::warn!(?error, "could not fold the names of all packages; the next start goes on");
            }
        });
    }
}
