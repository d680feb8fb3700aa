//! The files of a gem, in `data.tar.gz`: only their names and links are looked at.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};

use flate2::read::MultiGzDecoder;
use larder_archive::{EntryNames, Error, Limits, link_stays_inside, printable, refuse};
use tar::{Archive, EntryType};

/// Checks the archive that lies in a file.
///
/// # Errors
/// [`Error::Invalid`] for a name or link that leads outside, a name that is there twice, a device, a bomb.
pub(super) fn check(mut file: File, at: u64, size_bytes: u64) -> Result<(), Error> {
    let limits = Limits::default();
    file.seek(SeekFrom::Start(at))?;
    let packed = BufReader::with_capacity(64 << 10, file.take(size_bytes));
    let limit = size_bytes.saturating_mul(limits.ratio).max(limits.ratio_from_bytes);
    let mut archive = Archive::new(MultiGzDecoder::new(packed).take(limit));
    let mut names = EntryNames::default();
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let entry = entry.map_err(|error| broken(&error))?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let name = names.admit(&entry.path_bytes(), limits.entries)?;
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            EntryType::Symlink => {
                // What a gem holds has no top folder of its own: the gem's folder is that.
                let target = entry.link_name_bytes().unwrap_or_default();
                if !link_stays_inside(&format!("gem/{name}"), &target) {
                    return Err(refuse(format!("the link '{}' leads out of the gem", printable(&name))));
                }
            }
            _ => return Err(refuse(format!("'{}' is no file, folder or link", printable(&name)))),
        }
    }
    // What is behind the last entry is unpacked, too, so that a broken end is found.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(|error| broken(&error))?;
    if rest.limit() == 0 {
        return Err(refuse("data.tar.gz unpacks to far more than it is"));
    }
    Ok(())
}

fn broken(error: &std::io::Error) -> Error {
    refuse(format!("data.tar.gz cannot be read: {error}"))
}
