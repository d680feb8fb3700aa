//! `core::Error` → what npm prints: `STATUS reason - METHOD url - {error}` (protocols 1.9).

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use larder_core::RefusalCode;
use larder_core::error::{Error, ResourceType};
use larder_http::{Failure, Response, log_failure, response};
use serde_json::json;

/// A refusal.
#[derive(Debug)]
pub(crate) struct NpmError {
    status: StatusCode,
    message: String,
    retry_after_seconds: Option<u32>,
    denial: Option<RefusalCode>,
}

impl NpmError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_seconds: None, denial: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// One sentence in `error`, which every npm prints; `reason` is for tools that were made for CouchDB.
    pub(crate) fn into_response(self) -> Response {
        let reason = self.status.canonical_reason().unwrap_or("error").to_ascii_lowercase();
        let body = json!({"error": self.message, "reason": reason, "ok": false});
        let mut response = response::json(self.status, &body);
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response::with_denial(response, self.denial)
    }
}

impl From<Error> for NpmError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for NpmError {
    fn from(error: &Error) -> Self {
        let status = match error {
            Error::ResourceNotFound { .. } => StatusCode::NOT_FOUND,
            Error::Conflict { .. } => StatusCode::CONFLICT,
            Error::AccessDenied { .. } | Error::Refused(_) => StatusCode::FORBIDDEN,
            // How http names an encoding that it does not know.
            Error::Validation { field, .. } if field == "Content-Encoding" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Validation { .. } => StatusCode::BAD_REQUEST,
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } | Error::TooLarge { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Error::QuotaExceeded { .. } => StatusCode::FORBIDDEN,
            Error::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Upstream { .. } => StatusCode::BAD_GATEWAY,
            Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        log_failure(error);
        let retry_after_seconds = match error {
            Error::Throttled { retry_after_seconds } => Some(*retry_after_seconds),
            Error::Upstream { retry_after_seconds, .. } => *retry_after_seconds,
            _ => None,
        };
        Self { status, message: error.to_string(), retry_after_seconds, denial: error.denial() }
    }
}

/// A failure before the request was routed.
pub(crate) fn render(failure: &Failure) -> Response {
    let error = match failure {
        Failure::Unauthenticated(message) => NpmError::new(StatusCode::UNAUTHORIZED, message),
        Failure::BadPath(message) => NpmError::bad_request(message),
        Failure::Core(error) => NpmError::from(error),
    };
    error.into_response()
}
