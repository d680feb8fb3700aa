//! Checking and cleaning the blob store: `larder verify` and `larder gc`.

use std::fmt;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use sha2::Digest as _;

use crate::error::{Error, Result};
use crate::model::{Clock, DomainId, Sha256};
use crate::ports::{Blob, BlobStore, MetadataStore};

/// Rows or blobs read at once.
const PAGE: usize = 500;

/// Verifies and collects.
pub struct Maintenance {
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What `verify` found.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// Distinct blobs that assets refer to.
    pub checked: u64,
    pub bytes: u64,
    pub problems: Vec<Problem>,
}

/// A stored asset that is not what its record says.
#[derive(Debug)]
pub struct Problem {
    pub domain: DomainId,
    pub sha256: Sha256,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "domain {}, blob {}: {}", self.domain.0, self.sha256, self.what)
    }
}

/// What `gc` did.
#[derive(Debug, Default)]
pub struct GarbageReport {
    pub seen: u64,
    pub removed: u64,
    pub removed_bytes: u64,
}

impl Maintenance {
    /// Reads and hashes every blob that an asset refers to.
    ///
    /// # Errors
    /// When the database does not answer; damaged or missing blobs are in the report.
    pub async fn verify(&self, mut progress: impl FnMut(&VerifyReport)) -> Result<VerifyReport> {
        let mut report = VerifyReport::default();
        let mut after = None;
        loop {
            let page = self.store.list_blob_references(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(report) };
            after = Some((last.0, last.1));
            for (domain, sha256, size) in page {
                if let Err(what) = self.check(domain, sha256, size).await {
                    report.problems.push(Problem { domain, sha256, what });
                }
                report.checked += 1;
                report.bytes += size;
                progress(&report);
            }
        }
    }

    async fn check(&self, domain: DomainId, sha256: Sha256, size: u64) -> Result<(), String> {
        let blob = self.blobs.open(domain, sha256, None).await.map_err(|error| match error {
            Error::ResourceNotFound { .. } => "its bytes are missing".to_owned(),
            Error::Internal { source } => format!("its bytes cannot be read: {source}"),
            error => format!("its bytes cannot be read: {error}"),
        })?;
        let (found, length) = digest(blob).await.map_err(|error| format!("its bytes cannot be read: {error}"))?;
        if length != size {
            return Err(format!("it has {length} bytes instead of {size}"));
        }
        if found != sha256 {
            return Err(format!("its bytes hash to {found}"));
        }
        Ok(())
    }

    /// Removes blobs that no asset refers to and that were stored, or put again, longer than `grace` ago.
    ///
    /// A publish puts its bytes in place before it refers to them. Whoever puts bytes in place again meanwhile makes them
    /// new, and the blob store removes nothing new, so what a publish needs is there as long as no publish takes longer
    /// than `grace` between the two.
    ///
    /// # Errors
    /// When the database or the blob store does not answer.
    pub async fn collect_garbage(&self, grace: Duration, dry_run: bool) -> Result<GarbageReport> {
        let mut report = GarbageReport::default();
        let stored_before = self.clock.now().minus(grace);
        let mut after = None;
        loop {
            let page = self.blobs.list(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(report) };
            after = Some((last.0, last.1));
            report.seen += page.len() as u64;
            let old: Vec<_> = page
                .iter()
                .filter(|(_, _, _, stored_at)| *stored_at < stored_before)
                .map(|(domain, sha256, _, _)| (*domain, *sha256))
                .collect();
            for (domain, sha256) in self.store.unreferenced(&old).await? {
                let size = page.iter().find(|row| (row.0, row.1) == (domain, sha256)).map_or(0, |row| row.2);
                if dry_run || self.blobs.delete(domain, sha256, stored_before).await? {
                    report.removed += 1;
                    report.removed_bytes += size;
                }
            }
        }
    }
}

/// The SHA-256 and length of what a blob really holds.
async fn digest(blob: Blob) -> std::io::Result<(Sha256, u64)> {
    match blob {
        Blob::Memory(bytes) => Ok((Sha256(sha2::Sha256::digest(&bytes).into()), bytes.len() as u64)),
        Blob::File(mut file) => {
            tokio::task::spawn_blocking(move || {
                let mut hasher = sha2::Sha256::new();
                let mut buffer = vec![0; 256 * 1024];
                let mut length = 0;
                loop {
                    let read = file.read(&mut buffer)?;
                    if read == 0 {
                        return Ok((Sha256(hasher.finalize().into()), length));
                    }
                    hasher.update(&buffer[..read]);
                    length += read as u64;
                }
            })
            .await?
        }
        Blob::Stream(mut stream) => {
            let mut hasher = sha2::Sha256::new();
            let mut length = 0;
            while let Some(chunk) = stream.next().await {
                let chunk = chunk?;
                hasher.update(&chunk);
                length += chunk.len() as u64;
            }
            Ok((Sha256(hasher.finalize().into()), length))
        }
    }
}
