//! What is kept in a version's metadata column and in an asset's.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::maven_metadata::{Plugin, SnapshotVersion};

/// What a version keeps beside its files. Empty for most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionMetadata {
    /// Checksums that clients sent before the file, or that were not the file's: file name, algorithm, hexadecimal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) held: BTreeMap<String, BTreeMap<String, String>>,
    /// Of a snapshot: its newest files, as the client that published them described them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<SnapshotRecord>,
    /// Of a Maven plugin: how it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plugin: Option<Plugin>,
}

/// The newest build of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotRecord {
    /// `1.0-20261122.192108-1`
    pub(crate) build: String,
    /// `yyyyMMddHHmmss`
    pub(crate) last_updated: String,
    pub(crate) files: Vec<SnapshotVersion>,
}

/// What a POM says that lists need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PomMetadata {
    pub(crate) packaging: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
}

fn read<T: DeserializeOwned + Default>(bytes: &[u8]) -> T {
    if bytes.is_empty() {
        return T::default();
    }
    serde_json::from_slice(bytes).unwrap_or_else(|error| {
        tracing::error!(%error, "kept metadata cannot be read and counts as absent");
        T::default()
    })
}

fn write<T: Serialize + Default + PartialEq>(value: &T) -> Bytes {
    if *value == T::default() {
        return Bytes::new();
    }
    // Maps with text keys and plain members: there is nothing that JSON could not hold.
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

impl VersionMetadata {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        read(bytes)
    }

    pub(crate) fn bytes(&self) -> Bytes {
        write(self)
    }
}

impl PomMetadata {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        read(bytes)
    }

    pub(crate) fn bytes(&self) -> Bytes {
        write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_it_was_written() {
        assert!(VersionMetadata::default().bytes().is_empty());
        let mut metadata = VersionMetadata::default();
        metadata.held.entry("a-1.jar".to_owned()).or_default().insert("sha1".to_owned(), "00".repeat(20));
        metadata.snapshot =
            Some(SnapshotRecord { build: "1-20261122.192108-1".to_owned(), ..SnapshotRecord::default() });
        assert_eq!(VersionMetadata::read(&metadata.bytes()), metadata);
        assert_eq!(VersionMetadata::read(b"broken"), VersionMetadata::default());
    }
}
