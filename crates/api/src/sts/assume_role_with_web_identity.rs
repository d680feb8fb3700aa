//! `Action=AssumeRoleWithWebIdentity`, which is not signed.

use larder_core::services::{AssumeRoleWithWebIdentity, StsError};
use larder_http::Response;

use super::{Call, DIALECT, credentials, session_request};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response, StsError> {
    let asked = AssumeRoleWithWebIdentity {
        role: session_request::role(call.form)?,
        session: session_request::common(call.form)?,
        token: call.form.require("WebIdentityToken")?.to_owned(),
        address: Some(call.peer.address),
        secure_transport: call.peer.secure,
        request_id: call.request_id.to_owned(),
    };
    let answer = call.api.services.sts.assume_role_with_web_identity(&asked).await?;
    Ok(DIALECT.answer("AssumeRoleWithWebIdentity", call.request_id, |xml| {
        credentials::write_assumed(xml, &answer.assumed);
        xml.text("SubjectFromWebIdentityToken", &answer.subject);
        xml.text("Provider", &answer.provider);
        xml.text("Audience", &answer.audience);
    }))
}
