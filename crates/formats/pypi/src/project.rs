//! A project as one repository shows it: the view's layers merged (protocol reference 2.9).
//!
//! The nearest layer that knows a release supplies it. Files of one release never come from two origins: only the
//! release's own origin (the public registry it was ingested from) may add files to it and refresh its yanked flags.

use std::collections::{BTreeMap, HashMap};

use larder_core::Result;
use larder_core::error::Error;
use larder_core::model::{
    Asset, AssetKind, AssetName, ExternalConnection, HashAlgorithm, Origin, OriginType, PackageKey, PackageVersion,
    VersionId, VersionStatus, VersionText,
};
use larder_core::ports::HostedPackage;
use larder_core::services::Layer;

use crate::names::Release;
use crate::registry_page::{self, RegistryFile, RegistryRelease};
use crate::wire::{FileMetadata, ProjectStatus, VersionMetadata, Yanked};

/// Names of the files kept beside a distribution file.
pub(crate) mod sidecar {
    /// Core metadata (PEP 658).
    pub(crate) const METADATA: &str = ".metadata";
    /// A detached signature.
    pub(crate) const SIGNATURE: &str = ".asc";
    /// Attestations (PEP 740).
    pub(crate) const PROVENANCE: &str = ".provenance";
}

/// A project with the releases that it shows, oldest first.
#[derive(Debug)]
pub(crate) struct Project {
    /// Normalized.
    pub name: String,
    pub display_name: String,
    pub releases: Vec<ProjectRelease>,
    pub status: Option<ProjectStatus>,
    /// For mirrors: when a repository last changed the project, in milliseconds, so that the serials of all projects
    /// compare; a small number for what only a public registry has.
    pub serial: i64,
}

/// A release.
#[derive(Debug)]
pub(crate) struct ProjectRelease {
    pub version: VersionText,
    pub release: Release,
    /// The row of a stored version, for its details.
    pub stored: Option<VersionId>,
    /// By file name.
    pub files: Vec<ProjectFile>,
    origin: Origin,
    /// Not listed: unlisted, archived and so on. It hides what lies behind it all the same.
    hidden: bool,
    layer: usize,
}

impl ProjectRelease {
    /// Published directly to a repository of the domain.
    #[must_use]
    pub(crate) fn is_internal(&self) -> bool {
        self.origin.origin_type() == OriginType::Internal
    }
}

/// A file.
#[derive(Debug, Clone)]
pub(crate) struct ProjectFile {
    pub name: AssetName,
    /// The version under which the file is stored or offered; part of its address.
    pub version: VersionText,
    /// Hexadecimal, by the names of Python's `hashlib`; `blake2b_256` too where known.
    pub digests: BTreeMap<String, String>,
    pub size_bytes: Option<u64>,
    pub requires_python: Option<String>,
    pub upload_time: Option<String>,
    pub yanked: Yanked,
    /// The SHA-256 of the `.metadata` sibling, if this repository can serve it.
    pub core_metadata: Option<String>,
    pub gpg_sig: Option<bool>,
    pub has_provenance: bool,
    pub comment: Option<String>,
    /// Which of the sidecars are stored.
    stored_sidecars: Vec<&'static str>,
    /// Where the public registry has the file.
    pub relay: Option<Relay>,
}

impl ProjectFile {
    /// Whether a sidecar is stored; otherwise only [`ProjectFile::relay`] can have it.
    #[must_use]
    pub(crate) fn has_stored(&self, sidecar: &str) -> bool {
        self.stored_sidecars.contains(&sidecar)
    }
}

/// A file's place at a public registry.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    pub connection: ExternalConnection,
    /// Relative to the index page, or absolute.
    pub url: String,
    pub provenance_url: Option<String>,
}

impl Project {
    /// Merges the layers of a view.
    ///
    /// # Errors
    /// [`Error::Upstream`] if a stored index page of a public registry cannot be read.
    pub(crate) fn of(key: &PackageKey, layers: &[Layer]) -> Result<Self> {
        let mut merge = Merge::default();
        let mut display_name = None;
        for (number, layer) in layers.iter().enumerate() {
            match layer {
                Layer::Hosted { package, .. } => {
                    display_name.get_or_insert_with(|| package.package.display_name.clone());
                    merge.add_hosted(number, package);
                }
                Layer::Registry { connection, index, .. } => {
                    let page = registry_page::read(key, index).map_err(|error| Error::Upstream {
                        message: format!("the public registry's page of '{}' cannot be read: {error}", key.name()),
                        retry_after_seconds: None,
                    })?;
                    merge.serial = merge.serial.max(index.revision);
                    merge.add_registry(number, *connection, page.releases);
                    merge.add_status(*connection, page.status);
                }
            }
        }
        let name = key.name().to_owned();
        Ok(Self {
            display_name: display_name.unwrap_or_else(|| name.clone()),
            name,
            status: merge.status.take(),
            serial: merge.serial,
            releases: merge.finish(),
        })
    }

    /// All listed files, oldest release first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &ProjectFile> {
        self.releases.iter().flat_map(|release| &release.files)
    }

    /// The file of this name.
    #[must_use]
    pub(crate) fn find_file(&self, name: &str) -> Option<&ProjectFile> {
        self.files().find(|file| file.name.as_str() == name)
    }

    /// The release that a version in any spelling means.
    #[must_use]
    pub(crate) fn find_release(&self, version: &str) -> Option<&ProjectRelease> {
        let wanted = Release::of(version);
        self.releases.iter().find(|release| release.release == wanted)
    }

    /// What an installer takes when no version is asked for: the newest final release with a file that is not yanked,
    /// else the newest of all.
    #[must_use]
    pub(crate) fn newest(&self) -> Option<&ProjectRelease> {
        let usable = |release: &&ProjectRelease| release.files.iter().any(|file| file.yanked.reason().is_none());
        let stable = |release: &&ProjectRelease| release.release.is_stable();
        let newest_first = || self.releases.iter().rev();
        newest_first()
            .find(|release| stable(release) && usable(release))
            .or_else(|| newest_first().find(usable))
            .or_else(|| newest_first().next())
    }
}

/// A merge in progress.
#[derive(Default)]
struct Merge {
    releases: Vec<ProjectRelease>,
    positions: HashMap<Release, usize>,
    status: Option<ProjectStatus>,
    serial: i64,
}

impl Merge {
    fn add_hosted(&mut self, layer: usize, package: &HostedPackage) {
        self.serial = self.serial.max(package.package.updated_at.0);
        for version in &package.versions {
            let release = Release::of(version.version.as_str());
            let is_listed = version.status == VersionStatus::Published;
            let files = || if is_listed { stored_files(version) } else { Vec::new() };
            let Some(&position) = self.positions.get(&release) else {
                self.positions.insert(release.clone(), self.releases.len());
                self.releases.push(ProjectRelease {
                    version: version.version.clone(),
                    release,
                    stored: Some(version.id),
                    files: files(),
                    origin: version.origin.clone(),
                    hidden: !is_listed,
                    layer,
                });
                continue;
            };
            let known = &mut self.releases[position];
            let is_external = known.origin.origin_type() == OriginType::External;
            // The same release in another spelling in this repository, or retained further away too.
            if known.layer == layer || (is_external && known.origin == version.origin && !known.hidden) {
                known.hidden &= !is_listed;
                known.merge(files(), |_, _| {});
            }
        }
    }

    fn add_registry(&mut self, layer: usize, connection: ExternalConnection, releases: Vec<RegistryRelease>) {
        let origin = Origin::external(connection);
        for offered in releases {
            let RegistryRelease { version, release, files } = offered;
            let files = files.into_iter().map(|file| offered_file(&version, connection, file));
            let Some(&position) = self.positions.get(&release) else {
                self.positions.insert(release.clone(), self.releases.len());
                self.releases.push(ProjectRelease {
                    version: version.clone(),
                    release,
                    stored: None,
                    files: files.collect(),
                    origin: origin.clone(),
                    hidden: false,
                    layer,
                });
                continue;
            };
            let known = &mut self.releases[position];
            if known.origin == origin && !known.hidden {
                known.merge(files, refresh);
            }
        }
    }

    /// The nearest registry's say on the project. Of a quarantined project nothing that came from there is offered.
    fn add_status(&mut self, connection: ExternalConnection, status: Option<ProjectStatus>) {
        if status.as_ref().is_some_and(ProjectStatus::is_quarantined) {
            let origin = Origin::external(connection);
            for release in self.releases.iter_mut().filter(|release| release.origin == origin) {
                release.files.clear();
            }
        }
        self.status = self.status.take().or(status);
    }

    fn finish(self) -> Vec<ProjectRelease> {
        let mut releases: Vec<_> =
            self.releases.into_iter().filter(|release| !release.hidden && !release.files.is_empty()).collect();
        releases.sort_by(|a, b| a.release.cmp(&b.release));
        for release in &mut releases {
            release.files.sort_by(|a, b| a.name.cmp(&b.name));
        }
        releases
    }
}

impl ProjectRelease {
    /// Adds the files that are not there yet; for the others calls `meet` with the known one and the new one.
    fn merge(&mut self, files: impl IntoIterator<Item = ProjectFile>, meet: impl Fn(&mut ProjectFile, ProjectFile)) {
        let positions: HashMap<AssetName, usize> =
            self.files.iter().enumerate().map(|(at, file)| (file.name.clone(), at)).collect();
        for file in files {
            match positions.get(&file.name) {
                Some(&at) => meet(&mut self.files[at], file),
                None => self.files.push(file),
            }
        }
    }
}

/// Takes over what the registry says now of a file that is stored.
fn refresh(known: &mut ProjectFile, offered: ProjectFile) {
    let (stored, current) = (known.digests.get("sha256"), offered.digests.get("sha256"));
    if current.is_some() && stored != current {
        tracing::error!(file = %known.name, "a public registry changed the bytes of a file; the stored file stays");
        return;
    }
    known.yanked = offered.yanked;
    known.gpg_sig = known.gpg_sig.or(offered.gpg_sig);
    known.has_provenance |= offered.has_provenance;
    known.core_metadata = known.core_metadata.take().or(offered.core_metadata);
    known.relay = offered.relay;
}

fn stored_files(version: &PackageVersion) -> Vec<ProjectFile> {
    let metadata = VersionMetadata::read(&version.metadata);
    let sidecars: HashMap<&str, &Asset> = version
        .assets
        .iter()
        .filter(|asset| asset.kind == AssetKind::Sidecar)
        .map(|asset| (asset.name.as_str(), asset))
        .collect();
    let files = version.assets.iter().filter(|asset| asset.kind == AssetKind::Asset);
    files.map(|asset| stored_file(version, &metadata, &sidecars, asset)).collect()
}

fn stored_file(
    version: &PackageVersion,
    metadata: &VersionMetadata,
    sidecars: &HashMap<&str, &Asset>,
    asset: &Asset,
) -> ProjectFile {
    let file = FileMetadata::read(&asset.metadata);
    let beside = |suffix: &str| sidecars.get(format!("{}{suffix}", asset.name).as_str());
    let mut digests = BTreeMap::from([
        ("sha256".to_owned(), asset.digests.hex(HashAlgorithm::Sha256)),
        ("md5".to_owned(), asset.digests.hex(HashAlgorithm::Md5)),
    ]);
    digests.extend(file.blake2b_256.map(|digest| ("blake2b_256".to_owned(), digest)));
    let stored_sidecars = [sidecar::METADATA, sidecar::SIGNATURE, sidecar::PROVENANCE];
    ProjectFile {
        name: asset.name.clone(),
        version: version.version.clone(),
        digests,
        size_bytes: Some(asset.digests.size_bytes),
        requires_python: file.requires_python,
        upload_time: Some(file.upload_time.unwrap_or_else(|| version.published_at.rfc3339())),
        yanked: metadata.yanked(asset.name.as_str()),
        core_metadata: beside(sidecar::METADATA).map(|metadata| metadata.digests.sha256.hex()),
        gpg_sig: beside(sidecar::SIGNATURE).map(|_| true),
        has_provenance: beside(sidecar::PROVENANCE).is_some(),
        comment: file.comment,
        stored_sidecars: stored_sidecars.into_iter().filter(|suffix| beside(suffix).is_some()).collect(),
        relay: None,
    }
}

fn offered_file(version: &VersionText, connection: ExternalConnection, file: RegistryFile) -> ProjectFile {
    ProjectFile {
        name: file.name,
        version: version.clone(),
        digests: file.hashes,
        size_bytes: file.size_bytes,
        requires_python: file.requires_python,
        upload_time: file.upload_time,
        yanked: file.yanked,
        core_metadata: file.core_metadata,
        gpg_sig: file.gpg_sig,
        has_provenance: file.provenance.is_some(),
        comment: None,
        stored_sidecars: Vec::new(),
        relay: Some(Relay { connection, url: file.url, provenance_url: file.provenance }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
