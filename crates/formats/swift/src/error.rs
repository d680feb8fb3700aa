//! Failures as SwiftPM prints them: RFC 7807 problem details, whose `detail` follows "server error 4xx:". The client
//! reads them only beside `Content-Version`.

use http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::error::{Invalid, ResourceType};
use larder_http::{BodyError, Failure, Response, log_failure, response};
use serde::Serialize;

/// Says the protocol's version in every answer.
pub(crate) const CONTENT_VERSION: HeaderName = HeaderName::from_static("content-version");
/// The version.
pub(crate) const VERSION_1: HeaderValue = HeaderValue::from_static("1");

/// A refusal.
#[derive(Debug)]
pub(crate) struct SwiftError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Problem details (RFC 7807 section 3.1).
#[derive(Debug, Serialize)]
pub(crate) struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
}

impl<'a> Problem<'a> {
    /// One that its status says all about, but for the sentence.
    pub(crate) fn of(status: StatusCode, detail: &'a str) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
        }
    }
}

impl SwiftError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), headers: Vec::new() }
    }

    /// 400.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 422: what was uploaded is no package.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allow: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(ALLOW, HeaderValue::from_static(allow))
    }

    /// With an answer that a client may keep for so long.
    pub(crate) fn kept_for(self, cache_control: &'static str) -> Self {
        self.with(CACHE_CONTROL, HeaderValue::from_static(cache_control))
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer.
    pub(crate) fn response(self) -> Response {
        let body = serde_json::to_vec(&Problem::of(self.status, &self.detail)).unwrap_or_default();
        let mut answer = response::content(self.status, "application/problem+json", body);
        answer.headers_mut().insert(CONTENT_VERSION, VERSION_1);
        answer.headers_mut().extend(self.headers);
        response::with_reason(answer, &self.detail)
    }
}

impl From<Error> for SwiftError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for SwiftError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        let new = |status| {
            let denial = error.denial().map(|code| (response::DENIAL, HeaderValue::from_static(code.as_str())));
            Self { status, detail: error.to_string(), headers: denial.into_iter().collect() }
        };
        match error {
            Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } => new(StatusCode::PAYLOAD_TOO_LARGE),
            Error::Throttled { retry_after_seconds: seconds } => {
                new(StatusCode::TOO_MANY_REQUESTS).with(RETRY_AFTER, HeaderValue::from(*seconds))
            }
            Error::Unavailable { .. } => {
                new(StatusCode::SERVICE_UNAVAILABLE).with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
            other => new(response::status_of(other)),
        }
    }
}

impl From<Invalid> for SwiftError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<larder_archive::Error> for SwiftError {
    fn from(error: larder_archive::Error) -> Self {
        match error {
            larder_archive::Error::Invalid(invalid) => Self::unprocessable(invalid.to_string()),
            larder_archive::Error::Io(error) => Error::internal(error).into(),
        }
    }
}

impl From<multer::Error> for SwiftError {
    fn from(error: multer::Error) -> Self {
        match (BodyError::of(&error), &error) {
            (Some(body), _) => Error::from(body).into(),
            (None, multer::Error::NoMultipart | multer::Error::NoBoundary | multer::Error::DecodeContentType(_)) => {
                Self::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "a release is published as multipart/form-data with a part 'source-archive'",
                )
            }
            (None, error) => Self::unprocessable(format!("the form cannot be read: {error}")),
        }
    }
}

impl From<&Failure> for SwiftError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unauthenticated(detail) => Self::new(StatusCode::UNAUTHORIZED, detail),
            Failure::BadPath(detail) => Self::bad_request(detail),
            Failure::Core(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use larder_core::error::ConflictKind;
    use larder_http::Body;

    use super::*;

    #[test]
    fn a_refusal_is_a_problem_with_its_version() {
        let answer = SwiftError::not_found("no such release").response();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()[CONTENT_VERSION], "1");
        let Body::Full(body) = answer.into_body() else { panic!("a body in memory") };
        assert_eq!(body, r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"no such release"}"#);
    }

    #[test]
    fn every_failure_has_its_status() {
        let quota = |resource_type| Error::QuotaExceeded {
            resource_type,
            resource_id: "x".to_owned(),
            message: "too much".to_owned(),
        };
        for (error, status) in [
            (Error::conflict(ConflictKind::Exists, ResourceType::PackageVersion, "1.0.0", "exists"), 409),
            (larder_core::Refusal::new(larder_core::RefusalCode::OriginPublish, "blocked").into(), 403),
            (Error::validation("version", "bad"), 400),
            (Error::TooLarge { message: "big".to_owned() }, 413),
            (quota(ResourceType::Asset), 413),
            (quota(ResourceType::PackageVersion), 403),
            (Error::Throttled { retry_after_seconds: 3 }, 429),
            (Error::internal("defect"), 500),
        ] {
            assert_eq!(SwiftError::from(error).status.as_u16(), status);
        }
    }
}
