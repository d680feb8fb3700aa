//! `Action=GetAccessKeyInfo`: whose account an access key is of.

use larder_core::access::Caller;
use larder_core::model::AccessKeyId;
use larder_core::services::StsError;
use larder_http::Response;

use super::{Call, DIALECT};

pub(super) async fn handle(call: &Call<'_>, caller: &Caller) -> Result<Response, StsError> {
    let id = AccessKeyId::new(call.form.require("AccessKeyId")?).map_err(|invalid| invalid.in_field("accessKeyId"))?;
    let account = call.api.services.sts.get_access_key_info(caller, &id).await?;
    Ok(DIALECT.result("GetAccessKeyInfo", &[("Account", account.as_str())], call.request_id))
}
