//! IAM, API version 2010-05-08: users, groups, roles, policies and OpenID Connect providers. One file per noun; which
//! operations there are is in [`operations`].

mod access_keys;
mod account;
mod attachments;
mod call;
mod groups;
mod inline_policies;
mod managed_policies;
mod operations;
mod providers;
mod roles;
mod shapes;
mod tags;
mod unheld;
mod users;

use http::StatusCode;
use http::request::Parts;
use larder_auth::sigv4::{SignatureError, SignedRequest};
use larder_core::error::{ConflictKind, Error};
use larder_http::{PeerInfo, RequestBody, Response, note_principal, response};

use crate::api::Api;
use crate::error::ApiError;
use crate::query_protocol::{Dialect, receive};
use call::Call;

pub(crate) const DIALECT: Dialect = Dialect { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };
const VERSION: &str = "2010-05-08";

/// Answers a request to this API.
pub(crate) async fn serve(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Response {
    let (caller, form) = match receive(api, parts, body, signed, peer, request_id).await {
        Ok(received) => received,
        Err(error) => return DIALECT.failure(&error, request_id),
    };
    // Such sessions administer nothing unless a second factor was shown (IAM User Guide, GetSessionToken), and none is here.
    if caller.is_user_session() {
        return DIALECT.failure(&SignatureError::UnrecognizedClient.into(), request_id);
    }
    let action = form.find("Action").filter(|_| form.find("Version") == Some(VERSION));
    let Some(operation) = action.and_then(operations::find) else {
        let why = match action {
            Some("CreateServiceLinkedRole") => {
                ": no service runs here that would use the role; CreateRole makes others"
            }
            _ => "",
        };
        return DIALECT.invalid_action(&form, why, request_id);
    };
    let call = Call { api, caller: &caller, form: &form, operation, request_id };
    let answer = operations::dispatch(&call).await;
    let mut response = answer.unwrap_or_else(|error| failure(&error.into(), request_id));
    note_principal(&mut response, &caller.principal);
    response
}

/// Failures under the names of IAM's model.
fn failure(error: &ApiError, request_id: &str) -> Response {
    let answer = match error {
        ApiError::Operation(operation) => match code(operation) {
            Some((status, code)) => DIALECT.refuse(status, code, &operation.to_string(), request_id),
            None => DIALECT.failure(error, request_id),
        },
        ApiError::Signature(_) | ApiError::UnknownOperation => DIALECT.failure(error, request_id),
    };
    response::with_denial(answer, error.denial())
}

/// The names that IAM's model has and other query services have not.
fn code(error: &Error) -> Option<(StatusCode, &'static str)> {
    match error {
        Error::ResourceNotFound { .. } => Some((StatusCode::NOT_FOUND, "NoSuchEntity")),
        Error::Conflict { kind: ConflictKind::Exists, .. } => Some((StatusCode::CONFLICT, "EntityAlreadyExists")),
        Error::Conflict { kind: ConflictKind::Revision, .. } => Some((StatusCode::CONFLICT, "ConcurrentModification")),
        Error::Conflict { .. } => Some((StatusCode::CONFLICT, "DeleteConflict")),
        Error::QuotaExceeded { .. } => Some((StatusCode::CONFLICT, "LimitExceeded")),
        Error::Validation { field, .. } => match &**field {
            "policyDocument" | "assumeRolePolicyDocument" => Some((StatusCode::BAD_REQUEST, "MalformedPolicyDocument")),
            "url"
            | "clientID"
            | "clientIDList"
            | "thumbprintList"
            | "tags"
            | "path"
            | "newPath"
            | "permissionsBoundary" => Some((StatusCode::BAD_REQUEST, "InvalidInput")),
            _ => None,
        },
        _ => None,
    }
}
