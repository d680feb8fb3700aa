//! Package groups: reading them, and finding the one that a package belongs to.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use larder_core::model::{
    Association, AssociationType, DomainId, Lineage, PackageGroup, PackageGroupId, PackageGroupPattern, PackageKey,
    PackagePath, Page, PageRequest, RepositoryId, RepositoryName, Restriction, RestrictionMode, RestrictionType,
    Timestamp,
};
use larder_core::ports::PackageGroups;
use larder_core::{Error, Result};

use super::variations::AssociatedPackages;
use super::{Store, Transaction, paging};
use crate::sql::{Conn, Row, Value, corrupt, params, statements};

macro_rules! group {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.domain_id, g.parent_id, g.pattern, g.contact_info, g.description, g.created_at,
                    g.publish, g.external_upstream, g.internal_upstream,
                    (SELECT COUNT(*) FROM package_group_repository r
                      WHERE r.group_id = g.id AND r.restriction = 'PUBLISH'),
                    (SELECT COUNT(*) FROM package_group_repository r
                      WHERE r.group_id = g.id AND r.restriction = 'EXTERNAL_UPSTREAM'),
                    (SELECT COUNT(*) FROM package_group_repository r
                      WHERE r.group_id = g.id AND r.restriction = 'INTERNAL_UPSTREAM')
               FROM package_group g ",
            $rest
        )
    };
}

statements! {
    FIND = group!("WHERE g.domain_id = $1 AND g.pattern = $2");
    /// From the group to the root.
    LINEAGE = concat!(
        "WITH RECURSIVE line (member_id, parent_id, depth) AS (
             SELECT id, parent_id, 0 FROM package_group WHERE id = $1
              UNION ALL
             SELECT p.id, p.parent_id, line.depth + 1 FROM line JOIN package_group p ON p.id = line.parent_id
         ) ",
        group!("JOIN line ON line.member_id = g.id ORDER BY line.depth")
    );
    LIST = group!("
        WHERE g.domain_id = $1 AND g.pattern >= $2 AND g.pattern < $3 ORDER BY g.pattern LIMIT $4");
    LIST_CHILDREN = group!("
        WHERE g.parent_id = $1 AND g.pattern > $2 ORDER BY g.pattern LIMIT $3");
    /// As many at a time as most names have words.
    FIND_FOLDED = "
        SELECT id, pattern, folded
          FROM package_group
         WHERE domain_id = $1
           AND folded IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    ALLOWED = "SELECT repository_id FROM package_group_repository WHERE group_id = $1 AND restriction = $2";
    LIST_ALLOWED = "
        SELECT repository_name
          FROM package_group_repository
         WHERE group_id = $1 AND restriction = $2 AND repository_name > $3
         ORDER BY repository_name LIMIT $4";
}

/// Plus the id of a domain: the lock under which its package groups are changed, shared by those who keep to them.
const GROUPS_LOCK: i64 = 0x6772_6f75_0000_0000;

/// The slots of [`FIND_FOLDED`].
const FOLDED_SLOTS: usize = 12;

fn read_group(row: &Row<'_>) -> Result<PackageGroup> {
    let id = row.integer(0)?;
    let parent = row.integer(2)?;
    let mut restrictions = [Restriction { mode: RestrictionMode::Inherit, repositories_count: 0 }; 3];
    for (index, restriction) in restrictions.iter_mut().enumerate() {
        let mode = row.text(7 + index)?;
        restriction.mode =
            RestrictionMode::parse(mode).ok_or_else(|| corrupt("package_group", id, format!("a mode is '{mode}'")))?;
        restriction.repositories_count = row.unsigned(10 + index)?;
    }
    Ok(PackageGroup {
        id: PackageGroupId(id),
        domain: DomainId(row.integer(1)?),
        parent: (parent != 0).then_some(PackageGroupId(parent)),
        pattern: read_pattern(id, row.text(3)?)?,
        contact_info: row.optional_text(4)?.map(str::to_owned),
        description: row.optional_text(5)?.map(str::to_owned),
        created_at: Timestamp(row.integer(6)?),
        restrictions,
    })
}

fn read_pattern(id: i64, text: &str) -> Result<PackageGroupPattern> {
    PackageGroupPattern::new(text).map_err(|error| corrupt("package_group", id, error))
}

/// A group without its ancestors.
pub(super) async fn find(
    conn: &mut Conn,
    domain: DomainId,
    pattern: &PackageGroupPattern,
) -> Result<Option<PackageGroup>> {
    conn.find(&FIND, params![domain, pattern.as_str()], read_group).await
}

pub(super) async fn lineage(conn: &mut Conn, group: PackageGroupId) -> Result<Option<Lineage>> {
    conn.list(&LINEAGE, params![group], read_group).await.map(Lineage::new)
}

/// The groups that were found under each key.
type Found = HashMap<String, Vec<(PackageGroupId, PackageGroupPattern)>>;

/// Looks keys up that were not looked up before.
async fn look_up(conn: &mut Conn, domain: DomainId, keys: &[String], found: &mut Found) -> Result<()> {
    let new: Vec<&String> = keys.iter().filter(|key| !found.contains_key(*key)).collect();
    for some in new.chunks(FOLDED_SLOTS) {
        let mut values = vec![Value::from(domain)];
        values.extend((0..FOLDED_SLOTS).map(|slot| Value::from(some.get(slot).map_or("", |key| key.as_str()))));
        found.extend(some.iter().map(|key| ((*key).clone(), Vec::new())));
        let rows = conn
            .list(&FIND_FOLDED, &values, |row| {
                let id = row.integer(0)?;
                Ok((PackageGroupId(id), read_pattern(id, row.text(1)?)?, row.text(2)?.to_owned()))
            })
            .await?;
        for (id, pattern, folded) in rows {
            found.entry(folded).or_default().push((id, pattern));
        }
    }
    Ok(())
}

/// Finds the groups of one package after the other, and looks up nothing twice.
#[derive(Default)]
pub(super) struct Associations {
    found: Found,
}

impl Associations {
    /// The group that a package belongs to, and how.
    pub(super) async fn find(
        &mut self,
        conn: &mut Conn,
        domain: DomainId,
        package: &PackagePath<'_>,
    ) -> Result<(PackageGroupId, PackageGroupPattern, AssociationType)> {
        let keys = package.candidates();
        look_up(conn, domain, &keys, &mut self.found).await?;
        let candidates = keys.iter().filter_map(|key| self.found.get(key)).flatten();
        let best = candidates
            .filter_map(|(id, pattern)| {
                let (specificity, association) = pattern.specificity(package)?;
                Some((specificity, *id, pattern, association))
            })
            .max_by(|(a, ..), (b, ..)| a.cmp(b));
        let (_, id, pattern, association) =
            best.ok_or_else(|| Error::internal(format!("domain {} has no package group '/*'", domain.0)))?;
        Ok((id, pattern.clone(), association))
    }
}

/// The association of every package, if the domain has no group but the root.
async fn associate_all(conn: &mut Conn, domain: DomainId) -> Result<Option<Association>> {
    let Some(root) = find(conn, domain, &PackageGroupPattern::root()).await? else { return Ok(None) };
    if !conn.list(&LIST_CHILDREN, params![root.id, "", 1_i64], read_group).await?.is_empty() {
        return Ok(None);
    }
    match Lineage::new(vec![root]) {
        Some(lineage) => with_lists(conn, lineage, AssociationType::Strong).await.map(Some),
        None => Ok(None),
    }
}

/// The group that a package belongs to, and what it admits.
pub(super) async fn associate(conn: &mut Conn, domain: DomainId, package: &PackageKey) -> Result<Association> {
    let (group, _, association) = Associations::default().find(conn, domain, &PackagePath::new(package)).await?;
    let lineage = lineage(conn, group).await?;
    let lineage = lineage.ok_or_else(|| Error::internal("a package group was there and is not"))?;
    with_lists(conn, lineage, association).await
}

/// Adds the lists of allowed repositories that hold.
async fn with_lists(conn: &mut Conn, lineage: Lineage, association: AssociationType) -> Result<Association> {
    let mut allowed = [None, None, None];
    for restriction in RestrictionType::ALL {
        let effective = lineage.effective(restriction);
        if effective.effective_mode == RestrictionMode::AllowSpecificRepositories {
            let values = params![effective.set_by.id, restriction.as_aws()];
            let listed = conn.list(&ALLOWED, values, |row| row.integer(0).map(RepositoryId)).await?;
            allowed[restriction as usize] = Some(listed.into_iter().collect::<HashSet<_>>());
        }
    }
    Ok(Association::new(lineage, association, allowed))
}

impl Transaction<'_> {
    /// The group that a package belongs to, until the transaction ends: changes of the domain's groups wait for that.
    /// To be asked before a package is taken: somebody who has it may wait for the groups.
    pub(super) async fn associate_package(&mut self, domain: DomainId, package: &PackageKey) -> Result<Association> {
        self.conn.share(GROUPS_LOCK.wrapping_add(domain.0)).await?;
        associate(self.conn, domain, package).await
    }

    /// Waits until everybody is done who keeps to the groups as they are.
    pub(super) async fn take_groups(&mut self, domain: DomainId) -> Result<()> {
        self.conn.take(GROUPS_LOCK.wrapping_add(domain.0)).await
    }
}

#[async_trait]
impl PackageGroups for Store {
    async fn find_package_group(&self, domain: DomainId, pattern: &PackageGroupPattern) -> Result<Option<Lineage>> {
        let mut conn = self.database.snapshot().await?;
        match find(&mut conn, domain, pattern).await? {
            Some(group) => lineage(&mut conn, group.id).await,
            None => Ok(None),
        }
    }

    async fn find_lineage(&self, group: PackageGroupId) -> Result<Option<Lineage>> {
        lineage(&mut self.database.read().await?, group).await
    }

    async fn associate_package(&self, domain: DomainId, package: &PackageKey) -> Result<Association> {
        associate(&mut self.database.snapshot().await?, domain, package).await
    }

    async fn associate_all(&self, domain: DomainId) -> Result<Option<Association>> {
        associate_all(&mut self.database.snapshot().await?, domain).await
    }

    async fn list_package_groups(
        &self,
        domain: DomainId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<PackageGroup>> {
        let mut conn = self.database.read().await?;
        let (start, end) = (paging::start(page, 0, prefix), paging::end_of_prefix(prefix));
        let groups = conn.list(&LIST, params![domain, &start, &end, paging::rows(page.limit)], read_group).await?;
        Ok(Page::cut(groups, page.limit, |group| vec![group.pattern.to_string()]))
    }

    async fn list_sub_package_groups(&self, parent: PackageGroupId, page: &PageRequest) -> Result<Page<PackageGroup>> {
        let mut conn = self.database.read().await?;
        let values = params![parent, page.key(0), paging::rows(page.limit)];
        let groups = conn.list(&LIST_CHILDREN, values, read_group).await?;
        Ok(Page::cut(groups, page.limit, |group| vec![group.pattern.to_string()]))
    }

    async fn list_allowed_repositories(
        &self,
        group: PackageGroupId,
        restriction: RestrictionType,
        page: &PageRequest,
    ) -> Result<Page<RepositoryName>> {
        let mut conn = self.database.read().await?;
        let values = params![group, restriction.as_aws(), page.key(0), paging::rows(page.limit)];
        let names = conn
            .list(&LIST_ALLOWED, values, |row| {
                let name = row.text(0)?;
                RepositoryName::new(name).map_err(|error| corrupt("package_group_repository", name, error))
            })
            .await?;
        Ok(Page::cut(names, page.limit, |name| vec![name.to_string()]))
    }

    async fn list_associated_packages(
        &self,
        domain: DomainId,
        pattern: &PackageGroupPattern,
        page: &PageRequest,
    ) -> Result<Page<(PackageKey, AssociationType)>> {
        let wanted = AssociatedPackages { domain, pattern: pattern.clone(), page: page.clone() };
        self.database.long_read(wanted).await
    }
}
