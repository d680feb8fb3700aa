//! What goes over the wire: the JSON form of the simple index (PEP 691 with its later additions), and what Larder keeps
//! in the opaque metadata columns of a version and of a file.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The version of the simple API that the pages follow.
pub(crate) const API_VERSION: &str = "1.4";

/// A project's page.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ProjectPage {
    pub meta: Meta,
    pub name: String,
    /// Mandatory since API 1.1.
    #[serde(default)]
    pub versions: Vec<String>,
    #[serde(rename = "project-status", default, skip_serializing_if = "Option::is_none")]
    pub project_status: Option<ProjectStatus>,
    pub files: Vec<FileEntry>,
}

/// `meta` of every page.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Meta {
    #[serde(rename = "api-version")]
    pub api_version: String,
}

/// PEP 792.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProjectStatus {
    #[serde(default = "active")]
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn active() -> String {
    "active".to_owned()
}

impl ProjectStatus {
    /// Offers no files at all.
    #[must_use]
    pub(crate) fn is_quarantined(&self) -> bool {
        self.status == "quarantined"
    }

    /// Refuses uploads.
    #[must_use]
    pub(crate) fn refuses_uploads(&self) -> bool {
        self.status == "archived" || self.is_quarantined()
    }
}

/// A file on a project's page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct FileEntry {
    pub filename: String,
    pub url: String,
    pub hashes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Bytes; mandatory since API 1.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// ISO 8601, UTC, up to six fractional digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_time: Option<String>,
    pub yanked: Yanked,
    #[serde(skip_serializing_if = "CoreMetadataHash::is_none")]
    pub core_metadata: CoreMetadataHash,
    /// The same under the key that PEP 658 first had.
    #[serde(skip_serializing_if = "CoreMetadataHash::is_none")]
    pub dist_info_metadata: CoreMetadataHash,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpg_sig: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
}

/// Whether a file is yanked (PEP 592), with the reason if one was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Yanked {
    Flag(bool),
    Reason(String),
    /// Some registries write `null` for no.
    Null(()),
}

impl Default for Yanked {
    fn default() -> Self {
        Self::Flag(false)
    }
}

impl Yanked {
    /// `None`: not yanked; an empty text: yanked without a reason.
    #[must_use]
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Flag(true) => Some(""),
            Self::Reason(reason) => Some(reason),
            Self::Flag(false) | Self::Null(()) => None,
        }
    }

    /// As pages say it: `false`, `true` or the reason. An empty reason would count as `false` in Python.
    #[must_use]
    pub(crate) fn normalized(self) -> Self {
        match self {
            Self::Null(()) => Self::Flag(false),
            Self::Reason(reason) if reason.is_empty() => Self::Flag(true),
            flag => flag,
        }
    }
}

/// `core-metadata`: absent, a flag, or the hashes of the sibling file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum CoreMetadataHash {
    Flag(bool),
    Hashes(BTreeMap<String, String>),
    Null(()),
}

impl Default for CoreMetadataHash {
    fn default() -> Self {
        Self::Null(())
    }
}

impl CoreMetadataHash {
    /// The hash of a sibling file that is there.
    #[must_use]
    pub(crate) fn sha256(hash: String) -> Self {
        Self::Hashes(BTreeMap::from([("sha256".to_owned(), hash)]))
    }

    /// The SHA-256 of the sibling, lower case, if it is there and its hash is known.
    #[must_use]
    pub(crate) fn as_sha256(&self) -> Option<String> {
        match self {
            Self::Hashes(hashes) => hashes.get("sha256").filter(|hash| is_sha256(hash)).map(|h| h.to_ascii_lowercase()),
            Self::Flag(_) | Self::Null(()) => None,
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Null(()))
    }
}

/// The list of projects.
#[derive(Debug, Serialize)]
pub(crate) struct ProjectList<'a> {
    pub meta: Meta,
    pub projects: Vec<ListedProject<'a>>,
}

/// A project in the list.
#[derive(Debug, Serialize)]
pub(crate) struct ListedProject<'a> {
    pub name: &'a str,
    #[serde(rename = "_last-serial")]
    pub last_serial: i64,
}

/// What is kept with a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionMetadata {
    /// By file name; [`VersionMetadata::ALL_FILES`] stands for every file of the version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub yanked: BTreeMap<String, Yanked>,
}

impl VersionMetadata {
    /// No file has this name.
    pub(crate) const ALL_FILES: &'static str = "*";

    /// Reads the column; what does not parse counts as empty.
    #[must_use]
    pub(crate) fn read(column: &[u8]) -> Self {
        serde_json::from_slice(column).unwrap_or_default()
    }

    /// The column's bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Whether a file is yanked.
    #[must_use]
    pub(crate) fn yanked(&self, file_name: &str) -> Yanked {
        self.yanked.get(file_name).or_else(|| self.yanked.get(Self::ALL_FILES)).cloned().unwrap_or_default()
    }
}

/// What is kept with a file, beside its digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FileMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// As its source says it, or the time of the upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_time: Option<String>,
    /// Hexadecimal; only for files that were uploaded here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake2b_256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl FileMetadata {
    /// Reads the column; what does not parse counts as empty.
    #[must_use]
    pub(crate) fn read(column: &[u8]) -> Self {
        serde_json::from_slice(column).unwrap_or_default()
    }

    /// The column's bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// 64 hexadecimal digits.
#[must_use]
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_yank_covers_files_without_their_own_flag() {
        let mut metadata = VersionMetadata::default();
        metadata.yanked.insert(VersionMetadata::ALL_FILES.to_owned(), Yanked::Reason("broken".to_owned()));
        metadata.yanked.insert("b.whl".to_owned(), Yanked::Flag(false));
        let metadata = VersionMetadata::read(&metadata.bytes());
        assert_eq!(metadata.yanked("a.whl").reason(), Some("broken"));
        assert_eq!(metadata.yanked("b.whl").reason(), None);
        assert_eq!(VersionMetadata::read(b"not json"), VersionMetadata::default());
        assert_eq!(Yanked::Reason(String::new()).normalized(), Yanked::Flag(true));
        assert_eq!(Yanked::Null(()).normalized(), Yanked::Flag(false));
    }

    #[test]
    fn every_form_of_the_flags_is_read() {
        let entry: FileEntry =
            serde_json::from_str(r#"{"filename":"a","yanked":null,"core-metadata":true,"hashes":{}}"#).unwrap();
        assert_eq!((entry.yanked.reason(), entry.core_metadata.as_sha256()), (None, None));
        let hash = "A".repeat(64);
        let text = format!(r#"{{"filename":"a","yanked":"why","dist-info-metadata":{{"sha256":"{hash}"}}}}"#);
        let entry: FileEntry = serde_json::from_str(&text).unwrap();
        assert_eq!(entry.yanked.reason(), Some("why"));
        assert_eq!(entry.dist_info_metadata.as_sha256(), Some(hash.to_lowercase()));
    }
}
