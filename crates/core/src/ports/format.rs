//! What core has to know of a package format. Everything else about it stays in its crate.

use std::cmp::Ordering;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;

use super::{RegistryAnswer, RegistryDocuments, RegistryRequest, StoredIndex};
use crate::error::{Error, Invalid, Result as CoreResult};
use crate::model::{
    AssetKind, AssetName, ExpectedDigests, PackageFormat, PackageKey, ReleaseTime, TagUpdate, Timestamp,
    VersionDetails, VersionText,
};

/// Asks of a version in an index whether it may be taken, given what the index says of when it was published.
pub type Gate<'g> = dyn FnMut(&str, ReleaseTime) -> bool + 'g;

/// A package format. One without public registries leaves all about them as it is.
#[async_trait]
pub trait Format: Send + Sync + 'static {
    /// Which one.
    fn format(&self) -> PackageFormat;

    /// The key for what an API caller passes, normalized where the service normalizes (reference 2.1).
    ///
    /// # Errors
    /// [`Invalid`] when the format has no such name.
    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        PackageKey::new(self.format(), namespace, name)
    }

    /// The name as its users write it: npm `@scope/name`.
    fn display_name(&self, key: &PackageKey) -> String {
        key.name().to_owned()
    }

    /// The version for what an API caller passes, normalized where the service normalizes.
    ///
    /// # Errors
    /// [`Invalid`] when the format has no such version.
    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        VersionText::new(version)
    }

    /// The spelling that all texts of one version share, where clients take several texts for one version (`1.0` and
    /// `1.0.0` of a gem) and the text that was published is kept. `None` where each version has one text.
    fn canonical_version(&self, _version: &VersionText) -> Option<String> {
        None
    }

    /// The asset name for what somebody who publishes asks for, where the format is narrower than the model.
    ///
    /// # Errors
    /// [`Invalid`] when the format has no such asset.
    fn asset_name(&self, name: &str) -> Result<AssetName, Invalid> {
        AssetName::new(name)
    }

    /// Whether the assets of a version can be downloaded by their names while it is `Unfinished`.
    fn serves_unfinished(&self) -> bool {
        false
    }

    /// The format's precedence; versions that do not parse come first, by text.
    fn compare_versions(&self, a: &str, b: &str) -> Ordering;

    /// Whether `latest` names the default display version (npm).
    fn default_version_tag(&self) -> Option<&'static str> {
        None
    }

    /// Where a public registry has a package's index, or another of its documents ([`PackageKey::document`]); `None` if
    /// the format has no public registries.
    fn index_request(&self, _key: &PackageKey) -> Option<IndexRequest> {
        None
    }

    /// Reads a package's index, or another document, from a public registry, as it is stored. A format whose index
    /// lies in several documents makes one of them here.
    ///
    /// # Errors
    /// [`Error::Upstream`] for anything but found, not modified and not there.
    async fn fetch_index(
        &self,
        registry: &dyn RegistryDocuments,
        key: &PackageKey,
        held: Option<&StoredIndex>,
    ) -> CoreResult<RegistryAnswer> {
        let Some(wanted) = self.index_request(key) else {
            return Err(Error::Upstream {
                message: format!("packages of format {} have no public registry", key.format()),
                retry_after_seconds: None,
            });
        };
        registry.get(&wanted.unless_held(held), wanted.limit_bytes).await
    }

    /// Checks that a public registry's answer is an index of this package before it is stored: an error page or login
    /// form must not pass.
    ///
    /// # Errors
    /// [`Invalid`] saying what is wrong with it.
    fn check_index(&self, _key: &PackageKey, _index: &StoredIndex) -> Result<(), Invalid> {
        Ok(())
    }

    /// The versions that the index offers for resolving, in its order.
    ///
    /// # Errors
    /// [`Invalid`] if it does not parse.
    fn index_versions(&self, _package: &PackageKey, _index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        Ok(Vec::new())
    }

    /// The index, or another document, without the versions that the gate does not let pass: as if the registry had
    /// never published them. Tags that point to one of them point to the newest that is left. `None` if all pass; an
    /// index without a body if none does.
    ///
    /// # Errors
    /// [`Invalid`] if it does not parse.
    fn withhold(
        &self,
        _package: &PackageKey,
        _index: &StoredIndex,
        _gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        Ok(None)
    }

    /// The versions whose age the index does not say. When they were first seen in it is kept.
    ///
    /// # Errors
    /// [`Invalid`] if it does not parse.
    fn undated_versions(&self, _package: &PackageKey, _index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        Ok(Vec::new())
    }

    /// The document whose `Last-Modified` says when a version was published, where the index does not (Maven's POM).
    fn dating_document(&self, _package: &PackageKey, _version: &VersionText) -> Option<PackageKey> {
        None
    }

    /// The document that promises an asset: the package's index, or another where the index lists no files (Maven's
    /// `.sha1` beside each file).
    fn promising_document(&self, package: &PackageKey, _version: &VersionText, _asset: &AssetName) -> PackageKey {
        package.clone()
    }

    /// What the index, or another promising document, promises of one version; `None` if it has no such version.
    ///
    /// # Errors
    /// [`Invalid`] if it does not parse.
    fn promise(
        &self,
        _package: &PackageKey,
        _index: &StoredIndex,
        _version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        Ok(None)
    }

    /// Checks a file that a public registry sent and whose digests are the promised ones, before anybody has all of it:
    /// where a registry promises no digest, the file itself has to be what was asked for. Blocking; called away from the
    /// request threads.
    ///
    /// # Errors
    /// [`Invalid`] saying what is wrong with it; it is discarded then.
    fn check_download(
        &self,
        _package: &PackageKey,
        _version: &VersionText,
        _asset: &PromisedAsset,
        _file: &Path,
    ) -> Result<(), Invalid> {
        Ok(())
    }

    /// Reads an archive that was downloaded or uploaded, with bounds: details for the API and files to keep beside it.
    /// Blocking; called away from the request threads. An archive that cannot be read yields no details and is no
    /// error here: its bytes are what the registry promised.
    fn inspect(&self, asset: &AssetName, archive: &Path) -> Inspected;
}

/// Where a package's index is.
#[derive(Debug, Clone)]
pub struct IndexRequest {
    /// Below the connection's address.
    pub path: String,
    pub accept: &'static str,
    /// A larger answer is refused.
    pub limit_bytes: usize,
}

impl IndexRequest {
    /// Asks for the document unless it is still what is held. Validators are for a body: without one, the answer must
    /// be whole.
    #[must_use]
    pub fn unless_held(&self, held: Option<&StoredIndex>) -> RegistryRequest {
        let held = held.filter(|index| index.body.is_some());
        RegistryRequest {
            path: self.path.clone(),
            reference: None,
            accept: self.accept,
            etag: held.and_then(|index| index.etag.clone()),
            last_modified: held.and_then(|index| index.last_modified.clone()),
        }
    }
}

/// A version that a public registry offers.
#[derive(Debug, Clone)]
pub struct Promise {
    pub version: VersionText,
    pub display_name: String,
    /// As the version would be stored.
    pub metadata: Bytes,
    pub details: VersionDetails,
    pub published_at: Option<Timestamp>,
    pub assets: Vec<PromisedAsset>,
    /// dist-tags that point to it.
    pub tags: Vec<TagUpdate>,
}

/// A file of such a version.
#[derive(Debug, Clone)]
pub struct PromisedAsset {
    pub name: AssetName,
    /// Relative to the path of the promising document, or absolute.
    pub url: String,
    pub digests: ExpectedDigests,
    pub metadata: Bytes,
}

/// What an archive says of itself.
#[derive(Debug, Clone, Default)]
pub struct Inspected {
    /// Fields that are set add to or replace the promise's.
    pub details: VersionDetails,
    /// Files to store beside the archive, small: name, kind, bytes.
    pub sidecars: Vec<(AssetName, AssetKind, Bytes)>,
}
