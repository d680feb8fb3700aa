//! A connection as hyper uses it: gives up on a client that takes nothing or does not finish its request, and closes so
//! that the last answer arrives.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncRead as _;
use tokio::time::Instant;

use super::ServerSettings;
use super::transport::Transport;
use super::turn::{HeadPatience, Turns};
use crate::body::Unread;
use crate::patience::Patience;

/// After an answer that left a body unread: how long the client may go on sending it in all, and pause.
const LINGER: Duration = Duration::from_secs(30);
const LINGER_PAUSE: Duration = Duration::from_secs(5);

/// The connection.
pub(super) struct Wire {
    stream: TokioIo<Transport>,
    writing: Patience,
    head: HeadPatience,
    unread: Unread,
    closing: Option<Closing>,
}

/// The write side is shut; what the client still sends is thrown away. Closing with bytes unread would make the
/// kernel send a reset, and the client's kernel would throw away the answer that it has not read yet (protocols 0.4).
struct Closing {
    until: Instant,
    pause: Patience,
}

impl Wire {
    pub(super) fn new(stream: Transport, settings: &ServerSettings) -> Self {
        Self {
            stream: TokioIo::new(stream),
            writing: Patience::new(settings.write_timeout),
            head: HeadPatience::new(settings.header_timeout),
            unread: Unread::default(),
            closing: None,
        }
    }

    /// Where bodies note that they were left unread.
    pub(super) fn unread(&self) -> Unread {
        self.unread.clone()
    }

    /// Where it is noted whose turn it is.
    pub(super) fn turns(&self) -> Turns {
        self.head.turns()
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.writing.progress();
            return written;
        }
        ready!(self.writing.poll_exhausted(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Throws away what arrives. Only a client in the middle of a body is waited for.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(closing) = &mut self.closing else { return Poll::Ready(Ok(())) };
        let mut space = [0; 16 * 1024];
        loop {
            let mut buffer = tokio::io::ReadBuf::new(&mut space);
            match Pin::new(self.stream.inner_mut()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && Instant::now() < closing.until => {
                    closing.pause.progress();
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending if self.unread.is_set() => return closing.pause.poll_exhausted(cx).map(Ok),
                Poll::Pending => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_ready() {
            return read;
        }
        ready!(self.head.poll_exhausted(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.written(cx, shut))?;
            self.closing = Some(Closing { until: Instant::now() + LINGER, pause: Patience::new(LINGER_PAUSE) });
        }
        self.poll_discard(cx)
    }
}
