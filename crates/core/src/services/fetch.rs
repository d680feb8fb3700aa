//! Downloads from public registries that several clients share: one request, one staging file, admitted only if the
//! bytes are the promised ones (protocols 0.8, promise 6).

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use tokio::sync::watch;

use super::{Background, Ingestion, Limits};
use crate::error::{Error, Result};
use crate::model::{ExternalConnection, PackageKey, RepositoryId};
use crate::ports::{BlobStore, ByteStream, PublicRegistries, StagedBlob, Staging};

/// How far a download is.
#[derive(Debug, Clone)]
enum Progress {
    /// Waiting for the registry.
    Opening,
    /// Bytes that can be read from the file.
    Written(u64),
    /// All bytes are there and are the promised ones.
    Verified(u64),
    /// And they are stored under their coordinate.
    Kept(u64),
    /// They were stored before this download began: somebody else's ended between the search and its start.
    Stored,
    Failed(Arc<Error>),
}

/// A download in progress, as those who wait for it see it.
#[derive(Clone)]
pub(crate) struct SharedFetch {
    progress: watch::Receiver<Progress>,
    /// Set once the registry has answered.
    opened: Arc<Mutex<Option<Opened>>>,
}

#[derive(Clone)]
struct Opened {
    file: Arc<File>,
    size_bytes: Option<u64>,
}

/// What became of asking for a download.
pub(crate) enum Arrival {
    /// Its bytes are on their way.
    Coming { size_bytes: Option<u64> },
    /// It is stored already.
    Stored,
}

/// What to fetch: the coordinate of the asset in the repository that owns the connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FetchKey {
    pub(crate) repository: RepositoryId,
    pub(crate) connection: ExternalConnection,
    pub(crate) package: PackageKey,
    pub(crate) version: crate::model::VersionText,
    pub(crate) asset: crate::model::AssetName,
}

/// Starts downloads and lets others join them.
pub(crate) struct Fetches {
    registries: Arc<dyn PublicRegistries>,
    blobs: Arc<dyn BlobStore>,
    ingestion: Arc<Ingestion>,
    background: Background,
    limits: Limits,
    running: Arc<Mutex<HashMap<FetchKey, SharedFetch>>>,
}

/// What a download needs to know.
pub(crate) struct FetchJob {
    pub(crate) key: FetchKey,
    /// The document that named the file.
    pub(crate) document: PackageKey,
    /// Its path.
    pub(crate) document_path: String,
    pub(crate) ingest: super::Ingest,
}

impl Fetches {
    pub(crate) fn new(
        registries: Arc<dyn PublicRegistries>,
        blobs: Arc<dyn BlobStore>,
        ingestion: Arc<Ingestion>,
        background: Background,
        limits: Limits,
    ) -> Self {
        Self { registries, blobs, ingestion, background, limits, running: Arc::default() }
    }

    /// Joins the download of this asset, or starts it. It goes on to its end whoever leaves.
    pub(crate) fn join(&self, job: FetchJob) -> SharedFetch {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has failed is on the list until its task ends; who comes now asks anew.
        if let Some(shared) = running.get(&job.key).filter(|shared| !shared.has_failed()) {
            return shared.clone();
        }
        let (sender, progress) = watch::channel(Progress::Opening);
        let shared = SharedFetch { progress, opened: Arc::default() };
        running.insert(job.key.clone(), shared.clone());
        let task = Task {
            registries: Arc::clone(&self.registries),
            blobs: Arc::clone(&self.blobs),
            ingestion: Arc::clone(&self.ingestion),
            limit_bytes: self.limits.asset_size_bytes,
            opened: Arc::clone(&shared.opened),
            progress: sender,
        };
        let remove = RemoveWhenDone {
            running: Arc::clone(&self.running),
            key: job.key.clone(),
            opened: Arc::clone(&shared.opened),
        };
        self.background.spawn(async move {
            task.run(job).await;
            drop(remove);
        });
        shared
    }
}

/// Takes a download off the list even if its task panics.
struct RemoveWhenDone {
    running: Arc<Mutex<HashMap<FetchKey, SharedFetch>>>,
    key: FetchKey,
    /// Tells this download from one that took its place.
    opened: Arc<Mutex<Option<Opened>>>,
}

impl Drop for RemoveWhenDone {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.get(&self.key).is_some_and(|shared| Arc::ptr_eq(&shared.opened, &self.opened)) {
            running.remove(&self.key);
        }
    }
}

struct Task {
    registries: Arc<dyn PublicRegistries>,
    blobs: Arc<dyn BlobStore>,
    ingestion: Arc<Ingestion>,
    limit_bytes: u64,
    opened: Arc<Mutex<Option<Opened>>>,
    progress: watch::Sender<Progress>,
}

impl Task {
    async fn run(self, job: FetchJob) {
        let key = job.key.clone();
        match self.ingestion.holds(&key).await {
            Ok(true) => {
                self.progress.send_replace(Progress::Stored);
                return;
            }
            Ok(false) => {}
            Err(error) => {
                self.progress.send_replace(Progress::Failed(Arc::new(error)));
                return;
            }
        }
        match self.download(&job).await {
            Ok(staged) => {
                let size = staged.digests.size_bytes;
                self.progress.send_replace(Progress::Verified(size));
                match self.ingestion.ingest(key.repository, job.ingest, staged).await {
                    Ok(()) => {
                        self.progress.send_replace(Progress::Kept(size));
                    }
                    // The clients have their bytes; that they could not be kept is for the log, and the next request
                    // tries again.
                    Err(error) => {
                        tracing::error!(package = %key.package, version = %key.version, %error, "could not keep a fetched asset");
                    }
                }
            }
            Err(error) => {
                tracing::warn!(package = %key.package, version = %key.version, asset = %key.asset,
                    connection = %key.connection, %error, "fetching an asset failed");
                self.progress.send_replace(Progress::Failed(Arc::new(error)));
            }
        }
    }

    async fn download(&self, job: &FetchJob) -> Result<StagedBlob> {
        let promised = &job.ingest.asset;
        let mut download = self.registries.open_file(job.key.connection, &job.document_path, &promised.url).await?;
        let expected = promised.digests.size_bytes.or(download.size_bytes);
        if expected.is_some_and(|size| size > self.limit_bytes) {
            return Err(too_large(self.limit_bytes));
        }
        let mut staging = self.blobs.stage().await?;
        let file = Arc::new(File::open(staging.path()).map_err(Error::internal)?);
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(Opened { file, size_bytes: expected });
        self.progress.send_replace(Progress::Written(0));
        while let Some(chunk) = download.body.next().await {
            let chunk = chunk.map_err(|error| upstream(format!("the download broke off: {error}")))?;
            self.append(&mut staging, chunk, expected).await?;
        }
        let staged = staging.finish().await?;
        if download.size_bytes.is_some_and(|size| size != staged.digests.size_bytes) {
            return Err(upstream("the download ended early".to_owned()));
        }
        if let Err(error) = promised.digests.check(&staged.digests) {
            // Either may be the wrong one: the next request asks for the promise again, too.
            self.ingestion.doubt(&job.key, &job.document).await?;
            let message = format!("the registry's file is not what its index promises, so it was discarded: {error}");
            return Err(upstream(message));
        }
        self.ingestion.check(&job.ingest, staged).await
    }

    async fn append(&self, staging: &mut Box<dyn Staging>, chunk: Bytes, expected: Option<u64>) -> Result<()> {
        let length = staging.len() + chunk.len() as u64;
        if expected.is_some_and(|size| length > size) {
            return Err(upstream("the download is longer than announced".to_owned()));
        }
        if length > self.limit_bytes {
            return Err(too_large(self.limit_bytes));
        }
        staging.write(chunk).await?;
        self.progress.send_replace(Progress::Written(staging.len()));
        Ok(())
    }
}

fn upstream(message: String) -> Error {
    Error::Upstream { message, retry_after_seconds: None }
}

fn too_large(limit: u64) -> Error {
    upstream(format!("the file is larger than the limit of {limit} bytes"))
}

impl SharedFetch {
    /// Tells it apart from every other one that somebody holds.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.opened).addr()
    }

    fn has_failed(&self) -> bool {
        matches!(*self.progress.borrow(), Progress::Failed(_))
    }

    /// Waits until the registry has answered.
    ///
    /// # Errors
    /// What made the download fail.
    pub(crate) async fn opened(&mut self) -> Result<Arrival> {
        loop {
            let progress = self.progress.borrow_and_update().clone();
            match progress {
                Progress::Failed(error) => return Err(copy_of(&error)),
                Progress::Stored => return Ok(Arrival::Stored),
                Progress::Verified(size) | Progress::Kept(size) => {
                    return Ok(Arrival::Coming { size_bytes: Some(size) });
                }
                Progress::Written(_) => return Ok(Arrival::Coming { size_bytes: self.file()?.size_bytes }),
                Progress::Opening => {}
            }
            if self.progress.changed().await.is_err() {
                return Err(upstream("the download was given up".to_owned()));
            }
        }
    }

    /// Waits until the asset is stored.
    ///
    /// # Errors
    /// What made the download fail, or that it could not be stored.
    pub(crate) async fn kept(&mut self) -> Result<()> {
        loop {
            let progress = self.progress.borrow_and_update().clone();
            match progress {
                Progress::Failed(error) => return Err(copy_of(&error)),
                Progress::Kept(_) | Progress::Stored => return Ok(()),
                Progress::Opening | Progress::Written(_) | Progress::Verified(_) => {}
            }
            if self.progress.changed().await.is_err() {
                return Err(Error::internal("a fetched asset could not be kept"));
            }
        }
    }

    fn file(&self) -> Result<Opened> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        opened.ok_or_else(|| Error::internal("a download reported progress before it was opened"))
    }

    /// The bytes as they arrive. The last piece is held back until the whole is verified: when it is not what was
    /// promised, the client sees a broken transfer, never a complete wrong file.
    pub(crate) fn stream(self) -> ByteStream {
        Box::pin(unfold((self, 0_u64), |(mut fetch, sent)| async move {
            let next = fetch.next_piece(sent).await.transpose()?;
            match next {
                Ok(piece) => {
                    let sent = sent + piece.len() as u64;
                    Some((Ok(piece), (fetch, sent)))
                }
                // After an error the stream is over: reading on from the end of time yields nothing.
                Err(error) => Some((Err(error), (fetch, u64::MAX))),
            }
        }))
    }

    async fn next_piece(&mut self, sent: u64) -> io::Result<Option<Bytes>> {
        const HELD_BACK: u64 = 1;
        const PIECE: u64 = 256 * 1024;
        if sent == u64::MAX {
            return Ok(None);
        }
        loop {
            let progress = self.progress.borrow_and_update().clone();
            let readable = match progress {
                Progress::Failed(error) => return Err(io::Error::other(error.to_string())),
                Progress::Verified(size) | Progress::Kept(size) if sent >= size => return Ok(None),
                Progress::Verified(size) | Progress::Kept(size) => size,
                Progress::Written(size) => size.saturating_sub(HELD_BACK),
                Progress::Opening | Progress::Stored => 0,
            };
            if sent < readable {
                let length = (readable - sent).min(PIECE);
                let file = self.file().map_err(io::Error::other)?.file;
                return tokio::task::spawn_blocking(move || read_at(&file, sent, length)).await?.map(Some);
            }
            if self.progress.changed().await.is_err() {
                return Err(io::Error::other("the download was given up"));
            }
        }
    }
}

/// Reads exactly `length` bytes at `offset`, without moving a position that others share.
fn read_at(file: &File, offset: u64, length: u64) -> io::Result<Bytes> {
    use std::os::unix::fs::FileExt as _;
    let mut buffer = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.into())
}

/// Errors are not `Clone`, and several clients wait for one download.
fn copy_of(error: &Error) -> Error {
    match error {
        Error::ResourceNotFound { resource_type, resource_id, message, refusal } => Error::ResourceNotFound {
            resource_type: *resource_type,
            resource_id: resource_id.clone(),
            message: message.clone(),
            refusal: refusal.clone(),
        },
        Error::Refused(refusal) => Error::Refused(refusal.clone()),
        Error::Upstream { message, retry_after_seconds } => {
            Error::Upstream { message: message.clone(), retry_after_seconds: *retry_after_seconds }
        }
        Error::Unavailable { message, .. } => {
            Error::Unavailable { message: message.clone(), source: error.to_string().into() }
        }
        other => upstream(other.to_string()),
    }
}
