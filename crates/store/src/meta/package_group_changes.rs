//! Creating, changing and deleting package groups. Such changes happen one after the other, as all of the control plane,
//! so that what they find of parents and children stays so until they end.

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    Arn, DomainId, PackageGroup, PackageGroupId, PackageGroupPattern, RepositoryId, RepositoryName, RestrictionMode,
    RestrictionType,
};
use larder_core::ports::{AllowedRepositoryUpdate, NewPackageGroup, PackageGroupOriginUpdate};
use larder_core::{Error, Result};

use super::tags::Tagged;
use super::{Transaction, package_groups, paging};
use crate::sql::{Row, corrupt, params, statements};

statements! {
    FIND_ANCESTOR = "SELECT id FROM package_group WHERE domain_id = $1 AND pattern = $2";
    /// As many as the quota allows, one more than it at most.
    COUNT = "SELECT COUNT(*) FROM package_group WHERE domain_id = $1";
    CREATE = "
        INSERT INTO package_group (domain_id, parent_id, pattern, folded, contact_info, description, created_at,
                                   publish, external_upstream, internal_upstream)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8)
        RETURNING id";
    CHILDREN = "
        SELECT id, pattern
          FROM package_group
         WHERE parent_id = $1 AND pattern > $2 AND pattern < $3 ORDER BY pattern LIMIT $4";
    SET_PARENT = "UPDATE package_group SET parent_id = $2 WHERE id = $1";
    MOVE_CHILDREN = "UPDATE package_group SET parent_id = $2 WHERE parent_id = $1";
    DELETE = "DELETE FROM package_group WHERE id = $1";
    SET_CONTACT_INFO = "UPDATE package_group SET contact_info = $2 WHERE id = $1";
    SET_DESCRIPTION = "UPDATE package_group SET description = $2 WHERE id = $1";
    SET_PUBLISH = "UPDATE package_group SET publish = $2 WHERE id = $1";
    SET_EXTERNAL_UPSTREAM = "UPDATE package_group SET external_upstream = $2 WHERE id = $1";
    SET_INTERNAL_UPSTREAM = "UPDATE package_group SET internal_upstream = $2 WHERE id = $1";
    FIND_REPOSITORY = "SELECT id FROM repository WHERE domain_id = $1 AND name = $2 AND gone = 0";
    ALLOW = "
        INSERT INTO package_group_repository (group_id, restriction, repository_name, repository_id)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    DISALLOW = "
        DELETE FROM package_group_repository WHERE group_id = $1 AND restriction = $2 AND repository_name = $3";
    FORGET_REPOSITORY = "DELETE FROM package_group_repository WHERE repository_id = $1";
}

/// Children that are looked at in one go.
const CHILDREN_AT_ONCE: usize = 500;

/// The root's id as a parent's.
const NO_PARENT: i64 = 0;

/// A group as the journal tells it.
fn told(group: &PackageGroup) -> String {
    let modes = RestrictionType::ALL.map(|restriction| {
        let own = group.restriction(restriction);
        format!("{}={}({})", restriction.as_aws(), own.mode.as_aws(), own.repositories_count)
    });
    let text = |text: &Option<String>| format!("{:?}", text.as_deref().unwrap_or(""));
    format!("{} contact_info={} description={}", modes.join(" "), text(&group.contact_info), text(&group.description))
}

impl Transaction<'_> {
    async fn get_group(&mut self, domain: DomainId, pattern: &PackageGroupPattern) -> Result<PackageGroup> {
        package_groups::find(self.conn, domain, pattern).await?.ok_or_else(|| {
            let message = format!("Package group not found. Package group '{pattern}' does not exist");
            Error::not_found(ResourceType::Other, pattern.as_str(), message)
        })
    }

    async fn group_arn(&mut self, domain: DomainId, pattern: &PackageGroupPattern) -> Result<Arn> {
        let domain = self.get_domain(domain).await?;
        Ok(Arn::package_group(self.region, &domain.owner, &domain.name, pattern))
    }

    /// The group `/*` of a domain that is being created. Part of what that records.
    pub(super) async fn create_root_group(&mut self, domain: DomainId) -> Result<()> {
        let root = PackageGroupPattern::root();
        self.insert_group(domain, NO_PARENT, &root, RestrictionMode::Allow, (None, None)).await.map(drop)
    }

    async fn insert_group(
        &mut self,
        domain: DomainId,
        parent: i64,
        pattern: &PackageGroupPattern,
        mode: RestrictionMode,
        (contact_info, description): (Option<&String>, Option<&String>),
    ) -> Result<PackageGroupId> {
        let folded = pattern.folded_text();
        let now = self.now();
        let values = params![domain, parent, pattern.as_str(), &folded, contact_info, description, now, mode.as_aws()];
        let id = self.conn.find(&CREATE, values, |row| row.integer(0).map(PackageGroupId)).await?;
        id.ok_or_else(|| Error::internal("a package group was not created"))
    }

    pub(super) async fn create_package_group(&mut self, new: &NewPackageGroup) -> Result<()> {
        let NewPackageGroup { domain, pattern, contact_info, description, tags, limit } = new;
        self.take_groups(*domain).await?;
        let name = self.get_domain(*domain).await?.name;
        if package_groups::find(self.conn, *domain, pattern).await?.is_some() {
            let message = format!("Package group '{pattern}' already exists in domain '{name}'");
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, pattern.as_str(), message));
        }
        let count = self.conn.find(&COUNT, params![*domain], |row| row.unsigned(0)).await?.unwrap_or(0);
        if count >= u64::from(*limit) {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: pattern.to_string(),
                message: format!("Domain '{name}' has {count} package groups and may have {limit}"),
            });
        }
        let parent = self.nearest_ancestor(*domain, pattern).await?;
        let texts = (contact_info.as_ref(), description.as_ref());
        let id = self.insert_group(*domain, parent.0, pattern, RestrictionMode::Inherit, texts).await?;
        self.adopt_children(id, parent, pattern).await?;
        self.put_tags(Tagged::Group(id), tags).await?;
        let group = self.get_group(*domain, pattern).await?;
        let resource = self.group_arn(*domain, pattern).await?;
        self.record(resource.as_str(), None, Some(&told(&group))).await
    }

    /// The group under which a new one goes.
    async fn nearest_ancestor(&mut self, domain: DomainId, pattern: &PackageGroupPattern) -> Result<PackageGroupId> {
        let candidates = pattern.candidate_ancestors();
        let mut ancestors: Vec<_> = candidates
            .iter()
            .filter_map(|text| PackageGroupPattern::new(text).ok())
            .filter(|candidate| candidate.covers(pattern))
            .collect();
        ancestors.sort_by(|a, b| b.compare_ancestors(a));
        for ancestor in ancestors {
            let values = params![domain, ancestor.as_str()];
            if let Some(id) = self.conn.find(&FIND_ANCESTOR, values, |row| row.integer(0)).await? {
                return Ok(PackageGroupId(id));
            }
        }
        Err(Error::internal(format!("domain {} has no package group '/*'", domain.0)))
    }

    /// Puts those children of `parent` under a new group that it covers.
    async fn adopt_children(
        &mut self,
        group: PackageGroupId,
        parent: PackageGroupId,
        pattern: &PackageGroupPattern,
    ) -> Result<()> {
        let end = paging::end_of_prefix(pattern.stem());
        let mut after = pattern.stem().to_owned();
        loop {
            let values = params![parent, &after, &end, paging::rows(CHILDREN_AT_ONCE - 1)];
            let read = |row: &Row<'_>| Ok((row.integer(0)?, row.text(1)?.to_owned()));
            let children = self.conn.list(&CHILDREN, values, read).await?;
            let Some((_, last)) = children.last() else { return Ok(()) };
            after.clone_from(last);
            for (id, text) in children {
                let child = PackageGroupPattern::new(&text).map_err(|error| corrupt("package_group", id, error))?;
                if pattern.covers(&child) {
                    self.conn.execute(&SET_PARENT, params![id, group]).await?;
                }
            }
        }
    }

    pub(super) async fn update_package_group(
        &mut self,
        domain: DomainId,
        pattern: &PackageGroupPattern,
        contact_info: Option<&String>,
        description: Option<&String>,
    ) -> Result<()> {
        let before = self.get_group(domain, pattern).await?;
        if let Some(contact_info) = contact_info {
            self.conn.execute(&SET_CONTACT_INFO, params![before.id, contact_info]).await?;
        }
        if let Some(description) = description {
            self.conn.execute(&SET_DESCRIPTION, params![before.id, description]).await?;
        }
        self.record_group_change(&before).await
    }

    /// Records what a group is now, beside what it was.
    async fn record_group_change(&mut self, before: &PackageGroup) -> Result<()> {
        let after = self.get_group(before.domain, &before.pattern).await?;
        let resource = self.group_arn(before.domain, &before.pattern).await?;
        self.record(resource.as_str(), Some(&told(before)), Some(&told(&after))).await
    }

    pub(super) async fn update_package_group_origin(
        &mut self,
        update: &PackageGroupOriginUpdate,
    ) -> Result<Vec<AllowedRepositoryUpdate>> {
        self.take_groups(update.domain).await?;
        let before = self.get_group(update.domain, &update.pattern).await?;
        for (restriction, mode) in &update.modes {
            if before.pattern.is_root() && *mode == RestrictionMode::Inherit {
                let message = "the root package group '/*' has nothing to inherit from";
                return Err(Error::validation("restrictions", message));
            }
            let statement = match restriction {
                RestrictionType::Publish => &SET_PUBLISH,
                RestrictionType::ExternalUpstream => &SET_EXTERNAL_UPSTREAM,
                RestrictionType::InternalUpstream => &SET_INTERNAL_UPSTREAM,
            };
            self.conn.execute(statement, params![before.id, mode.as_aws()]).await?;
        }
        let mut removed: Vec<(RestrictionType, RepositoryName)> = Vec::new();
        for (restriction, name) in &update.remove {
            let values = params![before.id, restriction.as_aws(), name.as_str()];
            if self.conn.execute(&DISALLOW, values).await? > 0 {
                removed.push((*restriction, name.clone()));
            }
        }
        let mut added: Vec<(RestrictionType, RepositoryName)> = Vec::new();
        for (restriction, name) in &update.add {
            let repository = self.get_repository_id(update.domain, name).await?;
            let values = params![before.id, restriction.as_aws(), name.as_str(), repository];
            if self.conn.execute(&ALLOW, values).await? > 0 {
                added.push((*restriction, name.clone()));
            }
        }
        self.record_group_change(&before).await?;
        Ok(net_updates(&added, &removed))
    }

    async fn get_repository_id(&mut self, domain: DomainId, name: &RepositoryName) -> Result<RepositoryId> {
        let values = params![domain, name.as_str()];
        let id = self.conn.find(&FIND_REPOSITORY, values, |row| row.integer(0).map(RepositoryId)).await?;
        id.ok_or_else(|| {
            let message = format!("Repository not found. Repository '{name}' does not exist in the domain");
            Error::not_found(ResourceType::Repository, name.as_str(), message)
        })
    }

    pub(super) async fn delete_package_group(&mut self, domain: DomainId, pattern: &PackageGroupPattern) -> Result<()> {
        self.take_groups(domain).await?;
        let group = self.get_group(domain, pattern).await?;
        let Some(parent) = group.parent else {
            return Err(Error::validation("packageGroup", "the root package group '/*' cannot be deleted"));
        };
        self.conn.execute(&MOVE_CHILDREN, params![group.id, parent]).await?;
        self.conn.execute(&DELETE, params![group.id]).await?;
        let resource = self.group_arn(domain, pattern).await?;
        self.record(resource.as_str(), Some(&told(&group)), None).await
    }

    /// Takes a repository that goes off all lists.
    pub(super) async fn disallow_everywhere(&mut self, repository: RepositoryId) -> Result<()> {
        self.conn.execute(&FORGET_REPOSITORY, params![repository]).await.map(drop)
    }
}

/// What differs on the lists in the end: a repository that was removed and added is where it was.
fn net_updates(
    added: &[(RestrictionType, RepositoryName)],
    removed: &[(RestrictionType, RepositoryName)],
) -> Vec<AllowedRepositoryUpdate> {
    let of = |restriction: RestrictionType, these: &[(RestrictionType, RepositoryName)], others: &[(_, _)]| {
        let mut names: Vec<RepositoryName> =
            these.iter().filter(|one| one.0 == restriction && !others.contains(one)).map(|one| one.1.clone()).collect();
        names.sort_unstable();
        names
    };
    RestrictionType::ALL
        .into_iter()
        .map(|restriction| AllowedRepositoryUpdate {
            restriction,
            added: of(restriction, added, removed),
            removed: of(restriction, removed, added),
        })
        .filter(|update| !(update.added.is_empty() && update.removed.is_empty()))
        .collect()
}
