//! The files of a gem, in `data.tar.gz`: only their names and links are looked at.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};

use flate2::read::MultiGzDecoder;
use larder_core::error::Invalid;
use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType};

use super::Error;
use crate::names::printable;

/// Entries of one archive.
const ENTRY_LIMIT: usize = 100_000;
/// Longest path, in bytes.
const PATH_LIMIT_BYTES: usize = 4 << 10;
/// Below this many unpacked bytes no ratio is looked at.
const RATIO_FROM_BYTES: u64 = 64 << 20;
/// Unpacked over packed, above [`RATIO_FROM_BYTES`].
const RATIO_LIMIT: u64 = 50;

/// Checks the archive that lies in a file.
///
/// # Errors
/// [`Error::Invalid`] for a name or link that leads outside, a name that is there twice, a device, a bomb.
pub(super) fn check(mut file: File, at: u64, size_bytes: u64) -> Result<(), Error> {
    file.seek(SeekFrom::Start(at)).map_err(Error::Unreadable)?;
    let packed = BufReader::with_capacity(64 << 10, file.take(size_bytes));
    let limit = size_bytes.saturating_mul(RATIO_LIMIT).max(RATIO_FROM_BYTES);
    let mut archive = Archive::new(MultiGzDecoder::new(packed).take(limit));
    let mut seen = HashSet::new();
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let entry = entry.map_err(|error| broken(&error))?;
        if seen.len() >= ENTRY_LIMIT {
            return Err(Invalid::new(format!("data.tar.gz has more than {ENTRY_LIMIT} entries")).into());
        }
        let path = check_path(&entry.path_bytes())?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            EntryType::XGlobalHeader => continue,
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                if !stays_inside(&path, &target) {
                    return Err(Invalid::new(format!("the link '{}' leads out of the gem", printable(&path))).into());
                }
            }
            _ => return Err(Invalid::new(format!("'{}' is no file, folder or link", printable(&path))).into()),
        }
        let digest: [u8; 32] = Sha256::digest(path.as_bytes()).into();
        if !seen.insert(digest) && entry.header().entry_type() != EntryType::Directory {
            return Err(Invalid::new(format!("data.tar.gz has '{}' twice", printable(&path))).into());
        }
    }
    // What is behind the last entry is unpacked, too, so that a broken end is found.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(|error| broken(&error))?;
    if rest.limit() == 0 {
        return Err(Invalid::new("data.tar.gz unpacks to far more than it is").into());
    }
    Ok(())
}

fn check_path(raw: &[u8]) -> Result<String, Invalid> {
    let shown = || printable(&String::from_utf8_lossy(raw));
    let text = std::str::from_utf8(raw).map_err(|_| Invalid::new(format!("the name '{}' is not UTF-8", shown())))?;
    let path = text.strip_prefix("./").unwrap_or(text);
    let path = path.strip_suffix('/').unwrap_or(path);
    let has_drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if text.len() > PATH_LIMIT_BYTES
        || has_drive
        || text.contains('\\')
        || text.chars().any(char::is_control)
        || (!path.is_empty() && path.split('/').any(|part| matches!(part, "" | "." | "..")))
    {
        return Err(Invalid::new(format!("'{}' is not a plain path inside the gem", shown())));
    }
    Ok(path.to_owned())
}

/// Whether a symbolic link at `path` points to something in the archive.
fn stays_inside(path: &str, target: &[u8]) -> bool {
    let Ok(target) = std::str::from_utf8(target) else { return false };
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', ':', '\0']) {
        return false;
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

fn broken(error: &std::io::Error) -> Invalid {
    Invalid::new(format!("data.tar.gz cannot be read: {error}"))
}
