//! Bodies, both ways: what is sent with its length known, what is received with its time limits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use larder_core::ports::{ByteStream, OutgoingBody};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::client::chain;

/// The body of a request: nothing, or a stream of a known length.
pub(crate) struct RequestBody {
    stream: Option<ByteStream>,
    left_bytes: u64,
}

impl From<Option<OutgoingBody>> for RequestBody {
    fn from(body: Option<OutgoingBody>) -> Self {
        match body {
            Some(body) => Self { left_bytes: body.length_bytes, stream: Some(body.stream) },
            None => Self { stream: None, left_bytes: 0 },
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let Poll::Ready(next) = stream.as_mut().poll_next(context) else { return Poll::Pending };
        Poll::Ready(next.map(|bytes| {
            let bytes = bytes?;
            self.left_bytes = self.left_bytes.saturating_sub(bytes.len() as u64);
            Ok(Frame::data(bytes))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

/// The body of a response. A body shorter than its `Content-Length`, or without its last chunk, ends in an error.
pub(crate) struct ReplyBody {
    pub(crate) incoming: Incoming,
    /// The longest wait for the next bytes.
    pub(crate) idle: Duration,
    /// When all of it must be here.
    pub(crate) deadline: Instant,
    /// The place of the request among those of its origin.
    pub(crate) _place: Option<OwnedSemaphorePermit>,
}

impl ReplyBody {
    /// The next bytes.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let idle_until = Instant::now() + self.idle;
        loop {
            let Ok(frame) = timeout_at(idle_until.min(self.deadline), self.incoming.frame()).await else {
                let why = if idle_until < self.deadline { "no bytes came for too long" } else { "it took too long" };
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, chain(&error))),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// `FileTooLarge` beyond `limit_bytes`.
    pub(crate) async fn collect(mut self, limit_bytes: usize) -> io::Result<Bytes> {
        let mut collected = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            if collected.len() + bytes.len() > limit_bytes {
                return Err(too_large(limit_bytes));
            }
            collected.extend_from_slice(&bytes);
        }
        Ok(collected.freeze())
    }

    /// As it comes.
    pub(crate) fn into_stream(self) -> ByteStream {
        Box::pin(futures_util::stream::try_unfold(self, |mut body| async move {
            Ok(body.next().await?.map(|bytes| (bytes, body)))
        }))
    }
}

/// The failure of a body that is larger than allowed.
pub(crate) fn too_large(limit_bytes: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit_bytes} bytes"))
}
