//! From requests to the writer, without waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use larder_core::services::audit::AuditCall;
use larder_http::Auditor;
use tokio::sync::mpsc;

/// Records that wait to be written at most: some megabytes.
const CAPACITY: usize = 8192;

/// The requests' end.
pub(crate) struct Queue {
    sender: mpsc::Sender<AuditCall>,
    dropped: Arc<AtomicU64>,
    with_reads: bool,
}

/// The writer's end.
pub(crate) struct Queued {
    pub(super) receiver: mpsc::Receiver<AuditCall>,
    dropped: Arc<AtomicU64>,
}

impl Queue {
    /// Both ends.
    pub(crate) fn new(with_reads: bool) -> (Self, Queued) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let dropped = Arc::new(AtomicU64::new(0));
        (Self { sender, dropped: Arc::clone(&dropped), with_reads }, Queued { receiver, dropped })
    }
}

impl Queued {
    /// How many records were dropped since this was asked last.
    pub(super) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl Auditor for Queue {
    fn wants_reads(&self) -> bool {
        self.with_reads
    }

    fn record(&self, call: AuditCall) {
        if self.sender.try_send(call).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_place_is_counted() {
        let (queue, mut queued) = Queue::new(true);
        for _ in 0..CAPACITY + 3 {
            queue.record(AuditCall::default());
        }
        assert_eq!((queued.take_dropped(), queued.take_dropped()), (3, 0));
        assert!(queued.receiver.try_recv().is_ok());
    }
}
