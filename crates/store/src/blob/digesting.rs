//! The five digests of a blob, in one pass.

use blake2::Blake2b256;
use larder_core::model::{Digests, Sha256};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;

/// A pass over bytes.
#[derive(Default)]
pub(super) struct Digesting {
    md5: Md5,
    sha1: Sha1,
    sha256: sha2::Sha256,
    sha512: sha2::Sha512,
    blake2b_256: Blake2b256,
    size_bytes: u64,
}

/// Small enough that the five passes over one piece find it in the processor's cache.
const PIECE_BYTES: usize = 16 * 1024;

impl Digesting {
    /// The digests of bytes that are there as a whole.
    pub(super) fn of(bytes: &[u8]) -> (Digests, [u8; 32]) {
        let mut digesting = Self::default();
        digesting.update(bytes);
        digesting.finish()
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.md5.update(piece);
            self.sha1.update(piece);
            self.sha256.update(piece);
            self.sha512.update(piece);
            self.blake2b_256.update(piece);
        }
        self.size_bytes += bytes.len() as u64;
    }

    /// The digests, and BLAKE2b-256 beside them.
    pub(super) fn finish(self) -> (Digests, [u8; 32]) {
        let digests = Digests {
            md5: self.md5.finalize().into(),
            sha1: self.sha1.finalize().into(),
            sha256: Sha256(self.sha256.finalize().into()),
            sha512: self.sha512.finalize().into(),
            size_bytes: self.size_bytes,
        };
        (digests, self.blake2b_256.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use larder_core::model::HashAlgorithm;

    #[test]
    fn digests_are_those_of_the_published_test_vectors() {
        let mut digesting = Digesting::default();
        digesting.update(b"a");
        digesting.update(b"bc");
        let (digests, blake) = digesting.finish();
        assert_eq!(digests.size_bytes, 3);
        assert_eq!(digests.hex(HashAlgorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(digests.hex(HashAlgorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            digests.hex(HashAlgorithm::Sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            digests.hex(HashAlgorithm::Sha512),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
        assert_eq!(hex::encode(blake), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    }

    #[test]
    fn digests_do_not_depend_on_how_the_bytes_are_cut() {
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut cut = Digesting::default();
        for piece in bytes.chunks(7919) {
            cut.update(piece);
        }
        assert_eq!(Digesting::of(&bytes), cut.finish());
    }
}
