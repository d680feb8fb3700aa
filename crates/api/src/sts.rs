//! STS, API version 2011-06-15: who am I, and temporary credentials. One file per operation.

mod assume_role;
mod assume_role_with_web_identity;
mod credentials;
mod decode_authorization_message;
mod get_access_key_info;
mod get_caller_identity;
mod get_session_token;
mod session_request;

use http::StatusCode;
use http::request::Parts;
use larder_auth::sigv4::{SignatureError, SignedRequest};
use larder_core::access::Caller;
use larder_core::services::StsError;
use larder_http::{PeerInfo, RequestBody, Response, note_principal};

use crate::api::Api;
use crate::error::ApiError;
use crate::query_protocol::{Dialect, Form, receive, receive_unsigned};

pub(crate) const DIALECT: Dialect = Dialect { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
const VERSION: &str = "2011-06-15";
/// The one operation that is not signed: the token that it brings along stands for the signature.
const UNSIGNED: &str = "AssumeRoleWithWebIdentity";

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) form: &'a Form,
    pub(crate) peer: &'a PeerInfo,
    pub(crate) request_id: &'a str,
}

/// Answers a request to this API.
pub(crate) async fn serve(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Response {
    if matches!(signed, Err(SignatureError::MissingAuthenticationToken)) {
        return match receive_unsigned(parts, body).await {
            Ok(form) if is(&form, UNSIGNED) => {
                let call = Call { api, form: &form, peer, request_id };
                assume_role_with_web_identity::handle(&call).await.unwrap_or_else(|error| failure(error, request_id))
            }
            Ok(_) => DIALECT.failure(&SignatureError::MissingAuthenticationToken.into(), request_id),
            Err(error) => DIALECT.failure(&error.into(), request_id),
        };
    }
    match receive(api, parts, body, signed, peer, request_id).await {
        Ok((caller, form)) => {
            let call = Call { api, form: &form, peer, request_id };
            let mut response = answer(&call, &caller).await.unwrap_or_else(|error| failure(error, request_id));
            note_principal(&mut response, &caller.principal);
            response
        }
        Err(error) => DIALECT.failure(&error, request_id),
    }
}

fn is(form: &Form, action: &str) -> bool {
    form.find("Action") == Some(action) && form.find("Version") == Some(VERSION)
}

async fn answer(call: &Call<'_>, caller: &Caller) -> Result<Response, StsError> {
    let action = call.form.find("Action").filter(|_| call.form.find("Version") == Some(VERSION));
    match action {
        Some("AssumeRole") => assume_role::handle(call, caller).await,
        Some(UNSIGNED) => assume_role_with_web_identity::handle(call).await,
        Some("DecodeAuthorizationMessage") => decode_authorization_message::handle(call, caller).await,
        Some("GetAccessKeyInfo") => get_access_key_info::handle(call, caller).await,
        Some("GetCallerIdentity") => Ok(get_caller_identity::render(caller, call.request_id)),
        Some("GetSessionToken") => get_session_token::handle(call, caller).await,
        _ => Ok(DIALECT.invalid_action(call.form, "", call.request_id)),
    }
}

/// The failures that only STS has, under the names of its model.
fn failure(error: StsError, request_id: &str) -> Response {
    let code = match &error {
        StsError::Other(_) => "",
        StsError::MalformedPolicyDocument(_) => "MalformedPolicyDocument",
        StsError::PackedPolicyTooLarge(_) => "PackedPolicyTooLarge",
        StsError::InvalidIdentityToken(_) => "InvalidIdentityToken",
        StsError::ExpiredToken(_) => "ExpiredTokenException",
        StsError::ProviderUnreachable(_) => "IDPCommunicationError",
    };
    match error {
        StsError::Other(error) => DIALECT.failure(&ApiError::from(error), request_id),
        other => DIALECT.refuse(StatusCode::BAD_REQUEST, code, &other.to_string(), request_id),
    }
}
