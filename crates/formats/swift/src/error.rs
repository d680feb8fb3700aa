//! Failures as SwiftPM prints them: RFC 7807 problem details, whose `detail` follows "server error 4xx:". The client
//! reads them only beside `Content-Version`.

use http::{HeaderName, HeaderValue, StatusCode};
use larder_http::{Dialect, FormatError, Response, response};
use serde::Serialize;

/// Says the protocol's version in every answer.
pub(crate) const CONTENT_VERSION: HeaderName = HeaderName::from_static("content-version");
/// The version.
pub(crate) const VERSION_1: HeaderValue = HeaderValue::from_static("1");

/// A refusal.
pub(crate) type SwiftError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    const UNREADABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    const FORM_WANTED: &'static str = "a release is published as multipart/form-data with a part 'source-archive'";

    fn render(status: StatusCode, sentence: &str) -> Response {
        let body = serde_json::to_vec(&Problem::of(status, sentence)).unwrap_or_default();
        let mut answer = response::content(status, "application/problem+json", body);
        answer.headers_mut().insert(CONTENT_VERSION, VERSION_1);
        response::with_reason(answer, sentence)
    }
}

/// Problem details (RFC 7807 section 3.1).
#[derive(Debug, Serialize)]
pub(crate) struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
}

impl<'a> Problem<'a> {
    /// One that its status says all about, but for the sentence.
    pub(crate) fn of(status: StatusCode, detail: &'a str) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
        }
    }
}

/// An archive that was not read: if it is at fault, it is no package.
pub(crate) fn unreadable(error: larder_archive::Error) -> SwiftError {
    match error {
        larder_archive::Error::Invalid(invalid) => SwiftError::unprocessable(invalid.to_string()),
        error @ larder_archive::Error::Io(_) => larder_core::Error::from(error).into(),
    }
}

#[cfg(test)]
mod tests {
    use larder_http::Body;

    use super::*;

    #[test]
    fn a_refusal_is_a_problem_with_its_version() {
        let answer = SwiftError::not_found("no such release").response();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()[CONTENT_VERSION], "1");
        let Body::Full(body) = answer.into_body() else { panic!("a body in memory") };
        assert_eq!(body, r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"no such release"}"#);
    }
}
