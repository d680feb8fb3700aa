//! What a publish or an ingestion brings in: a value, complete before the store sees it.

use super::{
    AllowPublish, AssetKind, AssetName, Digests, DomainId, HashAlgorithm, Origin, OriginRestrictions, PackageKey,
    RepositoryId, Revision, Timestamp, VersionDetails, VersionStatus, VersionText,
};
use crate::error::Invalid;

/// A version, or more assets for one, to be stored in one transaction. Its blobs are in place already.
#[derive(Debug, Clone)]
pub struct Publication {
    pub domain: DomainId,
    pub repository: RepositoryId,
    pub package: PackageKey,
    /// As the publisher spells the package.
    pub display_name: String,
    pub version: VersionText,
    /// The version's canonical text ([`Format::canonical_version`](crate::ports::Format::canonical_version)).
    pub canonical: Option<String>,
    pub assets: Vec<NewAsset>,
    /// The version's document, as the format keeps it.
    pub metadata: bytes::Bytes,
    pub details: VersionDetails,
    /// `Published`, or `Unfinished` where the format has that.
    pub status: VersionStatus,
    pub origin: Origin,
    pub source_published_at: Option<Timestamp>,
    pub mode: PublishMode,
    /// dist-tags to set.
    pub tags: Vec<TagUpdate>,
    /// Origin settings of the package if this is its first version here.
    pub default_restrictions: OriginRestrictions,
    /// Refuse (with [`crate::Error::Refused`]) when the stored package's setting differs from what the caller saw:
    /// `Some` for direct publishes, checked again inside the transaction.
    pub requires_publish: Option<AllowPublish>,
}

/// What may exist already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishMode {
    /// The version must be new; one that exists in any status, under any spelling, is a conflict (npm, NuGet, Cargo, Swift).
    NewVersion,
    /// The version may exist, `Published` or `Unlisted`, and gains the assets. An asset that exists with the same bytes
    /// is left alone; with other bytes it is a conflict (PyPI, Maven, and ingestion of any format).
    AddAssets,
    /// As `AddAssets`, but only while the version is `Unfinished`; sets `status` (generic).
    WhileUnfinished,
    /// As `AddAssets`, also while the version is `Unfinished`, which it stays: something else finishes it (Maven).
    AtAnyTime,
}

/// A dist-tag to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagUpdate {
    pub tag: String,
    /// Leave it if it is set already (`latest` on ingestion).
    pub only_if_absent: bool,
}

/// An asset whose bytes are in the blob store already.
#[derive(Debug, Clone)]
pub struct NewAsset {
    pub name: AssetName,
    pub kind: AssetKind,
    pub digests: Digests,
    pub metadata: bytes::Bytes,
}

/// The digests that somebody promised: a client its upload's, a registry's index its file's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedDigests {
    pub md5: Option<[u8; 16]>,
    pub sha1: Option<[u8; 20]>,
    pub sha256: Option<[u8; 32]>,
    pub sha512: Option<[u8; 64]>,
    pub size_bytes: Option<u64>,
}

impl From<&Digests> for ExpectedDigests {
    fn from(digests: &Digests) -> Self {
        Self {
            md5: Some(digests.md5),
            sha1: Some(digests.sha1),
            sha256: Some(digests.sha256.0),
            sha512: Some(digests.sha512),
            size_bytes: Some(digests.size_bytes),
        }
    }
}

impl ExpectedDigests {
    /// The lower-case hexadecimal form of one of them, if it is known.
    #[must_use]
    pub fn hex(&self, algorithm: HashAlgorithm) -> Option<String> {
        match algorithm {
            HashAlgorithm::Md5 => self.md5.map(hex::encode),
            HashAlgorithm::Sha1 => self.sha1.map(hex::encode),
            HashAlgorithm::Sha256 => self.sha256.map(hex::encode),
            HashAlgorithm::Sha512 => self.sha512.map(hex::encode),
        }
    }

    /// Whether any digest is there to check against.
    #[must_use]
    pub fn has_digest(&self) -> bool {
        self.md5.is_some() || self.sha1.is_some() || self.sha256.is_some() || self.sha512.is_some()
    }

    /// Compares all that was promised.
    ///
    /// # Errors
    /// [`Invalid`] naming the first that differs, with both values.
    pub fn check(&self, actual: &Digests) -> Result<(), Invalid> {
        let differs = |what: &str, expected: String, found: String| {
            Err(Invalid::new(format!("{what} does not match: promised {expected}, received {found}")))
        };
        if let Some(size) = self.size_bytes
            && size != actual.size_bytes
        {
            return differs("size", size.to_string(), actual.size_bytes.to_string());
        }
        let pairs = [
            ("SHA-512", self.sha512.map(hex::encode), HashAlgorithm::Sha512),
            ("SHA-256", self.sha256.map(hex::encode), HashAlgorithm::Sha256),
            ("SHA-1", self.sha1.map(hex::encode), HashAlgorithm::Sha1),
            ("MD5", self.md5.map(hex::encode), HashAlgorithm::Md5),
        ];
        for (name, expected, algorithm) in pairs {
            let Some(expected) = expected else { continue };
            let found = actual.hex(algorithm);
            if expected != found {
                return differs(name, expected, found);
            }
        }
        Ok(())
    }
}

/// What a publish left behind.
#[derive(Debug, Clone)]
pub struct Published {
    pub revision: Revision,
    pub status: VersionStatus,
    /// `false` when everything was there already, byte for byte.
    pub changed: bool,
}
