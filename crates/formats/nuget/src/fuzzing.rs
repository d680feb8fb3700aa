//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use larder_archive::Limits;
use larder_core::model::{AssetName, VersionText};
use larder_core::ports::Format as _;
use serde_json::Value;

use crate::names::{self, Version, VersionRange};
use crate::nuspec::Manifest;
use crate::offered::OfferedVersion;
use crate::{NugetFormat, archive, pdb};

/// Reads a manifest and what the API tells of it.
pub fn fuzz_nuspec(data: &[u8]) {
    if let Ok(manifest) = Manifest::parse(data) {
        let _ = (manifest.details(None), manifest.metadata.bytes());
    }
}

/// Reads a package as an upload, as a registry's file, and as a symbol package.
pub fn fuzz_nupkg(data: &[u8]) {
    let Ok(file) = Scratch::write(data) else { return };
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    let _ = archive::read_package(&file.0, &limits);
    let _ = archive::read_symbols(&file.0, &limits);
    if let (Ok(name), Ok(key), Ok(version)) =
        (AssetName::new("acme.lib.1.0.0.nupkg"), names::package_key("acme.lib"), VersionText::new("1.0.0"))
    {
        let _ = NugetFormat.inspect(&name, &file.0);
        let _ = archive::check_sent(&file.0, &key, &version);
    }
}

/// Reads an id, a version and a range.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = names::package_key(&text);
    let _ = VersionRange::parse(&text).map(|range| range.to_string());
    if let Ok(version) = Version::parse(&text) {
        assert_eq!(Version::parse(&version.full()).ok().as_ref(), Some(&version));
    }
}

/// Reads a registry's registration leaf.
pub fn fuzz_registration(data: &[u8]) {
    let Ok(key) = names::package_key("acme.lib") else { return };
    if let Ok(leaf) = serde_json::from_slice::<Value>(data) {
        let _ = OfferedVersion::from_leaf(&key, &leaf);
    }
}

/// Reads a debug file.
pub fn fuzz_pdb(data: &[u8]) {
    let _ = pdb::read(data);
}

/// A file that goes when it is dropped; archives are read from files.
struct Scratch(PathBuf);

impl Scratch {
    fn write(data: &[u8]) -> std::io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("larder-nuget-fuzz-{}-{number}", std::process::id()));
        std::fs::write(&path, data)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the folder for temporary files.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests;
