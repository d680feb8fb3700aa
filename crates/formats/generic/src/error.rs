//! Failures as JSON with a message, like the API's, and the same sentence in the status line, which curl shows with
//! `--fail-with-body` or `-i`.

use http::header::{ALLOW, CONTENT_RANGE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::error::{Invalid, ResourceType};
use larder_http::response::status_of;
use larder_http::{Failure, Response, log_failure, response};
use serde::Serialize;

/// A refusal.
#[derive(Debug)]
pub(crate) struct GenericError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
}

impl GenericError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new() }
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this address takes {allow} only"))
            .with(ALLOW, HeaderValue::from_static(allow))
    }

    /// 416: a piece that does not follow on `length` bytes.
    pub(crate) fn wrong_piece(length: u64) -> Self {
        let error = Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            format!("the upload holds {length} bytes; the next piece begins there"),
        );
        match HeaderValue::from_str(&format!("bytes */{length}")) {
            Ok(value) => error.with(CONTENT_RANGE, value),
            Err(_) => error,
        }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn response(self) -> Response {
        let mut answer = response::json(self.status, &Body { message: &self.message });
        answer.headers_mut().extend(self.headers);
        response::with_reason(answer, &self.message)
    }
}

impl From<Error> for GenericError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for GenericError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        let (status, seconds) = match error {
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } => (StatusCode::PAYLOAD_TOO_LARGE, None),
            // Another version may take the asset that this one has no more room for.
            Error::QuotaExceeded { .. } => (StatusCode::CONFLICT, None),
            Error::Throttled { retry_after_seconds } => (status_of(error), Some(*retry_after_seconds)),
            Error::Unavailable { .. } => (status_of(error), Some(5)),
            other => (status_of(other), None),
        };
        let denial = error.denial().map(|code| (response::DENIAL, HeaderValue::from_static(code.as_str())));
        let failure = Self { status, message: error.to_string(), headers: denial.into_iter().collect() };
        match seconds {
            Some(seconds) => failure.with(RETRY_AFTER, HeaderValue::from(seconds)),
            None => failure,
        }
    }
}

impl From<Invalid> for GenericError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<&Failure> for GenericError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unauthenticated(message) => Self::new(StatusCode::UNAUTHORIZED, message),
            Failure::BadPath(message) => Self::bad_request(message),
            Failure::Core(error) => error.into(),
        }
    }
}
