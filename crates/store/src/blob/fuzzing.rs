//! Entry points for fuzzers: whatever an object store answers, nothing panics.

pub use super::s3::fuzz_object_store_answer;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::blob::suite::noise;

    #[test]
    fn no_answer_of_an_object_store_makes_a_panic() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-corpus/object_store_answer");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty());
        for file in files {
            let stored = std::fs::read(file).unwrap();
            fuzz_object_store_answer(&stored);
            for round in 0..3000 {
                // Cuts a piece out and puts it, or noise, in another place.
                let random = noise(8, round);
                let at = |n: usize| usize::from(u16::from_le_bytes([random[n], random[n + 1]])) % stored.len();
                let (from, to, length) = (at(0), at(2), at(4) % 24);
                let mut changed = stored.clone();
                let piece: Vec<u8> = changed.drain(from..stored.len().min(from + length)).collect();
                let piece = if random[6] & 1 == 0 { piece } else { noise(length, round + 1) };
                let to = to.min(changed.len());
                changed.splice(to..to, piece);
                fuzz_object_store_answer(&changed);
            }
        }
    }
}
