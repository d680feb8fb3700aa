//! Runs the stored corpus, and each of its files with a few thousand random changes.

use std::fs;
use std::path::Path;

use super::*;

const CHANGES: usize = 3000;

/// A xorshift generator: the same changes on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64)).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        const TELLING: &[u8] = b"/\\.:@%#?[]2fF\n\0 -1";
        if self.below(2) == 0 { TELLING[self.below(TELLING.len())] } else { self.below(256).to_le_bytes()[0] }
    }

    fn change(&mut self, data: &mut Vec<u8>) {
        let at = self.below(data.len() + 1);
        match self.below(4) {
            0 => data.insert(at, self.byte()),
            1 if at < data.len() => data[at] = self.byte(),
            2 if at < data.len() => drop(data.remove(at)),
            _ => {
                let piece = data[at..data.len().min(at + self.below(16))].to_vec();
                let to = self.below(data.len() + 1);
                data.splice(to..to, piece);
            }
        }
    }
}

fn run(name: &str, fuzz: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    for file in files {
        let stored = fs::read(file).unwrap();
        fuzz(&stored);
        for _ in 0..CHANGES {
            let mut changed = stored.clone();
            for _ in 0..=random.below(6) {
                random.change(&mut changed);
            }
            fuzz(&changed);
        }
    }
}

#[test]
fn no_address_breaks_the_rules() {
    run("addresses", fuzz_addresses);
}

#[test]
fn no_encoded_document_exceeds_its_limit() {
    run("encoded_document", fuzz_encoded_document);
}

#[test]
fn no_retry_after_is_longer_than_a_day() {
    run("retry_after", fuzz_retry_after);
}
