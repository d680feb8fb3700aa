//! Metadata files, made from what the layers of a view hold (protocol reference 3.4, 3.6), each with its checksums.

use std::collections::HashMap;

use bytes::Bytes;
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{HashAlgorithm, PackageVersion, Timestamp, VersionStatus};
use larder_core::ports::HostedPackage;
use larder_core::services::{Layer, Rendered, View};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::external::registry_versions;
use crate::layout;
use crate::maven_metadata::{self, MavenMetadata, Snapshot, SnapshotVersion};
use crate::names::{self, SNAPSHOT};
use crate::version_order;
use crate::wire::{SnapshotRecord, VersionMetadata};

/// What metadata files are served as.
const CONTENT_TYPE: &str = "application/xml";

/// The names of the checksum headers, which newer clients read instead of asking for checksum files.
pub(crate) const CHECKSUM_HEADERS: [(HashAlgorithm, &str); 4] = [
    (HashAlgorithm::Sha1, "x-checksum-sha1"),
    (HashAlgorithm::Md5, "x-checksum-md5"),
    (HashAlgorithm::Sha256, "x-checksum-sha256"),
    (HashAlgorithm::Sha512, "x-checksum-sha512"),
];

/// A digest of bytes in memory, lower-case hexadecimal.
pub(crate) fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
    match algorithm {
        HashAlgorithm::Md5 => hex::encode(Md5::digest(bytes)),
        HashAlgorithm::Sha1 => hex::encode(Sha1::digest(bytes)),
        HashAlgorithm::Sha256 => hex::encode(Sha256::digest(bytes)),
        HashAlgorithm::Sha512 => hex::encode(Sha512::digest(bytes)),
    }
}

/// A metadata file, ready to be sent with its checksums: what is sent is what they are of, whoever deploys meanwhile.
pub(crate) fn rendered(text: String, last_modified: Option<Timestamp>) -> Rendered {
    let body = Bytes::from(text);
    let headers = CHECKSUM_HEADERS.iter().map(|(algorithm, name)| (*name, digest(*algorithm, &body))).collect();
    Rendered { content_type: CONTENT_TYPE, body, last_modified, headers }
}

/// The artifact's file: the versions of all layers.
///
/// # Errors
/// [`Error::ResourceNotFound`] if no version is listed: an empty file would break clients.
pub(crate) fn artifact(view: &View) -> Result<Rendered> {
    let mut merge = Merge::default();
    for layer in &view.layers {
        match layer {
            Layer::Hosted { package, .. } => merge.add_hosted(package),
            Layer::Registry { connection, index, .. } => {
                let metadata = MavenMetadata::parse(index.body.as_deref().unwrap_or_default()).map_err(|error| {
                    let message = format!("the metadata of {} at {connection} cannot be read: {error}", view.key);
                    Error::Upstream { message, retry_after_seconds: None }
                })?;
                merge.add_registry(&metadata);
            }
        }
    }
    let Merge { listed, last_updated, last_modified } = merge;
    let mut versions: Vec<String> =
        listed.into_iter().filter_map(|(version, shown)| shown.then_some(version)).collect();
    if versions.is_empty() {
        return Err(none(view, "has no version that is listed"));
    }
    version_order::sort(&mut versions);
    let (group, artifact) = (view.key.namespace().unwrap_or_default(), view.key.name());
    Ok(rendered(maven_metadata::write_artifact(group, artifact, &versions, &last_updated), last_modified))
}

/// A merge in progress. The nearest layer that knows a version says whether it is listed.
#[derive(Default)]
struct Merge {
    listed: HashMap<String, bool>,
    /// The latest of all layers.
    last_updated: String,
    last_modified: Option<Timestamp>,
}

impl Merge {
    fn add_hosted(&mut self, package: &HostedPackage) {
        for version in &package.versions {
            let text = version.version.as_str();
            // Builds are listed by the snapshot that they are of.
            if names::parse_build(text).is_some() {
                continue;
            }
            let shown = version.status == VersionStatus::Published;
            if *self.listed.entry(text.to_owned()).or_insert(shown) && shown {
                self.last_modified = self.last_modified.max(Some(version.published_at));
                self.note(&maven_metadata::time(version.published_at));
            }
        }
    }

    fn add_registry(&mut self, metadata: &MavenMetadata) {
        for version in registry_versions(metadata) {
            self.listed.entry(version.to_owned()).or_insert(true);
        }
        self.note(metadata.last_updated.as_deref().unwrap_or_default());
    }

    fn note(&mut self, time: &str) {
        if time > self.last_updated.as_str() {
            time.clone_into(&mut self.last_updated);
        }
    }
}

/// A snapshot as one layer has it.
pub(crate) struct FoundSnapshot<'a> {
    package: &'a HostedPackage,
    version: &'a PackageVersion,
    record: SnapshotRecord,
}

/// The snapshot's newest build, from one repository: the furthest that has the snapshot (reference 3.4).
///
/// # Errors
/// [`Error::ResourceNotFound`] if no repository has it.
pub(crate) fn find_snapshot<'a>(view: &'a View, base: &str) -> Result<FoundSnapshot<'a>> {
    let found = view.layers.iter().rev().find_map(|layer| {
        let Layer::Hosted { package, .. } = layer else { return None };
        let version = package.versions.iter().find(|version| version.version.as_str() == base)?;
        (version.status == VersionStatus::Published).then_some((package, version))
    });
    let (package, version) = found.ok_or_else(|| none(view, &format!("has no version {base}")))?;
    let artifact = view.key.name();
    let record = VersionMetadata::read(&version.metadata).snapshot.unwrap_or_else(|| derive(version, artifact, base));
    Ok(FoundSnapshot { package, version, record })
}

impl FoundSnapshot<'_> {
    /// The files that are there, in the client's order.
    pub(crate) fn files(&self, artifact: &str) -> Vec<SnapshotVersion> {
        let is_there = |file: &&SnapshotVersion| {
            let name = layout::file_name(artifact, &file.value, &file.classifier, &file.extension);
            let of = |version: &PackageVersion| version.assets.iter().any(|asset| asset.name.as_str() == name);
            // A file that was not deployed again is one of an older build.
            of(self.version)
                || self.package.versions.iter().any(|build| build.version.as_str() == file.value && of(build))
        };
        self.record.files.iter().filter(is_there).cloned().collect()
    }
}

/// The snapshot's file.
///
/// # Errors
/// [`Error::ResourceNotFound`] if no repository has it.
pub(crate) fn snapshot(view: &View, base: &str) -> Result<Rendered> {
    let found = find_snapshot(view, base)?;
    let (group, artifact) = (view.key.namespace().unwrap_or_default(), view.key.name());
    let Some((_, build)) = names::parse_build(&found.record.build) else {
        return Err(none(view, &format!("has no build of {base}")));
    };
    let text = maven_metadata::write_snapshot(&Snapshot {
        group,
        artifact,
        version: base,
        build,
        last_updated: &found.record.last_updated,
        files: &found.files(artifact),
    });
    Ok(rendered(text, Some(found.version.published_at)))
}

/// What the names of the assets say, for a snapshot that came without its client's description.
fn derive(version: &PackageVersion, artifact: &str, base: &str) -> SnapshotRecord {
    let stem = base.strip_suffix(SNAPSHOT).unwrap_or(base);
    let last_updated = maven_metadata::time(version.published_at);
    let mut record = SnapshotRecord { last_updated: last_updated.clone(), ..SnapshotRecord::default() };
    for asset in &version.assets {
        let Some(rest) = asset.name.as_str().strip_prefix(artifact).and_then(|rest| rest.strip_prefix('-')) else {
            continue;
        };
        // The build ends where its digits do.
        let tail = rest.get(stem.len()..).unwrap_or_default();
        let length = tail.find(|c: char| !(c.is_ascii_digit() || c == '-' || c == '.')).unwrap_or(tail.len());
        let value = rest.get(..stem.len() + length).unwrap_or_default().trim_end_matches(['.', '-']);
        if names::parse_build(value).is_none_or(|(found, _)| found != stem) {
            continue;
        }
        let (classifier, extension) = layout::classify(&rest[value.len()..]);
        record.build = value.to_owned();
        record.files.push(SnapshotVersion {
            classifier: classifier.to_owned(),
            extension: extension.to_owned(),
            value: value.to_owned(),
            updated: last_updated.clone(),
        });
    }
    record
}

fn none(view: &View, what: &str) -> Error {
    Error::not_found(
        ResourceType::Package,
        view.key.to_string(),
        format!("'{}' {what} here or in any of the sources", names::display_name(&view.key)),
    )
}
