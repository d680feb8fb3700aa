//! Blobs that are still being written: files of a staging folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::model::Digests;
use larder_core::ports::{StagedBlob, Staging};
use larder_core::{Error, Result};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use super::digesting::Digesting;
use super::disk::{create_file, disk_error, make_folder, remove_file};
use super::lock::FolderLock;

/// While others stage in the same folder, what was last written longer ago than this is nobody's upload.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// The folder of staging files. Both stores have one on the local disk.
#[derive(Clone)]
pub(super) struct StagingFolder {
    path: PathBuf,
    use_of: Arc<Use>,
}

/// Who stages in a folder shares its lock, `{folder}.lock`.
struct Use {
    lock: FolderLock,
    /// `None` while sweeping, and where the file system has no locks.
    held: Mutex<Option<File>>,
}

impl Use {
    fn open(folder: &Path) -> Result<Self> {
        let path = folder.with_extension("lock");
        let lock = FolderLock::open(path.clone())?;
        let held = lock.shared().map_err(|error| disk_error("lock", &path, error))?;
        Ok(Self { lock, held: Mutex::new(held) })
    }

    /// Runs `work`, which learns whether nobody else stages here.
    fn alone<T>(&self, work: impl FnOnce(bool) -> std::io::Result<T>) -> std::io::Result<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        let alone = self.lock.try_alone()?;
        let outcome = work(alone.is_some());
        drop(alone);
        *held = self.lock.shared()?;
        outcome
    }
}

impl StagingFolder {
    /// Makes the folder if it is missing.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        make_folder(&path).map_err(|error| disk_error("make the folder", &path, error))?;
        let use_of = Arc::new(Use::open(&path)?);
        Ok(Self { path, use_of })
    }

    /// Starts a file with a name that cannot be guessed.
    pub(super) async fn stage(&self) -> Result<Box<dyn Staging>> {
        let path = self.new_path()?;
        let staged = blocking(move || {
            let file = create_file(&path).map_err(|error| disk_error("create", &path, error))?;
            Ok(StagingFile {
                path: Some(path),
                length: 0,
                step: Step::Idle(Box::new(Writing { file, digesting: Digesting::default() })),
            })
        })
        .await?;
        Ok(Box::new(staged))
    }

    /// Makes a file of bytes that are whole in memory. Blocks.
    pub(super) fn write_out(
        &self,
        bytes: &[u8],
        digests: Digests,
        blake2b_256: [u8; 32],
    ) -> Result<(StagedBlob, File)> {
        let path = self.new_path()?;
        let mut file = create_file(&path).map_err(|error| disk_error("create", &path, error))?;
        // From here on the file is removed if anything fails.
        let staged = StagedBlob::new(path, digests, blake2b_256);
        file.write_all(bytes).map_err(|error| disk_error("write", staged.path(), error))?;
        Ok((staged, file))
    }

    fn new_path(&self) -> Result<PathBuf> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| Error::internal(error.to_string()))?;
        Ok(self.path.join(hex::encode(name)))
    }

    /// Removes what was last written more than `older_than` ago, everything with zero; while another process stages
    /// here, only what is [`ABANDONED`]. Answers how many files.
    pub(super) async fn sweep(&self, older_than: Duration) -> Result<u64> {
        let Self { path, use_of } = self.clone();
        blocking(move || {
            let swept = use_of.alone(|alone| sweep(&path, if alone { older_than } else { older_than.max(ABANDONED) }));
            swept.map_err(|error| disk_error("sweep", &path, error))
        })
        .await
    }
}

fn sweep(folder: &Path, older_than: Duration) -> std::io::Result<u64> {
    let now = SystemTime::now();
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Of a link, this is the link's own; a file that was committed meanwhile is gone.
        let Ok(metadata) = entry.metadata() else { continue };
        let age = now.duration_since(metadata.modified()?).unwrap_or_default();
        if !metadata.is_dir() && age >= older_than && remove_file(&entry.path())? {
            removed += 1;
        }
    }
    Ok(removed)
}

/// One file being written.
///
/// A write returns as soon as its bytes are in the file, where others may read them; hashing them goes on in the
/// background while the next bytes arrive. At most one piece is in flight.
struct StagingFile {
    /// `None` once finished: the file belongs to the [`StagedBlob`] then.
    path: Option<PathBuf>,
    length: u64,
    step: Step,
}

/// What is happening to the file.
enum Step {
    Idle(Box<Writing>),
    Busy(JoinHandle<std::io::Result<Box<Writing>>>),
    /// A write failed: the file is not what its length says.
    Failed,
}

/// What a write needs, handed to a blocking thread and back.
struct Writing {
    file: File,
    digesting: Digesting,
}

impl StagingFile {
    /// Waits for the piece in flight.
    async fn settle(&mut self) -> Result<Box<Writing>> {
        let outcome = match &mut self.step {
            Step::Busy(running) => running.await.map_err(std::io::Error::other).flatten(),
            Step::Idle(_) | Step::Failed => match std::mem::replace(&mut self.step, Step::Failed) {
                Step::Idle(writing) => return Ok(writing),
                Step::Busy(_) | Step::Failed => Err(std::io::Error::other("an earlier write failed")),
            },
        };
        self.step = Step::Failed;
        outcome.map_err(|error| disk_error("write", self.path(), error))
    }
}

#[async_trait]
impl Staging for StagingFile {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut writing = self.settle().await?;
        self.length += bytes.len() as u64;
        let (written, in_file) = oneshot::channel();
        self.step = Step::Busy(spawn_blocking(move || {
            writing.file.write_all(&bytes)?;
            // Nobody waits if the writer was dropped.
            let _ = written.send(());
            writing.digesting.update(&bytes);
            Ok(writing)
        }));
        if in_file.await.is_err() {
            self.settle().await?;
        }
        Ok(())
    }

    fn len(&self) -> u64 {
        self.length
    }

    fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or_else(|| Path::new(""))
    }

    async fn finish(mut self: Box<Self>) -> Result<StagedBlob> {
        let writing = self.settle().await?;
        let (digests, blake2b_256) = writing.digesting.finish();
        let path = self.path.take().unwrap_or_default();
        Ok(StagedBlob::new(path, digests, blake2b_256))
    }
}

impl Drop for StagingFile {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // What cannot be removed now is swept at the next start.
            let _ = fs::remove_file(path);
        }
    }
}

/// Runs file system calls where they may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}
