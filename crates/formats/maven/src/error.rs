//! Failures as Maven's clients print them: status and reason phrase, never the body. So the sentence goes into both.

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use larder_core::error::{Invalid, ResourceType};
use larder_core::{Error, RefusalCode};
use larder_http::{Failure, Response, log_failure, response};

/// A refusal.
#[derive(Debug)]
pub(crate) struct MavenError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) message: String,
    retry_after_seconds: Option<u32>,
    denial: Option<RefusalCode>,
    allow: Option<&'static str>,
}

impl MavenError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_seconds: None, denial: None, allow: None }
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allow: &'static str, message: impl Into<String>) -> Self {
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response {
        let mut answer = response::text(self.status, &self.message);
        let out = answer.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            out.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            out.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response::with_denial(response::with_reason(answer, &self.message), self.denial)
    }
}

impl From<Error> for MavenError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for MavenError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        let status = match error {
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } => StatusCode::PAYLOAD_TOO_LARGE,
            other => response::status_of(other),
        };
        let retry_after_seconds = match error {
            Error::Throttled { retry_after_seconds } => Some(*retry_after_seconds),
            Error::Upstream { retry_after_seconds, .. } => *retry_after_seconds,
            Error::Unavailable { .. } => Some(5),
            _ => None,
        };
        Self { retry_after_seconds, denial: error.denial(), ..Self::new(status, error.to_string()) }
    }
}

impl From<Invalid> for MavenError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<&Failure> for MavenError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unauthenticated(message) => Self::new(StatusCode::UNAUTHORIZED, message),
            Failure::BadPath(message) => Self::bad_request(message),
            Failure::Core(error) => error.into(),
        }
    }
}
