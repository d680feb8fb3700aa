//! Blobs that are still being written: files of a staging folder.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::model::Digests;
use larder_core::ports::{KEPT_FOR, StagedBlob, Staging};
use larder_core::{Error, Result};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use super::digesting::Digesting;
use super::disk::{create_file, disk_error, make_folder, remove_file, reopen_file};
use super::lock::FolderLock;

/// While others stage in the same folder, what was last written longer ago than this is nobody's upload.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// How the names of files begin that a later process may go on with.
const KEPT: &str = "kept-";
/// Read at once.
const READ_BYTES: usize = 256 << 10;

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
        self.create(self.new_path()?, false).await
    }

    /// Starts a file that is found by its name.
    pub(super) async fn stage_kept(&self, name: &str) -> Result<Box<dyn Staging>> {
        self.create(self.kept_path(name)?, true).await
    }

    async fn create(&self, path: PathBuf, is_kept: bool) -> Result<Box<dyn Staging>> {
        let staged = blocking(move || {
            let file = create_file(&path).map_err(|error| disk_error("create", &path, error))?;
            Ok(StagingFile::new(path, is_kept, file, Digesting::default(), 0))
        })
        .await?;
        Ok(Box::new(staged))
    }

    /// Goes on with a file that was found by its name.
    pub(super) async fn resume_kept(&self, name: &str) -> Result<Option<Box<dyn Staging>>> {
        let path = self.kept_path(name)?;
        let resumed = blocking(move || match resume(&path) {
            Ok(None) => Ok(None),
            Ok(Some((file, digesting, length))) => Ok(Some(StagingFile::new(path, true, file, digesting, length))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk_error("read", &path, error)),
        })
        .await?;
        Ok(resumed.map(|resumed| Box::new(resumed) as Box<dyn Staging>))
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

    fn kept_path(&self, name: &str) -> Result<PathBuf> {
        if name.is_empty() || !name.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()) {
            return Err(Error::internal(format!("'{name}' is no name of a staging file")));
        }
        Ok(self.path.join(format!("{KEPT}{name}")))
    }

    fn new_path(&self) -> Result<PathBuf> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| Error::internal(error.to_string()))?;
        Ok(self.path.join(hex::encode(name)))
    }

    /// Removes what was last written more than `older_than` ago, everything with zero but what is kept; while another process stages
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
        let is_kept = entry.file_name().as_encoded_bytes().starts_with(KEPT.as_bytes());
        let older_than = if is_kept { older_than.max(KEPT_FOR) } else { older_than };
        if !metadata.is_dir() && age >= older_than && remove_file(&entry.path())? {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Reads a file that was being written, if that was not too long ago: what it holds and how much that is.
fn resume(path: &Path) -> std::io::Result<Option<(File, Digesting, u64)>> {
    let mut file = reopen_file(path)?;
    if SystemTime::now().duration_since(file.metadata()?.modified()?).unwrap_or_default() >= KEPT_FOR {
        return Ok(None);
    }
    let mut digesting = Digesting::default();
    let mut length = 0;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some((file, digesting, length))),
            read => {
                digesting.update(&buffer[..read]);
                length += read as u64;
            }
        }
    }
}

/// One file being written.
///
/// A write returns as soon as its bytes are in the file, where others may read them; hashing them goes on in the
/// background while the next bytes arrive. At most one piece is in flight.
struct StagingFile {
    /// `None` once finished: the file belongs to the [`StagedBlob`] then.
    path: Option<PathBuf>,
    /// It stays when this is dropped.
    is_kept: bool,
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
    fn new(path: PathBuf, is_kept: bool, file: File, digesting: Digesting, length: u64) -> Self {
        let step = Step::Idle(Box::new(Writing { file, digesting }));
        Self { path: Some(path), is_kept, length, step }
    }

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

    fn discard(mut self: Box<Self>) {
        self.is_kept = false;
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
        if let Some(path) = self.path.take().filter(|_| !self.is_kept) {
            // What cannot be removed now is swept at the next start.
            let _ = fs::remove_file(path);
        }
    }
}

/// Runs file system calls where they may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}
