//! Removal of old journal records, once they are sealed and every reader has read them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder_core::model::Clock;
use larder_core::services::SealedJournal;

/// How often old records are looked for.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Removes what is older than `keep`.
pub(crate) struct Retention {
    pub(crate) journal: Arc<SealedJournal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keep: Duration,
    /// Who must have read a record before it goes.
    pub(crate) readers: Vec<String>,
    /// How far this node's audit log is written, if it has one.
    pub(crate) audited: Option<Arc<AtomicU64>>,
}

impl Retention {
    /// Runs until it is aborted.
    pub(crate) async fn run(self) {
        loop {
            let end = self.audited.as_ref().map_or(u64::MAX, |leaf| leaf.load(Ordering::Relaxed));
            match self.journal.cut(self.clock.now().minus(self.keep), &self.readers, end).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "removed old journal records"),
                Err(error) => tracing::warn!(%error, "old journal records were not removed"),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
