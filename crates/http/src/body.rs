//! Bodies of answers: nothing, bytes in memory, part of a file, or a stream.

mod file;
mod paced;
mod request;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use larder_core::ports::{Blob, ByteRange, ByteStream};

pub use file::BlobBody;
pub use paced::{PacedBody, ReadAhead};
pub use request::{BodyError, RequestBody};
pub(crate) use request::{Unread, gunzip};

/// The body of an answer. Its size hint is exact whenever the size is known, so that `Content-Length` is sent.
pub enum Body {
    Empty,
    Full(Bytes),
    /// Part of a file, read as the client takes it.
    Blob(BlobBody),
    Stream(StreamBody),
}

/// Bytes that arrive, with their number if it is known.
pub struct StreamBody {
    stream: ByteStream,
    remaining: Option<u64>,
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Empty
    }

    /// Bytes in memory.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }

    /// Bytes as they come. With a `length` the stream must hold exactly that many: one that ends early or late breaks
    /// the connection, so that the client sees the truncation.
    #[must_use]
    pub fn stream(stream: ByteStream, length: Option<u64>) -> Self {
        if length == Some(0) { Self::Empty } else { Self::Stream(StreamBody { stream, remaining: length }) }
    }

    /// Part of a blob. A file or bytes in memory are the whole blob and cut here; a stream is that part already.
    #[must_use]
    pub fn blob(blob: Blob, part: ByteRange) -> Self {
        match blob {
            Blob::Memory(bytes) => {
                let cut = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Self::full(bytes.slice(cut(part.start)..cut(part.start.saturating_add(part.length))))
            }
            Blob::File(_) if part.length == 0 => Self::Empty,
            Blob::File(file) => Self::Blob(BlobBody::new(file, part)),
            Blob::Stream(stream) => Self::stream(stream, Some(part.length)),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        match body {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *body = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Blob(blob) => blob.poll_chunk(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
            Self::Stream(stream) => stream.poll_chunk(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Blob(blob) => blob.remaining() == 0,
            Self::Stream(stream) => stream.remaining == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Blob(blob) => SizeHint::with_exact(blob.remaining()),
            Self::Stream(stream) => stream.remaining.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

impl StreamBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let chunk = match self.stream.as_mut().poll_next(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => chunk,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(None) => {
                return Poll::Ready(match self.remaining {
                    Some(missing) if missing > 0 => Some(Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("the source ended {missing} bytes early"),
                    ))),
                    _ => None,
                });
            }
        };
        if let Some(remaining) = &mut self.remaining {
            match remaining.checked_sub(chunk.len() as u64) {
                Some(rest) => *remaining = rest,
                None => return Poll::Ready(Some(Err(io::Error::other("the source holds more bytes than it said")))),
            }
        }
        Poll::Ready(Some(Ok(chunk)))
    }
}

#[cfg(test)]
mod tests;
