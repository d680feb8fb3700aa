//! Where the bytes of assets live: content-addressed by domain and SHA-256.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

use crate::error::Result;
use crate::model::{Digests, DomainId, Sha256, Timestamp};

/// Bytes as they come; an error ends them.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Part of a blob: `start..start + length`, within its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    pub start: u64,
    pub length: u64,
}

/// An opened blob.
pub enum Blob {
    /// The whole blob, from memory.
    Memory(Bytes),
    /// A file to read; the range is applied by the reader.
    File(std::fs::File),
    /// The bytes of the asked range as they arrive.
    Stream(ByteStream),
}

/// An upload that is no larger may be kept in memory until it is committed ([`BlobStore::hold`]).
pub const HELD_LIMIT_BYTES: usize = 128 << 10;

/// How long a [kept](BlobStore::stage_kept) staging file that nobody writes to outlives the process that began it.
pub const KEPT_FOR: Duration = Duration::from_secs(3600);

/// The blob store.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Starts a blob whose bytes are not known yet. Dropping it without committing discards it.
    async fn stage(&self) -> Result<Box<dyn Staging>>;

    /// As [`BlobStore::stage`], but what is written outlives the process, and the staging's being dropped: it goes by
    /// [`Staging::discard`], by being finished, or some time after [`KEPT_FOR`]. The name is made of hexadecimal digits and
    /// `-`; it is an error if it is taken.
    async fn stage_kept(&self, name: &str) -> Result<Box<dyn Staging>>;

    /// Goes on with what an earlier process left under a name, reading all of it for its digests; `None` if there is nothing,
    /// or nobody wrote to it for [`KEPT_FOR`]. While the earlier process is still there, both would write.
    async fn resume_kept(&self, name: &str) -> Result<Option<Box<dyn Staging>>>;

    /// Takes a small blob that is whole in memory; its only file is the one that committing it makes, where the store is
    /// able to. Blocking, because it hashes.
    fn hold(&self, bytes: Bytes) -> Result<StagedBlob>;

    /// Puts a finished staging file, or what was [held](BlobStore::hold), in place, durably (file and folder flushed)
    /// before returning. Bytes that are there already are put there again, so that their time of storing is not before
    /// this call.
    async fn commit(&self, domain: DomainId, staged: StagedBlob) -> Result<()>;

    /// Opens a blob; `range` `None` is all of it. [`crate::Error::ResourceNotFound`] if it is not there.
    async fn open(&self, domain: DomainId, sha256: Sha256, range: Option<ByteRange>) -> Result<Blob>;

    /// Its size, if it is there.
    async fn size(&self, domain: DomainId, sha256: Sha256) -> Result<Option<u64>>;

    /// Removes a blob that was stored before an instant; answers whether there was one. Bytes whose [`commit`] began at
    /// that instant or later stay, whatever process committed them and however the two calls overlap.
    ///
    /// [`commit`]: BlobStore::commit
    async fn delete(&self, domain: DomainId, sha256: Sha256, stored_before: Timestamp) -> Result<bool>;

    /// Every blob, in pages keyed by address, with size and time of storing: for `verify` and `gc`.
    async fn list(
        &self,
        after: Option<(DomainId, Sha256)>,
        limit: usize,
    ) -> Result<Vec<(DomainId, Sha256, u64, Timestamp)>>;

    /// Removes staging files that were last written more than `older_than` ago, or all at start with zero; while another
    /// process stages in the same folder, only those that can be nobody's upload any more. Answers how many.
    async fn sweep_staging(&self, older_than: Duration) -> Result<u64>;
}

/// A blob being written. Hashes as it goes; never holds more than a buffer in memory.
#[async_trait]
pub trait Staging: Send {
    /// Appends bytes; when it returns they can be read at the path.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Bytes so far.
    fn len(&self) -> u64;

    /// Nothing written yet.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file, which others may open and read while it grows (a shared download).
    fn path(&self) -> &Path;

    /// Gives it up, also if it is kept.
    fn discard(self: Box<Self>) {}

    /// Ends writing: everything written is readable at the path; digests are final.
    async fn finish(self: Box<Self>) -> Result<StagedBlob>;
}

/// A finished staging file, removed when dropped unless committed; or the bytes of a small blob.
#[derive(Debug)]
pub struct StagedBlob {
    pub digests: Digests,
    /// BLAKE2b-256, which PyPI's upload and JSON API speak of.
    pub blake2b_256: [u8; 32],
    content: Content,
}

/// Where a staged blob is.
#[derive(Debug)]
enum Content {
    File(std::path::PathBuf),
    Memory(Bytes),
    /// Another owner has it.
    Given,
}

impl StagedBlob {
    /// Made by [`Staging::finish`].
    #[must_use]
    pub fn new(path: std::path::PathBuf, digests: Digests, blake2b_256: [u8; 32]) -> Self {
        Self { digests, blake2b_256, content: Content::File(path) }
    }

    /// Made by [`BlobStore::hold`]: it has [bytes](StagedBlob::bytes) and no path.
    #[must_use]
    pub fn held(bytes: Bytes, digests: Digests, blake2b_256: [u8; 32]) -> Self {
        Self { digests, blake2b_256, content: Content::Memory(bytes) }
    }

    /// Its bytes, if they are in memory: only those of what was given to [`BlobStore::hold`] are.
    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Memory(bytes) => Some(bytes),
            Content::File(_) | Content::Given => None,
        }
    }

    /// The file, for reading an archive before it is committed.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.content {
            Content::File(path) => path,
            Content::Memory(_) | Content::Given => Path::new(""),
        }
    }

    /// Gives the file to the caller, who moves or removes it.
    #[must_use]
    pub fn into_path(mut self) -> std::path::PathBuf {
        match std::mem::replace(&mut self.content, Content::Given) {
            Content::File(path) => path,
            Content::Memory(_) | Content::Given => std::path::PathBuf::new(),
        }
    }
}

impl Drop for StagedBlob {
    fn drop(&mut self) {
        if let Content::File(path) = &self.content {
            // What cannot be removed now is swept at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}
