//! What core has to know of a package format. Everything else about it stays in its crate.

use std::cmp::Ordering;
use std::path::Path;

use bytes::Bytes;

use super::StoredIndex;
use crate::error::Invalid;
use crate::model::{
    AssetKind, AssetName, ExpectedDigests, PackageFormat, PackageKey, TagUpdate, Timestamp, VersionDetails, VersionText,
};

/// A package format.
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

    /// The format's precedence; versions that do not parse come first, by text.
    fn compare_versions(&self, a: &str, b: &str) -> Ordering;

    /// Whether `latest` names the default display version (npm).
    fn default_version_tag(&self) -> Option<&'static str> {
        None
    }

    /// How to ask a public registry for a package's index; `None` if the format has no public registries.
    fn index_request(&self, package: &PackageKey) -> Option<IndexRequest>;

    /// Checks that a public registry's answer is an index of this package before it is stored: an error page or login
    /// form must not pass.
    ///
    /// # Errors
    /// [`Invalid`] saying what is wrong with it.
    fn check_index(&self, package: &PackageKey, index: &StoredIndex) -> Result<(), Invalid>;

    /// The versions that the index offers for resolving, in its order.
    ///
    /// # Errors
    /// [`Invalid`] if it does not parse.
    fn index_versions(&self, package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid>;

    /// What the index promises of one version; `None` if it has no such version.
    ///
    /// # Errors
    /// [`Invalid`] if it does not parse.
    fn promise(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid>;

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
    /// Relative to the index's path, or absolute.
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
