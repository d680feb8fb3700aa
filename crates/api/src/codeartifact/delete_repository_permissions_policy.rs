//! `DELETE /v1/repository/permissions/policies`: DeleteRepositoryPermissionsPolicy.

use larder_core::error::Result;
use larder_http::Response;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::policy::parse_policy_revision;
use super::shapes::PolicyOutput;

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let expected = call.query.get_optional(param::POLICY_REVISION, parse_policy_revision)?;
    let allowed = call.authorize_repository(&address).await?;
    Ok(answer(&PolicyOutput::new(call.services.policies.delete(&allowed, expected).await?)))
}
