//! Bodies for parsers that read ahead.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use larder_core::Error;
use larder_core::ports::ByteStream;

/// What may arrive without a part of a form beginning or gaining bytes: the headers of a part, and what the network
/// delivers at once.
const WINDOW_BYTES: u64 = 2 << 20;

/// A body for a parser of forms (`multipart/form-data`): handed over one chunk per poll and counted, because such a
/// parser reads ahead as fast as bytes arrive, and would hold a part's endless header, or a whole fast upload, in memory.
pub struct PacedBody {
    stream: ByteStream,
    ahead: ReadAhead,
    pausing: bool,
}

/// Counts what a parser was given since it last gave some back.
#[derive(Clone)]
pub struct ReadAhead(Arc<AtomicU64>);

impl ReadAhead {
    /// Notes that the parser gave something back: a part, or bytes of one.
    pub fn taken(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl PacedBody {
    /// A body and the count of what was read ahead.
    #[must_use]
    pub fn new(stream: ByteStream) -> (Self, ReadAhead) {
        let ahead = ReadAhead(Arc::default());
        (Self { stream, ahead: ahead.clone(), pausing: false }, ahead)
    }
}

impl Stream for PacedBody {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::replace(&mut self.pausing, false) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.stream.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.pausing = true;
            let waiting = self.ahead.0.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            // A single chunk may be of any size: it is in memory already.
            if waiting > WINDOW_BYTES {
                let error = Error::validation("body", "a part's headers are too long");
                return Poll::Ready(Some(Err(std::io::Error::other(error))));
            }
        }
        polled
    }
}
