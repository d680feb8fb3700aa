//! Bounded reading of `.gem` files: a plain tar of `metadata.gz`, `data.tar.gz` and `checksums.yaml.gz` (protocols 0.6,
//! 6.4). Nothing is unpacked to disk; only the gemspec and the checksums are held in memory.

mod data;
mod peek;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use larder_archive::Error;
use larder_core::error::{Error as CoreError, Invalid};
use sha2::{Digest as _, Sha256, Sha512};
use tar::{Archive, EntryType, Header};

use crate::error::RubyError;
use crate::gemspec::Gemspec;
use crate::{names, yaml};

pub(crate) use peek::Peek;

/// `metadata.gz` and `checksums.yaml.gz`, packed and unpacked.
const MEMBER_LIMIT_BYTES: u64 = 10 << 20;
const METADATA: &str = "metadata.gz";
const DATA: &str = "data.tar.gz";
const CHECKSUMS: &str = "checksums.yaml.gz";
/// Everything that a gem has; signatures may be missing.
const MEMBERS: [&str; 6] = [METADATA, DATA, CHECKSUMS, "metadata.gz.sig", "data.tar.gz.sig", "checksums.yaml.gz.sig"];

/// The refusal of a gem that cannot be read.
pub(crate) fn refusal(error: Error) -> RubyError {
    match error {
        Error::Invalid(invalid) => invalid.into(),
        error @ Error::Io(_) => CoreError::from(error).into(),
    }
}

/// A file in the gem.
struct Member {
    sha256: String,
    sha512: String,
    /// Where in the gem its bytes are.
    at: u64,
    size_bytes: u64,
    /// Kept for the small ones that are read.
    content: Vec<u8>,
}

/// Reads an uploaded gem to its last byte. Blocking.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong.
pub(crate) fn check(path: &Path) -> Result<Gemspec, Error> {
    let members = members(File::open(path)?)?;
    let member = |name: &str| members.get(name).ok_or_else(|| missing(name));
    let (metadata, data, checksums) = (member(METADATA)?, member(DATA)?, member(CHECKSUMS)?);
    let checksums = yaml::parse(&unpack(CHECKSUMS, &checksums.content)?)?;
    for (name, member) in [(METADATA, metadata), (DATA, data)] {
        let mut is_compared = false;
        for (algorithm, computed) in [("SHA256", &member.sha256), ("SHA512", &member.sha512)] {
            let Some(stated) = checksums.get(algorithm).and_then(|of| of.get(name)?.text()) else { continue };
            is_compared = true;
            if !stated.eq_ignore_ascii_case(computed) {
                return Err(Invalid::new(format!("{algorithm} of '{name}' is not the one in {CHECKSUMS}")).into());
            }
        }
        if !is_compared {
            return Err(Invalid::new(format!("{CHECKSUMS} has no SHA256 or SHA512 of '{name}'")).into());
        }
    }
    let spec = gemspec(&metadata.content)?;
    data::check(File::open(path)?, data.at, data.size_bytes)?;
    Ok(spec)
}

/// The gemspec of a gem from a public registry; `None` if it cannot be read. Blocking.
#[must_use]
pub(crate) fn inspect(path: &Path) -> Option<Gemspec> {
    let mut members = members(File::open(path).ok()?).ok()?;
    let metadata = members.remove(METADATA)?;
    gemspec(&metadata.content).ok()
}

/// The gemspec in `metadata.gz`. Blocking: it may have ten megabytes.
///
/// # Errors
/// [`Invalid`] with what is wrong.
pub(crate) fn gemspec(packed: &[u8]) -> Result<Gemspec, Invalid> {
    Gemspec::parse(&unpack(METADATA, packed)?)
}

fn members(file: File) -> Result<BTreeMap<&'static str, Member>, Invalid> {
    let mut archive = Archive::new(BufReader::with_capacity(64 << 10, file));
    let mut members = BTreeMap::new();
    for entry in archive.entries().map_err(|error| broken(&error))?.raw(true) {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = check_member(entry.header(), entry.size())?;
        let is_kept = matches!(name, METADATA | CHECKSUMS);
        let (at, size_bytes) = (entry.raw_file_position(), entry.size());
        let (mut sha256, mut sha512, mut content, mut read) = (Sha256::new(), Sha512::new(), Vec::new(), 0);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = entry.read(&mut buffer).map_err(|error| broken(&error))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            read += count as u64;
            sha256.update(bytes);
            sha512.update(bytes);
            if is_kept {
                content.extend_from_slice(bytes);
            }
        }
        if read != size_bytes {
            return Err(Invalid::new(format!("the gem ends within '{name}'")));
        }
        let member = Member {
            sha256: hex::encode(sha256.finalize()),
            sha512: hex::encode(sha512.finalize()),
            at,
            size_bytes,
            content,
        };
        if members.insert(name, member).is_some() {
            return Err(Invalid::new(format!("the gem has '{name}' twice")));
        }
    }
    Ok(members)
}

/// Which member of a gem a header is of, and whether it may have that size.
fn check_member(header: &Header, size_bytes: u64) -> Result<&'static str, Invalid> {
    let name = header.path_bytes();
    let known = MEMBERS.into_iter().find(|known| known.as_bytes() == &*name);
    match known.filter(|_| header.entry_type() == EntryType::Regular) {
        Some(name @ (METADATA | CHECKSUMS)) if size_bytes > MEMBER_LIMIT_BYTES => Err(too_large(name)),
        Some(name) => Ok(name),
        None => {
            let name = names::printable(&String::from_utf8_lossy(&name));
            Err(Invalid::new(format!("the gem has a member '{name}', which gems have not")))
        }
    }
}

fn missing(name: &str) -> Invalid {
    Invalid::new(format!("the gem has no member '{name}'"))
}

fn unpack(name: &str, packed: &[u8]) -> Result<String, Invalid> {
    let mut text = Vec::new();
    MultiGzDecoder::new(packed)
        .take(MEMBER_LIMIT_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| Invalid::new(format!("'{name}' cannot be unpacked: {error}")))?;
    if text.len() as u64 > MEMBER_LIMIT_BYTES {
        return Err(too_large(name));
    }
    String::from_utf8(text).map_err(|_| Invalid::new(format!("'{name}' is not UTF-8")))
}

fn too_large(name: &str) -> Invalid {
    Invalid::new(format!("'{name}' in the gem is larger than 10 MiB"))
}

fn broken(error: &std::io::Error) -> Invalid {
    Invalid::new(format!("the gem is not a readable tar: {error}"))
}

#[cfg(test)]
pub(crate) mod tests;
