//! `DELETE /v1/domain/permissions/policy`: DeleteDomainPermissionsPolicy.

use larder_core::error::Result;
use larder_http::Response;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::policy::parse_policy_revision;
use super::shapes::PolicyOutput;

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let expected = call.query.get_optional(param::POLICY_REVISION, parse_policy_revision)?;
    let allowed = call.authorize_domain(&address).await?;
    Ok(answer(&PolicyOutput::new(call.services.policies.delete(&allowed, expected).await?)))
}
