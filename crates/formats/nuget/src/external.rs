//! What core has to know of NuGet: names, versions, and how a public registry is read.
//!
//! A connection's configured address is that of the service index, as `nuget.config` has it (`…/v3/index.json`), or its
//! folder, as `larder external detect` writes it down (`…/v3/`).
//! Registrations promise no digest of a package, but the catalog does: a download's promise is therefore a document of
//! its own, `{id}/{version}`, for which the leaf and its catalog entry are read. A registry without a catalog promises
//! nothing; then the file itself has to be a whole package of that id and version.

use std::cmp::Ordering;
use std::path::Path;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use larder_core::error::Invalid;
use larder_core::model::{
    AssetKind, AssetName, ExpectedDigests, PackageFormat, PackageKey, Timestamp, VersionDetails, VersionText,
};
use larder_core::ports::{
    Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset, RegistryAnswer, RegistryDocuments, StoredIndex,
};
use larder_core::{Error, Result as CoreResult};

use crate::offered::{Offered, OfferedVersion};
use crate::resources::{DOCUMENT_LIMIT_BYTES, Resources, read_version_document, version_document};
use crate::{archive, names, nuspec};

/// The NuGet format.
#[derive(Debug, Clone, Copy, Default)]
pub struct NugetFormat;

#[async_trait]
impl Format for NugetFormat {
    fn format(&self) -> PackageFormat {
        PackageFormat::Nuget
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        // Checks the general rules first: a namespace is refused in AWS's words.
        PackageKey::new(PackageFormat::Nuget, namespace, name)?;
        names::package_key(name)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::normalize_version(version)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        names::compare_versions(a, b)
    }

    fn index_request(&self, _key: &PackageKey) -> Option<IndexRequest> {
        // Where a registry has its files is found in its service index; relative to that are its addresses.
        let path = "index.json".to_owned();
        Some(IndexRequest { path, accept: "application/json", limit_bytes: DOCUMENT_LIMIT_BYTES })
    }

    async fn fetch_index(
        &self,
        registry: &dyn RegistryDocuments,
        key: &PackageKey,
        held: Option<&StoredIndex>,
    ) -> CoreResult<RegistryAnswer> {
        let resources = Resources::find(registry).await?;
        match key.as_document() {
            None => resources.package(key, held).await,
            Some(document) => {
                let (package, version) = read_version_document(document)
                    .ok_or_else(|| Error::internal(format!("'{document}' is no document of a NuGet registry")))?;
                resources.version(&package, &version).await
            }
        }
    }

    fn check_index(&self, _key: &PackageKey, index: &StoredIndex) -> Result<(), Invalid> {
        Offered::read(index).map(drop)
    }

    fn index_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let offered = Offered::read(index)?;
        let listed = offered.versions.into_iter().filter(|version| !version.is_unlisted);
        Ok(listed.filter_map(|version| VersionText::new(version.key).ok()).collect())
    }

    fn withhold(
        &self,
        _package: &PackageKey,
        index: &StoredIndex,
        gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        let mut offered = Offered::read(index)?;
        let all = offered.versions.len();
        offered.versions.retain(|version| gate(&version.key, version.released()));
        if offered.versions.len() == all {
            return Ok(None);
        }
        if offered.versions.is_empty() {
            return Ok(Some(index.with_body(None)));
        }
        let body = serde_json::to_vec(&offered).map_err(|error| Invalid::new(error.to_string()))?;
        Ok(Some(index.with_body(Some(body.into()))))
    }

    fn undated_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let undated = Offered::read(index)?.versions.into_iter().filter(|version| version.published.is_none());
        Ok(undated.filter_map(|version| VersionText::new(version.key).ok()).collect())
    }

    fn promising_document(&self, package: &PackageKey, version: &VersionText, _asset: &AssetName) -> PackageKey {
        version_document(package, version.as_str())
    }

    fn promise(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        let offered = Offered::read(index)?;
        let found = offered.versions.into_iter().find(|offered| offered.key == version.as_str());
        found.map(|offered| promise(package, version, offered)).transpose()
    }

    fn check_download(
        &self,
        package: &PackageKey,
        version: &VersionText,
        asset: &PromisedAsset,
        file: &Path,
    ) -> Result<(), Invalid> {
        if asset.digests.has_digest() { Ok(()) } else { archive::check_sent(file, package, version) }
    }

    fn inspect(&self, asset: &AssetName, archive: &Path) -> Inspected {
        if !asset.as_str().ends_with(".nupkg") {
            return Inspected::default();
        }
        let Some(contents) = archive::read_sent(archive) else { return Inspected::default() };
        let manifest = contents.manifest;
        let name = names::package_key(&manifest.metadata.id).and_then(|key| names::manifest_file(&key));
        let sidecars = name.map(|name| vec![(name, AssetKind::Sidecar, Bytes::from(contents.manifest_bytes))]);
        Inspected { details: manifest.details(contents.readme), sidecars: sidecars.unwrap_or_default() }
    }
}

fn promise(package: &PackageKey, version: &VersionText, offered: OfferedVersion) -> Result<Promise, Invalid> {
    let details: VersionDetails = nuspec::details(&offered.metadata);
    let sha512 = offered.sha512.as_deref().map(|digest| {
        let bytes = STANDARD.decode(digest).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        bytes.ok_or_else(|| Invalid::new("the catalog's SHA-512 is none"))
    });
    Ok(Promise {
        version: version.clone(),
        display_name: offered.metadata.id.clone(),
        metadata: offered.metadata.bytes(),
        details,
        published_at: offered.published.as_deref().and_then(Timestamp::parse_rfc3339),
        assets: vec![PromisedAsset {
            name: names::package_file(package, version)?,
            url: offered.url,
            digests: ExpectedDigests {
                sha512: sha512.transpose()?,
                size_bytes: offered.size_bytes,
                ..ExpectedDigests::default()
            },
            metadata: Bytes::new(),
        }],
        tags: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
