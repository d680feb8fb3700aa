//! A package and its group: what may come in, where (reference 4.1 to 4.3).

use std::collections::HashSet;

use super::{AssociationType, Lineage, RestrictionMode, RestrictionType};
use crate::model::{ExternalConnection, OriginRestrictions, PackageKey, RepositoryId, RepositoryName};
use crate::refusal::{GroupRule, Refusal};

/// The group of a package, whether the package exists or not.
#[derive(Debug, Clone)]
pub struct Association {
    lineage: Lineage,
    association_type: AssociationType,
    /// The repositories of the list that holds, where the effective mode asks for one; in the order of
    /// [`RestrictionType::ALL`].
    allowed: [Option<HashSet<RepositoryId>>; 3],
}

impl Association {
    /// `allowed` are the lists of the groups that set an effective mode of `AllowSpecificRepositories`.
    #[must_use]
    pub fn new(
        lineage: Lineage,
        association_type: AssociationType,
        allowed: [Option<HashSet<RepositoryId>>; 3],
    ) -> Self {
        Self { lineage, association_type, allowed }
    }

    /// The group and its ancestors.
    #[must_use]
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// How the package belongs to it.
    #[must_use]
    pub fn association_type(&self) -> AssociationType {
        self.association_type
    }

    /// Whether the package may come into a repository this way. A variant never may.
    #[must_use]
    pub fn admits(&self, restriction: RestrictionType, repository: RepositoryId) -> bool {
        self.association_type == AssociationType::Strong
            && match self.lineage.effective(restriction).effective_mode {
                RestrictionMode::Allow => true,
                RestrictionMode::AllowSpecificRepositories => {
                    self.allowed[restriction as usize].as_ref().is_some_and(|listed| listed.contains(&repository))
                }
                RestrictionMode::Block | RestrictionMode::Inherit => false,
            }
    }

    /// The origin settings of a package whose first version comes in now: `otherwise`, or everything allowed where the
    /// group restricts anything, so that the group decides (the table of reference 4.1).
    #[must_use]
    pub fn first_restrictions(&self, otherwise: OriginRestrictions) -> OriginRestrictions {
        let allows_all = RestrictionType::ALL
            .iter()
            .all(|restriction| self.lineage.effective(*restriction).effective_mode == RestrictionMode::Allow);
        if allows_all { otherwise } else { OriginRestrictions::OPEN }
    }

    /// Why the package may not be published to a repository, if it may not.
    #[must_use]
    pub fn refuses_publish(
        &self,
        package: &PackageKey,
        id: RepositoryId,
        repository: &RepositoryName,
    ) -> Option<Refusal> {
        self.refuses(RestrictionType::Publish, package, id, |rule| Refusal::group_publish(package, repository, rule))
    }

    /// Why the package may not be ingested through the external connection of a repository, if it may not.
    #[must_use]
    pub fn refuses_external_upstream(
        &self,
        package: &PackageKey,
        id: RepositoryId,
        repository: &RepositoryName,
        connection: ExternalConnection,
    ) -> Option<Refusal> {
        self.refuses(RestrictionType::ExternalUpstream, package, id, |rule| {
            Refusal::group_external_upstream(package, repository, connection, rule)
        })
    }

    /// Why a repository may not take the package from `source`, another one of the domain, if it may not.
    #[must_use]
    pub fn refuses_internal_upstream(
        &self,
        package: &PackageKey,
        id: RepositoryId,
        repository: &RepositoryName,
        source: &RepositoryName,
    ) -> Option<Refusal> {
        self.refuses(RestrictionType::InternalUpstream, package, id, |rule| {
            Refusal::group_internal_upstream(package, repository, source, rule)
        })
    }

    fn refuses(
        &self,
        restriction: RestrictionType,
        package: &PackageKey,
        repository: RepositoryId,
        refusal: impl FnOnce(GroupRule<'_>) -> Refusal,
    ) -> Option<Refusal> {
        let group = self.lineage.group().pattern.as_str();
        if self.association_type == AssociationType::Weak {
            return Some(Refusal::group_variant(package, group));
        }
        if self.admits(restriction, repository) {
            return None;
        }
        let effective = self.lineage.effective(restriction);
        let (set_by, mode) = (effective.set_by.pattern.as_str(), effective.effective_mode.as_aws());
        Some(refusal(GroupRule { group, set_by, mode }))
    }
}
