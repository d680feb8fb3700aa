//! A package as a repository shows it: all its sources merged. The nearest source that knows a version supplies it, in
//! whatever status; what its own registry says now of whether it is listed, deprecated or vulnerable is taken over.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_core::model::{
    ExternalConnection, Origin, PackageKey, PackageVersion, Timestamp, VersionStatus, VersionText,
};
use larder_core::services::{Layer, View};
use larder_core::{Error, Result};

use crate::names::{self, Version};
use crate::offered::{Offered, OfferedVersion};
use crate::wire::PackageMetadata;

/// A package with the versions that can be had, oldest first.
#[derive(Debug)]
pub(crate) struct MergedPackage {
    pub(crate) key: PackageKey,
    /// As its nearest publisher spells it.
    pub(crate) id: String,
    pub(crate) versions: Vec<MergedVersion>,
}

/// A version of it.
#[derive(Debug)]
pub(crate) struct MergedVersion {
    pub(crate) key: VersionText,
    pub(crate) version: Version,
    pub(crate) metadata: PackageMetadata,
    pub(crate) is_listed: bool,
    pub(crate) published_at: Option<Timestamp>,
    /// SHA-512 of the package in base64, where it is known.
    pub(crate) sha512: Option<String>,
    pub(crate) size_bytes: Option<u64>,
    origin: Origin,
    /// It exists in a status in which it is not offered.
    is_hidden: bool,
}

impl MergedVersion {
    /// Whether only clients that speak SemVer 2 can read it.
    #[must_use]
    pub(crate) fn needs_semver2(&self) -> bool {
        Version::parse(&self.metadata.version).is_ok_and(|version| version.is_semver2())
            || self.version.is_semver2()
            || self.metadata.needs_semver2()
    }
}

impl MergedPackage {
    /// Merges what a view has.
    ///
    /// # Errors
    /// [`Error::Upstream`] if a registry's stored index cannot be read.
    pub(crate) fn gather(view: &View) -> Result<Self> {
        let mut merge = Merge { key: &view.key, id: None, versions: Vec::new(), positions: HashMap::new() };
        for layer in &view.layers {
            match layer {
                Layer::Hosted { package, .. } => {
                    if !package.versions.is_empty() {
                        merge.id.get_or_insert_with(|| package.package.display_name.clone());
                    }
                    package.versions.iter().for_each(|version| merge.add_stored(version));
                }
                Layer::Registry { connection, index, .. } => {
                    let offered = Offered::read(index).map_err(|error| Error::Upstream {
                        message: format!("what is kept of {connection} cannot be read: {error}"),
                        retry_after_seconds: None,
                    })?;
                    offered.versions.into_iter().for_each(|version| merge.add_offered(*connection, version));
                }
            }
        }
        let Merge { id, mut versions, .. } = merge;
        versions.retain(|version| !version.is_hidden);
        versions.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.key.cmp(&b.key)));
        let spelled = versions.last().map(|version| version.metadata.id.clone()).filter(|id| !id.is_empty());
        let id = id.or(spelled).unwrap_or_else(|| view.key.name().to_owned());
        Ok(Self { key: view.key.clone(), id, versions })
    }

    /// The version of this key.
    #[must_use]
    pub(crate) fn find(&self, key: &VersionText) -> Option<&MergedVersion> {
        self.versions.iter().find(|version| version.key == *key)
    }
}

#[cfg(test)]
impl MergedPackage {
    /// A package with these versions, as its publisher spells them.
    pub(crate) fn of(id: &str, versions: &[&str]) -> Self {
        let connection = ExternalConnection::parse("public:nuget-org").unwrap();
        let version = |spelled: &&str| {
            let version = Version::parse(spelled).unwrap();
            MergedVersion {
                key: VersionText::new(version.key()).unwrap(),
                metadata: PackageMetadata { id: id.to_owned(), version: version.full(), ..PackageMetadata::default() },
                version,
                is_listed: true,
                published_at: Some(Timestamp(0)),
                sha512: None,
                size_bytes: None,
                origin: Origin::external(connection),
                is_hidden: false,
            }
        };
        let key = names::package_key(id).unwrap();
        Self { key, id: id.to_owned(), versions: versions.iter().map(version).collect() }
    }
}

struct Merge<'a> {
    key: &'a PackageKey,
    id: Option<String>,
    versions: Vec<MergedVersion>,
    positions: HashMap<VersionText, usize>,
}

impl Merge<'_> {
    fn add_stored(&mut self, stored: &PackageVersion) {
        if self.positions.contains_key(&stored.version) {
            return;
        }
        let Ok(version) = Version::parse(stored.version.as_str()) else { return };
        let file = names::package_file(self.key, &stored.version).ok();
        let package = stored.assets.iter().find(|asset| Some(&asset.name) == file.as_ref());
        self.positions.insert(stored.version.clone(), self.versions.len());
        self.versions.push(MergedVersion {
            key: stored.version.clone(),
            version,
            metadata: PackageMetadata::read(&stored.metadata),
            is_listed: stored.status == VersionStatus::Published,
            published_at: Some(stored.source_published_at.unwrap_or(stored.published_at)),
            sha512: package.map(|package| STANDARD.encode(package.digests.sha512)),
            size_bytes: package.map(|package| package.digests.size_bytes),
            origin: stored.origin.clone(),
            is_hidden: !stored.status.is_downloadable() || package.is_none(),
        });
    }

    fn add_offered(&mut self, connection: ExternalConnection, offered: OfferedVersion) {
        let (Ok(key), Ok(version)) = (VersionText::new(offered.key), Version::parse(&offered.metadata.version)) else {
            return;
        };
        let origin = Origin::external(connection);
        if let Some(&position) = self.positions.get(&key) {
            let known = &mut self.versions[position];
            if known.origin == origin {
                known.is_listed &= !offered.is_unlisted;
                known.metadata.deprecation = offered.metadata.deprecation;
                known.metadata.vulnerabilities = offered.metadata.vulnerabilities;
            }
            return;
        }
        self.positions.insert(key.clone(), self.versions.len());
        self.versions.push(MergedVersion {
            key,
            version,
            is_listed: !offered.is_unlisted,
            published_at: offered.published.as_deref().and_then(Timestamp::parse_rfc3339),
            sha512: offered.sha512,
            size_bytes: offered.size_bytes,
            metadata: offered.metadata,
            origin,
            is_hidden: false,
        });
    }
}
