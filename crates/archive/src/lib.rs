//! What formats share of reading archives that somebody uploaded (protocol reference 0.6). Archives are read from a
//! file, with bounds; nothing is unpacked to disk.
//!
//! * [`Zip`] reads zip files strictly: an archive that two programs could read differently is refused.
//!   [`Zip::open_as_sent`] is for what a public registry sent and is kept as it is.
//! * [`EntryNames`] and [`link_stays_inside`] are the rules for names and links in archives of every kind.
//!
//! What a format makes of the members stays in its own `archive.rs`.

use std::borrow::Cow;
use std::io;

use larder_core::error::Invalid;

mod names;
mod zip;

pub use names::{EntryNames, link_stays_inside};
pub use zip::{Entry, EntryKind, Links, Zip};

/// Bounds of reading one archive.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub entries: usize,
    /// Bytes unpacked for inspection.
    pub unpacked_bytes: u64,
    /// The ratio of unpacked to packed bytes is looked at from here on.
    pub ratio_from_bytes: u64,
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, unpacked_bytes: 200 << 20, ratio_from_bytes: 64 << 20, ratio: 50 }
    }
}

impl Limits {
    /// Refuses archives that unpack to suspiciously much.
    ///
    /// # Errors
    /// [`Error::Invalid`] saying so.
    pub fn check_ratio(&self, unpacked: u64, packed: u64) -> Result<(), Error> {
        if unpacked > self.ratio_from_bytes && unpacked > packed.saturating_mul(self.ratio) {
            return Err(refuse(format!("the archive unpacks to more than {} times its size", self.ratio)));
        }
        Ok(())
    }
}

/// Why an archive was not read.
#[derive(Debug)]
pub enum Error {
    /// The archive is at fault.
    Invalid(Invalid),
    /// The disk is.
    Io(io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            InvalidData | InvalidInput | Other | UnexpectedEof => refuse("the archive is truncated or corrupt"),
            _ => Self::Io(error),
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Error> for larder_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(invalid) => invalid.in_field("archive"),
            Error::Io(error) => Self::internal(error),
        }
    }
}

/// The archive is at fault, and this is why.
#[must_use]
pub fn refuse(message: impl Into<Cow<'static, str>>) -> Error {
    Error::Invalid(Invalid::new(message))
}

/// The text, cut to 120 characters, with everything that could move a cursor or forge a log line replaced.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
