use std::path::Path;

use super::*;

/// How often each file of the corpus is changed.
const ROUNDS: usize = 2000;

/// Xorshift: the same changes in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    /// Flips, inserts, removes, repeats, cuts.
    fn change(&mut self, data: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(16)).min(data.len());
            match self.below(6) {
                0 if at < data.len() => data[at] ^= 1 << self.below(8),
                1 if at < data.len() => data[at] = [0, 0xff, b'\n', b'<', b'"', b'-', b'.', b'/'][self.below(8)],
                2 => data.insert(at, u8::try_from(self.below(256)).unwrap()),
                3 => drop(data.drain(at..end)),
                4 => {
                    let piece = data[at..end].to_vec();
                    data.splice(at..at, piece);
                }
                _ => data.truncate(data.len() - self.below(data.len() / 8 + 1)),
            }
        }
    }
}

/// Runs a target on its corpus, as stored and changed.
fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {name} is empty");
    for file in files {
        let data = std::fs::read(&file).unwrap();
        target(&data);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..ROUNDS {
            let mut changed = data.clone();
            random.change(&mut changed);
            target(&changed);
        }
    }
}

#[test]
fn no_registry_page_makes_the_reader_panic() {
    run("registry_page", fuzz_registry_page);
}

#[test]
fn no_core_metadata_makes_the_reader_panic() {
    run("core_metadata", fuzz_core_metadata);
}

#[test]
fn no_name_makes_the_readers_panic() {
    run("names", fuzz_names);
}

#[test]
fn no_accept_header_makes_the_negotiation_panic() {
    run("accept", fuzz_accept);
}

#[test]
fn no_attestation_makes_the_reader_panic() {
    run("attestations", fuzz_attestations);
}

#[test]
fn no_wheel_makes_the_reader_panic() {
    run("wheel", fuzz_wheel);
}

#[test]
fn no_sdist_makes_the_reader_panic() {
    run("sdist", fuzz_sdist);
}
