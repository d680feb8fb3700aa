//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use bytes::Bytes;
use larder_core::model::{PackageFormat, PackageKey, Sha256, Timestamp, VersionText};
use larder_core::ports::{Format as _, StoredIndex};
use larder_http::fuzzing::Scratch;

use crate::archive::Peek;
use crate::gemspec::Gemspec;
use crate::line::{self, Line};
use crate::versions::{self, Whole};
use crate::{RubyFormat, archive, attestations, marshal, names, yaml};

/// Reads a `.gem` as an upload and as a registry's file.
pub fn fuzz_gem(data: &[u8]) {
    let Ok(file) = Scratch::write(data) else { return };
    let peeked = peek(data);
    if let Ok(spec) = archive::check(file.path()) {
        assert_eq!(archive::inspect(file.path()).map(|spec| spec.full_name()), Some(spec.full_name()));
        assert_eq!(peeked, Some(spec.full_name()), "who is asked about is who is published");
    }
    let _ = archive::inspect(file.path());
}

/// The gem that an upload is taken for while it arrives.
fn peek(data: &[u8]) -> Option<String> {
    let mut peek = Peek::new();
    let metadata = data.chunks(1000).find_map(|chunk| peek.push(chunk).transpose())?.ok()?;
    archive::gemspec(&metadata).ok().map(|spec| spec.full_name())
}

/// Reads the attestations of a push.
pub fn fuzz_attestations(data: &[u8]) {
    let _ = attestations::check(Bytes::copy_from_slice(data), &Sha256([7; 32]));
}

/// Reads the YAML of a gemspec; one that is read can be written in every form that it is served in.
pub fn fuzz_gemspec(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = yaml::parse(&text);
    let Ok(spec) = Gemspec::parse(&text) else { return };
    let _ = spec.details();
    let Ok(version) = spec.version_text() else { return };
    let written = line::write(&spec, version.as_str(), &"0".repeat(64), Timestamp(0));
    assert!(Line::parse(&written).is_ok_and(|line| line.version == version.as_str()), "{written}");
    assert!(marshal::quick(&spec).is_ok());
}

/// Reads `info/{gem}` as a registry sends it.
pub fn fuzz_info(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for raw in line::lines(&text) {
        if let Ok(line) = Line::parse(raw) {
            let _ = (line.dependencies(), line.created_at(), line.sha256());
        }
    }
    let Ok(package) = PackageKey::new(PackageFormat::Ruby, None, "foo") else { return };
    let index = stored(data);
    let _ = (RubyFormat.check_index(&package, &index), RubyFormat.index_versions(&package, &index));
    if let Ok(version) = VersionText::new("1.0.0") {
        let _ = RubyFormat.promise(&package, &index, &version);
    }
}

/// Reads `versions` as a registry sends it, and makes the Marshal index of it.
pub fn fuzz_versions(data: &[u8]) {
    let key = PackageKey::document(PackageFormat::Ruby, versions::VERSIONS);
    let _ = RubyFormat.check_index(&key, &stored(data));
    let text = String::from_utf8_lossy(data);
    let gems = versions::by_name(&text);
    for which in [Whole::Specs, Whole::Latest, Whole::Prereleases] {
        assert!(marshal::specs(which, &gems).starts_with(&[4, 8]));
    }
}

/// Reads names, versions and full names, and compares versions.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (left, right) = text.split_once('\n').unwrap_or((&text, "1.0"));
    for (key, version) in names::readings(left) {
        assert_eq!(format!("{}-{version}", key.name()), left);
    }
    let _ = (names::gem_key(left), names::version_key(left), names::printable(left));
    assert_eq!(names::compare_versions(left, right), names::compare_versions(right, left).reverse());
}

fn stored(data: &[u8]) -> StoredIndex {
    StoredIndex {
        body: Some(Bytes::copy_from_slice(data)),
        content_type: String::new(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 0,
    }
}

#[cfg(test)]
mod tests {
    //! Each entry point on its stored corpus and on changes of it.

    use larder_corpus::run;

    use super::*;

    #[test]
    fn no_gem_makes_the_reader_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "gem", fuzz_gem);
    }

    #[test]
    fn no_attestations_make_the_reader_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "attestations", fuzz_attestations);
    }

    #[test]
    fn no_gemspec_makes_the_reader_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "gemspec", fuzz_gemspec);
    }

    #[test]
    fn no_info_file_makes_the_reader_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "info", fuzz_info);
    }

    #[test]
    fn no_list_of_versions_makes_the_reader_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "versions", fuzz_versions);
    }

    #[test]
    fn no_name_makes_the_readers_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "names", fuzz_names);
    }
}
