//! A strict reader of zip files. Central directory and local headers must tell the same story, and together the entries
//! must cover the file from its first byte to the central directory: then a reader that starts at the end and one that
//! starts at the front see the same archive. Zip64 and everything but stored and deflated entries are refused.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::names::{EntryNames, link_stays_inside};
use crate::{Error, Limits, printable, refuse};

mod as_sent;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const END_LENGTH: usize = 22;
const CENTRAL_LENGTH: usize = 46;
const LOCAL_LENGTH: usize = 30;
/// The central directory is held in memory while it is read.
const DIRECTORY_LIMIT_BYTES: u64 = 32 << 20;
/// Deflate options, data descriptor, UTF-8 names.
const KNOWN_FLAGS: u16 = 0b1000_0000_1110;
const DESCRIPTOR_FLAG: u16 = 0b1000;
/// "Made by" of archives with Unix modes, and the kinds of files in those.
const UNIX: u16 = 3;
const FILE_TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
/// Stands for "see the zip64 field".
const IN_ZIP64: u32 = u32::MAX;

/// The longest target of a symbolic link, in bytes.
const LINK_LIMIT_BYTES: u64 = 4096;

/// An opened zip file.
#[derive(Debug)]
pub struct Zip {
    file: File,
    /// In central directory order.
    pub entries: Vec<Entry>,
}

/// What becomes of symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// An archive with one is refused.
    Refused,
    /// One that stays inside the archive's top folder may be there.
    Inside,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Folder,
    /// A symbolic link; its content is the target.
    Link,
}

/// A file, folder or link in it.
#[derive(Debug)]
pub struct Entry {
    /// Without trailing slash.
    pub name: String,
    pub kind: EntryKind,
    pub size_bytes: u64,
    raw_name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    compressed_bytes: u64,
    header_at: u64,
    data_at: u64,
}

impl Zip {
    /// Opens and checks the framing of all entries, and where links lead.
    ///
    /// # Errors
    /// [`Error::Invalid`] saying what is wrong with the archive.
    pub fn open(path: &Path, limits: &Limits, links: Links) -> Result<Self, Error> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let end = End::find(&file, length)?;
        let directory = end.read_directory(&file)?;
        let mut entries = read_directory(&directory, end.entries, limits, links)?;
        let unpacked = entries.iter().map(|entry| entry.size_bytes).fold(0, u64::saturating_add);
        limits.check_ratio(unpacked, length)?;
        check_local_headers(&file, &mut entries, end.directory_at)?;
        let zip = Self { file, entries };
        for link in zip.entries.iter().filter(|entry| entry.kind == EntryKind::Link) {
            if !link_stays_inside(&link.name, &zip.read(link, LINK_LIMIT_BYTES)?) {
                return Err(refuse(format!("link '{}' leads out of the archive", link.name)));
            }
        }
        Ok(zip)
    }

    /// The file of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name && entry.kind == EntryKind::File)
    }

    /// Unpacks a file piece by piece, checking its length and CRC.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not what its header says.
    pub fn unpack(&self, entry: &Entry, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let section = Section { file: &self.file, at: entry.data_at, left: entry.compressed_bytes };
        let mut crc = flate2::Crc::new();
        let mut length = 0_u64;
        let mut buffer = vec![0; 64 * 1024];
        let broken = || refuse(format!("entry '{}' does not unpack to what its header says", printable(&entry.name)));
        let mut pump = |source: &mut dyn Read| loop {
            let count = source.read(&mut buffer)?;
            if count == 0 {
                return Ok::<_, Error>(());
            }
            length += count as u64;
            if length > entry.size_bytes {
                return Err(broken());
            }
            crc.update(&buffer[..count]);
            take(&buffer[..count]);
        };
        if entry.method == 0 {
            pump(&mut BufReader::new(section))?;
        } else {
            let mut decoder = flate2::bufread::DeflateDecoder::new(BufReader::new(section));
            pump(&mut decoder)?;
            if decoder.total_in() != entry.compressed_bytes {
                return Err(broken());
            }
        }
        if length != entry.size_bytes || crc.sum() != entry.crc {
            return Err(broken());
        }
        Ok(())
    }

    /// A small file's bytes.
    ///
    /// # Errors
    /// As [`Zip::unpack`], and for one that is larger than the limit.
    pub fn read(&self, entry: &Entry, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        if entry.size_bytes > limit_bytes {
            return Err(refuse(format!("entry '{}' is larger than {limit_bytes} bytes", entry.name)));
        }
        let mut bytes = Vec::new();
        self.unpack(entry, |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }
}

/// The record at the end of the file.
struct End {
    entries: usize,
    directory_at: u64,
    directory_bytes: u64,
}

impl End {
    fn find(file: &File, length: u64) -> Result<Self, Error> {
        let not_a_zip = || refuse("the file is not a zip archive, is truncated, or has bytes after its end");
        let window = length.min((END_LENGTH + usize::from(u16::MAX)) as u64);
        let mut tail = vec![0; usize::try_from(window).map_err(io::Error::other)?];
        file.read_exact_at(&mut tail, length - window)?;
        let signature = END.to_le_bytes();
        // The last one is what readers find that search from the end; it has to end the file with its comment.
        let at = tail.windows(4).rposition(|bytes| bytes == signature).ok_or_else(not_a_zip)?;
        let record = Fields(tail.get(at..).unwrap_or_default());
        let comment = usize::from(record.u16(20)?);
        if tail.len() != at + END_LENGTH + comment {
            return Err(not_a_zip());
        }
        let end = Self {
            entries: usize::from(record.u16(10)?),
            directory_at: u64::from(record.u32(16)?),
            directory_bytes: u64::from(record.u32(12)?),
        };
        let is_split = record.u16(4)? != 0 || record.u16(6)? != 0 || record.u16(8)? != record.u16(10)?;
        if is_split || end.entries == usize::from(u16::MAX) || end.directory_at == u64::from(IN_ZIP64) {
            return Err(refuse("zip64 and split archives are not accepted"));
        }
        let end_at = length - window + at as u64;
        if end.directory_at + end.directory_bytes != end_at || end.directory_bytes > DIRECTORY_LIMIT_BYTES {
            return Err(refuse("the zip archive's central directory is not where its end record says"));
        }
        Ok(end)
    }

    fn read_directory(&self, file: &File) -> Result<Vec<u8>, Error> {
        let mut directory = vec![0; usize::try_from(self.directory_bytes).map_err(io::Error::other)?];
        file.read_exact_at(&mut directory, self.directory_at)?;
        Ok(directory)
    }
}

/// Reads the record at the front of the central directory; answers the entry under its name as written, the mode that
/// it was made with on Unix, and the length of the record.
fn read_record(rest: &Fields<'_>) -> Result<(Entry, Option<u32>, usize), Error> {
    let name_length = usize::from(rest.u16(28)?);
    let length = CENTRAL_LENGTH + name_length + usize::from(rest.u16(30)?) + usize::from(rest.u16(32)?);
    let raw_name = rest.slice(CENTRAL_LENGTH, name_length)?.to_vec();
    let (compressed, size) = (rest.u32(20)?, rest.u32(24)?);
    let mode = (rest.u16(4)? >> 8 == UNIX).then_some(rest.u32(38)? >> 16);
    let entry = Entry {
        name: String::from_utf8_lossy(&raw_name).trim_end_matches('/').to_owned(),
        kind: match mode.map(|mode| mode & FILE_TYPE) {
            Some(LINK) => EntryKind::Link,
            _ if raw_name.ends_with(b"/") => EntryKind::Folder,
            _ => EntryKind::File,
        },
        flags: rest.u16(8)?,
        method: rest.u16(10)?,
        crc: rest.u32(16)?,
        compressed_bytes: u64::from(compressed),
        size_bytes: u64::from(size),
        header_at: u64::from(rest.u32(42)?),
        data_at: 0,
        raw_name,
    };
    if rest.u32(0)? != CENTRAL {
        return Err(refuse("the zip archive's central directory is corrupt"));
    }
    if entry.flags & !KNOWN_FLAGS != 0 || !matches!(entry.method, 0 | 8) {
        let name = printable(&entry.name);
        return Err(refuse(format!("entry '{name}' is encrypted or neither stored nor deflated")));
    }
    if [compressed, size].contains(&IN_ZIP64) || rest.u16(34)? != 0 {
        return Err(refuse("zip64 and split archives are not accepted"));
    }
    Ok((entry, mode, length))
}

fn read_directory(directory: &[u8], count: usize, limits: &Limits, links: Links) -> Result<Vec<Entry>, Error> {
    let mut names = EntryNames::default();
    let mut entries = Vec::new();
    let mut rest = Fields(directory);
    for _ in 0..count {
        let (mut entry, mode, length) = read_record(&rest)?;
        entry.name = names.admit(&entry.raw_name, limits.entries)?;
        let is_plain = mode.is_none_or(|mode| matches!(mode & FILE_TYPE, 0 | FOLDER | FILE));
        if !is_plain && (entry.kind != EntryKind::Link || links == Links::Refused) {
            return Err(refuse(format!("entry '{}' is a link or a device", entry.name)));
        }
        let is_folder_and_more =
            entry.raw_name.ends_with(b"/") && (entry.kind != EntryKind::Folder || entry.size_bytes != 0);
        if is_folder_and_more || (entry.method == 0 && entry.compressed_bytes != entry.size_bytes) {
            return Err(refuse(format!("entry '{}' has impossible sizes", entry.name)));
        }
        entries.push(entry);
        rest = rest.after(length)?;
    }
    if !rest.0.is_empty() {
        return Err(refuse("the zip archive's central directory has more entries than its end record says"));
    }
    Ok(entries)
}

/// Compares each local header with the central one and fills `data_at`.
fn check_local_headers(file: &File, entries: &mut [Entry], directory_at: u64) -> Result<(), Error> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&index| entries[index].header_at);
    let mut expected = 0;
    for (position, &index) in order.iter().enumerate() {
        let next = order.get(position + 1).map_or(directory_at, |&next| entries[next].header_at);
        let entry = &mut entries[index];
        if entry.header_at != expected {
            return Err(refuse("the zip archive has bytes that belong to no entry"));
        }
        let differs = |name: &str| refuse(format!("the two zip headers of entry '{name}' differ"));
        let mut fixed = [0; LOCAL_LENGTH];
        file.read_exact_at(&mut fixed, entry.header_at)?;
        let header = Fields(&fixed);
        let (name_length, extra_length) = (usize::from(header.u16(26)?), usize::from(header.u16(28)?));
        let mut variable = vec![0; name_length + extra_length];
        file.read_exact_at(&mut variable, entry.header_at + LOCAL_LENGTH as u64)?;
        let (name, extra) = variable.split_at(name_length);
        if header.u32(0)? != LOCAL
            || header.u16(6)? != entry.flags
            || header.u16(8)? != entry.method
            || name != entry.raw_name
        {
            return Err(differs(&entry.name));
        }
        let local = (header.u32(14)?, local_sizes(&header, extra)?);
        let central = (entry.crc, (entry.compressed_bytes, entry.size_bytes));
        let is_deferred = entry.flags & DESCRIPTOR_FLAG != 0 && local == (0, (0, 0));
        if local != central && !is_deferred {
            return Err(differs(&entry.name));
        }
        entry.data_at = entry.header_at + (LOCAL_LENGTH + variable.len()) as u64;
        let data_end = entry.data_at + entry.compressed_bytes;
        let gap = next.checked_sub(data_end).ok_or_else(|| refuse("entries of the zip archive overlap"))?;
        if entry.flags & DESCRIPTOR_FLAG != 0 {
            check_descriptor(file, entry, data_end, gap)?;
        } else if gap != 0 {
            return Err(refuse("the zip archive has bytes that belong to no entry"));
        }
        expected = next;
    }
    if expected != directory_at {
        return Err(refuse("the zip archive has bytes that belong to no entry"));
    }
    Ok(())
}

/// Compressed and plain size of a local header; some writers put them in a zip64 field although they are small.
fn local_sizes(header: &Fields<'_>, extra: &[u8]) -> Result<(u64, u64), Error> {
    let (compressed, size) = (header.u32(18)?, header.u32(22)?);
    if compressed != IN_ZIP64 && size != IN_ZIP64 {
        return Ok((u64::from(compressed), u64::from(size)));
    }
    let mut rest = Fields(extra);
    while rest.0.len() >= 4 {
        let (kind, length) = (rest.u16(0)?, usize::from(rest.u16(2)?));
        if kind == 1 && length >= 16 {
            return Ok((rest.u64(12)?, rest.u64(4)?));
        }
        rest = Fields(rest.0.get(4 + length..).unwrap_or_default());
    }
    Err(refuse("the zip archive has a local header without sizes"))
}

/// The data descriptor fills the gap behind the data, with or without signature, in 32 or 64 bits.
fn check_descriptor(file: &File, entry: &Entry, at: u64, gap: u64) -> Result<(), Error> {
    let mut bytes = [0; 24];
    let wrong = || refuse(format!("the data descriptor of entry '{}' does not match its header", entry.name));
    let bytes = bytes.get_mut(..usize::try_from(gap).map_err(io::Error::other)?).ok_or_else(wrong)?;
    file.read_exact_at(bytes, at)?;
    let fields = Fields(bytes);
    let start = if bytes.len() >= 4 && matches!(gap, 16 | 24) && fields.u32(0)? == DESCRIPTOR { 4 } else { 0 };
    let sizes = match bytes.len() - start {
        12 => (u64::from(fields.u32(start + 4)?), u64::from(fields.u32(start + 8)?)),
        20 => (fields.u64(start + 4)?, fields.u64(start + 12)?),
        _ => return Err(wrong()),
    };
    if fields.u32(start)? != entry.crc || sizes != (entry.compressed_bytes, entry.size_bytes) {
        return Err(wrong());
    }
    Ok(())
}

/// Little-endian fields; reading past the end is a refusal.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn after(&self, length: usize) -> Result<Self, Error> {
        self.0.get(length..).map(Self).ok_or_else(|| refuse("the zip archive's central directory is truncated"))
    }
    fn slice(&self, at: usize, length: usize) -> Result<&'a [u8], Error> {
        self.0.get(at..at + length).ok_or_else(|| refuse("the zip archive is truncated"))
    }
    fn u16(&self, at: usize) -> Result<u16, Error> {
        let bytes = self.slice(at, 2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }
    fn u32(&self, at: usize) -> Result<u32, Error> {
        Ok(u32::from(self.u16(at)?) | u32::from(self.u16(at + 2)?) << 16)
    }
    fn u64(&self, at: usize) -> Result<u64, Error> {
        Ok(u64::from(self.u32(at)?) | u64::from(self.u32(at + 4)?) << 32)
    }
}

/// A part of a file, read without moving a shared position.
struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read_at(&mut buffer[..wanted], self.at)?;
        if count == 0 && wanted != 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
