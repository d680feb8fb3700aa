//! Small blobs that were read lately, in memory.

use bytes::Bytes;
use larder_core::model::{DomainId, Sha256};
use larder_core::{Error, Result};
use moka::sync::Cache;
use sha2::Digest as _;

/// Which blobs are kept in memory, and how much of it they may fill.
#[derive(Debug, Clone, Copy)]
pub struct SmallBlobs {
    /// The largest blob that is kept, in bytes.
    pub largest_bytes: u64,
    /// All of them together, in bytes.
    pub capacity_bytes: u64,
}

impl Default for SmallBlobs {
    fn default() -> Self {
        Self { largest_bytes: 256 * 1024, capacity_bytes: 64 * 1024 * 1024 }
    }
}

/// What an entry costs besides its bytes: key, header and the cache's own bookkeeping.
const ENTRY_BYTES: usize = 256;

/// The cache. What it holds never goes stale, because a blob's address is its hash.
#[derive(Debug, Clone)]
pub(super) struct SmallBlobCache {
    limits: SmallBlobs,
    entries: Cache<(DomainId, Sha256), Bytes>,
}

impl SmallBlobCache {
    pub(super) fn new(limits: SmallBlobs) -> Self {
        let entries = Cache::builder()
            .max_capacity(limits.capacity_bytes)
            .weigher(|_, bytes: &Bytes| u32::try_from(bytes.len() + ENTRY_BYTES).unwrap_or(u32::MAX))
            .build();
        Self { limits, entries }
    }

    /// Whether a blob of this size is to be read whole and kept.
    pub(super) fn takes(&self, size_bytes: u64) -> bool {
        size_bytes <= self.limits.largest_bytes
    }

    pub(super) fn find(&self, domain: DomainId, sha256: Sha256) -> Option<Bytes> {
        self.entries.get(&(domain, sha256))
    }

    /// Keeps a blob that was just read, if its bytes are those of its address. Hashing once what is then served many times
    /// costs nothing; a larger blob is checked by who reads it, and by `larder verify`.
    ///
    /// # Errors
    /// [`Error::Internal`] if they are not: a disk that was silently damaged.
    pub(super) fn put(&self, domain: DomainId, sha256: Sha256, bytes: Bytes) -> Result<Bytes> {
        let found = Sha256(sha2::Sha256::digest(&bytes).into());
        if found != sha256 {
            return Err(Error::internal(format!("the stored bytes of {sha256} are damaged: they hash to {found}")));
        }
        self.entries.insert((domain, sha256), bytes.clone());
        Ok(bytes)
    }

    pub(super) fn remove(&self, domain: DomainId, sha256: Sha256) {
        self.entries.invalidate(&(domain, sha256));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let cache = SmallBlobCache::new(SmallBlobs { largest_bytes: 1000, capacity_bytes: 10_000 });
        for n in 0..100 {
            let bytes = vec![n; 1000];
            cache.put(DomainId(1), Sha256(sha2::Sha256::digest(&bytes).into()), bytes.into()).unwrap();
        }
        cache.entries.run_pending_tasks();
        assert!(cache.entries.weighted_size() <= 10_000);
        assert!(cache.takes(1000));
        assert!(!cache.takes(1001));
    }
}
