//! Assets: the named files of a version, and the digests that identify their bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::text_type;
use crate::error::Invalid;

text_type!(
    /// An asset's name: 1 to 255 characters, none of them control or format characters.
    AssetName,
    check_asset_name
);

fn check_asset_name(text: &str) -> Result<(), Invalid> {
    if (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Invalid::new("an asset name has 1 to 255 characters and no control characters"))
}

/// A SHA-256: the address of a blob within its domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Reads 64 hexadecimal digits, of either case.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, Invalid> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Invalid::new("a SHA-256 is 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}
impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The digests of reference 1.4 (`HashAlgorithm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashAlgorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// All four digests and the size of a stored asset, computed in the one pass in which its bytes came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    pub md5: [u8; 16],
    pub sha1: [u8; 20],
    pub sha256: Sha256,
    pub sha512: [u8; 64],
    pub size_bytes: u64,
}

impl Digests {
    /// The lower-case hexadecimal form of one of them.
    #[must_use]
    pub fn hex(&self, algorithm: HashAlgorithm) -> String {
        match algorithm {
            HashAlgorithm::Md5 => hex::encode(self.md5),
            HashAlgorithm::Sha1 => hex::encode(self.sha1),
            HashAlgorithm::Sha256 => self.sha256.hex(),
            HashAlgorithm::Sha512 => hex::encode(self.sha512),
        }
    }
}

/// Whether an asset is the version's own or accompanies one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AssetKind {
    /// Listed by the API.
    Asset,
    /// Kept beside an asset for its package manager (PEP 658 metadata, signatures, provenance); not listed by the API.
    Sidecar,
}

/// A stored asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub name: AssetName,
    pub kind: AssetKind,
    pub digests: Digests,
    /// What the format keeps about this file, opaque to everything else; may be empty.
    pub metadata: bytes::Bytes,
}
