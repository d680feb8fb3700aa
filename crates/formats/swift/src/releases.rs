//! Which releases a repository offers of a package.
//!
//! The first repository in search order that has the package supplies all of it, because clients trust a package's
//! signer and not a release's (protocol reference 5.5). A repository that retained single releases of another one stands
//! for that other one: what it retained came from the same place as what it did not.

use std::collections::HashSet;

use larder_core::error::{Error, ResourceType};
use larder_core::model::{EntryPoint, PackageVersion, VersionStatus, VersionText};
use larder_core::services::{Layer, View};

use crate::names;

/// The releases of a package, in whatever status, the newest first.
#[derive(Debug)]
pub(crate) struct Releases<'a> {
    /// `Scope.Name`, as first published.
    pub(crate) display_name: &'a str,
    versions: Vec<&'a PackageVersion>,
}

impl<'a> Releases<'a> {
    /// Merges the layers of a view.
    pub(crate) fn of(view: &'a View) -> Self {
        let mut stored = view.layers.iter().filter_map(|layer| match layer {
            Layer::Hosted { package, .. } if !package.versions.is_empty() => Some(package),
            _ => None,
        });
        let Some(first) = stored.next() else { return Self { display_name: "", versions: Vec::new() } };
        let suppliers: HashSet<&EntryPoint> =
            first.versions.iter().map(|version| &version.origin.entry_point).collect();
        let mut versions: Vec<&PackageVersion> = first.versions.iter().collect();
        let mut known: HashSet<&VersionText> = versions.iter().map(|version| &version.version).collect();
        for version in stored.flat_map(|package| &package.versions) {
            if suppliers.contains(&version.origin.entry_point) && known.insert(&version.version) {
                versions.push(version);
            }
        }
        versions.sort_by(|a, b| names::compare_versions(b.version.as_str(), a.version.as_str()));
        Self { display_name: &first.package.display_name, versions }
    }

    /// Those in the list: published ones, and removed ones, which are told as such.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &'a PackageVersion> {
        self.versions.iter().copied().filter(|version| is_published(version) || is_removed(version))
    }

    /// Those that clients choose from, the newest first.
    pub(crate) fn published(&self) -> impl Iterator<Item = &'a PackageVersion> {
        self.versions.iter().copied().filter(|version| is_published(version))
    }

    /// The newest that is no pre-release; if all are, the newest.
    pub(crate) fn latest(&self) -> Option<&'a PackageVersion> {
        self.published().find(|version| names::is_stable(version.version.as_str())).or_else(|| self.published().next())
    }

    /// The release that is asked for by its version, listed or not.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if there is none, or it was removed.
    pub(crate) fn get(&self, version: &VersionText) -> Result<&'a PackageVersion, Error> {
        let found = self.versions.iter().copied().find(|found| found.version == *version);
        let why = match found {
            Some(found) if found.status.is_downloadable() => return Ok(found),
            Some(found) if is_removed(found) => "was removed",
            _ => "does not exist",
        };
        let message = format!("release {version} of '{}' {why}", self.display_name);
        Err(Error::not_found(ResourceType::PackageVersion, version.as_str(), message))
    }
}

fn is_published(version: &PackageVersion) -> bool {
    version.status == VersionStatus::Published
}

/// Whether a release was there and is not to be had any more.
pub(crate) fn is_removed(version: &PackageVersion) -> bool {
    matches!(version.status, VersionStatus::Archived | VersionStatus::Disposed)
}
