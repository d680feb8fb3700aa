//! Failures as `gem` and Bundler print them: one sentence of plain text (protocols 6.4).

use http::StatusCode;
use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_http::{Dialect, FormatError, Response, response};

/// A refusal.
pub(crate) type RubyError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    const FORM_WANTED: &'static str = "a gem is pushed as it is, or as part 'gem' of multipart/form-data";
    /// What was sent is no gem that can be published (protocols 6.4).
    const INVALID: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

    fn rephrase(error: &Error) -> Option<(StatusCode, String)> {
        match error {
            Error::Conflict { kind: ConflictKind::Exists | ConflictKind::OtherBytes, message, .. } => {
                Some((StatusCode::CONFLICT, format!("already exists: {message}")))
            }
            _ => None,
        }
    }

    fn render(status: StatusCode, sentence: &str) -> Response {
        response::text(status, sentence)
    }
}
