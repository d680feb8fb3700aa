//! A reader of compressed data that stops at a bomb.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use larder_core::error::Invalid;

/// Below this many inflated bytes no ratio is looked at.
const RATIO_FROM_BYTES: u64 = 64 << 20;
/// Inflated over compressed, above [`RATIO_FROM_BYTES`].
const RATIO_LIMIT: u64 = 50;
/// Below this many inflated bytes only [`RATIO_LIMIT`] holds.
const PLAIN_LIMIT_BYTES: u64 = 200 << 20;
/// Inflated over compressed, above [`PLAIN_LIMIT_BYTES`]: what a large package of ordinary files reaches. A 500 MB
/// tarball is allowed to be what it is, a small one to inflate to no more than 200 MiB.
const LARGE_RATIO_LIMIT: u64 = 10;

/// Counts what comes out and compares it with what went in.
pub(super) struct Bounded<R> {
    inner: R,
    limit_bytes: u64,
    inflated_bytes: u64,
}

impl<R> Bounded<R> {
    /// `compressed_bytes`: the size of the whole archive.
    pub(super) fn new(inner: R, compressed_bytes: u64) -> Self {
        let moderate = compressed_bytes.saturating_mul(RATIO_LIMIT).clamp(RATIO_FROM_BYTES, PLAIN_LIMIT_BYTES);
        let large = compressed_bytes.saturating_mul(LARGE_RATIO_LIMIT);
        Self { inner, limit_bytes: moderate.max(large), inflated_bytes: 0 }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.inflated_bytes += count as u64;
        if self.inflated_bytes > self.limit_bytes {
            return Err(io::Error::other(TooLarge(self.limit_bytes)));
        }
        Ok(count)
    }
}

impl<R: BufRead> Bounded<GzDecoder<R>> {
    /// Reads what follows the end of the tar, which has to be padding, and checks that the gzip member ends well and is
    /// the only one: what is behind it would be read by some programs and not by others.
    ///
    /// # Errors
    /// [`Invalid`] saying what is there.
    pub(super) fn finish(mut self) -> Result<(), Invalid> {
        let mut buffer = [0; 8 << 10];
        loop {
            match self.read(&mut buffer).map_err(super::broken)? {
                0 => break,
                count if buffer[..count].iter().all(|byte| *byte == 0) => {}
                _ => return Err(Invalid::new("the tarball has data behind the end of its tar")),
            }
        }
        let mut rest = self.inner.into_inner();
        if rest.fill_buf().map_err(super::broken)?.is_empty() {
            return Ok(());
        }
        Err(Invalid::new("the tarball has data behind the end of its gzip stream"))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the tarball inflates to more than {0} bytes, which is out of proportion to its size")]
struct TooLarge(u64);

/// The limit's own message, if that is what stopped the reading.
pub(super) fn reason(error: &io::Error) -> Option<Invalid> {
    // Libraries on the way wrap the error once more.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(inner) = cause {
        if let Some(limit) = inner.downcast_ref::<TooLarge>() {
            return Some(Invalid::new(limit.to_string()));
        }
        cause = match inner.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as _),
            None => inner.source(),
        };
    }
    None
}
