//! What core has to know of PyPI: names, versions, and how the public registry is read.
//!
//! A connection's configured address is the simple index as pip has it (`…/simple/`); a project's page lies at `{name}/`
//! below it.

use std::cmp::Ordering;
use std::path::Path;

use bytes::Bytes;
use larder_core::error::Invalid;
use larder_core::model::{
    AssetKind, AssetName, ExpectedDigests, PackageFormat, PackageKey, Timestamp, VersionDetails, VersionText,
};
use larder_core::ports::{Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset, StoredIndex};

use crate::archive;
use crate::metadata::CoreMetadata;
use crate::names::{self, DistributionKind, Release};
use crate::project::sidecar;
use crate::registry_page::{self, RegistryFile, RegistryRelease};
use crate::wire::{FileMetadata, VersionMetadata};

/// The largest pages of the public index have some ten thousand files.
const PAGE_LIMIT_BYTES: usize = 64 << 20;

/// The PyPI format.
#[derive(Debug, Clone, Copy, Default)]
pub struct PypiFormat;

impl Format for PypiFormat {
    fn format(&self) -> PackageFormat {
        PackageFormat::Pypi
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        // Checks the general rules first: a namespace is refused in AWS's words.
        PackageKey::new(PackageFormat::Pypi, namespace, name)?;
        names::project_key(name)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        // Versions from before PEP 440 may have come from upstream and keep their text.
        names::normalize_version(version).or_else(|_| VersionText::new(version))
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        names::compare_versions(a, b)
    }

    fn index_request(&self, package: &PackageKey) -> Option<IndexRequest> {
        Some(IndexRequest {
            path: format!("{}/", package.name()),
            accept: "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.1",
            limit_bytes: PAGE_LIMIT_BYTES,
        })
    }

    fn check_index(&self, package: &PackageKey, index: &StoredIndex) -> Result<(), Invalid> {
        registry_page::read(package, index).map(drop)
    }

    fn index_versions(&self, package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        Ok(registry_page::read(package, index)?.releases.into_iter().map(|release| release.version).collect())
    }

    fn withhold(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        registry_page::without(package, index, gate)
    }

    fn undated_versions(&self, package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let undated = |release: &RegistryRelease| release.files.iter().any(|file| file.upload_time.is_none());
        let releases = registry_page::read(package, index)?.releases;
        Ok(releases.into_iter().filter(undated).map(|release| release.version).collect())
    }

    fn promise(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        let wanted = Release::of(version.as_str());
        let releases = registry_page::read(package, index)?.releases;
        Ok(releases.into_iter().find(|release| release.release == wanted).map(|release| promise(package, release)))
    }

    fn inspect(&self, asset: &AssetName, archive: &Path) -> Inspected {
        let Some(kind) = DistributionKind::of(asset.as_str()) else { return Inspected::default() };
        let Some(bytes) = archive::read_metadata(archive, kind) else { return Inspected::default() };
        let Ok(metadata) = CoreMetadata::parse(&bytes) else { return Inspected::default() };
        let sibling = AssetName::new(format!("{asset}{}", sidecar::METADATA)).ok();
        let sidecars = match (kind, sibling) {
            (DistributionKind::Wheel, Some(name)) => vec![(name, AssetKind::Sidecar, Bytes::from(bytes))],
            _ => Vec::new(),
        };
        Inspected { details: metadata.details(), sidecars }
    }
}

fn promise(package: &PackageKey, release: RegistryRelease) -> Promise {
    let mut metadata = VersionMetadata::default();
    for file in release.files.iter().filter(|file| file.yanked.reason().is_some()) {
        metadata.yanked.insert(file.name.to_string(), file.yanked.clone());
    }
    let times = release.files.iter().filter_map(|file| file.upload_time.as_deref());
    Promise {
        published_at: times.filter_map(Timestamp::parse_rfc3339).min(),
        version: release.version,
        display_name: package.name().to_owned(),
        metadata: metadata.bytes(),
        details: VersionDetails::default(),
        assets: release.files.into_iter().map(promised_asset).collect(),
        tags: Vec::new(),
    }
}

fn promised_asset(file: RegistryFile) -> PromisedAsset {
    let metadata = FileMetadata {
        requires_python: file.requires_python,
        upload_time: file.upload_time,
        ..FileMetadata::default()
    };
    PromisedAsset {
        digests: ExpectedDigests {
            md5: digest(&file.hashes, "md5"),
            sha1: digest(&file.hashes, "sha1"),
            sha256: digest(&file.hashes, "sha256"),
            sha512: digest(&file.hashes, "sha512"),
            size_bytes: file.size_bytes,
        },
        name: file.name,
        url: file.url,
        metadata: metadata.bytes(),
    }
}

fn digest<const N: usize>(hashes: &std::collections::BTreeMap<String, String>, algorithm: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(hashes.get(algorithm)?, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
