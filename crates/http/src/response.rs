//! Small answers.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use larder_core::model::Timestamp;
use larder_core::ports::ByteRange;
use larder_core::{Error, RefusalCode};
use serde::Serialize;

use crate::Body;

/// What every handler answers with.
pub type Response = http::Response<Body>;

/// The longest reason phrase sent, in bytes; clients print it on one line.
const MAX_REASON_BYTES: usize = 512;
/// Names the rule that refused a request, by its code.
pub const DENIAL: HeaderName = HeaderName::from_static("x-larder-denial");

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer with a body of this media type, never to be guessed otherwise.
#[must_use]
pub fn content(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// One or more lines of text; a line end is added.
#[must_use]
pub fn text(status: StatusCode, message: &str) -> Response {
    content(status, "text/plain; charset=utf-8", format!("{message}\n"))
}

/// A JSON document. A value that cannot be written as JSON is a defect and answered as one.
#[must_use]
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => content(status, "application/json", body),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "an answer could not be written as JSON");
            text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }
    }
}

/// Puts a short message into the HTTP/1.1 status line, where twine, dotnet, npm and Maven print it (protocols 0.4).
/// Line ends become blanks and what is not printable ASCII becomes `?`, so that no message can forge a header.
#[must_use]
pub fn with_reason(mut response: Response, reason: &str) -> Response {
    let line: Vec<u8> = reason
        .trim()
        .chars()
        .take(MAX_REASON_BYTES)
        .map(|c| match c {
            ' '..='~' => u8::try_from(c).unwrap_or(b'?'),
            '\n' | '\r' | '\t' => b' ',
            _ => b'?',
        })
        .collect();
    if !line.is_empty()
        && let Ok(reason) = ReasonPhrase::try_from(line)
    {
        response.extensions_mut().insert(reason);
    }
    response
}

/// Names the rule that refused, if one did, beside the sentence that clients print.
#[must_use]
pub fn with_denial(mut response: Response, denial: Option<RefusalCode>) -> Response {
    if let Some(code) = denial {
        response.headers_mut().insert(DENIAL, HeaderValue::from_static(code.as_str()));
    }
    response
}

/// The status of a failure (protocols 0.9), for clients that have no convention of their own.
#[must_use]
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::ResourceNotFound { .. } => StatusCode::NOT_FOUND,
        Error::Conflict { .. } => StatusCode::CONFLICT,
        Error::AccessDenied { .. } | Error::Refused(_) | Error::QuotaExceeded { .. } => StatusCode::FORBIDDEN,
        Error::Validation { .. } => StatusCode::BAD_REQUEST,
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Upstream { .. } => StatusCode::BAD_GATEWAY,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 416, with the size that the client did not know.
#[must_use]
pub fn range_not_satisfiable(size: u64) -> Response {
    let mut response =
        text(StatusCode::RANGE_NOT_SATISFIABLE, &format!("there are {size} bytes and none in that range"));
    response.headers_mut().insert(CONTENT_RANGE, ascii(format!("bytes */{size}")));
    response
}

/// The `Content-Range` of a part.
#[must_use]
pub fn content_range(part: ByteRange, size: u64) -> HeaderValue {
    ascii(format!("bytes {}-{}/{size}", part.start, part.start + part.length.saturating_sub(1)))
}

/// An instant as `Last-Modified` has it.
#[must_use]
pub fn http_date(instant: Timestamp) -> HeaderValue {
    // The formatter ends with the year 9999.
    let last = 253_402_300_799_000;
    ascii(httpdate::fmt_http_date(Timestamp(instant.0.min(last)).system_time()))
}

/// A header value made of digits, letters and signs only.
fn ascii(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<String> {
        let response = with_reason(empty(StatusCode::BAD_REQUEST), text);
        let reason = response.extensions().get::<ReasonPhrase>()?;
        Some(String::from_utf8(reason.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_reason_is_one_line_of_printable_ascii() {
        assert_eq!(reason("File already exists").as_deref(), Some("File already exists"));
        assert_eq!(reason("a\r\nSet-Cookie: x\u{7f}é").as_deref(), Some("a  Set-Cookie: x??"));
        assert_eq!(reason("  \n"), None);
        assert_eq!(reason(&"x".repeat(1000)).map(|text| text.len()), Some(MAX_REASON_BYTES));
    }

    #[test]
    fn dates_beyond_the_formatter_are_clipped() {
        assert_eq!(http_date(Timestamp(784_111_777_999)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(Timestamp(i64::MAX)), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(http_date(Timestamp(i64::MIN)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn text_ends_its_line_and_is_not_sniffed() {
        let response = text(StatusCode::NOT_FOUND, "no such thing");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(matches!(response.body(), Body::Full(bytes) if bytes == "no such thing\n"));
    }
}
