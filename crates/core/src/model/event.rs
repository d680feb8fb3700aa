//! `CodeArtifact Package Version State Change`: what an event tells of a version (reference 7.1).

use serde::{Deserialize, Serialize};

/// The `detail` of an event, as its journal record keeps it: all but the sequence number and the deduplication id, which
/// follow from the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionEvent {
    pub domain_name: String,
    pub domain_owner: String,
    pub repository_name: String,
    pub repository_administrator: String,
    pub package_format: String,
    pub package_namespace: Option<String>,
    pub package_name: String,
    pub package_version: String,
    /// After the change; of a deleted version, the last one.
    pub package_version_state: String,
    pub package_version_revision: String,
    /// Beyond AWS's fields: the state before the change.
    pub previous_package_version_state: Option<String>,
    pub changes: VersionChanges,
    pub operation_type: EventType,
}

/// `detail.changes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionChanges {
    pub assets_added: u64,
    pub assets_removed: u64,
    pub metadata_updated: bool,
    pub assets_updated: u64,
    pub status_changed: bool,
}

/// `detail.operationType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    Created,
    Updated,
    Deleted,
}
