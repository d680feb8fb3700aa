//! Versions → the document a client asks for (protocols 1.2, 1.3, 1.11; reference 3.4).

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{Package, PackageKey, RepositoryId, Timestamp, VersionId};
use larder_core::ports::{HostedPackage, StoredIndex};
use larder_core::services::{Layer, Rendered};
use sha2::{Digest as _, Sha256};

use self::merge::Merged;
use self::write::{Addresses, write_manifest};
use crate::json::{Members, ObjectWriter};
use crate::names;

mod found;
mod merge;
mod write;

/// The media type of the short form.
pub(crate) const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Everything.
    Full,
    /// What installing needs.
    Abbreviated,
    /// The manifest of the version that has this number or tag.
    Manifest(String),
    /// The dist-tags.
    DistTags,
    /// What a search tells of it.
    Found,
}

impl Form {
    /// Tells the documents of a package apart.
    pub(crate) fn variant(&self, base: &str) -> String {
        match self {
            Self::Full => format!("full {base}"),
            Self::Abbreviated => format!("abbreviated {base}"),
            Self::Manifest(version) => format!("manifest {version} {base}"),
            Self::DistTags => "dist-tags".to_owned(),
            Self::Found => "found".to_owned(),
        }
    }
}

/// Everything a document is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'v> {
    /// The repository that the client talks to.
    pub(crate) repository: RepositoryId,
    pub(crate) key: &'v PackageKey,
    /// In search order.
    pub(crate) layers: &'v [Layer],
    /// On a clash of dist-tags the farther repository's counts, as with CodeArtifact (reference 6.1), not the nearer's.
    pub(crate) upstream_tags_win: bool,
}

impl<'v> Sources<'v> {
    /// The package in the client's own repository.
    pub(crate) fn own(&self) -> Option<&'v HostedPackage> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Hosted { repository, package } if repository.id == self.repository => Some(package),
            _ => None,
        })
    }
}

/// The `_rev` of a package: changes with every write to it in the client's own repository, and only then, so that a
/// refreshed index of a public registry does not get between a client's read and its write.
pub(crate) fn document_revision(package: Option<&Package>) -> String {
    let Some(package) = package else { return "0-0".to_owned() };
    let digest = Sha256::digest(format!("{} {} {}", package.id.0, package.created_at.0, package.revision));
    format!("{}-{}", package.revision, hex::encode(&digest[..16]))
}

/// Renders a document. `base` is the address of the repository as the client sees it; `readme` finds a stored version's.
///
/// # Errors
/// [`Error::ResourceNotFound`] if there is no version to show, or not the one that is asked for;
/// [`Error::Upstream`] if a registry's index cannot be read.
pub(crate) fn render(
    sources: &Sources<'_>,
    form: &Form,
    base: &str,
    readme: &dyn Fn(VersionId) -> Option<String>,
) -> Result<Rendered> {
    let merged = Merged::new(sources)?;
    if merged.versions.is_empty() {
        return Err(Error::not_found(
            ResourceType::Package,
            sources.key.to_string(),
            format!("package '{}' has no versions here", merged.name),
        ));
    }
    let addresses = Addresses::new(base, sources.key, &merged.name);
    let mut out = Vec::with_capacity(merged.text_bytes() + 4096);
    match form {
        Form::Full => write::full(&mut out, &merged, &addresses, readme),
        Form::Abbreviated => write::abbreviated(&mut out, &merged, &addresses),
        Form::DistTags => write_tags(&mut out, &merged),
        Form::Found => found::write(&mut out, &merged),
        Form::Manifest(wanted) => {
            let version = merged.resolve(wanted).ok_or_else(|| {
                Error::not_found(
                    ResourceType::PackageVersion,
                    wanted.as_str(),
                    format!("package '{}' has no version or tag '{wanted}'", merged.name),
                )
            })?;
            write_manifest(&mut out, &version.manifest, &addresses, &version.number);
        }
    }
    Ok(Rendered {
        content_type: if *form == Form::Abbreviated { ABBREVIATED } else { "application/json" },
        body: Bytes::from(out),
        last_modified: Some(Timestamp(merged.modified.0)),
        headers: Vec::new(),
    })
}

fn write_tags(out: &mut Vec<u8>, merged: &Merged<'_>) {
    let mut object = ObjectWriter::new(out);
    for (tag, version) in &merged.tags {
        object.string(tag, version);
    }
    object.end();
}

/// What a client was shown, to be compared with what it sends back.
pub(crate) struct Shown {
    pub(crate) tags: Vec<(String, String)>,
    /// Coordinate → deprecation.
    pub(crate) versions: HashMap<String, Option<String>>,
}

/// What [`render`] shows of the package.
///
/// # Errors
/// As [`render`].
pub(crate) fn shown(sources: &Sources<'_>) -> Result<Shown> {
    let merged = Merged::new(sources)?;
    let versions = merged
        .versions
        .iter()
        .map(|version| (names::without_build(&version.number).to_owned(), deprecation(&version.manifest)));
    Ok(Shown { versions: versions.collect(), tags: merged.tags })
}

/// Why a version is deprecated, if it is.
pub(crate) fn deprecation(manifest: &Members<'_>) -> Option<String> {
    manifest.text("deprecated").filter(|message| !message.is_empty()).map(Cow::into_owned)
}

/// The coordinate of the version whose tarball has this file name in some source: old packages have file names that do
/// not follow from their version.
pub(crate) fn version_with_file(layers: &[Layer], file: &str) -> Option<String> {
    let ends_so = |manifest: &serde_json::value::RawValue| {
        let dist = Members::of(manifest)?.get("dist").and_then(Members::of)?;
        Some(dist.text("tarball")?.rsplit('/').next() == Some(file))
    };
    layers.iter().find_map(|layer| {
        let Layer::Registry { index, .. } = layer else { return None };
        let packument = packument_of(index).ok()??;
        let (version, _) = packument.versions.iter().find(|(_, manifest)| ends_so(manifest) == Some(true))?;
        Some(names::without_build(version).to_owned())
    })
}

fn packument_of(index: &StoredIndex) -> Result<Option<crate::packument::Packument<'_>>> {
    let Some(body) = &index.body else { return Ok(None) };
    match crate::packument::Packument::parse(body) {
        Ok(packument) => Ok(Some(packument)),
        Err(error) => Err(Error::Upstream { message: error.to_string(), retry_after_seconds: None }),
    }
}

/// A time as a source has it.
#[derive(Debug, Clone)]
enum Moment<'v> {
    /// The text of the public registry, quotes included.
    Text(&'v str),
    At(Timestamp),
}

impl Moment<'_> {
    fn timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::Text(quoted) => Timestamp::parse_rfc3339(quoted.trim_matches('"')),
            Self::At(at) => Some(*at),
        }
    }

    fn json(&self) -> Cow<'_, str> {
        match self {
            Self::Text(quoted) => Cow::Borrowed(quoted),
            Self::At(at) => Cow::Owned(format!("\"{at}\"")),
        }
    }
}

#[cfg(test)]
mod tests;
