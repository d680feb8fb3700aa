//! Blobs in a folder of the local file system.
//!
//! ```text
//! staging/{random}                      being written, or finished and not committed
//! staging/kept-{name}                   the same, for a later process to go on with
//! staging.lock                          shared by the processes that stage here
//! blobs/{domain_id}/{aa}/{sha256}       aa: the first two digits of the hash; its time is when it was put there last
//! lock                                  shared by who puts a blob in place, alone with who removes one
//! ```
//!
//! A blob appears by a rename, after its bytes were flushed; the rename is acknowledged after the folder was flushed,
//! and with it, once per process, every folder above. Names are made of numbers and hashes only, and no symbolic link
//! below the root is followed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::error::ResourceType;
use larder_core::model::{DomainId, Sha256, Timestamp};
use larder_core::ports::{Blob, BlobStore, ByteRange, StagedBlob, Staging};
use larder_core::{Error, Result};

use super::cache::{SmallBlobCache, SmallBlobs};
use super::digesting::Digesting;
use super::disk::{Disk, SystemDisk, disk_error, is_folder, make_folder, remove_file};
use super::lock::FolderLock;
use super::staging::{StagingFolder, blocking};

/// The blob store of an embedded server.
pub struct LocalBlobs {
    staging: StagingFolder,
    folder: Arc<BlobFolder>,
    cache: SmallBlobCache,
}

impl LocalBlobs {
    /// Opens the store below `root`, making what is missing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a full or read-only disk, [`Error::Internal`] for anything else about the folder.
    pub fn open(root: &Path, small_blobs: SmallBlobs) -> Result<Self> {
        Self::open_on(root, small_blobs, Arc::new(SystemDisk))
    }

    pub(super) fn open_on(root: &Path, small_blobs: SmallBlobs, disk: Arc<dyn Disk>) -> Result<Self> {
        fs::create_dir_all(root).map_err(|error| disk_error("make the folder", root, error))?;
        // The root itself may be a link: it is the operator's word.
        let root = root.canonicalize().map_err(|error| disk_error("find", root, error))?;
        let blobs = root.join("blobs");
        make_folder(&blobs)
            .and_then(|_| disk.sync_folder(&root))
            .map_err(|error| disk_error("make the folder", &blobs, error))?;
        Ok(Self {
            staging: StagingFolder::open(root.join("staging"))?,
            folder: Arc::new(BlobFolder::new(blobs, FolderLock::open(root.join("lock"))?, disk)),
            cache: SmallBlobCache::new(small_blobs),
        })
    }
}

#[async_trait]
impl BlobStore for LocalBlobs {
    async fn stage(&self) -> Result<Box<dyn Staging>> {
        self.staging.stage().await
    }

    async fn stage_kept(&self, name: &str) -> Result<Box<dyn Staging>> {
        self.staging.stage_kept(name).await
    }

    async fn resume_kept(&self, name: &str) -> Result<Option<Box<dyn Staging>>> {
        self.staging.resume_kept(name).await
    }

    fn hold(&self, bytes: Bytes) -> Result<StagedBlob> {
        let (digests, blake2b_256) = Digesting::of(&bytes);
        Ok(StagedBlob::held(bytes, digests, blake2b_256))
    }

    async fn commit(&self, domain: DomainId, staged: StagedBlob) -> Result<()> {
        let (staging, folder) = (self.staging.clone(), Arc::clone(&self.folder));
        let sha256 = staged.digests.sha256;
        // One hand-over to another thread for all steps: each costs as much as a step.
        blocking(move || {
            let (staged, file) = opened(&staging, staged)?;
            folder.commit(domain, staged, &file)
        })
        .await?;
        // A damaged blob may have been replaced.
        self.cache.remove(domain, sha256);
        Ok(())
    }

    async fn open(&self, domain: DomainId, sha256: Sha256, _range: Option<ByteRange>) -> Result<Blob> {
        if let Some(bytes) = self.cache.find(domain, sha256) {
            return Ok(Blob::Memory(bytes));
        }
        let folder = Arc::clone(&self.folder);
        let cache = self.cache.clone();
        blocking(move || {
            let (mut file, size_bytes) = folder.open(domain, sha256)?;
            if !cache.takes(size_bytes) {
                return Ok(Blob::File(file));
            }
            let mut bytes = Vec::with_capacity(usize::try_from(size_bytes).unwrap_or(0));
            file.read_to_end(&mut bytes).map_err(|error| disk_error("read", &folder.address(domain, sha256), error))?;
            let bytes = Bytes::from(bytes);
            cache.put(domain, sha256, bytes.clone());
            Ok(Blob::Memory(bytes))
        })
        .await
    }

    async fn size(&self, domain: DomainId, sha256: Sha256) -> Result<Option<u64>> {
        let folder = Arc::clone(&self.folder);
        blocking(move || folder.size(domain, sha256)).await
    }

    async fn delete(&self, domain: DomainId, sha256: Sha256, stored_before: Timestamp) -> Result<bool> {
        let folder = Arc::clone(&self.folder);
        let deleted = blocking(move || folder.delete(domain, sha256, stored_before)).await;
        self.cache.remove(domain, sha256);
        deleted
    }

    async fn list(
        &self,
        after: Option<(DomainId, Sha256)>,
        limit: usize,
    ) -> Result<Vec<(DomainId, Sha256, u64, Timestamp)>> {
        let folder = Arc::clone(&self.folder);
        blocking(move || folder.list(after, limit).map_err(|error| disk_error("list", &folder.root, error))).await
    }

    async fn sweep_staging(&self, older_than: Duration) -> Result<u64> {
        self.staging.sweep(older_than).await
    }
}

/// `blobs/`: every call blocks.
struct BlobFolder {
    root: PathBuf,
    lock: FolderLock,
    disk: Arc<dyn Disk>,
    /// Domains whose folders were flushed by this process. What another thread, or a process that crashed, made may not
    /// be durable yet.
    durable: Mutex<HashSet<PathBuf>>,
}

impl BlobFolder {
    fn new(root: PathBuf, lock: FolderLock, disk: Arc<dyn Disk>) -> Self {
        Self { root, lock, disk, durable: Mutex::default() }
    }

    fn domain(&self, domain: DomainId) -> PathBuf {
        self.root.join(domain.0.to_string())
    }

    fn address(&self, domain: DomainId, sha256: Sha256) -> PathBuf {
        let name = sha256.hex();
        self.domain(domain).join(&name[..2]).join(name)
    }

    fn commit(&self, domain: DomainId, staged: StagedBlob, file: &File) -> Result<()> {
        let target = self.address(domain, staged.digests.sha256);
        let place = |path: &Path, error| disk_error("put a blob at", path, error);
        let (domain, shelf) = (self.domain(domain), target.parent().unwrap_or(&self.root));
        self.make_shelves(&domain).map_err(|error| place(&domain, error))?;
        if make_folder(shelf).map_err(|error| place(shelf, error))? {
            self.disk.sync_folder(&domain).map_err(|error| place(&domain, error))?;
        }

        let held = file_size(&target).map_err(|error| place(&target, error))?;
        if let Some(held) = held.filter(|held| *held != staged.digests.size_bytes) {
            let expected = staged.digests.size_bytes;
            tracing::error!(blob = %target.display(), held, expected, "a damaged blob is replaced");
        }
        // Also when it is there: the file that is there may be old enough to be removed.
        set_time(file).map_err(|error| place(staged.path(), error))?;
        self.disk.sync_file(file, staged.path()).map_err(|error| place(staged.path(), error))?;
        let lock = self.lock.shared().map_err(|error| place(&target, error))?;
        self.disk.rename(staged.path(), &target).map_err(|error| place(&target, error))?;
        drop(lock);
        let _moved = staged.into_path();
        self.disk.sync_folder(shelf).map_err(|error| place(shelf, error))
    }

    /// Makes the folders of a domain durable. All of them at its first blob: one by one, each would cost one of the
    /// first blobs a flush of its own.
    fn make_shelves(&self, domain: &Path) -> io::Result<()> {
        if self.durable().contains(domain) {
            return Ok(());
        }
        make_folder(domain)?;
        self.disk.sync_folder(&self.root)?;
        for shelf in 0..=u8::MAX {
            make_folder(&domain.join(format!("{shelf:02x}")))?;
        }
        self.disk.sync_folder(domain)?;
        self.durable().insert(domain.to_owned());
        Ok(())
    }

    fn durable(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the folders above a blob are there and folders.
    fn has_shelf(&self, domain: DomainId, target: &Path) -> io::Result<bool> {
        Ok(is_folder(&self.domain(domain))? && is_folder(target.parent().unwrap_or(&self.root))?)
    }

    fn open(&self, domain: DomainId, sha256: Sha256) -> Result<(File, u64)> {
        let target = self.address(domain, sha256);
        let opened = self.size_at(domain, &target).and_then(|size| match size {
            Some(size_bytes) => Ok((File::open(&target)?, size_bytes)),
            None => Err(ErrorKind::NotFound.into()),
        });
        opened.map_err(|error| match error.kind() {
            ErrorKind::NotFound => not_found(sha256),
            _ => disk_error("open", &target, error),
        })
    }

    fn size(&self, domain: DomainId, sha256: Sha256) -> Result<Option<u64>> {
        let target = self.address(domain, sha256);
        self.size_at(domain, &target).map_err(|error| disk_error("look at", &target, error))
    }

    fn size_at(&self, domain: DomainId, target: &Path) -> io::Result<Option<u64>> {
        if self.has_shelf(domain, target)? { file_size(target) } else { Ok(None) }
    }

    fn delete(&self, domain: DomainId, sha256: Sha256, stored_before: Timestamp) -> Result<bool> {
        let target = self.address(domain, sha256);
        let remove = || {
            // Nobody puts a newer file there between the look and the removal.
            let _alone = self.lock.alone()?;
            let is_old = self.has_shelf(domain, &target)? && stored_at(&target)?.is_some_and(|at| at < stored_before);
            if is_old { remove_file(&target) } else { Ok(false) }
        };
        remove().map_err(|error| disk_error("remove", &target, error))
    }

    fn list(
        &self,
        after: Option<(DomainId, Sha256)>,
        limit: usize,
    ) -> io::Result<Vec<(DomainId, Sha256, u64, Timestamp)>> {
        let mut found = Vec::new();
        let domains = sorted_entries(&self.root, |name| name.parse().ok().map(DomainId))?;
        for domain in domains.into_iter().filter(|domain| after.is_none_or(|(last, _)| *domain >= last)) {
            let last = after.filter(|(last, _)| *last == domain).map(|(_, sha256)| sha256);
            let folder = self.domain(domain);
            let shelves = sorted_entries(&folder, |name| u8::from_str_radix(name, 16).ok())?;
            for shelf in shelves.into_iter().filter(|shelf| last.is_none_or(|last| *shelf >= last.0[0])) {
                let shelf = folder.join(format!("{shelf:02x}"));
                let blobs = sorted_entries(&shelf, |name| Sha256::from_hex(name).ok())?;
                for sha256 in blobs.into_iter().filter(|sha256| last.is_none_or(|last| *sha256 > last)) {
                    if found.len() >= limit {
                        return Ok(found);
                    }
                    let metadata = fs::symlink_metadata(shelf.join(sha256.hex()));
                    let Ok(metadata) = metadata.and_then(|metadata| Ok((metadata.len(), metadata.modified()?))) else {
                        continue; // removed meanwhile
                    };
                    found.push((domain, sha256, metadata.0, timestamp(metadata.1)));
                }
            }
        }
        Ok(found)
    }
}

/// The entries of a folder whose names mean something, in order. A folder that is not there, or is none, has none.
fn sorted_entries<T: Ord>(folder: &Path, read: impl Fn(&str) -> Option<T>) -> io::Result<Vec<T>> {
    let entries = match is_folder(folder) {
        Ok(true) => fs::read_dir(folder)?,
        Ok(false) => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(entry?.file_name().to_str().and_then(&read));
    }
    found.sort_unstable();
    // Foreign names can mean the same: 7 and 007.
    found.dedup();
    Ok(found)
}

/// The size of a file; `None` if there is nothing, an error if it is something else.
fn file_size(path: &Path) -> io::Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
        Ok(_) => {
            Err(io::Error::other(format!("{} is not a file; symbolic links are not followed here", path.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file of a staged blob; made now if the blob is in memory.
fn opened(staging: &StagingFolder, staged: StagedBlob) -> Result<(StagedBlob, File)> {
    if let Some(bytes) = staged.bytes() {
        return staging.write_out(bytes, staged.digests.clone(), staged.blake2b_256);
    }
    let path = staged.path();
    let file = File::options().write(true).open(path).map_err(|error| disk_error("open", path, error))?;
    Ok((staged, file))
}

/// Makes a file as new as it is about to become a blob; it may have been written for hours.
fn set_time(staged: &File) -> io::Result<()> {
    // The file system's own time would be the time of its last tick, some milliseconds ago.
    staged.set_modified(SystemTime::now())
}

/// When a blob was put in place, if it is there.
fn stored_at(path: &Path) -> io::Result<Option<Timestamp>> {
    match fs::symlink_metadata(path).and_then(|metadata| metadata.modified()) {
        Ok(time) => Ok(Some(timestamp(time))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp(0).plus(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// No blob of this hash in the domain.
pub(super) fn not_found(sha256: Sha256) -> Error {
    Error::not_found(ResourceType::Asset, sha256.hex(), format!("no blob {sha256} is stored in this domain"))
}

#[cfg(test)]
mod tests;
