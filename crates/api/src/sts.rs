//! STS: who am I.

mod get_caller_identity;

use http::request::Parts;
use larder_auth::sigv4::{SignatureError, SignedRequest};
use larder_http::{PeerInfo, RequestBody, Response};

use crate::api::Api;
use crate::query_protocol::{Dialect, receive};

pub(crate) const DIALECT: Dialect = Dialect { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
const VERSION: &str = "2011-06-15";

/// Answers a request to this API.
pub(crate) async fn serve(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Response {
    match receive(api, parts, body, signed, peer, request_id).await {
        Ok((caller, form)) => match (form.find("Action"), form.find("Version")) {
            (Some("GetCallerIdentity"), Some(VERSION)) => get_caller_identity::render(&caller, request_id),
            _ => DIALECT.invalid_action(&form, "", request_id),
        },
        Err(error) => DIALECT.failure(&error, request_id),
    }
}
