//! An answer's body on its way out, counted for the access log.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::turn::Answering;
use crate::Body;
use crate::log::Entry;

/// A body and, if anybody reads the log, the event that is written once it is sent or dropped.
pub(super) struct Sent {
    body: Body,
    entry: Option<Box<Entry>>,
    _answering: Answering,
}

impl Sent {
    pub(super) fn new(body: Body, entry: Option<Box<Entry>>, answering: Answering) -> Self {
        Self { body, entry, _answering: answering }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match (&polled, &mut self.entry) {
            (Poll::Ready(Some(Ok(frame))), Some(entry)) => {
                entry.sent(frame.data_ref().map_or(0, Bytes::len));
            }
            (Poll::Ready(Some(Err(error))), _) => tracing::warn!(%error, "an answer broke off"),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
