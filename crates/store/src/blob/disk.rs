//! What a file system has to do for a blob to be durable, and what its failures mean.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use larder_core::Error;

/// The steps whose order keeps promise 1. A trait so that tests can record them and let them fail.
pub(super) trait Disk: Send + Sync + 'static {
    /// Flushes the bytes and the size of a file, which is open at this path.
    fn sync_file(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Puts a file in another place, replacing what is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Flushes a folder's entries.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The machine's file system.
pub(super) struct SystemDisk;

impl Disk for SystemDisk {
    fn sync_file(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Other systems cannot open a folder as a file; their file systems journal renames.
    #[cfg(not(unix))]
    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a folder that only this user can read; answers whether it was missing. A symbolic link in its place is an
/// error, not a folder.
pub(super) fn make_folder(path: &Path) -> io::Result<bool> {
    if is_folder(path)? {
        return Ok(false);
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => is_folder(path).map(|_| false),
        Err(error) => Err(error),
    }
}

/// Whether there is a folder; an error if something else is there, a symbolic link to a folder included.
pub(super) fn is_folder(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(io::Error::new(
            ErrorKind::NotADirectory,
            format!("{} is not a folder; symbolic links are not followed here", path.display()),
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A new file that only this user can read; an error if the name is taken.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a file of this user for reading, and for writing at its end; never what a symbolic link points to.
pub(super) fn reopen_file(path: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    OpenOptions::new().read(true).append(true).open(path)
}

/// Removes a file or a symbolic link (never what it points to); answers whether it was there.
pub(super) fn remove_file(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The failure that an operation on a path ended in. A full or read-only disk is [`Error::Unavailable`]: it passes
/// when the operator makes room.
pub(super) fn disk_error(doing: &str, path: &Path, error: io::Error) -> Error {
    let message = match error.kind() {
        ErrorKind::StorageFull => "the disk that holds the blobs is full; free some space and try again",
        ErrorKind::QuotaExceeded => "the disk quota for the blobs is used up; raise it and try again",
        ErrorKind::ReadOnlyFilesystem => "the disk that holds the blobs is read-only; remount it and try again",
        kind => return Error::internal(io::Error::new(kind, format!("{doing} {}: {error}", path.display()))),
    };
    Error::Unavailable { message: message.to_owned(), source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_unavailable_with_a_sentence() {
        let error = disk_error("write", Path::new("x"), io::Error::from(ErrorKind::StorageFull));
        assert!(matches!(&error, Error::Unavailable { message, .. } if message.contains("full")), "{error:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_systems_code_for_a_full_disk_is_recognized() {
        let full = fs::write("/dev/full", b"x").expect_err("that device is always full");
        assert!(matches!(disk_error("write", Path::new("/dev/full"), full), Error::Unavailable { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_a_folder_is_no_folder() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(root.path(), &link).unwrap();
        assert!(is_folder(&link).is_err());
        assert!(make_folder(&link).is_err());
        assert!(make_folder(&root.path().join("new")).unwrap());
        assert!(!make_folder(&root.path().join("new")).unwrap());
    }
}
