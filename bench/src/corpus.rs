//! Packages of the sizes that are asked for, the same in every run.

pub(crate) mod cargo;
pub(crate) mod maven;
pub(crate) mod ruby;

use larder_testkit::packages::{NpmPackage, PythonPackage};
use serde_json::json;

/// The name of the npm package whose short document has about 30 KB.
pub(crate) const SMALL: &str = "bench-small";
/// The name of the npm package whose full document has about 4 MB.
pub(crate) const LARGE: &str = "bench-large";
/// The name of the npm package with a tarball of 20 KB (1.0.0) and one of 4 MB (2.0.0).
pub(crate) const ARCHIVES: &str = "bench-archives";
/// The Python project with a page of about 30 KB and a wheel of 20 KB.
pub(crate) const PROJECT: &str = "bench-project";

/// Bytes that do not compress: SplitMix64.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    std::iter::repeat_with(|| next().to_le_bytes()).flatten().take(length).collect()
}

/// A package with so many dependencies. Names and ranges differ from version to version as much as makes its document
/// compress to an eighth or so, as real ones do.
fn package(name: &str, version: &str, dependencies: usize) -> NpmPackage {
    let seed = version.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let bytes = noise(seed, dependencies * 2);
    let dependencies: serde_json::Map<_, _> = bytes
        .chunks(2)
        .enumerate()
        .map(|(index, bytes)| (format!("some-dependency-{index}"), json!(format!("^{}.{}.0", bytes[0], bytes[1]))))
        .collect();
    NpmPackage::new(name, version)
        .with("dependencies", json!(dependencies))
        .with("engines", json!({"node": ">=18"}))
        .with("repository", json!({"type": "git", "url": format!("git+ssh://git.example/{name}.git")}))
}

/// The versions of [`SMALL`].
pub(crate) fn small() -> Vec<NpmPackage> {
    (0..60).map(|minor| package(SMALL, &format!("1.{minor}.0"), 5)).collect()
}

/// The versions of [`LARGE`].
pub(crate) fn large(versions: usize) -> Vec<NpmPackage> {
    (0..versions).map(|minor| package(LARGE, &format!("1.{minor}.0"), 100)).collect()
}

/// The versions of [`ARCHIVES`].
pub(crate) fn archives() -> [NpmPackage; 2] {
    [("1.0.0", 19_500), ("2.0.0", 4_000_000)].map(|(version, length)| published(ARCHIVES, version, 1, length))
}

/// A package with one file that does not compress.
pub(crate) fn published(name: &str, version: &str, seed: u64, length: usize) -> NpmPackage {
    package(name, version, 3).file("data.bin", noise(seed, length))
}

/// The versions of [`PROJECT`]: the last one is the wheel that is asked for.
pub(crate) fn projects() -> Vec<PythonPackage> {
    let version = |minor| PythonPackage::new(PROJECT, &format!("1.{minor}.0")).with("Requires-Python", ">=3.9");
    (0..80).map(version).chain([version(99).file("data.bin", noise(1, 19_000))]).collect()
}
