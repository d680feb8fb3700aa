//! What went wrong, as REST-JSON services say it (reference 1.9): a status, `x-amzn-errortype`, and a JSON body.

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};
use larder_auth::sigv4::SignatureError;
use larder_core::RefusalCode;
use larder_core::error::{Error, ResourceType, ValidationReason};
use larder_http::{Response, response};
use serde::Serialize;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// A failed API request.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The signature is missing or wrong.
    Signature(SignatureError),
    /// No operation has this method and path.
    UnknownOperation,
    /// The operation failed.
    Operation(Error),
}

impl From<SignatureError> for ApiError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}

/// Status, name and sentence of a failure; the last two go into XML as well.
pub(crate) struct Described {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl ApiError {
    /// The answer in JSON. What is Larder's own fault is logged here, once.
    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let described = self.describe();
        self.log(request_id);
        let (resource, reason) = match &self {
            Self::Operation(error) => (resource(error), reason(error)),
            Self::Signature(_) | Self::UnknownOperation => (None, None),
        };
        let body = Body {
            message: &described.message,
            resource_id: resource.map(|(_, id)| id),
            resource_type: resource.and_then(|(kind, _)| kind.as_aws()),
            reason: reason.map(ValidationReason::as_aws),
        };
        let mut answer = response::json(described.status, &body);
        answer.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(described.code));
        response::with_denial(self.with_retry_after(answer), self.denial())
    }

    /// The answer with `Retry-After`, if it is known when asking again may help.
    pub(crate) fn with_retry_after(&self, mut answer: Response) -> Response {
        if let Some(seconds) = self.retry_after_seconds() {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    pub(crate) fn describe(&self) -> Described {
        let (status, code, message) = match self {
            Self::Signature(error) => (StatusCode::FORBIDDEN, error.code(), error.message().to_owned()),
            Self::UnknownOperation => {
                (StatusCode::NOT_FOUND, "UnknownOperationException", "the requested operation is not known".to_owned())
            }
            Self::Operation(error) => {
                let (status, code) = status_and_code(error);
                (status, code, error.to_string())
            }
        };
        Described { status, code, message }
    }

    pub(crate) fn log(&self, request_id: &str) {
        match self {
            Self::Operation(error @ (Error::Internal { .. } | Error::Unavailable { .. })) => {
                tracing::error!(request_id, error = error as &dyn std::error::Error, "an API request failed");
            }
            Self::Operation(error @ Error::Upstream { .. }) => {
                tracing::warn!(request_id, error = error as &dyn std::error::Error, "a public registry failed");
            }
            _ => {}
        }
    }

    /// The rule that refused, whose code and sentence the message carries as well.
    pub(crate) fn denial(&self) -> Option<RefusalCode> {
        match self {
            Self::Operation(error) => error.denial(),
            Self::Signature(_) | Self::UnknownOperation => None,
        }
    }

    fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::Operation(Error::Throttled { retry_after_seconds }) => Some(*retry_after_seconds),
            Self::Operation(Error::Upstream { retry_after_seconds, .. }) => *retry_after_seconds,
            _ => None,
        }
    }
}

fn status_and_code(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::ResourceNotFound { .. } => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
        Error::Conflict { .. } => (StatusCode::CONFLICT, "ConflictException"),
        Error::AccessDenied { .. } | Error::Refused(_) => (StatusCode::FORBIDDEN, "AccessDeniedException"),
        Error::Validation { .. } => (StatusCode::BAD_REQUEST, "ValidationException"),
        Error::QuotaExceeded { .. } => (StatusCode::PAYMENT_REQUIRED, "ServiceQuotaExceededException"),
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException"),
        Error::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, "ThrottlingException"),
        Error::Upstream { .. } | Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        Error::Internal { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException"),
    }
}

fn resource(error: &Error) -> Option<(ResourceType, &str)> {
    match error {
        Error::ResourceNotFound { resource_type, resource_id, .. }
        | Error::Conflict { resource_type, resource_id, .. }
        | Error::QuotaExceeded { resource_type, resource_id, .. } => Some((*resource_type, resource_id)),
        _ => None,
    }
}

fn reason(error: &Error) -> Option<ValidationReason> {
    match error {
        Error::Validation { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Refusal;
    use larder_core::error::ConflictKind;
    use larder_http::Body;
    use serde_json::{Value, json};

    use super::*;

    fn answer(error: impl Into<ApiError>) -> (u16, String, Value, Option<String>) {
        let response = error.into().into_response("request");
        let header = |name| response.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
        let Body::Full(body) = response.body() else { panic!("an error has a body") };
        let body = serde_json::from_slice(body).unwrap();
        (response.status().as_u16(), header(ERROR_TYPE).unwrap(), body, header(RETRY_AFTER))
    }

    #[test]
    fn missing_resources_and_conflicts_name_the_resource() {
        let missing = Error::not_found(ResourceType::PackageVersion, "1.0.0", "Version '1.0.0' is not here");
        assert_eq!(
            answer(missing),
            (
                404,
                "ResourceNotFoundException".into(),
                json!({"message": "Version '1.0.0' is not here", "resourceId": "1.0.0", "resourceType": "package-version"}),
                None
            )
        );
        let taken = Error::conflict(ConflictKind::Exists, ResourceType::Domain, "my-domain", "taken");
        assert_eq!(
            answer(taken),
            (
                409,
                "ConflictException".into(),
                json!({"message": "taken", "resourceId": "my-domain", "resourceType": "domain"}),
                None
            )
        );
        let other = Error::not_found(ResourceType::Other, "x", "no x");
        assert_eq!(answer(other).2, json!({"message": "no x", "resourceId": "x"}));
    }

    #[test]
    fn validation_has_a_reason() {
        assert_eq!(
            answer(Error::validation("domain", "bad")),
            (400, "ValidationException".into(), json!({"message": "bad", "reason": "FIELD_VALIDATION_FAILED"}), None)
        );
    }

    #[test]
    fn a_quota_is_a_matter_of_payment() {
        let error = Error::QuotaExceeded {
            resource_type: ResourceType::Domain,
            resource_id: "d".into(),
            message: "too many".into(),
        };
        let (status, code, body, _) = answer(error);
        assert_eq!((status, code.as_str()), (402, "ServiceQuotaExceededException"));
        assert_eq!(body["resourceType"], "domain");
    }

    #[test]
    fn throttling_says_when_to_come_back() {
        let (status, code, _, retry) = answer(Error::Throttled { retry_after_seconds: 7 });
        assert_eq!((status, code.as_str(), retry.as_deref()), (429, "ThrottlingException", Some("7")));
    }

    #[test]
    fn causes_inside_are_not_told() {
        let (status, code, body, _) = answer(Error::internal("password=hunter2"));
        assert_eq!((status, code.as_str()), (500, "InternalServerException"));
        assert!(!body.to_string().contains("hunter2"));
    }

    #[test]
    fn the_rest_has_its_names_too() {
        let denied = || "no".to_owned();
        for (error, status, code) in [
            (ApiError::UnknownOperation, 404, "UnknownOperationException"),
            (SignatureError::UnrecognizedClient.into(), 403, "UnrecognizedClientException"),
            (SignatureError::MissingAuthenticationToken.into(), 403, "MissingAuthenticationToken"),
            (Error::AccessDenied { message: denied() }.into(), 403, "AccessDeniedException"),
            (Error::from(Refusal::new(RefusalCode::OriginPublish, denied())).into(), 403, "AccessDeniedException"),
            (Error::TooLarge { message: denied() }.into(), 413, "RequestEntityTooLargeException"),
            (Error::Unavailable { message: denied(), source: "x".into() }.into(), 503, "ServiceUnavailable"),
            (Error::Upstream { message: denied(), retry_after_seconds: None }.into(), 503, "ServiceUnavailable"),
        ] {
            let (found, name, body, _) = answer(error);
            assert_eq!((found, name.as_str()), (status, code));
            assert!(body["message"].is_string());
        }
    }
}
