//! Names, links and extension headers of tar entries.

use std::io::Read;

use larder_core::error::Invalid;
use tar::{Entry, EntryType};

/// Extension headers: a path of 4 KiB and whatever else somebody's tar program writes beside it.
const EXTENSION_LIMIT_BYTES: u64 = 1 << 20;
/// Longest path.
const PATH_LIMIT_BYTES: usize = 4 << 10;

/// What pax and GNU headers say of the entry that follows them.
#[derive(Default)]
pub(super) struct Headers {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Headers {
    /// Takes in an extension header; `false` for an ordinary entry.
    ///
    /// # Errors
    /// [`Invalid`] when it is malformed or too long.
    pub(super) fn absorb<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<bool, Invalid> {
        match entry.header().entry_type() {
            EntryType::GNULongName => self.path = Some(trimmed(read_extension(entry)?)),
            EntryType::GNULongLink => self.link = Some(trimmed(read_extension(entry)?)),
            EntryType::XHeader => self.absorb_pax(&read_extension(entry)?)?,
            // Global headers carry comments (git writes the commit); one that renames entries is not needed by anybody.
            EntryType::XGlobalHeader => {
                let mut global = Self::default();
                global.absorb_pax(&read_extension(entry)?)?;
                if global.path.is_some() || global.link.is_some() || global.size.is_some() {
                    return Err(Invalid::new("the tarball has a global header that renames its entries"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn absorb_pax(&mut self, mut records: &[u8]) -> Result<(), Invalid> {
        let malformed = || Invalid::new("the tarball has a malformed pax header");
        // `LENGTH KEY=VALUE\n`, LENGTH counting the whole record.
        while !records.is_empty() {
            let space = records.iter().take(20).position(|b| *b == b' ').ok_or_else(malformed)?;
            let length: usize =
                std::str::from_utf8(&records[..space]).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
            if length <= space + 1 || length > records.len() || records[length - 1] != b'\n' {
                return Err(malformed());
            }
            let record = &records[space + 1..length - 1];
            let equals = record.iter().position(|b| *b == b'=').ok_or_else(malformed)?;
            let value = &record[equals + 1..];
            match &record[..equals] {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or_else(malformed)?);
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(Invalid::new("the tarball has a sparse file; pack it without"));
                }
                _ => {}
            }
            records = &records[length..];
        }
        Ok(())
    }

    /// The type of an ordinary entry, if it is one that packages have.
    ///
    /// # Errors
    /// [`Invalid`] for devices and the like, and when headers disagree about the entry's size.
    pub(super) fn kind<R: Read>(&mut self, entry: &Entry<'_, R>) -> Result<EntryType, Invalid> {
        if self.size.take().is_some_and(|size| size != entry.size()) {
            return Err(Invalid::new("the tarball has an entry with two sizes"));
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => Ok(EntryType::Regular),
            kind @ (EntryType::Directory | EntryType::Symlink | EntryType::Link) => Ok(kind),
            other => Err(Invalid::new(format!("the tarball has an entry that is no file, folder or link ({other:?})"))),
        }
    }

    /// The entry's name, checked.
    ///
    /// # Errors
    /// [`Invalid`] with the rule that it breaks.
    pub(super) fn take_name<R: Read>(&mut self, entry: &Entry<'_, R>) -> Result<EntryName, Invalid> {
        let bytes = self.path.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        EntryName::parse(&bytes)
    }
}

fn read_extension<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, Invalid> {
    if entry.size() > EXTENSION_LIMIT_BYTES {
        return Err(Invalid::new("the tarball has an extension header of more than 1 MiB"));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(super::broken)?;
    Ok(content)
}

/// GNU headers end in NUL.
fn trimmed(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}

/// A path in an archive that stays below the folder it is unpacked in, as its components.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EntryName(Vec<String>);

impl EntryName {
    /// # Errors
    /// [`Invalid`] for what is absolute, climbs, or means different things to different programs.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let refuse = |why: &str| Err(Invalid::new(format!("the tarball has an entry '{shown}' {why}")));
        if bytes.len() > PATH_LIMIT_BYTES {
            return refuse("with a path of more than 4 KiB");
        }
        let Ok(path) = std::str::from_utf8(bytes) else { return refuse("whose name is not UTF-8") };
        if path.contains(['\0', '\\']) {
            return refuse("with a NUL or backslash in its path");
        }
        let has_drive = path.len() > 1 && path.as_bytes()[0].is_ascii_alphabetic() && path.as_bytes()[1] == b':';
        if path.starts_with('/') || has_drive {
            return refuse("with an absolute path");
        }
        if path.split('/').any(|part| part == "..") {
            return refuse("that climbs out of its folder");
        }
        Ok(Self(path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()))
    }

    /// The path without its first component; `None` for the top folder itself and for files beside it, which npm does
    /// not unpack.
    pub(super) fn below_top(&self) -> Option<String> {
        (self.0.len() > 1).then(|| self.0[1..].join("/"))
    }

    /// Checks that a link points to something in the same top folder. Entries that are no links pass.
    ///
    /// # Errors
    /// [`Invalid`] when it points elsewhere.
    pub(super) fn check_link<R: Read>(&self, entry: &Entry<'_, R>, headers: &mut Headers) -> Result<(), Invalid> {
        let override_ = headers.link.take();
        let kind = entry.header().entry_type();
        if !matches!(kind, EntryType::Symlink | EntryType::Link) {
            return Ok(());
        }
        let target = override_.or_else(|| entry.header().link_name_bytes().map(std::borrow::Cow::into_owned));
        let target = target.unwrap_or_default();
        if self.stays_inside(kind, &target) {
            return Ok(());
        }
        Err(Invalid::new(format!("the tarball has a link '{}' that points out of it", self.0.join("/"))))
    }

    /// A hard link's target is a path in the archive, a symbolic link's is relative to the folder of the link.
    fn stays_inside(&self, kind: EntryType, target: &[u8]) -> bool {
        let Ok(target) = std::str::from_utf8(target) else { return false };
        if target.is_empty() || target.starts_with('/') || target.contains(['\0', '\\', ':']) {
            return false;
        }
        let mut resolved: Vec<&str> = match (kind, self.0.split_last()) {
            (EntryType::Symlink, Some((_, folder))) => folder.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        for part in target.split('/') {
            match part {
                "" | "." => {}
                // Leaving the top folder, even to come back, depends on what the folder is called when unpacked.
                ".." if resolved.len() > 1 => {
                    resolved.pop();
                }
                ".." => return false,
                part => resolved.push(part),
            }
        }
        resolved.first().copied() == self.0.first().map(String::as_str)
    }
}
