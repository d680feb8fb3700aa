//! `Action=DecodeAuthorizationMessage`. Larder's refusals say what they have to say in plain words, so there is no message
//! to decode: whatever is sent is none.

use http::StatusCode;
use larder_core::access::Caller;
use larder_core::services::StsError;
use larder_http::Response;

use super::{Call, DIALECT};

pub(super) async fn handle(call: &Call<'_>, caller: &Caller) -> Result<Response, StsError> {
    call.form.require("EncodedMessage")?;
    call.api.services.sts.may_decode_messages(caller).await?;
    let message =
        "Message is not valid: this server encodes no authorization messages, its refusals are in plain words";
    Ok(DIALECT.refuse(StatusCode::BAD_REQUEST, "InvalidAuthorizationMessageException", message, call.request_id))
}
