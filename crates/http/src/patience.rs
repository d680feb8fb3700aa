//! Giving up on a peer that makes no progress.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Measures how long nothing has happened. The timer is set once and looked after only when it fires, so that
/// progress costs nothing.
pub(crate) struct Patience {
    limit: Duration,
    idle_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, idle_since: None, timer: None }
    }

    /// Something happened.
    pub(crate) fn progress(&mut self) {
        self.idle_since = None;
    }

    /// Nothing can happen now; ready once that has lasted as long as the limit.
    pub(crate) fn poll_exhausted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = *self.idle_since.get_or_insert_with(Instant::now) + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= end {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn patience_ends_after_the_limit_without_progress_and_not_before() {
        let limit = Duration::from_millis(60);
        let mut patience = Patience::new(limit);
        for _ in 0..4 {
            assert!(poll_fn(|cx| patience.poll_exhausted(cx)).now_or_never().is_none());
            tokio::time::sleep(limit / 2).await;
            patience.progress();
        }
        let last = Instant::now();
        poll_fn(|cx| patience.poll_exhausted(cx)).await;
        assert!(last.elapsed() >= limit, "{:?}", last.elapsed());
    }
}
