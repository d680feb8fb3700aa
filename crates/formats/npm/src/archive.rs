//! Bounded reading of a package's tarball, from a file or from memory (protocols 0.6). Nothing is unpacked to disk; only what the
//! registry tells of a package is held in memory.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use larder_core::error::Invalid;
use larder_core::ports::StagedBlob;
use sha2::{Digest as _, Sha256};
use tar::EntryType;

use self::entry::{EntryName, Headers};
use self::limits::Bounded;

mod entry;
mod limits;

/// Entries of one archive, headers of extensions included.
const ENTRY_LIMIT: u64 = 100_000;
/// `package.json` and the README: larger ones are refused, or left out.
const MEMBER_LIMIT_BYTES: u64 = 10 << 20;

/// What a tarball says of its package. Paths lose their first component, whatever it is called, as npm unpacks them.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// `package.json`, as it stands.
    pub(crate) package_json: Vec<u8>,
    /// Text of the README, the Markdown one if there are several; `None` if it is not UTF-8 or too large.
    pub(crate) readme: Option<String>,
    /// Its file name.
    pub(crate) readme_name: Option<String>,
    /// There is a `binding.gyp`: npm compiles the package when it has no install script.
    pub(crate) has_binding_gyp: bool,
    /// There is an `npm-shrinkwrap.json`.
    pub(crate) has_shrinkwrap: bool,
    /// Files, links included, folders not.
    pub(crate) file_count: u64,
    /// Their sizes added up.
    pub(crate) unpacked_size_bytes: u64,
}

/// Reads a published tarball completely and checks everything that 0.6 asks for. Blocking.
///
/// # Errors
/// [`Invalid`] with what is wrong with the archive.
pub(crate) fn read(staged: &StagedBlob) -> Result<Contents, Invalid> {
    if let Some(bytes) = staged.bytes() {
        return read_stream(&bytes[..], bytes.len() as u64);
    }
    let (file, size) = open(staged.path())?;
    read_stream(file, size)
}

/// Only the README, reading no further than it has to. Blocking; an archive that cannot be read has none.
#[must_use]
pub(crate) fn find_readme(path: &Path) -> Option<String> {
    let (file, size) = open(path).ok()?;
    let mut contents = Contents::default();
    // Whatever was found before the archive turned out to be broken is what its package manager finds, too.
    let _ = walk(Bounded::new(GzDecoder::new(BufReader::new(file)), size), &mut |name, kind, data| {
        if kind == EntryType::Regular && is_readme(name) {
            contents.offer_readme(name, data)?;
        }
        Ok(if contents.readme.is_some() && is_markdown(name) { Continue::Stop } else { Continue::Next })
    });
    contents.readme
}

fn open(path: &Path) -> Result<(std::fs::File, u64), Invalid> {
    let unreadable = |error: std::io::Error| Invalid::new(format!("the tarball cannot be read: {error}"));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    Ok((file, size))
}

/// As [`read`], of any source whose compressed size is known.
pub(crate) fn read_stream(source: impl Read, compressed_bytes: u64) -> Result<Contents, Invalid> {
    let mut inflated = Bounded::new(GzDecoder::new(BufReader::new(source)), compressed_bytes);
    let contents = read_tar(&mut inflated)?;
    inflated.finish()?;
    Ok(contents)
}

/// Reads a tar to its end.
pub(crate) fn read_tar(tar: impl Read) -> Result<Contents, Invalid> {
    let mut contents = Contents::default();
    let mut has_package_json = false;
    walk(tar, &mut |name, kind, data| {
        if kind == EntryType::Directory {
            return Ok(Continue::Next);
        }
        contents.file_count += 1;
        contents.unpacked_size_bytes += data.size_bytes;
        if kind != EntryType::Regular {
            return Ok(Continue::Next);
        }
        match name {
            "package.json" => {
                contents.package_json = data.take_member("package.json")?;
                has_package_json = true;
            }
            "binding.gyp" => contents.has_binding_gyp = true,
            "npm-shrinkwrap.json" => contents.has_shrinkwrap = true,
            name if is_readme(name) => contents.offer_readme(name, data)?,
            _ => {}
        }
        Ok(Continue::Next)
    })?;
    if !has_package_json {
        return Err(Invalid::new("the tarball has no package.json in its top folder"));
    }
    Ok(contents)
}

impl Contents {
    fn offer_readme(&mut self, name: &str, data: &mut Data<'_>) -> Result<(), Invalid> {
        if data.size_bytes > MEMBER_LIMIT_BYTES || (self.readme.is_some() && !is_markdown(name)) {
            return Ok(());
        }
        if let Ok(text) = String::from_utf8(data.take_member(name)?) {
            self.readme = Some(text);
            self.readme_name = Some(name.to_owned());
        }
        Ok(())
    }
}

fn is_readme(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    stem.eq_ignore_ascii_case("readme")
}

fn is_markdown(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["md", "markdown", "mkd", "mkdn"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

enum Continue {
    Next,
    Stop,
}

/// The content of the entry that is being visited.
struct Data<'a> {
    reader: &'a mut dyn Read,
    size_bytes: u64,
}

impl Data<'_> {
    fn take_member(&mut self, name: &str) -> Result<Vec<u8>, Invalid> {
        if self.size_bytes > MEMBER_LIMIT_BYTES {
            return Err(Invalid::new(format!("'{name}' in the tarball is larger than 10 MiB")));
        }
        let mut content = Vec::new();
        self.reader.read_to_end(&mut content).map_err(broken)?;
        Ok(content)
    }
}

/// Visits every entry in order, with its path below the top folder, after checking its name, type and uniqueness.
fn walk(
    tar: impl Read,
    visit: &mut dyn FnMut(&str, EntryType, &mut Data<'_>) -> Result<Continue, Invalid>,
) -> Result<(), Invalid> {
    let mut archive = tar::Archive::new(tar);
    let mut headers = Headers::default();
    let mut seen = HashMap::new();
    let mut count = 0;
    // Raw: the extension headers are read here, with bounds, instead of by the library.
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        count += 1;
        if count > ENTRY_LIMIT {
            return Err(Invalid::new(format!("the tarball has more than {ENTRY_LIMIT} entries")));
        }
        if headers.absorb(&mut entry)? {
            continue;
        }
        let kind = headers.kind(&entry)?;
        let name = headers.take_name(&entry)?;
        name.check_link(&entry, &mut headers)?;
        let Some(below) = name.below_top() else { continue };
        check_unique(&mut seen, &name, kind)?;
        let size_bytes = entry.size();
        if let Continue::Stop = visit(&below, kind, &mut Data { reader: &mut entry, size_bytes })? {
            return Ok(());
        }
    }
    Ok(())
}

/// Two files at one place would make two readings of the archive possible. Remembers digests, so that a hundred
/// thousand long names do not add up.
fn check_unique(seen: &mut HashMap<[u8; 16], bool>, name: &EntryName, kind: EntryType) -> Result<(), Invalid> {
    let Some(below) = name.below_top() else { return Ok(()) };
    let is_folder = kind == EntryType::Directory;
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(below.as_bytes())[..16]);
    match seen.insert(digest, is_folder) {
        Some(was_folder) if !(is_folder && was_folder) => {
            Err(Invalid::new(format!("the tarball has two entries for '{below}'")))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn broken(error: std::io::Error) -> Invalid {
    limits::reason(&error).unwrap_or_else(|| Invalid::new(format!("the tarball is not a readable .tgz: {error}")))
}

#[cfg(test)]
mod tests;
