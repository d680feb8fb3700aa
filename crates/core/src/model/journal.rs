//! The append-only journal: one record for every mutation, written in its transaction.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

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
    /// What else the request said of itself, as JSON: see [`crate::access::RequestNotes`].
    pub client: Option<Arc<str>>,
}

/// One record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// What else the request said of itself, as JSON.
    pub client: Option<String>,
    /// The [`super::VersionEvent`] as JSON, where a version's state changed.
    pub event: Option<String>,
    /// Which leaf of the sealed log it is; `None` until it is sealed.
    pub leaf: Option<u64>,
}

/// All fields of a record but its leaf, in the order in which they are hashed.
#[derive(Serialize)]
struct Sealed<'a> {
    v: u8,
    sequence: i64,
    at: i64,
    principal: &'a str,
    address: Option<&'a str>,
    operation: &'a str,
    resource: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    request_id: &'a str,
    client: Option<&'a str>,
    event: Option<&'a str>,
}

impl JournalRecord {
    /// The bytes whose hash is the leaf: a JSON object of all fields, without white space, the instant in milliseconds
    /// since 1970.
    #[must_use]
    pub fn leaf_bytes(&self) -> Vec<u8> {
        let sealed = Sealed {
            v: 1,
            sequence: self.sequence,
            at: self.at.0,
            principal: &self.principal,
            address: self.address.as_deref(),
            operation: &self.operation,
            resource: &self.resource,
            before: self.before.as_deref(),
            after: self.after.as_deref(),
            request_id: &self.request_id,
            client: self.client.as_deref(),
            event: self.event.as_deref(),
        };
        // Text and numbers are always JSON.
        serde_json::to_vec(&sealed).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_json_of_all_fields() {
        let record = JournalRecord {
            sequence: 3,
            at: Timestamp(1000),
            principal: "p".to_owned(),
            after: Some("\"x\"".to_owned()),
            leaf: Some(1),
            ..JournalRecord::default()
        };
        assert_eq!(
            String::from_utf8(record.leaf_bytes()).as_deref(),
            Ok(concat!(
                r#"{"v":1,"sequence":3,"at":1000,"principal":"p","address":null,"operation":"","resource":"","#,
                r#""before":null,"after":"\"x\"","request_id":"","client":null,"event":null}"#
            ))
        );
    }
}
