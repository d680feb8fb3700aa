//! Package versions (reference 2.5-2.7).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256 as Hasher};

use super::names::{check_coordinate, text_type};
use super::{Asset, Origin, Timestamp};
use crate::error::Invalid;

text_type!(
    /// A version as its format compares it: 1 to 255 characters, none of `#`, `/` or white space.
    VersionText,
    check_version
);

fn check_version(text: &str) -> Result<(), Invalid> {
    check_coordinate(text).map_err(|error| Invalid::new(format!("version {error}")))
}

/// An opaque id that changes whenever what it stands for changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision(pub String);

impl Revision {
    /// The revision of some content: base64 of its SHA-256, 44 characters, as AWS's look.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        use base64::Engine as _;
        Self(base64::engine::general_purpose::STANDARD.encode(Self::digest(parts)))
    }

    /// The SHA-256 of some parts and their borders: what [`Revision::of`] spells in base64.
    #[must_use]
    pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut hasher = Hasher::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    /// The revision of a version: its assets and its format metadata. A status change does not alter it.
    #[must_use]
    pub fn of_version<'a>(metadata: &'a [u8], assets: impl IntoIterator<Item = &'a Asset>) -> Self {
        let mut names: Vec<_> = assets.into_iter().collect();
        names.sort_by(|a, b| a.name.cmp(&b.name));
        let parts = names
            .iter()
            .flat_map(|asset| [asset.name.as_str().as_bytes(), asset.digests.sha256.0.as_slice(), &asset.metadata[..]]);
        Self::of(std::iter::once(metadata).chain(parts))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version's state. `Deleted` is never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VersionStatus {
    Published,
    Unfinished,
    Unlisted,
    Archived,
    Disposed,
    Deleted,
}

impl VersionStatus {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Published, Self::Unfinished, Self::Unlisted, Self::Archived, Self::Disposed, Self::Deleted];

    /// The API's spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "Published",
            Self::Unfinished => "Unfinished",
            Self::Unlisted => "Unlisted",
            Self::Archived => "Archived",
            Self::Disposed => "Disposed",
            Self::Deleted => "Deleted",
        }
    }

    /// Reads the API's spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Package managers may download its assets.
    #[must_use]
    pub fn is_downloadable(self) -> bool {
        matches!(self, Self::Published | Self::Unlisted)
    }
}

impl fmt::Display for VersionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version's row in one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(pub i64);

/// A version in one repository.
#[derive(Debug, Clone)]
pub struct PackageVersion {
    pub id: VersionId,
    pub version: VersionText,
    pub status: VersionStatus,
    pub revision: Revision,
    pub origin: Origin,
    /// When its source says it was published; for a direct publish the same as `published_at`.
    pub source_published_at: Option<Timestamp>,
    /// When Larder first saw it, anywhere in the domain.
    pub first_seen_at: Timestamp,
    /// When it entered this domain: `publishedTime` of the API.
    pub published_at: Timestamp,
    /// The version's document as its format keeps it, opaque to everything else.
    pub metadata: bytes::Bytes,
    /// Its files; empty once disposed.
    pub assets: Vec<Asset>,
}

/// What the API tells of a version beyond its identity, read from the version's own files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionDetails {
    pub display_name: Option<String>,
    pub summary: Option<String>,
    pub home_page: Option<String>,
    pub source_code_repository: Option<String>,
    pub licenses: Vec<License>,
    pub dependencies: Vec<Dependency>,
    /// As found in the package.
    pub readme: Option<String>,
}

impl VersionDetails {
    /// A metadata field larger than this is dropped, not truncated (reference 1.5).
    pub const FIELD_LIMIT_BYTES: usize = 400 * 1024;
}

/// A licence by name, with its address if the package gives one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    pub name: String,
    pub url: Option<String>,
}

/// A direct dependency as the manifest states it (reference 6.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    pub namespace: Option<String>,
    pub package: String,
    pub dependency_type: Option<String>,
    pub version_requirement: Option<String>,
}

/// Why one version of a batch call failed (reference 2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFailure {
    pub code: VersionFailureCode,
    pub message: String,
}

/// The codes of `PackageVersionErrorCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionFailureCode {
    AlreadyExists,
    MismatchedRevision,
    MismatchedStatus,
    NotAllowed,
    NotFound,
    Skipped,
}

impl VersionFailureCode {
    /// The API's spelling.
    #[must_use]
    pub fn as_aws(self) -> &'static str {
        match self {
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::MismatchedRevision => "MISMATCHED_REVISION",
            Self::MismatchedStatus => "MISMATCHED_STATUS",
            Self::NotAllowed => "NOT_ALLOWED",
            Self::NotFound => "NOT_FOUND",
            Self::Skipped => "SKIPPED",
        }
    }
}
