//! The append-only journal: one record for every mutation, written in its transaction.

use std::net::IpAddr;

use super::Timestamp;

/// On whose behalf and from where a write comes; becomes part of its journal record.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The principal's ARN.
    pub principal: String,
    /// `None` for writes made on the machine itself.
    pub address: Option<IpAddr>,
    /// The API operation or package-manager action, as IAM spells it: `PublishPackageVersion`.
    pub operation: &'static str,
    pub at: Timestamp,
    /// The id that the client and the log saw.
    pub request_id: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRecord {
    /// Rises by at least one per record, in commit order on one node.
    pub sequence: i64,
    pub at: Timestamp,
    pub principal: String,
    pub address: Option<String>,
    pub operation: String,
    /// The ARN, or for what has none a readable name, of what changed.
    pub resource: String,
    /// The revision or state before and after; `None` before creation and after deletion.
    pub before: Option<String>,
    pub after: Option<String>,
    pub request_id: String,
}
