//! `PUT /v1/repository/permissions/policy`: PutRepositoryPermissionsPolicy.

use larder_core::error::Result;
use larder_http::Response;

use super::address::RepositoryAddress;
use super::body;
use super::call::{Call, answer};
use super::policy::{PolicyInput, PolicyMembers};
use super::shapes::PolicyOutput;

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let PolicyInput { document, expected } = body::parse::<PolicyMembers>(&call.body)?.parse()?;
    let allowed = call.authorize_repository(&address).await?;
    Ok(answer(&PolicyOutput::new(call.services.policies.put(&allowed, &document, expected).await?)))
}
