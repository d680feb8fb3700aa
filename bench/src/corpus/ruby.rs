//! Gems, as `gem push` sends them.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use larder_testkit::packages::{sha256, tarball_of};

use super::noise;
use crate::{Context, Result};

/// The gem with five versions, the last of them of 20 KB.
pub(crate) const GEM: &str = "bench-gem";
/// The version of [`GEM`] with the bytes.
pub(crate) const GEM_VERSION: &str = "1.4.0";

/// The gems that are asked for, and others that make `versions` longer.
pub(crate) fn gems() -> Result<Vec<Vec<u8>>> {
    let small = (0..5).map(|minor| gem(GEM, &format!("1.{minor}.0"), if minor == 4 { 19_000 } else { 100 }));
    let others = (0..199).map(|number| gem(&format!("bench-other{number}gem"), "1.0.0", 100));
    small.chain(others).collect()
}

/// A gem with a file of so many bytes that do not compress.
pub(crate) fn gem(name: &str, version: &str, length: usize) -> Result<Vec<u8>> {
    let dependency = |name: &str| {
        format!(
            "- !ruby/object:Gem::Dependency\n  name: {name}\n  requirement: !ruby/object:Gem::Requirement\n\
             \x20   requirements:\n    - - \"~>\"\n      - !ruby/object:Gem::Version\n        version: '13.0'\n\
             \x20 type: :runtime\n  prerelease: false\n"
        )
    };
    let spec = format!(
        "--- !ruby/object:Gem::Specification\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: '{version}'\n\
         platform: ruby\nauthors:\n- Ann\ndate: 2026-01-02 00:00:00.000000000 Z\ndependencies:\n{}{}summary: measured\n\
         licenses:\n- MIT\nmetadata: {{}}\nrequired_ruby_version: !ruby/object:Gem::Requirement\n  requirements:\n\
         \x20 - - \">=\"\n    - !ruby/object:Gem::Version\n      version: '2.7'\nrubygems_version: 3.3.15\n",
        dependency("some-dependency"),
        dependency("other-dependency"),
    );
    let metadata = gzip(spec.as_bytes())?;
    let data = tarball_of(&[("lib/data.bin".to_owned(), noise(length as u64, length))]);
    let checksums = format!("---\nSHA256:\n  metadata.gz: {}\n  data.tar.gz: {}\n", sha256(&metadata), sha256(&data));
    let members = [
        ("metadata.gz".to_owned(), metadata),
        ("data.tar.gz".to_owned(), data),
        ("checksums.yaml.gz".to_owned(), gzip(checksums.as_bytes())?),
    ];
    // A gem is a tar that is not compressed itself.
    let mut plain = Vec::new();
    GzDecoder::new(&tarball_of(&members)[..]).read_to_end(&mut plain).context("a gem")?;
    Ok(plain)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).context("a part of a gem")
}
