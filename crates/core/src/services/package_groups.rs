//! Package groups (reference 2.9, 4): creating and changing them, and which one a package belongs to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use moka::sync::Cache;

use super::tags::tag_set;
use super::{Control, Limits};
use crate::access::{Allowed, DomainTarget, PackageGroupTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{
    Association, AssociationType, DomainId, Lineage, PackageGroup, PackageGroupId, PackageKey, Page, PageRequest,
    RepositoryName, RestrictionMode, RestrictionType, Tag,
};
use crate::ports::{
    AllowedRepositoryUpdate, Applied, Change, MetadataStore, NewPackageGroup, PackageGroupOriginUpdate,
};

/// Which group each package belongs to, remembered for as long as the control generation stands.
pub(crate) struct Associations {
    store: Arc<dyn MetadataStore>,
    control: Arc<Control>,
    known: Cache<(DomainId, PackageKey), (u64, Arc<Association>)>,
}

impl Associations {
    pub(crate) fn new(store: Arc<dyn MetadataStore>, control: Arc<Control>) -> Self {
        Self { store, control, known: Cache::new(50_000) }
    }

    /// The group of a package, which need not exist, and what it admits.
    pub(crate) async fn get(&self, domain: DomainId, package: &PackageKey) -> Result<Arc<Association>> {
        let generation = self.control.generation().await?;
        let key = (domain, package.clone());
        if let Some((seen, association)) = self.known.get(&key)
            && seen == generation
        {
            return Ok(association);
        }
        let association = Arc::new(self.store.associate_package(domain, package).await?);
        self.known.insert(key, (generation, Arc::clone(&association)));
        Ok(association)
    }
}

/// Administers package groups.
pub struct PackageGroupService {
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) associations: Arc<Associations>,
    pub(super) limits: Limits,
}

/// What a group is created with.
#[derive(Debug, Clone, Default)]
pub struct PackageGroupSettings {
    pub contact_info: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<Tag>,
}

/// What is changed of a group; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct PackageGroupUpdate {
    pub contact_info: Option<String>,
    pub description: Option<String>,
}

/// How a group's ways in are changed; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct OriginUpdate {
    pub modes: Vec<(RestrictionType, RestrictionMode)>,
    pub add: Vec<(RestrictionType, RepositoryName)>,
    pub remove: Vec<(RestrictionType, RepositoryName)>,
}

impl PackageGroupService {
    /// Creates a group that inherits everything. Packages and groups that it covers belong to it from then on.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the pattern is taken, [`Error::QuotaExceeded`], [`Error::Validation`] for bad tags.
    pub async fn create(
        &self,
        allowed: &Allowed<PackageGroupTarget>,
        settings: PackageGroupSettings,
    ) -> Result<Lineage> {
        let target = allowed.target();
        let new = NewPackageGroup {
            domain: target.domain.id,
            pattern: target.pattern.clone(),
            contact_info: settings.contact_info,
            description: settings.description,
            tags: tag_set(settings.tags)?,
            limit: self.limits.package_groups_per_domain,
        };
        self.store.apply(allowed.actor(), Change::CreatePackageGroup(Box::new(new))).await?;
        self.describe(allowed).await
    }

    /// The group with what it inherits.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn describe(&self, allowed: &Allowed<PackageGroupTarget>) -> Result<Lineage> {
        self.get(allowed.target()).await
    }

    /// Says whether there is such a group, before anybody's rights to it are asked.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if not.
    pub async fn check_exists(&self, target: &PackageGroupTarget) -> Result<()> {
        self.get(target).await.map(drop)
    }

    async fn get(&self, target: &PackageGroupTarget) -> Result<Lineage> {
        let PackageGroupTarget { domain, pattern } = target;
        self.store.find_package_group(domain.id, pattern).await?.ok_or_else(|| {
            let message = format!(
                "Package group not found. Package group '{pattern}' does not exist in domain '{}'",
                domain.name
            );
            Error::not_found(ResourceType::Other, pattern.as_str(), message)
        })
    }

    /// Changes contact information and description.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn update(&self, allowed: &Allowed<PackageGroupTarget>, update: PackageGroupUpdate) -> Result<Lineage> {
        let PackageGroupTarget { domain, pattern } = allowed.target();
        let PackageGroupUpdate { contact_info, description } = update;
        let change =
            Change::UpdatePackageGroup { domain: domain.id, pattern: pattern.clone(), contact_info, description };
        self.store.apply(allowed.actor(), change).await?;
        self.describe(allowed).await
    }

    /// Changes where the ways in are open, and says how the lists of allowed repositories changed.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the group or a repository to be listed is not there; [`Error::Validation`] if the
    /// root were to inherit.
    pub async fn update_origin(
        &self,
        allowed: &Allowed<PackageGroupTarget>,
        update: OriginUpdate,
    ) -> Result<(Lineage, Vec<AllowedRepositoryUpdate>)> {
        let PackageGroupTarget { domain, pattern } = allowed.target();
        let OriginUpdate { modes, add, remove } = update;
        let update = PackageGroupOriginUpdate { domain: domain.id, pattern: pattern.clone(), modes, add, remove };
        let change = Change::UpdatePackageGroupOrigin(Box::new(update));
        let Applied::AllowedRepositories(lists) = self.store.apply(allowed.actor(), change).await? else {
            return Err(Error::internal("the store answered an update of a package group with something else"));
        };
        Ok((self.describe(allowed).await?, lists))
    }

    /// Deletes a group and answers its last description. Its children and packages go to its parent.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`]; [`Error::Validation`] for the root.
    pub async fn delete(&self, allowed: &Allowed<PackageGroupTarget>) -> Result<Lineage> {
        let last = self.describe(allowed).await?;
        let PackageGroupTarget { domain, pattern } = allowed.target();
        let change = Change::DeletePackageGroup { domain: domain.id, pattern: pattern.clone() };
        self.store.apply(allowed.actor(), change).await?;
        Ok(last)
    }

    /// The groups of a domain whose pattern begins with a text, by pattern.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(
        &self,
        allowed: &Allowed<DomainTarget>,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<Lineage>> {
        let found = self.store.list_package_groups(allowed.target().domain.id, prefix, page).await?;
        self.with_ancestors(found).await
    }

    /// The direct children of a group, by pattern.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the group is not there.
    pub async fn list_children(
        &self,
        allowed: &Allowed<PackageGroupTarget>,
        page: &PageRequest,
    ) -> Result<Page<Lineage>> {
        let parent = self.describe(allowed).await?;
        let found = self.store.list_sub_package_groups(parent.group().id, page).await?;
        self.with_ancestors(found).await
    }

    /// One list of allowed repositories, by name.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the group is not there.
    pub async fn list_allowed_repositories(
        &self,
        allowed: &Allowed<PackageGroupTarget>,
        restriction: RestrictionType,
        page: &PageRequest,
    ) -> Result<Page<RepositoryName>> {
        let group = self.describe(allowed).await?;
        self.store.list_allowed_repositories(group.group().id, restriction, page).await
    }

    /// The packages of the domain that belong to a group; with `preview`, that would if there was such a group.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the group is not there, unless it is a preview.
    pub async fn list_packages(
        &self,
        allowed: &Allowed<PackageGroupTarget>,
        preview: bool,
        page: &PageRequest,
    ) -> Result<Page<(PackageKey, AssociationType)>> {
        if !preview {
            self.describe(allowed).await?;
        }
        let PackageGroupTarget { domain, pattern } = allowed.target();
        self.store.list_associated_packages(domain.id, pattern, page).await
    }

    /// The group that a package belongs to, whether the package exists or not, how, and what the group admits: what
    /// every way in is decided by. Answers what is so and decides nothing about who may know it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn association(&self, domain: DomainId, package: &PackageKey) -> Result<Arc<Association>> {
        self.associations.get(domain, package).await
    }

    /// The group of a package for a caller who may see the group with this pattern; `None` if the package belongs to
    /// another one meanwhile.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn associated_group(
        &self,
        allowed: &Allowed<PackageGroupTarget>,
        package: &PackageKey,
    ) -> Result<Option<Arc<Association>>> {
        let PackageGroupTarget { domain, pattern } = allowed.target();
        let found = self.association(domain.id, package).await?;
        Ok((found.lineage().group().pattern == *pattern).then_some(found))
    }

    /// Adds to each group what it inherits from. Siblings, which lists are full of, share their ancestors.
    async fn with_ancestors(&self, page: Page<PackageGroup>) -> Result<Page<Lineage>> {
        let mut parents: HashMap<PackageGroupId, Option<Lineage>> = HashMap::new();
        let mut items = Vec::with_capacity(page.items.len());
        for group in page.items {
            let Some(parent) = group.parent else {
                items.extend(Lineage::new(vec![group]));
                continue;
            };
            let known = match parents.entry(parent) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.store.find_lineage(parent).await?),
            };
            match known {
                Some(parent) => items.push(parent.child(group)),
                // The parent was deleted meanwhile.
                None => items.extend(self.store.find_lineage(group.id).await?),
            }
        }
        Ok(Page { items, next: page.next })
    }
}
