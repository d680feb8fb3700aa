//! Whose turn it is on a connection: the client's, to send a request, or the server's, to answer it.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Stands for "the server's turn": no instant of a connection is that late.
const SERVERS: u64 = u64::MAX;

/// Told where requests are answered, asked where the connection is read.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Turn>);

#[derive(Debug)]
struct Turn {
    opened_at: Instant,
    /// Since when it has been the client's turn, in milliseconds after the opening, or [`SERVERS`].
    clients_since: AtomicU64,
}

/// The server's turn, which ends when this is dropped: with the body of its answer.
pub(super) struct Answering(Turns);

impl Turns {
    /// The head of a request is there.
    pub(super) fn begin(&self) -> Answering {
        self.0.clients_since.store(SERVERS, Ordering::Relaxed);
        Answering(self.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let turn = &self.0.0;
        let since = u64::try_from(turn.opened_at.elapsed().as_millis()).unwrap_or(SERVERS - 1);
        turn.clients_since.store(since, Ordering::Relaxed);
    }
}

/// Gives up on a client that does not finish the head of its request. The timer is set once and looked after only when it
/// fires: hyper's own is made anew for each request.
pub(super) struct HeadPatience {
    limit: Duration,
    turns: Turns,
    timer: Option<Pin<Box<Sleep>>>,
}

impl HeadPatience {
    pub(super) fn new(limit: Duration) -> Self {
        let turn = Turn { opened_at: Instant::now(), clients_since: AtomicU64::new(0) };
        Self { limit, turns: Turns(Arc::new(turn)), timer: None }
    }

    pub(super) fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// The client sent nothing; ready when it has taken too long with the head of a request.
    pub(super) fn poll_exhausted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        loop {
            ready!(timer.as_mut().poll(cx));
            let turn = &self.turns.0;
            let end = match turn.clients_since.load(Ordering::Relaxed) {
                SERVERS => Instant::now() + limit,
                since => turn.opened_at + Duration::from_millis(since) + limit,
            };
            if end <= timer.deadline() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
    }
}
