//! Bounded reading of packages (`.nupkg`) and symbol packages (`.snupkg`). Both are zip files in the conventions of OPC:
//! entry names are percent-encoded. Nothing is ever written into one.

use std::collections::HashSet;
use std::path::Path;

use larder_archive::{Entry, EntryKind, EntryNames, Error, Limits, Links, Zip, refuse};
use larder_core::error::Invalid;
use larder_core::model::{PackageKey, VersionText};
use percent_encoding::percent_decode_str;

use crate::names;
use crate::nuspec::{MANIFEST_LIMIT_BYTES, Manifest};
use crate::pdb;
use crate::wire::{SymbolFile, SymbolMetadata};

/// A README larger than this is not told of.
pub(crate) const README_LIMIT_BYTES: u64 = 1 << 20;

/// What a symbol package may hold (protocol reference 4.6).
const SYMBOL_EXTENSIONS: [&str; 6] = ["pdb", "nuspec", "xml", "psmdcp", "rels", "p7s"];

/// What an upload holds.
#[derive(Debug)]
pub(crate) struct Contents {
    /// Byte for byte.
    pub(crate) manifest_bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
    pub(crate) readme: Option<String>,
}

/// Reads an uploaded package with every check.
///
/// # Errors
/// [`Error::Invalid`] saying what is wrong with it.
pub(crate) fn read_package(path: &Path, limits: &Limits) -> Result<Contents, Error> {
    let (zip, names) = open_upload(path, limits)?;
    let (manifest_bytes, manifest) = read_manifest(&zip)?;
    zip.check_contents(limits)?;
    let referred = [("readme", &manifest.readme), ("icon", &manifest.icon), ("license", &manifest.license_file)];
    for (what, file) in referred {
        if let Some(file) = file
            && !names.contains(&file.to_lowercase())
        {
            let file = names::printable(file);
            return Err(refuse(format!("the manifest's {what} file '{file}' is not in the package")));
        }
    }
    let readme = manifest.readme.as_deref().and_then(|path| read_text(&zip, path));
    Ok(Contents { manifest_bytes, manifest, readme })
}

/// A symbol package, read.
#[derive(Debug)]
pub(crate) struct Symbols {
    pub(crate) manifest: Manifest,
    pub(crate) metadata: SymbolMetadata,
}

/// Reads an uploaded symbol package with every check.
///
/// # Errors
/// [`Error::Invalid`] saying what is wrong with it.
pub(crate) fn read_symbols(path: &Path, limits: &Limits) -> Result<Symbols, Error> {
    let (zip, _) = open_upload(path, limits)?;
    let (_, manifest) = read_manifest(&zip)?;
    let mut metadata = SymbolMetadata::default();
    for entry in zip.entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        let name = decoded(&entry.name);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        match extension.as_deref() {
            Some("pdb") => {
                let read = pdb::read(&zip.read(entry, pdb::FILE_LIMIT_BYTES)?);
                let pdb = read.map_err(|error| refuse(format!("'{}': {error}", names::printable(&name))))?;
                metadata.files.push(SymbolFile { path: entry.name.clone(), id: pdb.id, sha256: pdb.sha256 });
            }
            Some(extension) if SYMBOL_EXTENSIONS.contains(&extension) => {}
            _ => {
                let name = names::printable(&name);
                return Err(refuse(format!("a symbol package holds .pdb files only, not '{name}'")));
            }
        }
    }
    Ok(Symbols { manifest, metadata })
}

/// Opens an upload and applies the rules for names to what they decode to: no two may differ in case only. Answers the
/// decoded names in lower case.
fn open_upload(path: &Path, limits: &Limits) -> Result<(Zip, HashSet<String>), Error> {
    let zip = Zip::open(path, limits, Links::Refused)?;
    let mut names = EntryNames::default();
    let mut lower = HashSet::new();
    for entry in &zip.entries {
        lower.insert(names.admit(decoded(&entry.name).to_lowercase().as_bytes(), limits.entries)?);
    }
    Ok((zip, lower))
}

fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// The one `.nuspec` at the top.
fn read_manifest(zip: &Zip) -> Result<(Vec<u8>, Manifest), Error> {
    let mut manifests = manifests(zip);
    let entry = manifests.next().ok_or_else(|| refuse("the package has no .nuspec file at its top"))?;
    if manifests.next().is_some() {
        return Err(refuse("the package has more than one .nuspec file at its top"));
    }
    let bytes = zip.read(entry, MANIFEST_LIMIT_BYTES)?;
    let manifest = Manifest::parse(&bytes)?;
    Ok((bytes, manifest))
}

fn manifests(zip: &Zip) -> impl Iterator<Item = &Entry> {
    zip.entries.iter().filter(|entry| {
        let name = entry.name.to_ascii_lowercase();
        entry.kind == EntryKind::File && !name.contains(['/', '\\']) && name.ends_with(".nuspec")
    })
}

/// A small text of the package, by its decoded path.
fn read_text(zip: &Zip, path: &str) -> Option<String> {
    let same = |name: &str| decoded(name).replace('\\', "/").eq_ignore_ascii_case(path);
    let entry = zip.entries.iter().find(|entry| entry.kind == EntryKind::File && same(&entry.name))?;
    String::from_utf8(zip.read(entry, README_LIMIT_BYTES).ok()?).ok()
}

/// What a package that is kept as it was sent says of itself; `None` if it cannot be read.
#[must_use]
pub(crate) fn read_sent(path: &Path) -> Option<Contents> {
    let zip = Zip::open_as_sent(path, &Limits::default()).ok()?;
    let entry = manifests(&zip).next()?;
    let manifest_bytes = zip.read(entry, MANIFEST_LIMIT_BYTES).ok()?;
    let manifest = Manifest::parse(&manifest_bytes).ok()?;
    let readme = manifest.readme.as_deref().and_then(|path| read_text(&zip, path));
    Some(Contents { manifest_bytes, manifest, readme })
}

/// The manifest of a package as it was sent, byte for byte.
///
/// # Errors
/// [`Error::Invalid`] if it cannot be read.
pub(crate) fn sent_manifest(path: &Path) -> Result<Vec<u8>, Error> {
    let zip = Zip::open_as_sent(path, &Limits::default())?;
    let entry = manifests(&zip).next().ok_or_else(|| refuse("the package has no .nuspec file at its top"))?;
    zip.read(entry, MANIFEST_LIMIT_BYTES)
}

/// Checks that a file that came without a promised digest is a readable package of this id and version.
///
/// # Errors
/// [`Invalid`] saying what it is instead.
pub(crate) fn check_sent(path: &Path, key: &PackageKey, version: &VersionText) -> Result<(), Invalid> {
    let read = || -> Result<Manifest, Error> {
        let zip = Zip::open_as_sent(path, &Limits::default())?;
        let entry = manifests(&zip).next().ok_or_else(|| refuse("the package has no .nuspec file at its top"))?;
        let manifest = Manifest::parse(&zip.read(entry, MANIFEST_LIMIT_BYTES)?)?;
        zip.check_contents(&Limits::default())?;
        Ok(manifest)
    };
    let manifest = read().map_err(|error| match error {
        Error::Invalid(invalid) => invalid,
        Error::Io(error) => Invalid::new(format!("it cannot be read: {error}")),
    })?;
    if !manifest.metadata.id.eq_ignore_ascii_case(key.name()) || manifest.version != *version {
        let (id, version) = (&manifest.metadata.id, &manifest.version);
        return Err(Invalid::new(format!("it is package '{id}' version '{version}'")));
    }
    Ok(())
}

/// One file of a symbol package, by its path in it.
///
/// # Errors
/// [`Error::Invalid`] if it is not there.
pub(crate) fn read_symbol_file(path: &Path, file: &str) -> Result<Vec<u8>, Error> {
    let zip = Zip::open_as_sent(path, &Limits::default())?;
    let entry = zip.find(file).ok_or_else(|| refuse("the symbol package lacks one of its files"))?;
    zip.read(entry, pdb::FILE_LIMIT_BYTES)
}

#[cfg(test)]
pub(crate) mod tests;
