//! Blobs in an S3-compatible store.
//!
//! ```text
//! {prefix/}blobs/{domain_id, 19 digits}/{aa}/{sha256}              aa: the first two digits of the hash
//! {prefix/}condemned/{domain_id, 19 digits}/{sha256}/{random}      marks of running removals, see `removal.rs`
//! ```
//!
//! Staging is local. Committing uploads: S3 shows an object only when all of it has arrived and is durable, so there is
//! no other order to keep. The numbers are padded so that S3's order of keys is the order of addresses. The credentials
//! need to get, put, delete and list below the prefix; without the right to list, S3 answers 403 for what is missing.

mod keys;
mod removal;
mod requests;
mod settings;
mod upload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use larder_core::model::{DomainId, Sha256, Timestamp};
use larder_core::ports::{Blob, BlobStore, ByteRange, HttpTransport, IncomingResponse, StagedBlob, Staging};
use larder_core::{Error, Result};

use super::cache::{SmallBlobCache, SmallBlobs};
use super::digesting::Digesting;
use super::disk::disk_error;
use super::local::not_found;
use super::staging::StagingFolder;
use keys::Keys;
use removal::Place;
use requests::{ObjectStore, PAUSES};
pub use settings::S3Settings;

/// The most keys that S3 lists at once.
const KEYS_PER_PAGE: usize = 1000;

/// The blob store of a cluster.
pub struct S3Blobs {
    store: Arc<ObjectStore>,
    keys: Keys,
    staging: StagingFolder,
    cache: SmallBlobCache,
}

impl S3Blobs {
    /// Opens the store. Nothing is asked of S3 yet.
    ///
    /// # Errors
    /// [`Error::Validation`] for settings that make no address, else what the staging folder says.
    pub fn open(
        settings: &S3Settings,
        staging: &Path,
        transport: Arc<dyn HttpTransport>,
        small_blobs: SmallBlobs,
    ) -> Result<Self> {
        Self::open_pausing(settings, staging, transport, small_blobs, PAUSES)
    }

    fn open_pausing(
        settings: &S3Settings,
        staging: &Path,
        transport: Arc<dyn HttpTransport>,
        small_blobs: SmallBlobs,
        pauses: [Duration; 3],
    ) -> Result<Self> {
        std::fs::create_dir_all(staging).map_err(|error| disk_error("make the folder", staging, error))?;
        Ok(Self {
            store: Arc::new(ObjectStore::new(settings, transport, pauses)?),
            keys: Keys::new(&settings.prefix),
            staging: StagingFolder::open(staging.to_owned())?,
            cache: SmallBlobCache::new(small_blobs),
        })
    }

    fn place(&self, domain: DomainId, sha256: Sha256) -> Place {
        Place { key: self.keys.of(domain, sha256), marks: self.keys.marks_of(domain, sha256) }
    }
}

async fn collect(response: IncomingResponse) -> Result<Bytes> {
    let collected = response.body.try_fold(BytesMut::new(), |mut collected, bytes| async move {
        collected.extend_from_slice(&bytes);
        Ok(collected)
    });
    let whole = collected.await.map_err(|error| unavailable("the object store broke off a blob", error))?;
    Ok(whole.freeze())
}

#[async_trait]
impl BlobStore for S3Blobs {
    async fn stage(&self) -> Result<Box<dyn Staging>> {
        self.staging.stage().await
    }

    async fn stage_kept(&self, name: &str) -> Result<Box<dyn Staging>> {
        self.staging.stage_kept(name).await
    }

    async fn resume_kept(&self, name: &str) -> Result<Option<Box<dyn Staging>>> {
        self.staging.resume_kept(name).await
    }

    /// In a file, from which it is uploaded as often as that takes.
    fn hold(&self, bytes: Bytes) -> Result<StagedBlob> {
        let (digests, blake2b_256) = Digesting::of(&bytes);
        self.staging.write_out(&bytes, digests, blake2b_256).map(|(staged, _file)| staged)
    }

    async fn commit(&self, domain: DomainId, staged: StagedBlob) -> Result<()> {
        let sha256 = staged.digests.sha256;
        let place = self.place(domain, sha256);
        let store = Arc::clone(&self.store);
        // In a task of its own, so that an upload which nobody waits for any more ends properly too.
        let commit = tokio::spawn(async move { removal::put(&store, &place, &staged).await });
        commit.await.map_err(Error::internal)??;
        // A damaged blob may have been replaced.
        self.cache.remove(domain, sha256);
        Ok(())
    }

    async fn open(&self, domain: DomainId, sha256: Sha256, range: Option<ByteRange>) -> Result<Blob> {
        if let Some(bytes) = self.cache.find(domain, sha256) {
            return Ok(Blob::Memory(bytes));
        }
        if range.is_some_and(|range| range.length == 0) {
            // S3 has no notation for it.
            let size = self.size(domain, sha256).await?;
            return size
                .map(|_| Blob::Stream(Box::pin(futures_util::stream::empty())))
                .ok_or_else(|| not_found(sha256));
        }
        let response = self.store.get(&self.keys.of(domain, sha256), range).await?;
        let response = response.ok_or_else(|| not_found(sha256))?;
        match (range, response.status) {
            (None, 200) => {
                let size_bytes = response.header("content-length").and_then(|length| length.parse().ok());
                if !size_bytes.is_some_and(|size_bytes| self.cache.takes(size_bytes)) {
                    return Ok(Blob::Stream(response.body));
                }
                let bytes = collect(response).await?;
                self.cache.put(domain, sha256, bytes.clone());
                Ok(Blob::Memory(bytes))
            }
            (Some(_), 206) => Ok(Blob::Stream(response.body)),
            (_, status) => Err(Error::internal(format!("the object store answered {status} to a read of {range:?}"))),
        }
    }

    async fn size(&self, domain: DomainId, sha256: Sha256) -> Result<Option<u64>> {
        let object = self.store.find(&self.keys.of(domain, sha256)).await?;
        Ok(object.map(|object| object.size_bytes))
    }

    async fn delete(&self, domain: DomainId, sha256: Sha256, stored_before: Timestamp) -> Result<bool> {
        let deleted = removal::remove(&self.store, &self.place(domain, sha256), stored_before).await;
        self.cache.remove(domain, sha256);
        deleted
    }

    async fn list(
        &self,
        after: Option<(DomainId, Sha256)>,
        limit: usize,
    ) -> Result<Vec<(DomainId, Sha256, u64, Timestamp)>> {
        let mut found = Vec::new();
        let mut start_after = after.map(|(domain, sha256)| self.keys.of(domain, sha256));
        while found.len() < limit {
            let page_size = KEYS_PER_PAGE.min(limit - found.len());
            let page = self.store.list(self.keys.folder(), start_after.as_deref(), page_size).await?;
            for object in &page.contents {
                let stored_at = object.last_modified.as_deref().and_then(Timestamp::parse_rfc3339);
                // What is not a blob's key is somebody else's object.
                if let (Some((domain, sha256)), Some(size_bytes)) = (self.keys.parse(&object.key), object.size) {
                    found.push((domain, sha256, size_bytes, stored_at.unwrap_or(Timestamp(0))));
                }
            }
            match page.contents.last() {
                Some(last) if page.next_continuation_token.is_some() => start_after = Some(last.key.clone()),
                _ => break,
            }
        }
        Ok(found)
    }

    async fn sweep_staging(&self, older_than: Duration) -> Result<u64> {
        self.staging.sweep(older_than).await
    }
}

/// The object store did not do its part; trying again is right.
fn unavailable(message: &str, source: impl Into<larder_core::error::Source>) -> Error {
    Error::Unavailable { message: message.to_owned(), source: source.into() }
}

/// An answer's body, read as each of the documents it could be.
pub fn fuzz_object_store_answer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let code = requests::code_of(&text);
    assert!(code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code} is no code");
    let keys = Keys::new("larder");
    for object in requests::read_list(&text).map(|list| list.contents).unwrap_or_default() {
        let address = keys.parse(&object.key);
        assert!(address.is_none_or(|(domain, sha256)| keys.of(domain, sha256) == object.key), "{}", object.key);
        let _ = object.last_modified.as_deref().and_then(Timestamp::parse_rfc3339);
    }
    let _ = requests::read_upload_id(&text);
}

#[cfg(test)]
mod tests;
