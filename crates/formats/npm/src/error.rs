//! Failures as npm prints them: `STATUS reason - METHOD url - {error}` (protocols 1.9).

use http::StatusCode;
use larder_core::Error;
use larder_http::{Dialect, FormatError, Response, response};
use serde_json::json;

/// A refusal.
pub(crate) type NpmError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    fn rephrase(error: &Error) -> Option<(StatusCode, String)> {
        match error {
            // How http names an encoding that it does not know.
            Error::Validation { field, message, .. } if field == "Content-Encoding" => {
                Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, message.clone()))
            }
            _ => None,
        }
    }

    /// One sentence in `error`, which every npm prints; `reason` is for tools that were made for CouchDB.
    fn render(status: StatusCode, sentence: &str) -> Response {
        let reason = status.canonical_reason().unwrap_or("error").to_ascii_lowercase();
        response::json(status, &json!({"error": sentence, "reason": reason, "ok": false}))
    }
}
