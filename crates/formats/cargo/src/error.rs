//! Failures as cargo prints them: `{"errors":[{"detail":"…"}]}` (protocols 7.3).

use http::StatusCode;
use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_http::{Dialect, FormatError, Response, response};
use serde::Serialize;

/// A refusal.
pub(crate) type CargoError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    fn rephrase(error: &Error) -> Option<(StatusCode, String)> {
        match error {
            Error::Conflict { kind: ConflictKind::Exists | ConflictKind::OtherBytes, message, .. } => {
                Some((StatusCode::CONFLICT, format!("already exists: {message}")))
            }
            _ => None,
        }
    }

    fn render(status: StatusCode, sentence: &str) -> Response {
        response::json(status, &Errors { errors: [Detail { detail: sentence }] })
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

#[cfg(test)]
mod tests {
    use larder_core::error::ResourceType;
    use larder_http::Body;

    use super::*;

    #[test]
    fn a_refusal_is_a_detail_that_cargo_prints() {
        let exists = Error::conflict(ConflictKind::Exists, ResourceType::PackageVersion, "1.0.0", "foo 1.0.0 is there");
        let answer = CargoError::from(exists).response();
        assert_eq!(answer.status().as_u16(), 409);
        let Body::Full(body) = answer.into_body() else { panic!("a body in memory") };
        assert_eq!(body, r#"{"errors":[{"detail":"already exists: foo 1.0.0 is there"}]}"#);
    }
}
