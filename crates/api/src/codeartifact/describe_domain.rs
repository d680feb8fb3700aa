//! `GET /v1/domain`: DescribeDomain.

use larder_core::error::Result;
use larder_http::Response;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::shapes::{DomainOutput, DomainShape};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize_domain(&DomainAddress::parse(&call.query)?).await?;
    let described = call.services.domains.describe(&allowed).await?;
    Ok(answer(&DomainOutput { domain: DomainShape::new(call.services.access.region(), &described) }))
}
