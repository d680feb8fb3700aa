//! The formats that are wired in.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Invalid, Result};
use crate::model::{AssetName, PackageFormat, PackageKey, VersionText};
use crate::ports::Format;

/// Format by its name.
#[derive(Clone, Default)]
pub struct Formats(HashMap<PackageFormat, Arc<dyn Format>>);

impl Formats {
    /// Registers them.
    #[must_use]
    pub fn new(formats: impl IntoIterator<Item = Arc<dyn Format>>) -> Self {
        Self(formats.into_iter().map(|format| (format.format(), format)).collect())
    }

    /// The rules of a format.
    ///
    /// # Errors
    /// [`Error::Validation`] if this build has no such format.
    pub fn get(&self, format: PackageFormat) -> Result<&Arc<dyn Format>> {
        self.0
            .get(&format)
            .ok_or_else(|| Error::validation("format", format!("packages of format {format} are not served yet")))
    }

    /// The key of the package that an API caller names. A format that is not wired in has the general rules: its
    /// packages can be blocked before it is served.
    ///
    /// # Errors
    /// [`Invalid`] when the format has no such name.
    pub fn package_key(
        &self,
        format: PackageFormat,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<PackageKey, Invalid> {
        match self.0.get(&format) {
            Some(rules) => rules.package_key(namespace, name),
            None => PackageKey::new(format, namespace, name),
        }
    }

    /// The version that an API caller names; as [`Formats::package_key`].
    ///
    /// # Errors
    /// [`Invalid`] when the format has no such version.
    pub fn version(&self, format: PackageFormat, version: &str) -> Result<VersionText, Invalid> {
        match self.0.get(&format) {
            Some(rules) => rules.version(version),
            None => VersionText::new(version),
        }
    }

    /// The spelling that all texts of one version share; see [`Format::canonical_version`].
    #[must_use]
    pub fn canonical_version(&self, format: PackageFormat, version: &VersionText) -> Option<String> {
        self.0.get(&format)?.canonical_version(version)
    }

    /// The name of an asset that an API caller publishes; as [`Formats::package_key`].
    ///
    /// # Errors
    /// [`Invalid`] when the format has no such asset.
    pub fn asset_name(&self, format: PackageFormat, name: &str) -> Result<AssetName, Invalid> {
        match self.0.get(&format) {
            Some(rules) => rules.asset_name(name),
            None => AssetName::new(name),
        }
    }
}
