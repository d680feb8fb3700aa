//! Tarballs and the bodies that publish them.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use sha2::Sha512;

/// A gzipped tar of these files.
pub(crate) fn tgz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).expect("in memory");
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("in memory")
}

/// The smallest package.
pub(crate) fn tarball(name: &str, version: &str) -> Vec<u8> {
    let manifest = json!({"name": name, "version": version}).to_string();
    tgz(&[("package/package.json", manifest.as_bytes()), ("package/README.md", b"# Read me\n")])
}

/// Compresses.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
}

/// Bytes that do not compress, always the same.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..size / 8).flat_map(|_| next()).collect()
}

/// `sha512-…`
pub(crate) fn integrity(bytes: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(Sha512::digest(bytes)))
}

/// What npm sends to publish [`tarball`].
pub(crate) fn publish_body(name: &str, version: &str, tag: &str) -> Value {
    body_with(name, version, tag, &tarball(name, version))
}

/// What npm sends to publish a tarball.
pub(crate) fn body_with(name: &str, version: &str, tag: &str, tarball: &[u8]) -> Value {
    json!({
        "_id": name, "name": name, "description": "text", "dist-tags": {tag: version}, "access": null,
        "versions": {version: {
            "name": name, "version": version, "_id": format!("{name}@{version}"), "readme": "from the body",
            "dist": {
                "integrity": integrity(tarball), "shasum": hex::encode(Sha1::digest(tarball)),
                "tarball": format!("http://elsewhere.test/{name}/-/{name}-{version}.tgz"),
            },
        }},
        "_attachments": {format!("{name}-{version}.tgz"): {
            "content_type": "application/octet-stream", "data": STANDARD.encode(tarball), "length": tarball.len(),
        }},
    })
}
