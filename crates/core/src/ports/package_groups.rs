//! Package groups: reading them, and what changes of them take.

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{
    Association, AssociationType, DomainId, Lineage, PackageGroup, PackageGroupId, PackageGroupPattern, PackageKey,
    Page, PageRequest, RepositoryName, RestrictionMode, RestrictionType, Tag,
};

/// Package groups.
#[async_trait]
pub trait PackageGroups: Send + Sync {
    async fn find_package_group(&self, domain: DomainId, pattern: &PackageGroupPattern) -> Result<Option<Lineage>>;
    /// A group and its ancestors, if it is still there.
    async fn find_lineage(&self, group: PackageGroupId) -> Result<Option<Lineage>>;
    /// The group of a package that need not exist. Point reads, as many as the package's name has words.
    async fn associate_package(&self, domain: DomainId, package: &PackageKey) -> Result<Association>;
    /// Those whose pattern begins with a text, by pattern.
    async fn list_package_groups(
        &self,
        domain: DomainId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<PackageGroup>>;
    /// The direct children of a group, by pattern.
    async fn list_sub_package_groups(&self, parent: PackageGroupId, page: &PageRequest) -> Result<Page<PackageGroup>>;
    /// One list of allowed repositories, by name.
    async fn list_allowed_repositories(
        &self,
        group: PackageGroupId,
        restriction: RestrictionType,
        page: &PageRequest,
    ) -> Result<Page<RepositoryName>>;
    /// The packages of a domain, each once, that belong to the group of this pattern, or would if there was one.
    async fn list_associated_packages(
        &self,
        domain: DomainId,
        pattern: &PackageGroupPattern,
        page: &PageRequest,
    ) -> Result<Page<(PackageKey, AssociationType)>>;
}

/// What [`super::Change::CreatePackageGroup`] takes. The group inherits everything.
#[derive(Debug, Clone)]
pub struct NewPackageGroup {
    pub domain: DomainId,
    pub pattern: PackageGroupPattern,
    pub contact_info: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<Tag>,
    /// Groups per domain.
    pub limit: u32,
}

/// What [`super::Change::UpdatePackageGroupOrigin`] takes. What is not named stays.
#[derive(Debug, Clone)]
pub struct PackageGroupOriginUpdate {
    pub domain: DomainId,
    pub pattern: PackageGroupPattern,
    pub modes: Vec<(RestrictionType, RestrictionMode)>,
    /// Not found if one is no repository of the domain. Added after the others are removed.
    pub add: Vec<(RestrictionType, RepositoryName)>,
    /// Ignored if they are not on the list.
    pub remove: Vec<(RestrictionType, RepositoryName)>,
}

/// What became of a list of allowed repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedRepositoryUpdate {
    pub restriction: RestrictionType,
    /// In name order.
    pub added: Vec<RepositoryName>,
    /// In name order.
    pub removed: Vec<RepositoryName>,
}
