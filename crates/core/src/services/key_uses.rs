//! When access keys were last used, so that one that nobody uses can be found and deleted.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::Background;
use crate::model::{AccessKeyId, KeyUse, Timestamp};
use crate::ports::MetadataStore;

/// Uses of a key are written down this often: more often each request would cost a write.
const PRECISION: Duration = Duration::from_secs(60 * 60);
/// Keys whose last written use is remembered.
const REMEMBERED: u64 = 50_000;

/// A longer name of a region, which is whatever a client signed for, is cut off.
const LONGEST_REGION: usize = 64;

/// Writes down uses of access keys, after their requests were answered. One that the process does not live to write is
/// lost.
pub struct KeyUses {
    store: Arc<dyn MetadataStore>,
    background: Background,
    written: Cache<AccessKeyId, Timestamp>,
}

impl KeyUses {
    pub(super) fn new(store: Arc<dyn MetadataStore>, background: Background) -> Self {
        Self { store, background, written: Cache::new(REMEMBERED) }
    }

    /// Takes notice of a request that was signed with this key.
    pub fn note(&self, key: &AccessKeyId, service: &str, region: &str, at: Timestamp) {
        if self.written.get(key).is_some_and(|written| at < written.plus(PRECISION)) {
            return;
        }
        self.written.insert(key.clone(), at);
        let (store, key) = (Arc::clone(&self.store), key.clone());
        let region = region.get(..LONGEST_REGION).unwrap_or(region).to_owned();
        let key_use = KeyUse { at, service: service.to_owned(), region };
        self.background.spawn(async move {
            if let Err(error) = store.put_key_use(&key, &key_use).await {
                tracing::warn!(%key, %error, "a use of an access key was not written down");
            }
        });
    }
}
