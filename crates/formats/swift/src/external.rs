//! What core has to know of Swift: names and versions. There are no public registries.

use std::cmp::Ordering;
use std::path::Path;

use larder_core::error::Invalid;
use larder_core::model::{AssetName, PackageFormat, PackageKey, VersionText};
use larder_core::ports::{Format, Inspected};

use crate::names;

/// The Swift format.
#[derive(Debug, Clone, Copy, Default)]
pub struct SwiftFormat;

impl Format for SwiftFormat {
    fn format(&self) -> PackageFormat {
        PackageFormat::Swift
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        // Checks the general rules first: a missing namespace is refused in AWS's words.
        PackageKey::new(PackageFormat::Swift, namespace, name)?;
        names::package_key(namespace.unwrap_or_default(), name)
    }

    fn display_name(&self, key: &PackageKey) -> String {
        format!("{}.{}", key.namespace().unwrap_or_default(), key.name())
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::parse_version(version)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        names::compare_versions(a, b)
    }

    /// Everything known of a version came with its publish; there is nothing to fetch.
    fn inspect(&self, _asset: &AssetName, _archive: &Path) -> Inspected {
        Inspected::default()
    }
}
