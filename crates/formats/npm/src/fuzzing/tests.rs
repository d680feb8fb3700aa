//! A short run of each entry point over the stored corpus and over mutations of it.

use std::fs;
use std::path::Path;

use super::*;

/// Mutations of each corpus file.
const ROUNDS: usize = 3000;

/// xorshift64: the same run every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(data.len() + 1);
        match random.below(5) {
            0 => data.truncate(at),
            1 => data.insert(at, u8::try_from(random.below(256)).unwrap()),
            2 if at < data.len() => data[at] ^= 1 << random.below(8),
            3 if at < data.len() => drop(data.remove(at)),
            _ => {
                let from = random.below(seed.len());
                let to = from + random.below(seed.len() - from) + 1;
                data.splice(at..at, seed[from..to].iter().copied());
            }
        }
    }
    data
}

fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-corpus").join(name);
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let seed = fs::read(entry.unwrap().path()).unwrap();
        target(&seed);
        for _ in 0..ROUNDS {
            target(&mutate(&seed, &mut random));
        }
        seeds += 1;
    }
    assert!(seeds > 0, "{} is empty", folder.display());
}

#[test]
fn tarballs_never_panic() {
    run("tarball", fuzz_tarball);
}

#[test]
fn tars_never_panic() {
    run("tar", fuzz_tar);
}

#[test]
fn publish_bodies_never_panic() {
    run("publish_body", fuzz_publish_body);
}

#[test]
fn packuments_never_panic() {
    run("packument", fuzz_packument);
}

#[test]
fn names_never_panic() {
    run("names", fuzz_names);
}

#[test]
fn provenance_never_panics() {
    run("provenance", fuzz_provenance);
}
