//! `GET /v1/repository`: DescribeRepository.

use larder_core::error::Result;
use larder_http::Response;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::shapes::{RepositoryOutput, RepositoryShape};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize_repository(&RepositoryAddress::parse(&call.query)?).await?;
    let repository = RepositoryShape::new(call.services.access.region(), &allowed.target().repository);
    Ok(answer(&RepositoryOutput { repository }))
}
