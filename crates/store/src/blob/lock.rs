//! A lock that all processes which share a blob folder see.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use larder_core::{Error, Result};

use super::disk::{create_file, disk_error};

/// Of two kinds: one is held for moments, shared around a rename, alone around a look and a removal; the other is shared
/// by the processes that stage in a folder for as long as they live. Either ends with the process that holds it.
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

    /// Alone, unless somebody else holds the lock or the file system has none.
    pub(super) fn try_alone(&self) -> io::Result<Option<File>> {
        let file = self.file()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// A lock belongs to an opening of the file, so that two threads exclude each other too.
    fn file(&self) -> io::Result<File> {
        File::options().read(true).write(true).open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_share_the_lock_or_one_has_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::open(folder.path().join("lock")).unwrap();
        let again = FolderLock::open(folder.path().join("lock")).unwrap();
        let held = lock.shared().unwrap();
        assert!(held.is_some());
        assert!(again.shared().unwrap().is_some());
        assert!(again.try_alone().unwrap().is_none());
        drop(held);
        let held = lock.alone().unwrap();
        assert!(matches!(again.file().unwrap().try_lock_shared(), Err(TryLockError::WouldBlock)));
        assert!(again.try_alone().unwrap().is_none());
        drop(held);
        assert!(again.try_alone().unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_lock_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.path().join("lock")).unwrap();
        assert!(FolderLock::open(folder.path().join("lock")).is_err());
    }
}
