//! What core has to know of generic packages.

use std::cmp::Ordering;
use std::path::Path;

use larder_core::error::Invalid;
use larder_core::model::{AssetName, PackageFormat, PackageKey, VersionText};
use larder_core::ports::{Format, Inspected};

use crate::{names, versions};

/// The generic format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Generic;

impl Format for Generic {
    fn format(&self) -> PackageFormat {
        PackageFormat::Generic
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        for text in namespace.into_iter().chain([name]) {
            names::check_composed(text)?;
        }
        PackageKey::new(PackageFormat::Generic, namespace, name)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::check_composed(version)?;
        VersionText::new(version)
    }

    fn asset_name(&self, name: &str) -> Result<AssetName, Invalid> {
        names::asset_name(name)
    }

    fn serves_unfinished(&self) -> bool {
        true
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        versions::compare_versions(a, b)
    }

    /// What is in a file is nobody's business.
    fn inspect(&self, _asset: &AssetName, _archive: &Path) -> Inspected {
        Inspected::default()
    }
}
