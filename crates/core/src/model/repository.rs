//! Repositories: ordered upstreams or an external connection, and packages.

use std::sync::Arc;

use super::{AccountId, DomainId, ExternalConnection, RepositoryName, Revision, Timestamp};

/// A repository's identity. Links between repositories hold it, not the name (reference 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryId(pub i64);

/// A direct upstream as linked: the name is kept for display after the repository it names is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub id: RepositoryId,
    pub name: RepositoryName,
    /// The repository was deleted: requests that reach this link fail (reference 2.3).
    pub dangling: bool,
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    pub id: RepositoryId,
    pub domain: DomainId,
    pub domain_owner: AccountId,
    pub domain_name: super::DomainName,
    pub name: RepositoryName,
    /// The account that created it.
    pub administrator: AccountId,
    pub description: Option<String>,
    pub created_at: Timestamp,
    /// In priority order.
    pub upstreams: Vec<Upstream>,
    pub external_connection: Option<ExternalConnection>,
    /// The resource policy's text and revision.
    pub policy: Option<(Arc<str>, Revision)>,
}

/// A repository as lists show it.
#[derive(Debug, Clone)]
pub struct RepositorySummary {
    pub name: RepositoryName,
    pub administrator: AccountId,
    pub domain_name: super::DomainName,
    pub domain_owner: AccountId,
    pub description: Option<String>,
    pub created_at: Timestamp,
}
