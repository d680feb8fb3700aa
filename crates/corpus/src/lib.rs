//! Short fuzzing in ordinary tests: a target runs on every file of its stored corpus and on a few thousand changes of
//! each, the same in every run. The targets themselves are the `fuzz_*` functions of the crates, for long runs too.

use std::fs;
use std::path::Path;

/// Changes of each file.
const ROUNDS: usize = 3000;
/// Bytes that mean something to one parser or another.
const TELLING: &[u8] = b"/\\.:@%#?[]{}<>\"'-=,;*2fF\n\r\0 \xff";

/// Runs `target` on the corpus `fuzz-corpus/{name}` of the crate at `crate_folder` (its `CARGO_MANIFEST_DIR`).
///
/// # Panics
/// If the corpus is missing or empty, and whenever the target panics: then it names the file that it was working on.
pub fn run(crate_folder: &str, name: &str, target: fn(&[u8])) {
    let folder = Path::new(crate_folder).join("fuzz-corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        println!("{}", file.display());
        let stored = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        target(&stored);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..ROUNDS {
            target(&random.changed(&stored));
        }
    }
}

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        if self.below(2) == 0 { TELLING[self.below(TELLING.len())] } else { self.below(256).to_le_bytes()[0] }
    }

    /// Bits flipped, bytes replaced, inserted and removed, pieces repeated, the end cut off.
    fn changed(&mut self, stored: &[u8]) -> Vec<u8> {
        let mut data = stored.to_vec();
        for _ in 0..=self.below(5) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(16)).min(data.len());
            match self.below(7) {
                0 if at < data.len() => data[at] ^= 1 << self.below(8),
                1 if at < data.len() => data[at] = self.byte(),
                2 => drop(data.drain(at..end)),
                3 => {
                    let piece = data[at..end].to_vec();
                    let to = self.below(data.len() + 1);
                    data.splice(to..to, piece);
                }
                4 => data.truncate(data.len() - self.below(data.len() / 8 + 1)),
                5 if self.below(8) == 0 => data.truncate(at),
                _ => data.insert(at, self.byte()),
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_many_and_the_same_in_every_run() {
        let changes = || {
            let mut random = Random(7);
            (0..500).map(|_| random.changed(b"some stored text")).collect::<Vec<_>>()
        };
        let mut first = changes();
        assert_eq!(first, changes());
        first.sort();
        first.dedup();
        assert!(first.len() > 400, "{} different changes", first.len());
    }

    #[test]
    fn an_empty_input_can_be_changed() {
        let mut random = Random(1);
        assert!((0..100).any(|_| !random.changed(b"").is_empty()));
    }
}
