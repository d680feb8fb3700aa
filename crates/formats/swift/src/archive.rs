//! Bounded reading of source archives (protocol reference 0.6, 5.3): a zip file with one folder at its top, and the
//! manifests in that. `git archive` and `zip -r` make them for SwiftPM.

use std::path::Path;

use larder_archive::{EntryKind, Error, Limits, Links, Zip, refuse};

use crate::manifest;

/// All manifests of a package together.
const MANIFESTS_BYTES: u64 = 10 << 20;
/// A longer read-me is not kept.
const README_BYTES: u64 = 400 << 10;

/// What a source archive holds.
#[derive(Debug)]
pub(crate) struct Contents {
    /// `Package.swift` first, then its variants.
    pub(crate) manifests: Vec<ManifestFile>,
    pub(crate) readme: Option<String>,
}

/// A manifest, byte for byte: a signature may stand in its last line.
#[derive(Debug)]
pub(crate) struct ManifestFile {
    pub(crate) name: String,
    /// What its first line says.
    pub(crate) tools_version: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads an uploaded archive with every check.
///
/// # Errors
/// [`Error::Invalid`] saying what is wrong with it.
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Contents, Error> {
    let zip = Zip::open(path, limits, Links::Inside)?;
    let top = top_folder(&zip)?;
    let plain = format!("{top}/{}", manifest::PLAIN);
    if zip.find(&plain).is_none() {
        return Err(refuse(format!("the source archive has no {} in its top folder", manifest::PLAIN)));
    }
    let mut contents = Contents { manifests: Vec::new(), readme: None };
    let mut unread = MANIFESTS_BYTES;
    for entry in zip.entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        let Some((_, name)) = entry.name.split_once('/') else { continue };
        if name == manifest::PLAIN || manifest::variant(name).is_some() {
            let bytes = zip.read(entry, unread)?;
            unread -= entry.size_bytes;
            let tools_version = manifest::tools_version(&bytes).map_err(|error| refuse(format!("{name}: {error}")))?;
            contents.manifests.push(ManifestFile { name: name.to_owned(), tools_version, bytes });
        } else if name.eq_ignore_ascii_case("readme.md") && entry.size_bytes <= README_BYTES {
            contents.readme = String::from_utf8(zip.read(entry, README_BYTES)?).ok();
        }
    }
    contents.manifests.sort_by(|a, b| (a.name != manifest::PLAIN, &a.name).cmp(&(b.name != manifest::PLAIN, &b.name)));
    check_contents(&zip, limits)?;
    Ok(contents)
}

/// The one folder at the top.
fn top_folder(zip: &Zip) -> Result<&str, Error> {
    let mut top = None;
    for entry in &zip.entries {
        let (first, is_inside) = match entry.name.split_once('/') {
            Some((first, _)) => (first, true),
            None => (entry.name.as_str(), entry.kind == EntryKind::Folder),
        };
        if !is_inside || *top.get_or_insert(first) != first {
            return Err(refuse("a source archive has one folder at its top and nothing beside it"));
        }
    }
    top.ok_or_else(|| refuse("the source archive is empty"))
}

/// Unpacks what was not read yet, to nowhere: what is published is there for ever, so it had better be whole. Files of a
/// very large archive beyond the limit are not looked into.
fn check_contents(zip: &Zip, limits: &Limits) -> Result<(), Error> {
    let mut unpacked = 0_u64;
    for entry in zip.entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        unpacked = unpacked.saturating_add(entry.size_bytes);
        if unpacked <= limits.unpacked_bytes {
            zip.unpack(entry, |_| ())?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
