//! Source distributions: `.tar.gz`, and `.zip` from before PEP 625.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use larder_archive::{EntryKind, EntryNames, Links, Zip, link_stays_inside};
use tar::{Archive, EntryType, PaxExtensions};

use super::{Error, Limits, refuse};
use crate::metadata::{CoreMetadata, METADATA_LIMIT_BYTES};

/// Longest extended header (a long name, PAX records).
const EXTENSION_LIMIT_BYTES: u64 = 1 << 20;

/// What a walk through an archive gathers.
#[derive(Default)]
struct Seen {
    names: EntryNames,
    top: Option<String>,
    pkg_info: Option<Vec<u8>>,
    has_pyproject: bool,
}

impl Seen {
    /// Notes an entry; answers whether it is the `PKG-INFO` to read.
    fn note(&mut self, name: &[u8], is_folder: bool, limits: &Limits) -> Result<(String, bool), Error> {
        let name = self.names.admit(name, limits.entries)?;
        let (top, rest) = name.split_once('/').unwrap_or((&name, ""));
        if rest.is_empty() && !is_folder {
            return Err(refuse(format!("'{name}' lies beside the top folder of the source distribution")));
        }
        if self.top.get_or_insert_with(|| top.to_owned()) != top {
            return Err(refuse("the source distribution has more than one top folder"));
        }
        self.has_pyproject |= rest == "pyproject.toml";
        let is_pkg_info = rest == "PKG-INFO" && !is_folder;
        Ok((name, is_pkg_info))
    }

    fn finish(self) -> Result<Vec<u8>, Error> {
        let pkg_info =
            self.pkg_info.ok_or_else(|| refuse("the source distribution has no PKG-INFO in its top folder"))?;
        if CoreMetadata::parse(&pkg_info)?.metadata_version() >= (2, 2) && !self.has_pyproject {
            return Err(refuse("a source distribution with metadata 2.2 or newer needs a pyproject.toml"));
        }
        Ok(pkg_info)
    }
}

/// Reads an uploaded `.tar.gz` to its last byte; answers its `PKG-INFO`.
pub(super) fn read_tar_gz(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let (mut archive, packed) = open(path, limits)?;
    let mut seen = Seen::default();
    let walked = walk(&mut archive, packed, limits, &mut seen, false);
    let mut rest = archive.into_inner();
    let read = walked.and_then(|()| check_padding(&mut rest));
    if rest.unpacked > rest.limit {
        return Err(refuse(format!("the source distribution unpacks to more than {} bytes", rest.limit)));
    }
    read?;
    let mut behind = rest.inner.into_inner();
    if behind.read(&mut [0])? != 0 {
        return Err(refuse("the .tar.gz file has bytes after its end"));
    }
    seen.finish()
}

/// Finds the `PKG-INFO` of a `.tar.gz` and reads no further.
pub(super) fn find_in_tar_gz(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let (mut archive, packed) = open(path, limits)?;
    let mut seen = Seen::default();
    walk(&mut archive, packed, limits, &mut seen, true)?;
    seen.pkg_info.ok_or_else(|| refuse("no PKG-INFO"))
}

/// Reads an uploaded `.zip`; answers its `PKG-INFO`.
pub(super) fn read_zip(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let zip = Zip::open(path, limits, Links::Refused)?;
    let mut seen = Seen::default();
    for entry in &zip.entries {
        if seen.note(entry.name.as_bytes(), entry.kind == EntryKind::Folder, limits)?.1 {
            seen.pkg_info = Some(zip.read(entry, METADATA_LIMIT_BYTES)?);
        }
    }
    seen.finish()
}

type Source = Counted<GzDecoder<BufReader<File>>>;

fn open(path: &Path, limits: &Limits) -> Result<(Archive<Source>, u64), Error> {
    let file = File::open(path)?;
    let packed = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let magic = std::io::BufRead::fill_buf(&mut reader)?;
    if !magic.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse("the file is not gzip-compressed"));
    }
    let limit = limits.unpacked_bytes;
    Ok((Archive::new(Counted { inner: GzDecoder::new(reader), unpacked: 0, limit }), packed))
}

/// Goes through the raw entries: long names and PAX records are applied here, with bounds.
fn walk(
    archive: &mut Archive<Source>,
    packed: u64,
    limits: &Limits,
    seen: &mut Seen,
    stop_at_pkg_info: bool,
) -> Result<(), Error> {
    let mut long_name: Option<Vec<u8>> = None;
    let mut long_link: Option<Vec<u8>> = None;
    let mut unpacked = 0_u64;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        unpacked = unpacked.saturating_add(entry.header().entry_size()?);
        limits.check_ratio(unpacked, packed)?;
        match kind {
            EntryType::GNULongName => long_name = Some(extension(&mut entry)?),
            EntryType::GNULongLink => long_link = Some(extension(&mut entry)?),
            EntryType::XHeader => pax(&extension(&mut entry)?, &mut long_name, &mut long_link)?,
            // Applies to all that follows; only comments are harmless there (`git archive` writes one).
            EntryType::XGlobalHeader => {
                let (mut name, mut link) = (None, None);
                pax(&extension(&mut entry)?, &mut name, &mut link)?;
                if name.is_some() || link.is_some() {
                    return Err(refuse("the tar archive renames all entries with a global header"));
                }
            }
            EntryType::Regular | EntryType::Directory | EntryType::Symlink | EntryType::Link => {
                let raw_name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                let link = long_link.take().or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned));
                let is_folder = kind == EntryType::Directory || raw_name.ends_with(b"/");
                let (name, is_pkg_info) = seen.note(&raw_name, is_folder, limits)?;
                check_link(kind, &name, link.as_deref())?;
                if is_pkg_info && kind == EntryType::Regular {
                    seen.pkg_info = Some(bounded(&mut entry, METADATA_LIMIT_BYTES)?);
                    if stop_at_pkg_info {
                        return Ok(());
                    }
                }
            }
            _ => return Err(refuse("the tar archive has a device, a sparse file or another unusual entry")),
        }
    }
    Ok(())
}

/// Links may point to what lies in the same top folder; a hard link's target is relative to the archive, not to itself.
fn check_link(kind: EntryType, name: &str, target: Option<&[u8]>) -> Result<(), Error> {
    let stays = match (kind, target) {
        (EntryType::Symlink, Some(target)) => link_stays_inside(name, target),
        (EntryType::Link, Some(target)) => {
            let top = name.split('/').next().unwrap_or_default();
            target.split(|byte| *byte == b'/').next() == Some(top.as_bytes()) && link_stays_inside("root/link", target)
        }
        (EntryType::Symlink | EntryType::Link, None) => false,
        _ => true,
    };
    if stays { Ok(()) } else { Err(refuse(format!("link '{name}' points out of the archive"))) }
}

fn extension(entry: &mut impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = bounded(entry, EXTENSION_LIMIT_BYTES)?;
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

fn bounded(entry: &mut impl Read, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(refuse(format!("a header or metadata entry is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Applies PAX records: names and link targets; sizes and sparse maps would change what the following bytes mean.
fn pax(records: &[u8], name: &mut Option<Vec<u8>>, link: &mut Option<Vec<u8>>) -> Result<(), Error> {
    for record in PaxExtensions::new(records) {
        let record = record?;
        match record.key_bytes() {
            b"path" => *name = Some(record.value_bytes().to_vec()),
            b"linkpath" => *link = Some(record.value_bytes().to_vec()),
            b"size" => return Err(refuse("the tar archive gives an entry's size in a PAX record")),
            key if key.starts_with(b"GNU.sparse") => return Err(refuse("the tar archive has a sparse file")),
            _ => {}
        }
    }
    Ok(())
}

/// Behind the end of a tar archive there is nothing but zeros.
fn check_padding(rest: &mut Source) -> Result<(), Error> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Err(refuse("the tar archive has bytes after its end"));
        }
    }
}

/// Counts what is unpacked and stops at the limit.
struct Counted<R> {
    inner: R,
    unpacked: u64,
    limit: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.unpacked += count as u64;
        if self.unpacked > self.limit {
            return Err(std::io::Error::other("unpacks to more than is inspected"));
        }
        Ok(count)
    }
}
