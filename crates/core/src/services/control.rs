//! The control generation: what everything remembered about rights and the upstream graph is tied to.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::error::Result;
use crate::ports::MetadataStore;

/// Remembers the control generation for as long as nothing at all was committed.
pub struct Control {
    store: Arc<dyn MetadataStore>,
    /// `(epoch, generation)`; the generation was read after the epoch.
    seen: ArcSwap<(u64, u64)>,
}

impl Control {
    /// Reads from this store.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>) -> Self {
        Self { store, seen: ArcSwap::from_pointee((u64::MAX, 0)) }
    }

    /// The present epoch of the store.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn epoch(&self) -> Result<u64> {
        self.store.epoch().await
    }

    /// The present control generation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn generation(&self) -> Result<u64> {
        let epoch = self.store.epoch().await?;
        let seen = self.seen.load();
        if seen.0 == epoch {
            return Ok(seen.1);
        }
        let generation = self.store.control_generation().await?;
        self.seen.store(Arc::new((epoch, generation)));
        Ok(generation)
    }
}
