//! `GET /v1/domain/permissions/policy`: GetDomainPermissionsPolicy.

use larder_core::error::Result;
use larder_http::Response;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::shapes::PolicyOutput;

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize_domain(&DomainAddress::parse(&call.query)?).await?;
    Ok(answer(&PolicyOutput::new(call.services.policies.get(&allowed)?)))
}
