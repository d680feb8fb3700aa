//! Failures as NuGet's clients print them: the status and the reason phrase. People who look closer read the body.

use http::StatusCode;
use larder_http::{Dialect, FormatError, Response, response};

/// A refusal.
pub(crate) type NugetError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    const FORM_WANTED: &'static str = "a package is sent as multipart/form-data";

    fn render(status: StatusCode, sentence: &str) -> Response {
        response::with_reason(response::text(status, sentence), sentence)
    }
}
