//! What is stored of a release and what clients read.

use std::fmt;

use bytes::Bytes;
use larder_core::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Problem;

/// A version's metadata column.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct VersionMetadata {
    /// The name of the source archive among the version's assets.
    pub(crate) archive: String,
    /// `Package.swift` first, then its variants.
    pub(crate) manifests: Vec<Manifest>,
    /// The publisher's metadata, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<Signature>,
}

/// A manifest among the version's assets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) file: String,
    pub(crate) tools_version: String,
}

/// The signatures of a release, in base64.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Signature {
    pub(crate) format: String,
    /// Of the source archive.
    pub(crate) archive: String,
    /// Of the metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<String>,
}

impl VersionMetadata {
    /// As it is stored.
    pub(crate) fn bytes(&self) -> Result<Bytes, Error> {
        serde_json::to_vec(self).map(Bytes::from).map_err(Error::internal)
    }

    /// Reads what [`VersionMetadata::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(Error::internal)
    }
}

/// The members of the publisher's metadata that say where the source is.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SourceRepositories {
    #[serde(default, rename = "repositoryURLs")]
    pub(crate) urls: Option<Vec<String>>,
}

impl SourceRepositories {
    /// Those of a version; empty if it says nothing.
    pub(crate) fn of(version: &VersionMetadata) -> Vec<String> {
        let raw = version.metadata.as_ref().map_or("{}", |raw| raw.get());
        serde_json::from_str::<Self>(raw).ok().and_then(|found| found.urls).unwrap_or_default()
    }
}

/// `GET {scope}/{name}`.
#[derive(Debug, Serialize)]
pub(crate) struct ReleaseList<'a> {
    pub(crate) releases: InOrder<ListedRelease<'a>>,
}

/// A release in the list.
#[derive(Debug, Serialize)]
pub(crate) struct ListedRelease<'a> {
    pub(crate) url: String,
    /// It was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem<'a>>,
}

/// An object whose members are in this order.
pub(crate) struct InOrder<T>(pub(crate) Vec<(String, T)>);

impl<T> fmt::Debug for InOrder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<T: Serialize> Serialize for InOrder<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// `GET {scope}/{name}/{version}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Release<'a> {
    /// `Scope.Name`.
    pub(crate) id: &'a str,
    pub(crate) version: &'a str,
    /// Exactly one.
    pub(crate) resources: [Resource<'a>; 1],
    pub(crate) metadata: &'a RawValue,
    pub(crate) published_at: String,
}

/// The source archive of a release.
#[derive(Debug, Serialize)]
pub(crate) struct Resource<'a> {
    pub(crate) name: &'static str,
    #[serde(rename = "type")]
    pub(crate) media_type: &'static str,
    /// SHA-256, in hexadecimal.
    pub(crate) checksum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing: Option<Signing<'a>>,
}

/// Its signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signing<'a> {
    pub(crate) signature_base64_encoded: &'a str,
    pub(crate) signature_format: &'a str,
}

/// `GET identifiers?url=`.
#[derive(Debug, Serialize)]
pub(crate) struct Identifiers {
    pub(crate) identifiers: Vec<String>,
}

/// What serving the files of a release takes, kept as a document.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReleaseFiles {
    /// `Scope.Name`.
    pub(crate) display_name: String,
    pub(crate) archive: String,
    /// SHA-256, in base64.
    pub(crate) digest: String,
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) signature: Option<Signature>,
}
