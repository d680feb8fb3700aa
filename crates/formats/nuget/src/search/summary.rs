//! What a search looks at of one package: its listed versions.

use larder_core::services::Document;
use larder_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::package::MergedPackage;
use crate::urls::{Hive, Urls};
use crate::wire::{PackageMetadata, PackageType};

/// A package in short.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    /// As its publisher spells it.
    pub(crate) id: String,
    /// Listed ones, oldest first.
    pub(crate) versions: Vec<SummaryVersion>,
}

/// A version in short.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SummaryVersion {
    pub(crate) key: String,
    pub(crate) version: String,
    pub(crate) is_prerelease: bool,
    pub(crate) needs_semver2: bool,
    pub(crate) metadata: PackageMetadata,
}

impl Summary {
    #[must_use]
    pub(crate) fn of(package: &MergedPackage) -> Self {
        let listed = package.versions.iter().filter(|version| version.is_listed);
        let versions = listed.map(|version| SummaryVersion {
            key: version.key.to_string(),
            version: match version.metadata.version.as_str() {
                "" => version.version.full(),
                spelled => spelled.to_owned(),
            },
            is_prerelease: version.version.is_prerelease(),
            needs_semver2: version.needs_semver2(),
            metadata: PackageMetadata { dependency_groups: Vec::new(), ..version.metadata.clone() },
        });
        Self { id: package.id.clone(), versions: versions.collect() }
    }
}

impl SummaryVersion {
    /// What it is for; a package that says nothing is a dependency.
    #[must_use]
    pub(crate) fn types(&self) -> Vec<PackageType> {
        if self.metadata.package_types.is_empty() {
            return vec![PackageType { name: "Dependency".to_owned(), version: None }];
        }
        self.metadata.package_types.clone()
    }

    /// Whether it is for this, in lower case.
    #[must_use]
    pub(crate) fn is_of_type(&self, wanted: &str) -> bool {
        self.types().iter().any(|kind| kind.name.to_lowercase() == wanted)
    }

    /// The address of its registration.
    #[must_use]
    pub(crate) fn leaf(&self, urls: Urls<'_>, hive: Hive, lower_id: &str) -> String {
        urls.resource(&format!("{}/{lower_id}/{}.json", hive.folder(), self.key))
    }
}

/// Reads a stored summary.
///
/// # Errors
/// [`Error::Internal`] if it is none.
pub(crate) fn read(document: &Document) -> Result<Summary> {
    serde_json::from_slice(&document.body).map_err(Error::internal)
}
