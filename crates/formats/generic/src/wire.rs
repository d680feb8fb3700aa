//! What clients read, fields as the API names them.

use larder_core::model::{Asset, AssetKind, Digests, HashAlgorithm, PackageVersion};
use serde::Serialize;

use crate::address::{VersionAddress, encode};

/// The answer to an upload.
#[derive(Serialize)]
pub(crate) struct Uploaded<'a> {
    #[serde(flatten)]
    pub(crate) version: VersionShape<'a>,
    pub(crate) asset: AssetShape<'a>,
}

/// A version's list.
#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    #[serde(flatten)]
    pub(crate) version: VersionShape<'a>,
    /// By name.
    pub(crate) assets: Vec<AssetShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionShape<'a> {
    format: &'static str,
    /// As the API has it: `_` for none.
    namespace: Option<&'a str>,
    package: &'a str,
    version: &'a str,
    version_revision: &'a str,
    status: &'static str,
}

#[derive(Serialize)]
pub(crate) struct AssetShape<'a> {
    name: &'a str,
    size: u64,
    hashes: Hashes,
    url: String,
}

#[derive(Serialize)]
struct Hashes {
    #[serde(rename = "MD5")]
    md5: String,
    #[serde(rename = "SHA-1")]
    sha1: String,
    #[serde(rename = "SHA-256")]
    sha256: String,
    #[serde(rename = "SHA-512")]
    sha512: String,
}

impl<'a> VersionShape<'a> {
    pub(crate) fn new(address: &'a VersionAddress, revision: &'a str, status: &'static str) -> Self {
        let key = &address.package.key;
        Self {
            format: "generic",
            namespace: key.namespace(),
            package: key.name(),
            version: address.version.as_str(),
            version_revision: revision,
            status,
        }
    }
}

impl<'a> AssetShape<'a> {
    /// `folder`: the version's address, with a slash at its end.
    pub(crate) fn new(folder: &str, name: &'a str, digests: &Digests) -> Self {
        Self {
            name,
            size: digests.size_bytes,
            hashes: Hashes {
                md5: digests.hex(HashAlgorithm::Md5),
                sha1: digests.hex(HashAlgorithm::Sha1),
                sha256: digests.hex(HashAlgorithm::Sha256),
                sha512: digests.hex(HashAlgorithm::Sha512),
            },
            url: format!("{folder}{}", encode(name)),
        }
    }
}

impl<'a> Listed<'a> {
    pub(crate) fn new(address: &'a VersionAddress, folder: &str, version: &'a PackageVersion) -> Self {
        Self {
            version: VersionShape::new(address, version.revision.as_str(), version.status.as_str()),
            assets: own_assets(version)
                .map(|asset| AssetShape::new(folder, asset.name.as_str(), &asset.digests))
                .collect(),
        }
    }
}

/// A version's assets, by name.
pub(crate) fn own_assets(version: &PackageVersion) -> impl Iterator<Item = &Asset> {
    version.assets.iter().filter(|asset| asset.kind == AssetKind::Asset)
}
