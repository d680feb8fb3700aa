//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use larder_archive::Limits;
use larder_core::model::{AssetName, VersionText};
use larder_core::ports::Format as _;
use larder_http::fuzzing::Scratch;
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
    let _ = archive::read_package(file.path(), &limits);
    let _ = archive::read_symbols(file.path(), &limits);
    if let (Ok(name), Ok(key), Ok(version)) =
        (AssetName::new("acme.lib.1.0.0.nupkg"), names::package_key("acme.lib"), VersionText::new("1.0.0"))
    {
        let _ = NugetFormat.inspect(&name, file.path());
        let _ = archive::check_sent(file.path(), &key, &version);
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

#[cfg(test)]
mod tests;
