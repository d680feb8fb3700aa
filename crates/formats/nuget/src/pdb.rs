//! Portable PDBs: enough of ECMA-335's metadata format (II.24.2) to find the id that debuggers ask for.

use std::fmt::Write as _;

use larder_core::error::Invalid;
use sha2::{Digest as _, Sha256};

/// A debug file larger than this is refused: it is read into memory.
pub(crate) const FILE_LIMIT_BYTES: u64 = 64 << 20;

const SIGNATURE: &[u8] = b"BSJB";
const WINDOWS_SIGNATURE: &[u8] = b"Microsoft C/C++";
/// 16 bytes of GUID and 4 of time stamp.
const ID_BYTES: usize = 20;

/// What is known of a portable PDB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PortablePdb {
    /// The GUID: 32 lower-case hexadecimal digits, as .NET writes it without hyphens.
    pub(crate) id: String,
    /// Of the file with its id set to zero, lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// Reads a portable PDB.
///
/// # Errors
/// [`Invalid`] for Windows PDBs and everything else.
pub(crate) fn read(bytes: &[u8]) -> Result<PortablePdb, Invalid> {
    if bytes.starts_with(WINDOWS_SIGNATURE) {
        return Err(Invalid::new("it is a Windows PDB; symbol packages hold portable PDBs only"));
    }
    let at = id_position(bytes).ok_or_else(|| Invalid::new("it is not a portable PDB"))?;
    let id = bytes.get(at..at + ID_BYTES).ok_or_else(|| Invalid::new("it is not a portable PDB"))?;
    let mut hasher = Sha256::new();
    hasher.update(&bytes[..at]);
    hasher.update([0; ID_BYTES]);
    hasher.update(&bytes[at + ID_BYTES..]);
    Ok(PortablePdb { id: guid(id), sha256: hex::encode(hasher.finalize()) })
}

/// Where the stream `#Pdb` begins, which begins with the id.
fn id_position(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(SIGNATURE) {
        return None;
    }
    let version_length = usize::try_from(u32_at(bytes, 12)?).ok()?;
    // Flags and the number of streams follow the version.
    let mut at = 16_usize.checked_add(version_length)?;
    let streams = u16_at(bytes, at.checked_add(2)?)?;
    at = at.checked_add(4)?;
    for _ in 0..streams {
        let offset = usize::try_from(u32_at(bytes, at)?).ok()?;
        let name = bytes.get(at.checked_add(8)?..)?;
        let length = name.iter().take(32).position(|byte| *byte == 0)?;
        if &name[..length] == b"#Pdb" {
            return Some(offset);
        }
        // The name ends with zeros up to a multiple of four.
        at = at.checked_add(8 + (length / 4 + 1) * 4)?;
    }
    None
}

/// The first three parts of a GUID are stored with their lowest byte first.
fn guid(id: &[u8]) -> String {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let bytes = ORDER.iter().filter_map(|&at| id.get(at));
    bytes.fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The frame of a portable PDB with an id.
    pub(crate) fn portable(id: [u8; 16]) -> Vec<u8> {
        let mut bytes = b"BSJB\x01\0\x01\0\0\0\0\0\x0c\0\0\0PDB v1.0\0\0\0\0".to_vec();
        bytes.extend_from_slice(&[0, 0, 2, 0]);
        let header = |offset: u32, name: &[u8]| [&offset.to_le_bytes()[..], &20_u32.to_le_bytes(), name].concat();
        bytes.extend(header(0, b"#Strings\0\0\0\0"));
        bytes.extend(header(72, b"#Pdb\0\0\0\0"));
        bytes.resize(72, 0xaa);
        bytes.extend_from_slice(&id);
        bytes.extend_from_slice(&[1, 2, 3, 4, 0xbb]);
        bytes
    }

    #[test]
    fn the_id_is_read_as_dotnet_writes_it_and_does_not_count_in_the_checksum() {
        let id = [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        let pdb = read(&portable(id)).unwrap();
        assert_eq!(pdb.id, "00112233445566778899aabbccddeeff");
        let mut other = portable([7; 16]);
        assert_eq!(read(&other).unwrap().sha256, pdb.sha256);
        other.push(1);
        assert_ne!(read(&other).unwrap().sha256, pdb.sha256);
    }

    #[test]
    fn everything_else_is_refused() {
        let mut windows = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS".to_vec();
        windows.resize(200, 0);
        assert!(read(&windows).unwrap_err().to_string().contains("Windows"));
        let good = portable([1; 16]);
        for length in 0..good.len() - 1 {
            let _ = read(&good[..length]);
        }
        assert!(read(b"").is_err() && read(&good[..80]).is_err());
    }
}
