//! How parts of a version look in answers.

use larder_core::model::{Asset, Digests, EntryPoint, HashAlgorithm, Origin};
use serde::Serialize;

/// `PackageVersionOrigin`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct OriginShape {
    domain_entry_point: EntryPointShape,
    origin_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum EntryPointShape {
    RepositoryName(String),
    ExternalConnectionName(&'static str),
}

impl OriginShape {
    pub(in crate::codeartifact) fn new(origin: &Origin) -> Self {
        Self {
            domain_entry_point: match &origin.entry_point {
                EntryPoint::Repository(name) => EntryPointShape::RepositoryName(name.to_string()),
                EntryPoint::ExternalConnection(connection) => {
                    EntryPointShape::ExternalConnectionName(connection.name())
                }
            },
            origin_type: origin.origin_type().as_aws(),
        }
    }
}

/// `AssetSummary`.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct AssetShape {
    name: String,
    size: u64,
    hashes: HashesShape,
}

#[derive(Debug, Serialize)]
struct HashesShape {
    #[serde(rename = "MD5")]
    md5: String,
    #[serde(rename = "SHA-1")]
    sha1: String,
    #[serde(rename = "SHA-256")]
    sha256: String,
    #[serde(rename = "SHA-512")]
    sha512: String,
}

impl AssetShape {
    pub(in crate::codeartifact) fn new(name: &str, digests: &Digests) -> Self {
        Self {
            name: name.to_owned(),
            size: digests.size_bytes,
            hashes: HashesShape {
                md5: digests.hex(HashAlgorithm::Md5),
                sha1: digests.hex(HashAlgorithm::Sha1),
                sha256: digests.hex(HashAlgorithm::Sha256),
                sha512: digests.hex(HashAlgorithm::Sha512),
            },
        }
    }

    pub(in crate::codeartifact) fn of(asset: &Asset) -> Self {
        Self::new(asset.name.as_str(), &asset.digests)
    }
}
