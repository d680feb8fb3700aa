//! A lock that all processes which share a blob folder see.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use larder_core::{Error, Result};

use super::disk::{create_file, disk_error};

/// Held for moments only: shared around a rename, alone around a look and a removal. Ends with the process that holds
/// it.
pub(super) struct FolderLock {
    path: PathBuf,
}

impl FolderLock {
    /// Makes the file if it is missing. A symbolic link in its place is an error.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let failed = |error| disk_error("make the lock", &path, error);
        match create_file(&path) {
            Ok(_made) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let metadata = std::fs::symlink_metadata(&path).map_err(failed)?;
                if !metadata.is_file() {
                    return Err(Error::internal(format!("{} is not a file", path.display())));
                }
            }
            Err(error) => return Err(failed(error)),
        }
        Ok(Self { path })
    }

    /// Waits until nobody is alone. Where the file system has no locks there is nothing to wait for: nobody can be
    /// [alone](FolderLock::alone).
    pub(super) fn shared(&self) -> io::Result<Option<File>> {
        let file = self.file()?;
        match file.lock_shared() {
            Ok(()) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until nobody else holds the lock.
    pub(super) fn alone(&self) -> io::Result<File> {
        let file = self.file()?;
        file.lock()?;
        Ok(file)
    }

    /// A lock belongs to an opening of the file, so that two threads exclude each other too.
    fn file(&self) -> io::Result<File> {
        File::options().read(true).write(true).open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::TryLockError;

    use super::*;

    fn is_free(lock: &FolderLock, shared: bool) -> bool {
        let file = lock.file().unwrap();
        let tried = if shared { file.try_lock_shared() } else { file.try_lock() };
        match tried {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn many_share_the_lock_or_one_has_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::open(folder.path().join("lock")).unwrap();
        let again = FolderLock::open(folder.path().join("lock")).unwrap();
        let held = lock.shared().unwrap();
        assert!(held.is_some());
        assert!(is_free(&again, true));
        assert!(!is_free(&again, false));
        drop(held);
        let held = lock.alone().unwrap();
        assert!(!is_free(&again, true));
        drop(held);
        assert!(is_free(&again, false));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_lock_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.path().join("lock")).unwrap();
        assert!(FolderLock::open(folder.path().join("lock")).is_err());
    }
}
