//! Archives that are kept as somebody else sent them.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{End, EntryKind, Fields, LOCAL, LOCAL_LENGTH, Zip, read_record};
use crate::{Error, Limits, refuse};

impl Zip {
    /// Opens what a public registry sent and is served as it is: by its central directory, whatever the names in it.
    /// They are shown as text and lead nowhere.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it cannot be read so.
    pub fn open_as_sent(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let file = File::open(path)?;
        let end = End::find(&file, file.metadata()?.len())?;
        let directory = end.read_directory(&file)?;
        if end.entries > limits.entries {
            return Err(refuse(format!("the archive has more than {} entries", limits.entries)));
        }
        let mut entries = Vec::new();
        let mut rest = Fields(&directory);
        for _ in 0..end.entries {
            let (mut entry, _, length) = read_record(&rest)?;
            let mut fixed = [0; LOCAL_LENGTH];
            file.read_exact_at(&mut fixed, entry.header_at)?;
            let header = Fields(&fixed);
            if header.u32(0)? != LOCAL {
                return Err(refuse("the zip archive's central directory leads to something that is no entry"));
            }
            let variable = u64::from(header.u16(26)?) + u64::from(header.u16(28)?);
            entry.data_at = entry.header_at + LOCAL_LENGTH as u64 + variable;
            entries.push(entry);
            rest = rest.after(length)?;
        }
        Ok(Self { file, entries })
    }

    /// Unpacks every file as far as the limit on unpacked bytes goes, checking lengths and CRCs.
    ///
    /// # Errors
    /// [`Error::Invalid`] if one is not what its header says.
    pub fn check_contents(&self, limits: &Limits) -> Result<(), Error> {
        let mut unpacked = 0_u64;
        for entry in self.entries.iter().filter(|entry| entry.kind == EntryKind::File) {
            unpacked = unpacked.saturating_add(entry.size_bytes);
            if unpacked > limits.unpacked_bytes {
                break;
            }
            self.unpack(entry, |_| {})?;
        }
        Ok(())
    }
}
