//! Failures as NuGet's clients print them: the status and the reason phrase. People who look closer read the body.

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use larder_archive as archive;
use larder_core::error::{Invalid, ResourceType};
use larder_core::{Error, RefusalCode};
use larder_http::{BodyError, Failure, Response, log_failure, response};

/// A refusal.
#[derive(Debug)]
pub(crate) struct NugetError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) message: String,
    retry_after_seconds: Option<u32>,
    denial: Option<RefusalCode>,
    allow: Option<&'static str>,
}

impl NugetError {
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

impl From<Error> for NugetError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for NugetError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        let retry_after_seconds = match error {
            Error::Throttled { retry_after_seconds } => Some(*retry_after_seconds),
            Error::Upstream { retry_after_seconds, .. } => *retry_after_seconds,
            Error::Unavailable { .. } => Some(5),
            _ => None,
        };
        let status = match error {
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } => StatusCode::PAYLOAD_TOO_LARGE,
            error => response::status_of(error),
        };
        Self { retry_after_seconds, denial: error.denial(), ..Self::new(status, error.to_string()) }
    }
}

impl From<Invalid> for NugetError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<archive::Error> for NugetError {
    fn from(error: archive::Error) -> Self {
        match error {
            archive::Error::Invalid(invalid) => invalid.into(),
            archive::Error::Io(error) => Error::internal(error).into(),
        }
    }
}

impl From<multer::Error> for NugetError {
    fn from(error: multer::Error) -> Self {
        match (BodyError::of(&error), &error) {
            (Some(body), _) => Error::from(body).into(),
            (None, multer::Error::NoMultipart | multer::Error::NoBoundary | multer::Error::DecodeContentType(_)) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a package is sent as multipart/form-data")
            }
            (None, error) => Self::bad_request(format!("the upload form cannot be read: {error}")),
        }
    }
}

impl From<&Failure> for NugetError {
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
    use larder_core::error::ConflictKind;

    use super::*;

    #[test]
    fn every_failure_has_its_status_and_its_sentence_in_the_status_line() {
        let conflict = Error::conflict(ConflictKind::Exists, ResourceType::PackageVersion, "1.0.0", "it exists");
        let quota = Error::QuotaExceeded {
            resource_type: ResourceType::Asset,
            resource_id: "x".to_owned(),
            message: "too large".to_owned(),
        };
        let upstream = Error::Upstream { message: "down".to_owned(), retry_after_seconds: Some(7) };
        for (error, status, retry) in [
            (conflict, 409, None),
            (quota, 413, None),
            (upstream, 502, Some("7")),
            (Error::not_found(ResourceType::Package, "x", "no x"), 404, None),
            (larder_core::Refusal::new(RefusalCode::OriginPublish, "blocked").into(), 403, None),
        ] {
            let answer = NugetError::from(&error).response();
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap()), retry);
        }
        assert_eq!(NugetError::from(multer::Error::NoBoundary).status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
