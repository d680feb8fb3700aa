//! Proofs of authorization and what they are for.

use std::sync::Arc;

use crate::model::{
    AccountId, Actor, Arn, Domain, DomainName, PackageGroupPattern, PackageKey, Principal, Repository, RepositoryName,
    Timestamp,
};

/// Proof that `actor` may do one action on `target`. Only [`super::Access`] makes one.
#[derive(Debug, Clone)]
pub struct Allowed<T> {
    pub(super) target: T,
    pub(super) principal: Principal,
    pub(super) actor: Actor,
    pub(super) repeats: Option<Repeats>,
}

/// For which requests with the same credentials a proof holds too, for as long as nothing is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// When the credentials end.
    pub until: Timestamp,
    /// Where the request came from, or whether it was encrypted, was looked at.
    pub same_peer: bool,
}

impl<T> Allowed<T> {
    /// What may be acted on.
    pub fn target(&self) -> &T {
        &self.target
    }

    /// Who acts, for the journal.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Which other requests it holds for: `None` if the decision looked at more of this request than who sent it, or
    /// nobody asked with a token.
    pub fn repeats(&self) -> Option<Repeats> {
        self.repeats
    }

    /// Who acts.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

impl Allowed<PackageTarget> {
    /// Rights to a package cover addressing its repository for that same action.
    #[must_use]
    pub fn package(&self) -> &PackageKey {
        &self.target.package
    }
}

/// The account level: actions whose resource is `*`.
#[derive(Debug, Clone)]
pub struct AccountTarget;

/// A domain.
#[derive(Debug, Clone)]
pub struct DomainTarget {
    pub domain: Arc<Domain>,
}

/// A repository of a domain.
#[derive(Debug, Clone)]
pub struct RepositoryTarget {
    pub domain: Arc<Domain>,
    pub repository: Arc<Repository>,
}

/// A package, existing or not, in a repository.
#[derive(Debug, Clone)]
pub struct PackageTarget {
    pub domain: Arc<Domain>,
    pub repository: Arc<Repository>,
    pub package: PackageKey,
}

impl PackageTarget {
    /// The package `key` in the repository of `target`.
    #[must_use]
    pub fn new(target: &RepositoryTarget, package: PackageKey) -> Self {
        Self { domain: Arc::clone(&target.domain), repository: Arc::clone(&target.repository), package }
    }
}

/// A package group, existing or not, of a domain.
#[derive(Debug, Clone)]
pub struct PackageGroupTarget {
    pub domain: Arc<Domain>,
    pub pattern: PackageGroupPattern,
}

/// A domain that is not there: one to be created, or one whose deletion has nothing left to do.
#[derive(Debug, Clone)]
pub struct NewDomainTarget {
    pub owner: AccountId,
    pub name: DomainName,
}

/// A repository that is not there, in a domain that is: as [`NewDomainTarget`].
#[derive(Debug, Clone)]
pub struct NewRepositoryTarget {
    pub domain: Arc<Domain>,
    pub name: RepositoryName,
}

/// The accounts and identities of this server. No action of a policy covers them: they are the machine owner's, see
/// [`super::Access::authorize_machine`].
#[derive(Debug, Clone)]
pub struct ServerTarget;

/// Something an action can be authorized on.
pub trait Target: Clone + Send + Sync {
    /// Its ARN in a region.
    fn arn(&self, region: &str) -> Arn;
    /// The domain it lies in, whose policy is consulted.
    fn domain(&self) -> Option<&Arc<Domain>> {
        None
    }
    /// The repository it lies in, whose policy is consulted.
    fn repository(&self) -> Option<&Arc<Repository>> {
        None
    }
    /// The resource whose tags count. Packages have none: their repository's do (reference 5.5).
    fn tagged(&self, region: &str) -> Option<Arn> {
        let domain = self.domain()?;
        Some(match self.repository() {
            Some(repository) => Arn::repository(region, &domain.owner, &domain.name, &repository.name),
            None => Arn::domain(region, &domain.owner, &domain.name),
        })
    }
    /// Whether tags on it may be settings of Larder (see [`crate::model::Cooldown`]).
    fn has_settings(&self) -> bool {
        self.repository().is_some()
    }
}

impl Target for PackageGroupTarget {
    fn arn(&self, region: &str) -> Arn {
        Arn::package_group(region, &self.domain.owner, &self.domain.name, &self.pattern)
    }
    fn domain(&self) -> Option<&Arc<Domain>> {
        Some(&self.domain)
    }
    fn tagged(&self, region: &str) -> Option<Arn> {
        Some(self.arn(region))
    }
    fn has_settings(&self) -> bool {
        true
    }
}

impl Target for AccountTarget {
    fn arn(&self, _region: &str) -> Arn {
        Arn::literal("*")
    }
}

impl Target for DomainTarget {
    fn arn(&self, region: &str) -> Arn {
        Arn::domain(region, &self.domain.owner, &self.domain.name)
    }
    fn domain(&self) -> Option<&Arc<Domain>> {
        Some(&self.domain)
    }
}

impl Target for NewDomainTarget {
    fn arn(&self, region: &str) -> Arn {
        Arn::domain(region, &self.owner, &self.name)
    }
}

impl Target for NewRepositoryTarget {
    fn arn(&self, region: &str) -> Arn {
        Arn::repository(region, &self.domain.owner, &self.domain.name, &self.name)
    }
    fn domain(&self) -> Option<&Arc<Domain>> {
        Some(&self.domain)
    }
}

impl Target for RepositoryTarget {
    fn arn(&self, region: &str) -> Arn {
        Arn::repository(region, &self.domain.owner, &self.domain.name, &self.repository.name)
    }
    fn domain(&self) -> Option<&Arc<Domain>> {
        Some(&self.domain)
    }
    fn repository(&self) -> Option<&Arc<Repository>> {
        Some(&self.repository)
    }
}

impl Target for PackageTarget {
    fn arn(&self, region: &str) -> Arn {
        Arn::package(region, &self.domain.owner, &self.domain.name, &self.repository.name, &self.package)
    }
    fn domain(&self) -> Option<&Arc<Domain>> {
        Some(&self.domain)
    }
    fn repository(&self) -> Option<&Arc<Repository>> {
        Some(&self.repository)
    }
}
