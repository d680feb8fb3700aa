//! IAM. Users, keys and policies are managed with the command line; no action of the API is there yet.

use http::request::Parts;
use larder_auth::sigv4::{SignatureError, SignedRequest};
use larder_http::{PeerInfo, RequestBody, Response};

use crate::api::Api;
use crate::query_protocol::{Dialect, receive};

pub(crate) const DIALECT: Dialect = Dialect { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };

/// Answers a request to this API: no action is known, and the answer says what to use instead.
pub(crate) async fn serve(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Response {
    match receive(api, parts, body, signed, peer, request_id).await {
        Ok((_, form)) => {
            let why = "; manage identities with the commands `larder user` and `larder account`";
            DIALECT.invalid_action(&form, why, request_id)
        }
        Err(error) => DIALECT.failure(&error, request_id),
    }
}
