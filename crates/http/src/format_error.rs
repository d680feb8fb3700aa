//! Refusals of the package formats: one rule for what a failure's status is (protocols 0.9) and which headers go with
//! it; how a refusal is printed is the format's [`Dialect`].

use std::marker::PhantomData;

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::error::{Invalid, ResourceType};

use crate::response::{DENIAL, status_of};
use crate::{BodyError, Failure, Response, log_failure};

/// Seconds after which a client may ask again when something that Larder depends on is away.
const UNAVAILABLE_SECONDS: u32 = 5;

/// How the clients of one format are told that they do not get what they asked for.
pub trait Dialect: Sized + 'static {
    /// The status for a value that breaks its rule ([`Invalid`]).
    const INVALID: StatusCode = StatusCode::BAD_REQUEST;
    /// The status for an upload form that cannot be read.
    const UNREADABLE: StatusCode = StatusCode::BAD_REQUEST;
    /// Told to who sends something else than a form where a form is uploaded.
    const FORM_WANTED: &'static str = "an upload is sent as multipart/form-data";

    /// Status and sentence of a failure for which the format's clients know others than the usual ones.
    fn rephrase(_error: &Error) -> Option<(StatusCode, String)> {
        None
    }

    /// The answer. Headers of the refusal are added to it.
    fn render(status: StatusCode, sentence: &str) -> Response;
}

/// A refusal. `?` makes one of any failure that a handler meets.
#[derive(Debug)]
pub struct FormatError<D> {
    pub status: StatusCode,
    /// One sentence, without full stop.
    pub sentence: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    dialect: PhantomData<fn() -> D>,
}

impl<D: Dialect> FormatError<D> {
    /// A refusal with this status.
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into(), headers: Vec::new(), dialect: PhantomData }
    }

    /// 400.
    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// 403.
    pub fn forbidden(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, sentence)
    }

    /// 404.
    pub fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    /// 405 with the methods that are allowed.
    pub fn method_not_allowed(allow: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, sentence).with(ALLOW, HeaderValue::from_static(allow))
    }

    /// 409.
    pub fn conflict(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, sentence)
    }

    /// 422: what was sent is nothing that can be published.
    pub fn unprocessable(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, sentence)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response {
        self.dress(D::render(self.status, &self.sentence))
    }

    /// Adds the refusal's headers to an answer that was rendered otherwise.
    #[must_use]
    pub fn dress(&self, mut answer: Response) -> Response {
        answer.headers_mut().extend(self.headers.iter().cloned());
        answer
    }
}

impl<D: Dialect> From<&Error> for FormatError<D> {
    fn from(error: &Error) -> Self {
        log_failure(error);
        let (status, sentence) = D::rephrase(error).unwrap_or_else(|| (status(error), error.to_string()));
        let retry_after_seconds = match error {
            Error::Throttled { retry_after_seconds } => Some(*retry_after_seconds),
            Error::Upstream { retry_after_seconds, .. } => *retry_after_seconds,
            Error::Unavailable { .. } => Some(UNAVAILABLE_SECONDS),
            _ => None,
        };
        let mut refusal = Self::new(status, sentence);
        if let Some(seconds) = retry_after_seconds {
            refusal = refusal.with(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(code) = error.denial() {
            refusal = refusal.with(DENIAL, HeaderValue::from_static(code.as_str()));
        }
        refusal
    }
}

/// Where a quota of bytes is reached, the upload is too large.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::QuotaExceeded { resource_type: ResourceType::Asset, .. } => StatusCode::PAYLOAD_TOO_LARGE,
        other => status_of(other),
    }
}

impl<D: Dialect> From<Error> for FormatError<D> {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl<D: Dialect> From<Invalid> for FormatError<D> {
    fn from(invalid: Invalid) -> Self {
        Self::new(D::INVALID, invalid.to_string())
    }
}

impl<D: Dialect> From<std::io::Error> for FormatError<D> {
    /// Reading a request's body failed.
    fn from(error: std::io::Error) -> Self {
        match BodyError::of(&error) {
            Some(body) => Error::from(body).into(),
            None => Error::internal(error).into(),
        }
    }
}

impl<D: Dialect> From<multer::Error> for FormatError<D> {
    /// Reading an upload form failed.
    fn from(error: multer::Error) -> Self {
        match (BodyError::of(&error), &error) {
            (Some(body), _) => Error::from(body).into(),
            (None, multer::Error::NoMultipart | multer::Error::NoBoundary | multer::Error::DecodeContentType(_)) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, D::FORM_WANTED)
            }
            (None, error) => Self::new(D::UNREADABLE, format!("the upload form cannot be read: {error}")),
        }
    }
}

impl<D: Dialect> From<&Failure> for FormatError<D> {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unauthenticated(sentence) => Self::new(StatusCode::UNAUTHORIZED, sentence),
            Failure::BadPath(sentence) => Self::bad_request(sentence),
            Failure::Core(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use larder_core::error::ConflictKind;
    use larder_core::{Refusal, RefusalCode};

    use super::*;
    use crate::response;

    #[derive(Debug)]
    struct Plain;

    impl Dialect for Plain {
        fn rephrase(error: &Error) -> Option<(StatusCode, String)> {
            matches!(error, Error::Refused(_)).then(|| (StatusCode::GONE, "as it is told here".to_owned()))
        }

        fn render(status: StatusCode, sentence: &str) -> Response {
            response::text(status, sentence)
        }
    }

    fn quota(resource_type: ResourceType) -> Error {
        Error::QuotaExceeded { resource_type, resource_id: "x".to_owned(), message: "too much".to_owned() }
    }

    #[test]
    fn every_failure_has_its_status_and_says_when_to_ask_again() {
        let conflict = Error::conflict(ConflictKind::Exists, ResourceType::PackageVersion, "1.0.0", "it exists");
        let upstream = |seconds| Error::Upstream { message: "down".to_owned(), retry_after_seconds: seconds };
        let unavailable = Error::Unavailable { message: "away".to_owned(), source: "disk".into() };
        for (error, status, retry) in [
            (Error::not_found(ResourceType::Package, "x", "no x"), 404, None),
            (conflict, 409, None),
            (Error::AccessDenied { message: "no".to_owned() }, 403, None),
            (Refusal::new(RefusalCode::OriginPublish, "blocked").into(), 410, None),
            (Error::validation("name", "bad"), 400, None),
            (Error::TooLarge { message: "big".to_owned() }, 413, None),
            (quota(ResourceType::Asset), 413, None),
            (quota(ResourceType::PackageVersion), 403, None),
            (Error::Throttled { retry_after_seconds: 3 }, 429, Some("3")),
            (upstream(Some(7)), 502, Some("7")),
            (upstream(None), 502, None),
            (unavailable, 503, Some("5")),
            (Error::internal("defect"), 500, None),
        ] {
            let answer = FormatError::<Plain>::from(&error).response();
            assert_eq!(answer.status().as_u16(), status, "{error:?}");
            assert_eq!(answer.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap()), retry, "{error:?}");
            let denial = answer.headers().get(DENIAL).map(|value| value.to_str().unwrap());
            assert_eq!(denial, error.denial().map(RefusalCode::as_str), "{error:?}");
        }
    }

    #[test]
    fn what_is_no_form_is_told_from_a_form_that_is_broken() {
        assert_eq!(FormatError::<Plain>::from(multer::Error::NoBoundary).status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(FormatError::<Plain>::from(multer::Error::IncompleteStream).status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let answer = FormatError::<Plain>::method_not_allowed("GET, HEAD", "it is read only").response();
        assert_eq!((answer.status().as_u16(), &answer.headers()[ALLOW]), (405, &HeaderValue::from_static("GET, HEAD")));
    }
}
