//! `Action=GetSessionToken`.

use larder_core::access::Caller;
use larder_core::error::Error;
use larder_core::services::StsError;
use larder_http::Response;

use super::{Call, DIALECT, credentials, session_request};

pub(super) async fn handle(call: &Call<'_>, caller: &Caller) -> Result<Response, StsError> {
    if call.form.find("SerialNumber").is_some() || call.form.find("TokenCode").is_some() {
        return Err(Error::validation("serialNumber", "there are no MFA devices here").into());
    }
    let duration = session_request::duration(call.form)?;
    let issued = call.api.services.sts.get_session_token(caller, duration).await?;
    Ok(DIALECT.answer("GetSessionToken", call.request_id, |xml| credentials::write(xml, &issued)))
}
