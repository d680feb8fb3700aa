//! Failures as cargo prints them: `{"errors":[{"detail":"…"}]}` (protocols 7.3).

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use larder_core::error::{ConflictKind, Invalid, ResourceType};
use larder_core::{Error, RefusalCode};
use larder_http::{BodyError, Failure, Response, log_failure, response};
use serde::Serialize;

/// A refusal.
#[derive(Debug)]
pub(crate) struct CargoError {
    pub(crate) status: StatusCode,
    /// One sentence.
    pub(crate) detail: String,
    retry_after_seconds: Option<u32>,
    denial: Option<RefusalCode>,
    allow: Option<&'static str>,
}

impl CargoError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_seconds: None, denial: None, allow: None }
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
        let body = Errors { errors: [Detail { detail: &self.detail }] };
        let mut answer = response::json(self.status, &body);
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

#[derive(Serialize)]
struct Errors<'a> {
    errors: [Detail<'a>; 1],
}

#[derive(Serialize)]
struct Detail<'a> {
    detail: &'a str,
}

impl From<Error> for CargoError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for CargoError {
    fn from(error: &Error) -> Self {
        log_failure(error);
        Self { denial: error.denial(), ..Self::translate(error) }
    }
}

impl CargoError {
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

impl From<Invalid> for CargoError {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<std::io::Error> for CargoError {
    /// Reading a request's body failed.
    fn from(error: std::io::Error) -> Self {
        match BodyError::of(&error) {
            Some(body) => Error::from(body).into(),
            None => Error::internal(error).into(),
        }
    }
}

impl From<&Failure> for CargoError {
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
    use larder_http::Body;

    use super::*;

    #[test]
    fn every_failure_has_its_status_and_a_detail_that_cargo_prints() {
        let conflict = |kind| Error::conflict(kind, ResourceType::PackageVersion, "1.0.0", "foo 1.0.0 is there");
        for (error, status) in [
            (Error::not_found(ResourceType::Package, "foo", "no foo"), 404),
            (conflict(ConflictKind::Exists), 409),
            (conflict(ConflictKind::ExistsUpstream), 409),
            (Error::AccessDenied { message: "no".to_owned() }, 403),
            (larder_core::Refusal::new(RefusalCode::OriginPublish, "blocked").into(), 403),
            (Error::validation("name", "bad"), 400),
            (Error::TooLarge { message: "big".to_owned() }, 413),
            (Error::Throttled { retry_after_seconds: 3 }, 429),
            (Error::Upstream { message: "down".to_owned(), retry_after_seconds: Some(7) }, 502),
            (Error::internal("defect"), 500),
        ] {
            let refusal = CargoError::from(error);
            let answer = refusal.response();
            assert_eq!(answer.status().as_u16(), status);
            let Body::Full(body) = answer.into_body() else { panic!("a body in memory") };
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["errors"][0]["detail"], refusal.detail.as_str());
        }
        assert!(CargoError::from(conflict(ConflictKind::Exists)).detail.starts_with("already exists"));
    }
}
