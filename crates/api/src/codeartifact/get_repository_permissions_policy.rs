//! `GET /v1/repository/permissions/policy`: GetRepositoryPermissionsPolicy.

use larder_core::error::Result;
use larder_http::Response;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::shapes::PolicyOutput;

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize_repository(&RepositoryAddress::parse(&call.query)?).await?;
    Ok(answer(&PolicyOutput::new(call.services.policies.get(&allowed)?)))
}
