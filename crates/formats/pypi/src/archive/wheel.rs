//! Wheels.

use std::collections::HashMap;
use std::path::Path;

use larder_archive::{Entry, EntryKind, Links, Zip};
use sha2::{Digest as _, Sha256};

use super::record::{self, Row};
use super::{Error, Limits, refuse};
use crate::metadata::{CoreMetadata, METADATA_LIMIT_BYTES};
use crate::names::{Distribution, Release, normalize};

/// Reads an uploaded wheel with every check; answers its `METADATA`.
pub(super) fn read(path: &Path, distribution: &Distribution, limits: &Limits) -> Result<Vec<u8>, Error> {
    let zip = Zip::open(path, limits, Links::Refused)?;
    let folder = dist_info(&zip)?;
    let (name, version) = folder.trim_end_matches(".dist-info").split_once('-').unwrap_or_default();
    if normalize(name) != normalize(&distribution.name) || Release::of(version) != Release::of(&distribution.version) {
        return Err(refuse(format!("the wheel's folder '{folder}' is not of what its file name says")));
    }
    let metadata = member(&zip, folder, "METADATA")?;
    let wheel = CoreMetadata::parse(&member(&zip, folder, "WHEEL")?)?;
    if !wheel.get("Wheel-Version").is_some_and(|version| version.starts_with("1.")) {
        return Err(refuse("the wheel's WHEEL file does not say Wheel-Version 1.x"));
    }
    check_record(&zip, folder, limits)?;
    Ok(metadata)
}

/// Reads a wheel's `METADATA` only.
pub(super) fn read_metadata(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let zip = Zip::open(path, limits, Links::Refused)?;
    let folder = dist_info(&zip)?;
    member(&zip, folder, "METADATA")
}

/// The one `*.dist-info` folder at the top.
fn dist_info(zip: &Zip) -> Result<&str, Error> {
    let mut found = None;
    for entry in &zip.entries {
        let top = entry.name.split('/').next().unwrap_or_default();
        if top.ends_with(".dist-info") {
            match found {
                None => found = Some(top),
                Some(other) if other == top => {}
                Some(_) => return Err(refuse("the wheel has more than one .dist-info folder")),
            }
        }
    }
    found.ok_or_else(|| refuse("the wheel has no .dist-info folder"))
}

fn member(zip: &Zip, folder: &str, name: &str) -> Result<Vec<u8>, Error> {
    let entry =
        zip.find(&format!("{folder}/{name}")).ok_or_else(|| refuse(format!("the wheel has no {folder}/{name}")))?;
    zip.read(entry, METADATA_LIMIT_BYTES)
}

/// `RECORD` lists exactly the files of the wheel, with their sizes and hashes. Hashes are compared as long as the bytes
/// to unpack stay within the limit; a larger wheel's remaining files are compared by name and size.
fn check_record(zip: &Zip, folder: &str, limits: &Limits) -> Result<(), Error> {
    let rows = record::parse(&member(zip, folder, "RECORD")?)?;
    let mut listed: HashMap<&str, &Row> = HashMap::new();
    for row in &rows {
        if listed.insert(&row.path, row).is_some() {
            return Err(refuse(format!("RECORD lists '{}' twice", row.path)));
        }
    }
    let may_be_unlisted = ["RECORD", "RECORD.jws", "RECORD.p7s"].map(|name| format!("{folder}/{name}"));
    let mut unpacked = 0_u64;
    for entry in zip.entries.iter().filter(|entry| entry.kind != EntryKind::Folder) {
        let row = listed.remove(entry.name.as_str());
        if may_be_unlisted.contains(&entry.name) {
            continue;
        }
        let row = row.ok_or_else(|| refuse(format!("RECORD does not list '{}'", entry.name)))?;
        if row.size_bytes.is_some_and(|size| size != entry.size_bytes) {
            return Err(refuse(format!("RECORD gives another size for '{}'", entry.name)));
        }
        unpacked += entry.size_bytes;
        if unpacked <= limits.unpacked_bytes {
            check_hash(zip, entry, row)?;
        }
    }
    match listed.keys().find(|path| !may_be_unlisted.iter().any(|name| name == *path)) {
        Some(path) => Err(refuse(format!("RECORD lists '{path}', which the wheel does not have"))),
        None => Ok(()),
    }
}

fn check_hash(zip: &Zip, entry: &Entry, row: &Row) -> Result<(), Error> {
    let mut hasher = Sha256::new();
    zip.unpack(entry, |piece| hasher.update(piece))?;
    if row.sha256.is_some_and(|expected| expected[..] != hasher.finalize()[..]) {
        return Err(refuse(format!("RECORD gives another SHA-256 for '{}'", entry.name)));
    }
    Ok(())
}
