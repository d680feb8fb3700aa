//! Names and extension headers of tar entries.

use std::collections::HashMap;
use std::io::Read;

use larder_core::error::Invalid;
use sha2::{Digest as _, Sha256};
use tar::{Entry, EntryType, PaxExtensions};

use super::broken;
use crate::names::printable;

/// Entries of one archive, extension headers included.
const ENTRY_LIMIT: usize = 100_000;
/// Longest path, in bytes.
const PATH_LIMIT_BYTES: usize = 4 << 10;
/// Extension headers: a path, and whatever else somebody's tar program writes beside it.
const EXTENSION_LIMIT_BYTES: u64 = 1 << 20;

/// The names seen in one archive.
#[derive(Default)]
pub(super) struct Names {
    count: usize,
    /// Digests, so that a hundred thousand long names do not add up; and whether it was a folder.
    seen: HashMap<[u8; 16], bool>,
}

impl Names {
    /// Counts an entry.
    ///
    /// # Errors
    /// [`Invalid`] for one too many.
    pub(super) fn count(&mut self) -> Result<(), Invalid> {
        self.count += 1;
        if self.count > ENTRY_LIMIT {
            return Err(Invalid::new(format!("the crate has more than {ENTRY_LIMIT} entries")));
        }
        Ok(())
    }

    /// The path below the top folder of an entry that is new; `None` for the top folder itself.
    ///
    /// # Errors
    /// [`Invalid`] for a path that is not a plain one below the top folder, and for one that was there before.
    pub(super) fn admit(&mut self, raw: &[u8], top: &str, kind: EntryType) -> Result<Option<String>, Invalid> {
        let path = check(raw)?;
        let below = match path.split_once('/') {
            Some((folder, below)) if folder == top => below,
            None if path == top && kind == EntryType::Directory => return Ok(None),
            _ => {
                let message = format!("the crate has an entry '{}' outside of '{}/'", printable(&path), printable(top));
                return Err(Invalid::new(message));
            }
        };
        let is_folder = kind == EntryType::Directory;
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(below.as_bytes())[..16]);
        match self.seen.insert(digest, is_folder) {
            Some(was_folder) if !(is_folder && was_folder) => {
                Err(Invalid::new(format!("the crate has two entries for '{}'", printable(below))))
            }
            _ => Ok(Some(below.to_owned())),
        }
    }
}

/// A plain relative path, without the slash at the end of a folder's.
fn check(raw: &[u8]) -> Result<String, Invalid> {
    let shown = || printable(&String::from_utf8_lossy(&raw[..raw.len().min(80)]));
    let refuse = |why: &str| Invalid::new(format!("the crate has an entry '{}' {why}", shown()));
    let text = std::str::from_utf8(raw).map_err(|_| refuse("whose name is not UTF-8"))?;
    if text.len() > PATH_LIMIT_BYTES {
        return Err(refuse("with a path of more than 4 KiB"));
    }
    if text.contains('\\') || text.chars().any(char::is_control) {
        return Err(refuse("with a backslash or control character in its path"));
    }
    let path = text.strip_suffix('/').unwrap_or(text);
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if has_drive || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(refuse("that is not a plain path inside the archive"));
    }
    Ok(path.to_owned())
}

/// What GNU and pax headers say of the entry that follows them.
#[derive(Default)]
pub(super) struct Extensions {
    name: Option<Vec<u8>>,
}

impl Extensions {
    /// Takes in an extension header; `false` for an ordinary entry.
    ///
    /// # Errors
    /// [`Invalid`] when it is malformed, too long or changes what the following bytes mean.
    pub(super) fn absorb<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<bool, Invalid> {
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = content(entry)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                self.name = Some(name);
            }
            EntryType::GNULongLink => {
                return Err(Invalid::new("the crate has a link; cargo packs files and folders only"));
            }
            EntryType::XHeader => {
                let records = content(entry)?;
                self.name = pax_path(&records)?.or(self.name.take());
            }
            // Global headers carry comments (git writes the commit); renaming all entries is nobody's need.
            EntryType::XGlobalHeader => {
                if pax_path(&content(entry)?)?.is_some() {
                    return Err(Invalid::new("the crate has a global header that renames its entries"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The name that a header gave to the entry that comes now.
    pub(super) fn take_name(&mut self) -> Option<Vec<u8>> {
        self.name.take()
    }
}

fn content<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::new();
    entry.take(EXTENSION_LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if bytes.len() as u64 > EXTENSION_LIMIT_BYTES {
        return Err(Invalid::new("the crate has an extension header of more than 1 MiB"));
    }
    Ok(bytes)
}

/// The path in pax records. Sizes, links and sparse maps are refused.
fn pax_path(records: &[u8]) -> Result<Option<Vec<u8>>, Invalid> {
    let mut path = None;
    for record in PaxExtensions::new(records) {
        let record = record.map_err(|_| Invalid::new("the crate has a malformed pax header"))?;
        match record.key_bytes() {
            b"path" => path = Some(record.value_bytes().to_vec()),
            b"linkpath" | b"size" => return Err(Invalid::new("the crate has a pax header with a link or a size")),
            key if key.starts_with(b"GNU.sparse") => return Err(Invalid::new("the crate has a sparse file")),
            _ => {}
        }
    }
    Ok(path)
}
