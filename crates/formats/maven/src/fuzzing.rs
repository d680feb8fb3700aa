//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use crate::maven_metadata::{self, MavenMetadata};
use crate::pom::Pom;
use crate::{layout, names, registry_file, version_order};

/// Reads a POM and what the API tells of it.
pub fn fuzz_pom(data: &[u8]) {
    if let Ok(pom) = Pom::parse(data) {
        let _ = (pom.details(), pom.coordinate(), pom.packaging().len());
    }
}

/// Reads a metadata file and writes what it lists.
pub fn fuzz_maven_metadata(data: &[u8]) {
    if let Ok(mut metadata) = MavenMetadata::parse(data) {
        version_order::sort(&mut metadata.versions);
        let text = maven_metadata::write_artifact("g", "a", &metadata.versions, "20260101000000");
        assert!(MavenMetadata::parse(text.as_bytes()).is_ok(), "what is written can be read");
        let text = maven_metadata::write_group(&metadata.plugins);
        assert!(MavenMetadata::parse(text.as_bytes()).is_ok(), "what is written can be read");
    }
}

/// Reads a path and compares the versions in it.
pub fn fuzz_path(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let segments: Vec<&str> = text.split('/').collect();
    let _ = (layout::parse(&segments), layout::classify(&text), names::parse_build(&text));
    for pair in segments.windows(2) {
        let _ = version_order::compare(pair[0], pair[1]);
    }
}

/// Reads a checksum file.
pub fn fuzz_checksum(data: &[u8]) {
    for algorithm in ["sha1", "md5", "sha256", "sha512"] {
        let _ = registry_file::digest_in(data, algorithm);
    }
    let _ = registry_file::parse(data);
}

#[cfg(test)]
mod tests;
