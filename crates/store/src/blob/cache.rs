//! Small blobs that were read lately, in memory.

use bytes::Bytes;
use larder_core::model::{DomainId, Sha256};
use moka::sync::Cache;

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

    pub(super) fn put(&self, domain: DomainId, sha256: Sha256, bytes: Bytes) {
        self.entries.insert((domain, sha256), bytes);
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
            cache.put(DomainId(1), Sha256([n; 32]), Bytes::from(vec![n; 1000]));
        }
        cache.entries.run_pending_tasks();
        assert!(cache.entries.weighted_size() <= 10_000);
        assert!(cache.takes(1000));
        assert!(!cache.takes(1001));
    }
}
