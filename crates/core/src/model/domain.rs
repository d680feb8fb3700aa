//! Domains: what owns assets and is shared between accounts.

use std::sync::Arc;

use super::{AccountId, DomainName, Revision, Timestamp};

/// A domain's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainId(pub i64);

/// A domain.
#[derive(Debug, Clone)]
pub struct Domain {
    pub id: DomainId,
    pub owner: AccountId,
    pub name: DomainName,
    /// The KMS key's ARN as given or the default; Larder stores it and encrypts nothing with it.
    pub encryption_key: String,
    pub created_at: Timestamp,
    /// The resource policy's text and revision.
    pub policy: Option<(Arc<str>, Revision)>,
}
