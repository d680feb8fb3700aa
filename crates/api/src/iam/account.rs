//! The account itself.

use larder_core::access::IamTarget;
use larder_core::error::Result;
use larder_http::Response;

use super::call::Call;

/// Accounts have no aliases.
pub(super) async fn list_aliases(call: &Call<'_>) -> Result<Response> {
    call.allow(IamTarget::Any).await?;
    call.answer(|xml| {
        xml.nested("AccountAliases", |_| {});
        xml.text("IsTruncated", "false");
    })
}
