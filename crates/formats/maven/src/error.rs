//! Failures as Maven's clients print them: status and reason phrase, never the body. So the sentence goes into both.

use http::StatusCode;
use larder_http::{Dialect, FormatError, Response, response};

/// A refusal.
pub(crate) type MavenError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    fn render(status: StatusCode, sentence: &str) -> Response {
        response::with_reason(response::text(status, sentence), sentence)
    }
}
