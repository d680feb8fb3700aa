//! What is read: the same documents and files on every server, made by publishing them to Larder.

use larder_e2e::World;
use larder_testkit::packages::{NpmPackage, PythonFile, PythonPackage};

/// Versions of the package whose document has about 30 KB.
const FEW: usize = 40;
/// Versions of the package whose document has several MB.
const MANY: usize = 5000;

/// A package or project and what Larder makes of it.
pub(crate) struct Content {
    pub(crate) small: NpmPackage,
    pub(crate) large: NpmPackage,
    pub(crate) python: PythonPackage,
    pub(crate) wheels: Vec<PythonFile>,
    /// Abbreviated documents, as Larder serves them: what nginx and verdaccio are given too.
    pub(crate) small_document: Vec<u8>,
    pub(crate) large_document: Vec<u8>,
    pub(crate) page: Vec<u8>,
}

/// Bytes that do not compress, the same each time.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

impl Content {
    /// Publishes everything to the server and reads the documents back.
    pub(crate) fn make(world: &World) -> Self {
        let small = NpmPackage::new("bench-small", "1.0.0").file("data.bin", noise(20_000, 1));
        let large = NpmPackage::new("bench-large", "1.0.0").file("data.bin", noise(5_000_000, 2));
        publish_versions(world, &small, FEW);
        publish_versions(world, &large, MANY);
        let python = PythonPackage::new("bench-python", "1.0").file("data.bin", noise(20_000, 3));
        let mut wheels = Vec::new();
        for number in 0..100 {
            let mut version = python.clone();
            version.version = format!("1.{number}");
            if number == 1 {
                version = version.file("large.bin", noise(5_000_000, 4));
            }
            let wheel = version.wheel();
            let answer = world.upload(&version, &wheel);
            assert!(answer.is_success(), "{answer:?}");
            wheels.push(wheel);
        }
        let document = |name: &str| {
            let request = world.npm("GET", name).header("accept", ACCEPT_NPM);
            request.send().expect(200).body
        };
        Self {
            small_document: document("bench-small"),
            large_document: document("bench-large"),
            page: world.pypi("GET", "simple/bench-python/").header("accept", ACCEPT_PIP).send().expect(200).body,
            small,
            large,
            python,
            wheels,
        }
    }
}

/// What npm 10, pnpm, yarn and bun ask for.
pub(crate) const ACCEPT_NPM: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
/// What pip asks for.
pub(crate) const ACCEPT_PIP: &str = "application/vnd.pypi.simple.v1+json";

/// The package itself and as many more small versions of it.
fn publish_versions(world: &World, package: &NpmPackage, count: usize) {
    let tiny = NpmPackage::new(&package.name, "0.0.0");
    for number in 1..count {
        let mut version = tiny.clone().with("version", format!("0.0.{number}").into());
        version.version = format!("0.0.{number}");
        let answer = world.publish_npm(&version);
        assert!(answer.is_success(), "{answer:?}");
    }
    let answer = world.publish_npm(package);
    assert!(answer.is_success(), "{answer:?}");
}
