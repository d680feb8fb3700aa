//! Bounded reading of `.crate` files, gzip-compressed tar archives (protocols 0.6, 7.4). Nothing is unpacked to disk; only
//! the manifest and the README are held in memory.

mod extensions;
mod manifest;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use larder_archive::{EntryNames, Error, refuse};
use larder_core::error::Invalid;
use larder_core::model::VersionDetails;
use tar::{Archive, EntryType};

use self::extensions::Extensions;
use self::manifest::Manifest;
use crate::names::printable;

/// Entries of one archive, extension headers included.
const ENTRY_LIMIT: usize = 100_000;
/// `Cargo.toml` and the README.
const MEMBER_LIMIT_BYTES: u64 = 10 << 20;
const MANIFEST: &str = "Cargo.toml";
/// What a README is called if the manifest does not say.
const READMES: [&str; 3] = ["README.md", "README.txt", "README"];

/// Below this many unpacked bytes no ratio is looked at.
const RATIO_FROM_BYTES: u64 = 64 << 20;
/// Unpacked over packed, above [`RATIO_FROM_BYTES`].
const RATIO_LIMIT: u64 = 50;
/// Above this many unpacked bytes [`LARGE_RATIO_LIMIT`] holds.
const PLAIN_LIMIT_BYTES: u64 = 200 << 20;
/// What cargo itself unpacks of a large crate.
const LARGE_RATIO_LIMIT: u64 = 20;

/// Reads an uploaded crate to its last byte: everything is below `{name}-{version}/`, and the manifest there is of that
/// name and version. Blocking.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong.
pub(crate) fn check(path: &Path, name: &str, version: &str) -> Result<(), Error> {
    let mut archive = open(path)?;
    let mut manifest = None;
    walk(&mut archive, &format!("{name}-{version}"), &mut |below, kind, content| {
        if below == MANIFEST && kind == EntryType::Regular {
            manifest = Some(take(below, content)?);
        }
        Ok(Continue::Next)
    })?;
    archive.into_inner().finish()?;
    let manifest = manifest.ok_or_else(|| refuse(format!("the crate has no {MANIFEST} in its top folder")))?;
    Manifest::parse(&manifest)?.check(name, version)?;
    Ok(())
}

/// What an archive from a public registry says of itself; nothing if it cannot be read. Blocking.
#[must_use]
pub(crate) fn inspect(path: &Path) -> VersionDetails {
    let Some(text) = find(path, &[MANIFEST]) else { return VersionDetails::default() };
    let Ok(manifest) = Manifest::parse(&text) else { return VersionDetails::default() };
    let readme = match manifest.readme() {
        manifest::Readme::None => None,
        manifest::Readme::Usual => find(path, &READMES),
        manifest::Readme::At(name) => find(path, &[name]),
    };
    manifest.details(readme.and_then(|text| String::from_utf8(text).ok()))
}

/// The first of these files that comes, from whatever top folder, reading no further.
fn find(path: &Path, names: &[&str]) -> Option<Vec<u8>> {
    let mut archive = open(path).ok()?;
    let mut found = None;
    let top = first_folder(path)?;
    // Whatever was found before the archive turned out to be broken is what cargo finds, too.
    let _ = walk(&mut archive, &top, &mut |below, kind, content| {
        if kind == EntryType::Regular && names.contains(&below) {
            found = Some(take(below, content)?);
            return Ok(Continue::Stop);
        }
        Ok(Continue::Next)
    });
    found
}

/// The top folder of the first entry.
fn first_folder(path: &Path) -> Option<String> {
    let mut archive = open(path).ok()?;
    let mut entries = archive.entries().ok()?.raw(true);
    let entry = entries.next()?.ok()?;
    let name = entry.path_bytes().into_owned();
    Some(String::from_utf8(name).ok()?.split('/').next()?.to_owned())
}

fn take(name: &str, content: &mut dyn Read) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::new();
    content.take(MEMBER_LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if bytes.len() as u64 > MEMBER_LIMIT_BYTES {
        return Err(Invalid::new(format!("'{name}' in the crate is larger than 10 MiB")));
    }
    Ok(bytes)
}

/// What is done with an entry, given its path below the top folder.
type Visit<'a> = dyn FnMut(&str, EntryType, &mut dyn Read) -> Result<Continue, Invalid> + 'a;

enum Continue {
    Next,
    Stop,
}

/// Visits every entry with its path below the top folder, after checking its name, type and uniqueness.
fn walk(archive: &mut Archive<Bounded>, top: &str, visit: &mut Visit<'_>) -> Result<(), Error> {
    let mut names = EntryNames::default();
    let mut extensions = Extensions::default();
    // Raw: extension headers are read here, with bounds, instead of by the library.
    for (number, entry) in archive.entries().map_err(|error| broken(&error))?.raw(true).enumerate() {
        let mut entry = entry.map_err(|error| broken(&error))?;
        if number >= ENTRY_LIMIT {
            return Err(refuse(format!("the crate has more than {ENTRY_LIMIT} entries")));
        }
        if extensions.absorb(&mut entry)? {
            continue;
        }
        let kind = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => EntryType::Regular,
            EntryType::Directory => EntryType::Directory,
            EntryType::Symlink | EntryType::Link => {
                return Err(refuse("the crate has a link; cargo packs files and folders only"));
            }
            _ => return Err(refuse("the crate has a device or another unusual entry")),
        };
        let raw = extensions.take_name().unwrap_or_else(|| entry.path_bytes().into_owned());
        let path = names.admit(&raw, ENTRY_LIMIT)?;
        let below = match path.split_once('/') {
            Some((folder, below)) if folder == top => below,
            None if path == top && kind == EntryType::Directory => continue,
            _ => {
                let (path, top) = (printable(&path), printable(top));
                return Err(refuse(format!("the crate has an entry '{path}' outside of '{top}/'")));
            }
        };
        if let Continue::Stop = visit(below, kind, &mut entry)? {
            return Ok(());
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<Archive<Bounded>, Error> {
    let file = File::open(path).map_err(Error::Io)?;
    let packed = file.metadata().map_err(Error::Io)?.len();
    let mut reader = BufReader::with_capacity(64 << 10, file);
    if !reader.fill_buf().map_err(Error::Io)?.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse("the crate is not gzip-compressed"));
    }
    Ok(Archive::new(Bounded::new(GzDecoder::new(reader), packed)))
}

/// Counts what is unpacked, compares it with what it was packed in, and stops at a bomb.
struct Bounded {
    inner: GzDecoder<BufReader<File>>,
    unpacked_bytes: u64,
    limit_bytes: u64,
}

impl Bounded {
    fn new(inner: GzDecoder<BufReader<File>>, packed_bytes: u64) -> Self {
        let moderate = packed_bytes.saturating_mul(RATIO_LIMIT).clamp(RATIO_FROM_BYTES, PLAIN_LIMIT_BYTES);
        let limit_bytes = moderate.max(packed_bytes.saturating_mul(LARGE_RATIO_LIMIT));
        Self { inner, unpacked_bytes: 0, limit_bytes }
    }

    /// Reads what follows the end of the tar, which has to be padding, and checks that the gzip member is the only one:
    /// what is behind it would be read by some programs and not by others.
    fn finish(mut self) -> Result<(), Invalid> {
        let mut buffer = [0; 16 << 10];
        loop {
            match self.read(&mut buffer).map_err(|error| broken(&error))? {
                0 => break,
                count if buffer[..count].iter().all(|byte| *byte == 0) => {}
                _ => return Err(Invalid::new("the crate has data behind the end of its tar")),
            }
        }
        if self.inner.into_inner().fill_buf().map_err(|error| broken(&error))?.is_empty() {
            return Ok(());
        }
        Err(Invalid::new("the crate has data behind the end of its gzip stream"))
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.unpacked_bytes += count as u64;
        if self.unpacked_bytes > self.limit_bytes {
            return Err(std::io::Error::other(format!("it unpacks to more than {} bytes", self.limit_bytes)));
        }
        Ok(count)
    }
}

fn broken(error: &std::io::Error) -> Invalid {
    Invalid::new(format!("the crate is not a readable .tar.gz: {error}"))
}

#[cfg(test)]
pub(crate) mod tests;
