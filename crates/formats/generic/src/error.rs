//! Failures as JSON with a message, like the API's, and the same sentence in the status line, which curl shows with
//! `--fail-with-body` or `-i`.

use http::header::CONTENT_RANGE;
use http::{HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::error::ResourceType;
use larder_http::{Dialect, FormatError, Response, response};
use serde::Serialize;

/// A refusal.
pub(crate) type GenericError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    fn rephrase(error: &Error) -> Option<(StatusCode, String)> {
        match error {
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } => None,
            // Another version may take the asset that this one has no more room for.
            Error::QuotaExceeded { message, .. } => Some((StatusCode::CONFLICT, message.clone())),
            _ => None,
        }
    }

    fn render(status: StatusCode, sentence: &str) -> Response {
        response::with_reason(response::json(status, &Body { message: sentence }), sentence)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
}

/// 405 with the methods that an address takes.
pub(crate) fn takes_only(methods: &'static str) -> GenericError {
    GenericError::method_not_allowed(methods, format!("this address takes {methods} only"))
}

/// 416: a piece that does not follow on `length` bytes.
pub(crate) fn wrong_piece(length: u64) -> GenericError {
    let error = GenericError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        format!("the upload holds {length} bytes; the next piece begins there"),
    );
    match HeaderValue::from_str(&format!("bytes */{length}")) {
        Ok(value) => error.with(CONTENT_RANGE, value),
        Err(_) => error,
    }
}
