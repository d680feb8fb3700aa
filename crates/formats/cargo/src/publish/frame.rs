//! The body of a publish, as it comes in: a length, JSON, a length, the `.crate` file (protocols 7.3). Lengths are
//! unsigned, 32 bits, little-endian.

use bytes::{Buf as _, Bytes};
use larder_core::error::Invalid;

/// The JSON holds the README; cargo's own is a few kilobytes beside that.
pub(crate) const JSON_LIMIT_BYTES: u32 = 10 << 20;
/// What the lengths themselves take.
pub(crate) const LENGTHS_BYTES: u64 = 8;

/// Why a body is no publish.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    Invalid(Invalid),
    TooLarge(String),
}

/// A part of the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// All of the JSON.
    Json(Vec<u8>),
    /// Some bytes of the file; never none.
    Crate(Bytes),
}

/// Takes a body apart, piece by piece.
#[derive(Debug)]
pub(crate) struct Frame {
    stage: Stage,
    /// The length or the JSON, as far as it has come.
    held: Vec<u8>,
    crate_limit_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    JsonLength,
    Json { length: usize },
    CrateLength,
    Crate { left: u64 },
}

impl Frame {
    /// Lets crates through that have at most this many bytes.
    pub(crate) fn new(crate_limit_bytes: u64) -> Self {
        Self { stage: Stage::JsonLength, held: Vec::new(), crate_limit_bytes }
    }

    /// Takes the next piece from the front of `chunk`; `None` if it needs another chunk. Everything is taken from a
    /// chunk that is answered with `None`.
    ///
    /// # Errors
    /// [`FrameError`] for a length over its limit and for bytes behind the end.
    pub(crate) fn take(&mut self, chunk: &mut Bytes) -> Result<Option<Piece>, FrameError> {
        while !chunk.is_empty() {
            match self.stage {
                Stage::JsonLength => {
                    let Some(length) = self.take_length(chunk) else { continue };
                    if length > JSON_LIMIT_BYTES {
                        let message = format!("the publish says its JSON has {length} bytes, over {JSON_LIMIT_BYTES}");
                        return Err(FrameError::TooLarge(message));
                    }
                    if length == 0 {
                        return Err(FrameError::Invalid(Invalid::new("the publish has no JSON")));
                    }
                    self.stage = Stage::Json { length: usize::try_from(length).unwrap_or(usize::MAX) };
                }
                Stage::Json { length } => {
                    let wanted = (length - self.held.len()).min(chunk.len());
                    self.held.extend_from_slice(&chunk.split_to(wanted));
                    if self.held.len() == length {
                        self.stage = Stage::CrateLength;
                        return Ok(Some(Piece::Json(std::mem::take(&mut self.held))));
                    }
                }
                Stage::CrateLength => {
                    let Some(length) = self.take_length(chunk) else { continue };
                    let left = u64::from(length);
                    if left > self.crate_limit_bytes {
                        let limit = self.crate_limit_bytes;
                        let message = format!("the publish says its crate has {left} bytes, over {limit}");
                        return Err(FrameError::TooLarge(message));
                    }
                    self.stage = Stage::Crate { left };
                }
                Stage::Crate { left: 0 } => {
                    let message = "the publish has bytes behind the crate, or a length in it is too small";
                    return Err(FrameError::Invalid(Invalid::new(message)));
                }
                Stage::Crate { left } => {
                    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
                    self.stage = Stage::Crate { left: left - wanted as u64 };
                    return Ok(Some(Piece::Crate(chunk.split_to(wanted))));
                }
            }
        }
        Ok(None)
    }

    /// A length, once its four bytes are there.
    fn take_length(&mut self, chunk: &mut Bytes) -> Option<u32> {
        while self.held.len() < 4 && !chunk.is_empty() {
            self.held.push(chunk.get_u8());
        }
        let bytes: [u8; 4] = self.held.as_slice().try_into().ok()?;
        self.held.clear();
        Some(u32::from_le_bytes(bytes))
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`FrameError::Invalid`] if that was too early.
    pub(crate) fn finish(&self) -> Result<(), FrameError> {
        if self.stage == (Stage::Crate { left: 0 }) {
            return Ok(());
        }
        let message = "the publish ends early, or a length in it is too large";
        Err(FrameError::Invalid(Invalid::new(message)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(json: &[u8], file: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        [&length(json)[..], json, &length(file), file].concat()
    }

    /// JSON and file of a body that comes in chunks.
    fn read(body: &[u8], chunk: usize, limit: u64) -> Result<(Vec<u8>, Vec<u8>), FrameError> {
        let mut frame = Frame::new(limit);
        let (mut json, mut file) = (Vec::new(), Vec::new());
        for chunk in body.chunks(chunk.max(1)) {
            let mut chunk = Bytes::copy_from_slice(chunk);
            while let Some(piece) = frame.take(&mut chunk)? {
                match piece {
                    Piece::Json(bytes) => json = bytes,
                    Piece::Crate(bytes) => file.extend_from_slice(&bytes),
                }
            }
            assert!(chunk.is_empty());
        }
        frame.finish().map(|()| (json, file))
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let good = body(b"{}", b"crate");
        assert_eq!(read(&good, 3, 5).unwrap(), (b"{}".to_vec(), b"crate".to_vec()));
        for end in 0..good.len() {
            assert!(matches!(read(&good[..end], 4, 9), Err(FrameError::Invalid(_))), "{end} bytes");
        }
        let trailing = [&good[..], b"x"].concat();
        assert!(matches!(read(&trailing, 4, 9), Err(FrameError::Invalid(_))));
        assert!(matches!(read(&good, 4, 4), Err(FrameError::TooLarge(_))));
        assert!(matches!(read(&[0xff; 8], 4, 9), Err(FrameError::TooLarge(_))));
        assert!(matches!(read(&[0; 8], 4, 9), Err(FrameError::Invalid(_))));
        assert_eq!(read(&body(b"{}", b""), 4, 9).unwrap().1, b"");
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            json in proptest::collection::vec(any::<u8>(), 1..40),
            file in proptest::collection::vec(any::<u8>(), 0..80),
            chunk in 1_usize..50,
        ) {
            prop_assert_eq!(read(&body(&json, &file), chunk, 80).unwrap(), (json, file));
        }
    }
}
