//! Bodies of requests, with a limit that holds while they are read.

use std::future::poll_fn;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body::Body as _;
use hyper::body::Incoming;
use larder_core::Error;
use larder_core::ports::ByteStream;

use crate::patience::Patience;

/// How long a client may send nothing in the middle of a body.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What nobody wants of a body is read all the same up to this size and for this long, which is cheaper for both sides
/// than another connection.
const LITTLE_BYTES: u64 = 64 << 10;
const LITTLE_TIME: Duration = Duration::from_millis(200);

/// Why a body could not be read; inside the `io::Error` that ends the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than the {limit} bytes allowed here")]
    TooLarge { limit: u64 },
    #[error("the body broke off before its end")]
    Truncated,
    #[error("no byte of the body arrived for {} s", LONGEST_PAUSE.as_secs())]
    Stalled,
    #[error("the body is not valid gzip")]
    BadGzip,
    #[error("this Content-Encoding is not understood; send the body plain or in gzip")]
    UnknownEncoding,
}

impl BodyError {
    /// The one behind an error, however deeply it was wrapped by what read the stream.
    #[must_use]
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            // An `io::Error` names as source what lies behind its inner error, not the inner error itself.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }
}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            BodyError::Truncated => io::ErrorKind::UnexpectedEof,
            BodyError::Stalled => io::ErrorKind::TimedOut,
            BodyError::BadGzip | BodyError::UnknownEncoding => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::TooLarge { message: error.to_string() },
            BodyError::UnknownEncoding => Self::validation("Content-Encoding", error.to_string()),
            BodyError::Truncated | BodyError::Stalled | BodyError::BadGzip => {
                Self::validation("body", error.to_string())
            }
        }
    }
}

/// A body that is coming in.
pub struct RequestBody {
    source: Source,
    /// What the client declared.
    length: Option<u64>,
    limit: u64,
    read: u64,
    patience: Patience,
    unread: Option<Unread>,
}

enum Source {
    Nothing,
    Network(Incoming),
    /// Never locked: the mutex makes a request `Sync`, so that handlers may hold it by reference while they wait.
    Stream(Mutex<ByteStream>),
}

/// Set when a body was left unread, so that the connection is closed with care: what the client is still sending must
/// not make its kernel throw away the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unread(Arc<Left>);

#[derive(Debug, Default)]
struct Left {
    is_set: AtomicBool,
    /// The body, until it is decided whether to read on.
    body: Mutex<Option<Incoming>>,
}

impl Unread {
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Relaxed)
    }

    fn set(&self, body: Incoming) {
        self.0.is_set.store(true, Ordering::Relaxed);
        *self.0.body.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// Before the answer is sent: reads what is left of a body if that is little, so that the connection can go on.
    /// Whether it can; hyper itself would only look whether the rest has arrived already, and close without a word.
    pub(crate) async fn settle(&self, may_read: bool) -> bool {
        let left = self.0.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut body) = left
            && may_read
            && body.size_hint().exact().is_some_and(|length| length <= LITTLE_BYTES)
        {
            let reading = async { while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {} };
            let done = tokio::time::timeout(LITTLE_TIME, reading).await.is_ok();
            self.0.is_set.store(!(done && body.is_end_stream()), Ordering::Relaxed);
        }
        !self.is_set()
    }
}

impl RequestBody {
    /// A body from a connection.
    pub(crate) fn network(incoming: Incoming, unread: &Unread) -> Self {
        if incoming.is_end_stream() {
            return Self::empty();
        }
        let length = incoming.size_hint().exact();
        Self::of(Source::Network(incoming), length, Some(unread.clone()))
    }

    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Source::Nothing, Some(0), None)
    }

    /// A body from memory.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        let stream: ByteStream = Box::pin(futures_util::stream::iter([Ok(bytes)]));
        Self::of(Source::Stream(Mutex::new(stream)), Some(length), None)
    }

    /// A body of unknown length from a stream.
    #[must_use]
    pub fn streamed(stream: ByteStream) -> Self {
        Self::of(Source::Stream(Mutex::new(stream)), None, None)
    }

    fn of(source: Source, length: Option<u64>, unread: Option<Unread>) -> Self {
        Self { source, length, limit: u64::MAX, read: 0, patience: Patience::new(LONGEST_PAUSE), unread }
    }

    /// The declared length; `None` when the body is chunked.
    #[must_use]
    pub fn declared_length(&self) -> Option<u64> {
        self.length
    }

    /// Lets at most this many bytes through. Limits add up to the smallest.
    #[must_use]
    pub fn with_limit(mut self, limit_bytes: u64) -> Self {
        self.limit = self.limit.min(limit_bytes);
        self
    }

    /// The bytes as they come; ends with an error of [`BodyError`] when the limit is passed, the client stops in the
    /// middle or it sends nothing for a minute.
    #[must_use]
    pub fn into_stream(self) -> ByteStream {
        Box::pin(self)
    }

    /// All bytes, of which there may be `limit_bytes`. A body that declares more is refused before any is read.
    ///
    /// # Errors
    /// [`Error::TooLarge`], or [`Error::Validation`] for a body that breaks off.
    pub async fn collect(self, limit_bytes: u64) -> larder_core::Result<Bytes> {
        let mut body = self.with_limit(limit_bytes);
        let Some(first) = body.next().await else { return Ok(Bytes::new()) };
        let first = first.map_err(into_core)?;
        let Some(second) = body.next().await else { return Ok(first) };
        let rest = body.length.unwrap_or(0).min(body.limit).saturating_sub(body.read);
        // The declared length is a hint, so it does not get to reserve more than a megabyte.
        let mut all = BytesMut::with_capacity(first.len() + usize::try_from(rest).unwrap_or(0).min(1 << 20));
        all.extend_from_slice(&first);
        all.extend_from_slice(&second.map_err(into_core)?);
        while let Some(chunk) = body.next().await {
            all.extend_from_slice(&chunk.map_err(into_core)?);
        }
        Ok(all.freeze())
    }

    /// As [`RequestBody::collect`], undoing the gzip that npm puts around audit requests. The limit holds for the
    /// bytes before and after.
    ///
    /// # Errors
    /// Those of [`RequestBody::collect`]; [`Error::Validation`] of `Content-Encoding` for other encodings.
    pub async fn collect_decoded(self, headers: &HeaderMap, limit_bytes: u64) -> larder_core::Result<Bytes> {
        let encoding = headers.get(CONTENT_ENCODING).map_or(&b""[..], http::HeaderValue::as_bytes).trim_ascii();
        if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
            return self.collect(limit_bytes).await;
        }
        if !encoding.eq_ignore_ascii_case(b"gzip") && !encoding.eq_ignore_ascii_case(b"x-gzip") {
            return Err(BodyError::UnknownEncoding.into());
        }
        let compressed = self.collect(limit_bytes).await?;
        Ok(gunzip(&compressed, limit_bytes)?)
    }
}

/// Undoes gzip into at most `limit_bytes`.
pub(crate) fn gunzip(compressed: &[u8], limit_bytes: u64) -> Result<Bytes, BodyError> {
    let mut plain = Vec::new();
    flate2::bufread::MultiGzDecoder::new(compressed)
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|_| BodyError::BadGzip)?;
    if plain.len() as u64 > limit_bytes {
        return Err(BodyError::TooLarge { limit: limit_bytes });
    }
    Ok(plain.into())
}

fn into_core(error: io::Error) -> Error {
    BodyError::of(&error).map_or_else(|| Error::internal(error), Error::from)
}

impl Stream for RequestBody {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let body = self.get_mut();
        if body.length.is_some_and(|length| length > body.limit) {
            return Poll::Ready(Some(body.fail(BodyError::TooLarge { limit: body.limit })));
        }
        loop {
            let polled = match &mut body.source {
                Source::Nothing => Poll::Ready(None),
                Source::Stream(stream) => {
                    stream.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_next(cx)
                }
                Source::Network(incoming) => match Pin::new(incoming).poll_frame(cx) {
                    // Trailers are not used by any client.
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => Poll::Ready(Some(Ok(data))),
                        Err(_) => continue,
                    },
                    Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(BodyError::Truncated.into()))),
                    Poll::Ready(None) => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                },
            };
            return match polled {
                Poll::Pending => body.poll_pause(cx),
                Poll::Ready(Some(Ok(chunk))) => {
                    body.patience.progress();
                    body.read += chunk.len() as u64;
                    if body.read > body.limit {
                        return Poll::Ready(Some(body.fail(BodyError::TooLarge { limit: body.limit })));
                    }
                    Poll::Ready(Some(Ok(chunk)))
                }
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    body.source = Source::Nothing;
                    Poll::Ready(None)
                }
            };
        }
    }
}

impl RequestBody {
    /// Nothing arrived; fails once that lasts too long.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !matches!(self.source, Source::Network(_)) {
            return Poll::Pending;
        }
        match self.patience.poll_exhausted(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Some(self.fail(BodyError::Stalled))),
        }
    }

    /// Stops reading and keeps that in mind for closing the connection.
    fn fail(&mut self, error: BodyError) -> io::Result<Bytes> {
        self.note_unread();
        self.length = None;
        Err(error.into())
    }

    fn note_unread(&mut self) {
        if let (Source::Network(incoming), Some(unread)) =
            (std::mem::replace(&mut self.source, Source::Nothing), &self.unread)
            && !incoming.is_end_stream()
        {
            unread.set(incoming);
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.note_unread();
    }
}
