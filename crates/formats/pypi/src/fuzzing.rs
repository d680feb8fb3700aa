//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use larder_core::model::{AssetName, Sha256};
use larder_core::ports::Format as _;
use larder_http::fuzzing::Scratch;

use crate::archive::{self, Limits};
use crate::metadata::CoreMetadata;
use crate::names::{self, Distribution};
use crate::{PypiFormat, attestations, negotiate, registry_page};

/// Reads a registry's page in every form.
pub fn fuzz_registry_page(data: &[u8]) {
    for content_type in ["application/vnd.pypi.simple.v1+json", "text/html"] {
        // A refusal is as good as a page.
        let _ = registry_page::read_page("foo", content_type, data);
    }
}

/// Reads core metadata and what the API tells of it.
pub fn fuzz_core_metadata(data: &[u8]) {
    if let Ok(metadata) = CoreMetadata::parse(data) {
        let _ = (metadata.details(), metadata.metadata_version());
    }
}

/// Reads a file name, a project name and a version.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = Distribution::parse(&text, "foo");
    let _ = names::version_of_upstream_file("foo", &text);
    let _ = names::confusable_names(&names::normalize(&text));
    if let Ok(version) = names::normalize_version(&text) {
        let _ = (names::spellings(&version), names::compare_versions(&text, version.as_str()));
    }
}

/// Reads an `Accept` header.
pub fn fuzz_accept(data: &[u8]) {
    let _ = negotiate::negotiate(Some(&String::from_utf8_lossy(data)), None);
}

/// Reads the attestations of an upload.
pub fn fuzz_attestations(data: &[u8]) {
    let _ = attestations::provenance(&String::from_utf8_lossy(data), "foo-1.0.tar.gz", &Sha256([7; 32]));
}

/// Reads a wheel as an upload and as a registry's file.
pub fn fuzz_wheel(data: &[u8]) {
    read_archive("foo-1.0-py3-none-any.whl", data);
}

/// Reads a source distribution as an upload and as a registry's file.
pub fn fuzz_sdist(data: &[u8]) {
    read_archive("foo-1.0.tar.gz", data);
}

fn read_archive(name: &str, data: &[u8]) {
    let Ok(file) = Scratch::write(data) else { return };
    if let Ok(distribution) = Distribution::parse(name, "foo") {
        let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
        let _ = archive::read_upload(file.path(), &distribution, &limits);
    }
    if let Ok(name) = AssetName::new(name) {
        let _ = PypiFormat.inspect(&name, file.path());
    }
}

#[cfg(test)]
mod tests;
