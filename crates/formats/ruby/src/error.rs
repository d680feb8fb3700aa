//! Failures as `gem` and Bundler print them: one sentence of plain text (protocols 6.4).

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use larder_core::error::{ConflictKind, Invalid, ResourceType};
use larder_core::{Error, RefusalCode};
use larder_http::{BodyError, Failure, Response, log_failure, response};

/// A refusal.
#[derive(Debug)]
pub(crate) struct RubyError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) detail: String,
    retry_after_seconds: Option<u32>,
    denial: Option<RefusalCode>,
    allow: Option<&'static str>,
}

impl RubyError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_seconds: None, denial: None, allow: None }
    }

    /// 422: what was sent is no gem that can be published (protocols 6.4).
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 400.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allow: &'static str, detail: impl Into<String>) -> Self {
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response {
        let mut answer = response::text(self.status, &self.detail);
        let out = answer.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            out.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            out.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response::with_denial(answer, self.denial)
    }
}

impl From<Error> for RubyError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for RubyError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        Self { denial: error.denial(), ..Self::translate(error) }
    }
}

impl RubyError {
    fn translate(error: &Error) -> Self {
        let detail = error.to_string();
        let retry = |status, seconds| Self { retry_after_seconds: seconds, ..Self::new(status, error.to_string()) };
        match error {
            Error::ResourceNotFound { .. } => Self::not_found(detail),
            Error::Conflict { kind: ConflictKind::Exists | ConflictKind::OtherBytes, .. } => {
                Self::conflict(format!("already exists: {detail}"))
            }
            Error::Conflict { .. } => Self::conflict(detail),
            Error::AccessDenied { .. } | Error::Refused(_) => Self::new(StatusCode::FORBIDDEN, detail),
            Error::Validation { .. } => Self::bad_request(detail),
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } | Error::TooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
            }
            Error::QuotaExceeded { .. } => Self::new(StatusCode::FORBIDDEN, detail),
            Error::Throttled { retry_after_seconds } => {
                retry(StatusCode::TOO_MANY_REQUESTS, Some(*retry_after_seconds))
            }
            Error::Upstream { retry_after_seconds, .. } => retry(StatusCode::BAD_GATEWAY, *retry_after_seconds),
            Error::Unavailable { .. } => retry(StatusCode::SERVICE_UNAVAILABLE, Some(5)),
            Error::Internal { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail),
        }
    }
}

impl From<Invalid> for RubyError {
    fn from(invalid: Invalid) -> Self {
        Self::unprocessable(invalid.to_string())
    }
}

impl From<std::io::Error> for RubyError {
    /// Reading a request's body failed.
    fn from(error: std::io::Error) -> Self {
        match BodyError::of(&error) {
            Some(body) => Error::from(body).into(),
            None => Error::internal(error).into(),
        }
    }
}

impl From<&Failure> for RubyError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unauthenticated(detail) => Self::new(StatusCode::UNAUTHORIZED, detail),
            Failure::BadPath(detail) => Self::bad_request(detail),
            Failure::Core(error) => error.into(),
        }
    }
}
