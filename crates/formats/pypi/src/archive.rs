//! Bounded reading of wheels and source distributions (protocol reference 0.6, 2.5). Archives are read from a file;
//! nothing is unpacked to disk, and only core metadata is kept in memory.
//!
//! Reading an upload is strict: an archive that two programs could read differently is refused. Reading what a public
//! registry promised looks for the metadata only, because its bytes are served in any case.

use std::path::Path;

use larder_archive::refuse;
pub(crate) use larder_archive::{Error, Limits};

use crate::metadata::CoreMetadata;
use crate::names::{Distribution, DistributionKind, Release, normalize};

mod record;
mod sdist;
mod wheel;

/// What an upload's archive holds.
#[derive(Debug)]
pub(crate) struct Contents {
    /// `METADATA` or `PKG-INFO`, byte for byte.
    pub metadata_bytes: Vec<u8>,
    pub metadata: CoreMetadata,
}

/// Reads an uploaded archive with every check.
///
/// # Errors
/// [`Error::Invalid`] saying what is wrong with it.
pub(crate) fn read_upload(path: &Path, distribution: &Distribution, limits: &Limits) -> Result<Contents, Error> {
    let metadata_bytes = match distribution.kind {
        DistributionKind::Wheel => wheel::read(path, distribution, limits)?,
        DistributionKind::Sdist => sdist::read_tar_gz(path, limits)?,
        DistributionKind::ZipSdist => sdist::read_zip(path, limits)?,
    };
    let metadata = CoreMetadata::parse(&metadata_bytes)?;
    let name = metadata.get("Name").unwrap_or_default();
    let version = metadata.get("Version").unwrap_or_default();
    if normalize(name) != normalize(&distribution.name) || Release::of(version) != Release::of(&distribution.version) {
        return Err(refuse(format!(
            "the archive's metadata is of '{}' version '{}', not of what its file name says",
            crate::names::printable(name),
            crate::names::printable(version)
        )));
    }
    Ok(Contents { metadata_bytes, metadata })
}

/// The core metadata of an archive that a public registry promised; `None` if it cannot be read.
pub(crate) fn read_metadata(path: &Path, kind: DistributionKind) -> Option<Vec<u8>> {
    let limits = Limits::default();
    match kind {
        DistributionKind::Wheel => wheel::read_metadata(path, &limits).ok(),
        DistributionKind::Sdist => sdist::find_in_tar_gz(path, &limits).ok(),
        DistributionKind::ZipSdist => sdist::read_zip(path, &limits).ok(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
