//! Plain HTTP requests to what the operator configured, for adapters that speak a protocol over HTTP but must not bring
//! a client of their own: the object store.

use async_trait::async_trait;

use super::ByteStream;
use crate::error::Result;

/// Sends requests. Redirects are answers, not followed.
#[async_trait]
pub trait HttpTransport: Send + Sync + 'static {
    /// Sends one request and answers as soon as the response's headers are there, whatever its status.
    ///
    /// The URL is configuration, or made of it: nothing that came from a client or a public registry may choose its
    /// host.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when there is no response: no connection, broken, too slow.
    async fn send(&self, request: OutgoingRequest) -> Result<IncomingResponse>;
}

/// A request to send.
pub struct OutgoingRequest {
    /// `GET`, `PUT`, ...
    pub method: &'static str,
    pub url: String,
    /// `Host` and `Content-Length` are added.
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<OutgoingBody>,
}

/// The body of a request.
pub struct OutgoingBody {
    /// What the stream will give, exactly.
    pub length_bytes: u64,
    pub stream: ByteStream,
}

/// What came back.
pub struct IncomingResponse {
    pub status: u16,
    /// Names in lower case; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// Ends in an error if it is shorter than its `Content-Length`.
    pub body: ByteStream,
}

impl IncomingResponse {
    /// The first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
