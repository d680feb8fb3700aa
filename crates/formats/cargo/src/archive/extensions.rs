//! Extension headers of tar entries.

use std::io::Read;

use larder_core::error::Invalid;
use tar::{Entry, EntryType, PaxExtensions};

use super::broken;

/// Extension headers: a path, and whatever else somebody's tar program writes beside it.
const EXTENSION_LIMIT_BYTES: u64 = 1 << 20;

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
