//! Writes what the journal and the requests tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder_core::ports::MetadataStore;
use larder_core::services::{Services, audit};

use super::AuditFiles;
use super::queue::Queued;
use crate::cli::Outcome;

/// How often is written.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long writing rests after a failure.
const REST: Duration = Duration::from_secs(5);
/// Journal records, and requests, written at once.
const BATCH: usize = 256;

/// Writes until it is aborted.
pub(crate) struct AuditWriter {
    store: Arc<dyn MetadataStore>,
    services: Arc<Services>,
    files: AuditFiles,
    queued: Queued,
    /// How far the journal is written, for whoever removes old records.
    written: Arc<AtomicU64>,
}

impl AuditWriter {
    /// To these files.
    pub(crate) fn new(services: Arc<Services>, files: AuditFiles, queued: Queued) -> Self {
        let written = Arc::new(AtomicU64::new(files.cursor().unwrap_or(0)));
        Self { store: Arc::clone(&services.store), services, files, queued, written }
    }

    /// The next leaf of the journal to write.
    pub(crate) fn written(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.written)
    }

    /// Runs until `stop` says so, and then once more.
    pub(crate) async fn run(mut self, mut stop: tokio::sync::oneshot::Receiver<()>) {
        let mut complained = false;
        // Lines that were taken from the queue and could not be written yet.
        let mut lines = String::new();
        loop {
            let stopping = match stop.try_recv() {
                Ok(()) | Err(tokio::sync::oneshot::error::TryRecvError::Closed) => true,
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => false,
            };
            let pause = match self.write_all(&mut lines).await {
                Ok(()) => {
                    complained = false;
                    INTERVAL
                }
                Err(failure) => {
                    if !std::mem::replace(&mut complained, true) {
                        tracing::error!(%failure, "the audit log cannot be written; it is completed later");
                    }
                    REST
                }
            };
            if stopping {
                return;
            }
            tokio::select! {
                _ = &mut stop => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Writes everything there is.
    async fn write_all(&mut self, lines: &mut String) -> Outcome<()> {
        loop {
            let now = self.services.clock.now();
            let region = &self.services.region;
            let mut taken = 0;
            while taken < BATCH
                && lines.len() < BATCH * 1024
                && let Ok(call) = self.queued.receiver.try_recv()
            {
                push(lines, &audit::of_call(&call, region));
                taken += 1;
            }
            match self.queued.take_dropped() {
                0 => {}
                dropped => push(lines, &audit::of_dropped(dropped, now, region)),
            }
            let size = self.store.log_state().await?.size;
            // A new folder begins with what is kept.
            let start = self.files.cursor().unwrap_or(0).min(size);
            let end = size.min(start + BATCH as u64);
            let mut journaled = String::new();
            for record in self.store.list_leaves(start, end).await? {
                push(&mut journaled, &audit::of_journal(&record, region));
            }
            if lines.is_empty() && end == start {
                return Ok(());
            }
            let text = format!("{journaled}{lines}");
            tokio::task::block_in_place(|| self.files.append(&text, end, now))?;
            self.written.store(end, Ordering::Relaxed);
            lines.clear();
            if end == size && taken < BATCH {
                return Ok(());
            }
        }
    }
}

fn push(lines: &mut String, record: &serde_json::Value) {
    lines.push_str(&record.to_string());
    lines.push('\n');
}
