//! Failures as PyPI's clients print them: twine the reason phrase and the body, uv the `code` of a JSON body, pip the
//! status line. So one sentence goes into all of them.

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use larder_core::error::{ConflictKind, Invalid, ResourceType};
use larder_core::{Error, RefusalCode};
use larder_http::{BodyError, Failure, Response, log_failure, response};
use serde::Serialize;

use crate::archive;

/// A refusal.
#[derive(Debug)]
pub(crate) struct PypiError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) message: String,
    retry_after_seconds: Option<u32>,
    denial: Option<RefusalCode>,
    allow: Option<&'static str>,
}

impl PypiError {
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

    /// The answer, as JSON for clients that ask for it.
    pub(crate) fn response(&self, headers: &HeaderMap) -> Response {
        let mut answer = if prefers_json(headers) {
            let body = JsonError { message: &self.message, code: &self.message, title: title(self.status) };
            response::json(self.status, &body)
        } else {
            response::text(self.status, &self.message)
        };
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

/// uv prints `code` where the status says too little.
#[derive(Serialize)]
struct JsonError<'a> {
    message: &'a str,
    code: &'a str,
    title: &'a str,
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// Whether `Accept` names plain JSON before plain text (uv does when it uploads; installers ask for index types).
fn prefers_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let position = |media_type: &str| accept.split(',').position(|range| range.trim_start().starts_with(media_type));
    match (position("application/json"), position("text/plain")) {
        (Some(json), Some(text)) => json < text,
        (json, _) => json.is_some(),
    }
}

impl From<Error> for PypiError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for PypiError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        Self { denial: error.denial(), ..Self::translate(error) }
    }
}

impl PypiError {
    fn translate(error: &Error) -> Self {
        let message = error.to_string();
        let retry = |status, seconds| Self { retry_after_seconds: seconds, ..Self::new(status, error.to_string()) };
        let status = match error {
            Error::ResourceNotFound { .. } => StatusCode::NOT_FOUND,
            // Old twine takes a 400 with these words for "skip it".
            Error::Conflict { kind: ConflictKind::Exists | ConflictKind::OtherBytes, .. } => {
                return Self::bad_request(format!("File already exists: {message}"));
            }
            Error::Conflict { .. } => StatusCode::CONFLICT,
            Error::AccessDenied { .. } | Error::Refused(_) => StatusCode::FORBIDDEN,
            Error::Validation { .. } => StatusCode::BAD_REQUEST,
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } | Error::TooLarge { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Error::QuotaExceeded { .. } => StatusCode::FORBIDDEN,
            Error::Throttled { retry_after_seconds } => {
                return retry(StatusCode::TOO_MANY_REQUESTS, Some(*retry_after_seconds));
            }
            Error::Upstream { retry_after_seconds, .. } => {
                return retry(StatusCode::BAD_GATEWAY, *retry_after_seconds);
            }
            Error::Unavailable { .. } => return retry(StatusCode::SERVICE_UNAVAILABLE, Some(5)),
            Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, message)
    }
}

impl From<Invalid> for PypiError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<archive::Error> for PypiError {
    fn from(error: archive::Error) -> Self {
        match error {
            archive::Error::Invalid(invalid) => invalid.into(),
            archive::Error::Io(error) => Error::internal(error).into(),
        }
    }
}

impl From<multer::Error> for PypiError {
    fn from(error: multer::Error) -> Self {
        match (BodyError::of(&error), &error) {
            (Some(body), _) => Error::from(body).into(),
            (None, multer::Error::NoMultipart | multer::Error::NoBoundary | multer::Error::DecodeContentType(_)) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "an upload is sent as multipart/form-data")
            }
            (None, error) => Self::bad_request(format!("the upload form cannot be read: {error}")),
        }
    }
}

impl From<&Failure> for PypiError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unauthenticated(message) => Self::new(StatusCode::UNAUTHORIZED, message),
            Failure::BadPath(message) => Self::bad_request(message),
            Failure::Core(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;
    use larder_http::Body;

    use super::*;

    fn body(accept: Option<&'static str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        match PypiError::bad_request("no such thing").response(&headers).into_body() {
            Body::Full(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => panic!("a body in memory"),
        }
    }

    #[test]
    fn uv_gets_json_and_everybody_else_text() {
        let uv = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7";
        assert_eq!(body(Some(uv)), r#"{"message":"no such thing","code":"no such thing","title":"Bad Request"}"#);
        for other in [None, Some("*/*"), Some("text/html"), Some("application/vnd.pypi.simple.v1+json, text/html")] {
            assert_eq!(body(other), "no such thing\n");
        }
    }

    #[test]
    fn every_failure_has_its_status() {
        let conflict =
            |kind| Error::conflict(kind, ResourceType::Asset, "foo-1.0.tar.gz", "foo-1.0.tar.gz has other bytes");
        let upstream = Error::Upstream { message: "down".to_owned(), retry_after_seconds: Some(7) };
        for (error, status) in [
            (Error::not_found(ResourceType::Package, "foo", "no foo"), 404),
            (conflict(ConflictKind::ExistsUpstream), 409),
            (Error::AccessDenied { message: "no".to_owned() }, 403),
            (larder_core::Refusal::new(RefusalCode::OriginPublish, "blocked").into(), 403),
            (Error::validation("name", "bad"), 400),
            (Error::TooLarge { message: "big".to_owned() }, 413),
            (Error::Throttled { retry_after_seconds: 3 }, 429),
            (Error::internal("defect"), 500),
        ] {
            assert_eq!(PypiError::from(error).status.as_u16(), status);
        }
        let exists = PypiError::from(conflict(ConflictKind::OtherBytes));
        assert_eq!(exists.status, StatusCode::BAD_REQUEST);
        assert!(exists.message.starts_with("File already exists"));
        let answer = PypiError::from(upstream).response(&HeaderMap::new());
        assert_eq!((answer.status().as_u16(), &answer.headers()[RETRY_AFTER]), (502, &HeaderValue::from(7)));
    }
}
