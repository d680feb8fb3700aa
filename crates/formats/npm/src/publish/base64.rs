//! Base64 that arrives in pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_core::error::Invalid;

/// Decodes standard Base64 with padding, four digits at a time.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Digits that do not make a group of four yet.
    pending: Vec<u8>,
    /// Padding was seen: nothing may follow.
    ended: bool,
}

impl Decoder {
    /// Appends the bytes that are complete with these digits.
    ///
    /// # Errors
    /// [`Invalid`] at the first thing that is no Base64.
    pub(super) fn push(&mut self, digits: &[u8], decoded: &mut Vec<u8>) -> Result<(), Invalid> {
        let mut rest = digits;
        if !self.pending.is_empty() {
            let missing = (4 - self.pending.len()).min(rest.len());
            self.pending.extend_from_slice(&rest[..missing]);
            rest = &rest[missing..];
            if self.pending.len() < 4 {
                return Ok(());
            }
            let group = std::mem::take(&mut self.pending);
            self.decode(&group, decoded)?;
        }
        let whole = rest.len() / 4 * 4;
        self.decode(&rest[..whole], decoded)?;
        self.pending.extend_from_slice(&rest[whole..]);
        Ok(())
    }

    fn decode(&mut self, digits: &[u8], decoded: &mut Vec<u8>) -> Result<(), Invalid> {
        if digits.is_empty() {
            return Ok(());
        }
        if self.ended || STANDARD.decode_vec(digits, decoded).is_err() {
            return Err(not_base64());
        }
        self.ended = digits.ends_with(b"=");
        Ok(())
    }

    /// # Errors
    /// [`Invalid`] when the last group is not complete.
    pub(super) fn finish(self) -> Result<(), Invalid> {
        if self.pending.is_empty() { Ok(()) } else { Err(not_base64()) }
    }
}

fn not_base64() -> Invalid {
    Invalid::new("the data of an attachment is not Base64")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(text: &[u8], size: usize) -> Result<Vec<u8>, Invalid> {
        let mut decoder = Decoder::default();
        let mut decoded = Vec::new();
        for chunk in text.chunks(size) {
            decoder.push(chunk, &mut decoded)?;
        }
        decoder.finish().map(|()| decoded)
    }

    #[test]
    fn what_is_not_padded_base64_is_refused_wherever_it_is_cut() {
        for bad in ["QQ", "QQ=", "QQ==QQ==", "Q", "QQ= =", "QUJD\n", "QU-_", "=", "QR=="] {
            for size in 1..6 {
                assert!(decode(bad.as_bytes(), size).is_err(), "{bad} in pieces of {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_cut_decodes_to_the_same(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..30) {
            prop_assert_eq!(decode(STANDARD.encode(&bytes).as_bytes(), size), Ok(bytes));
        }
    }
}
