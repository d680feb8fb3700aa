//! `GET /v1/repository/endpoint`: GetRepositoryEndpoint.

use larder_core::error::Result;
use larder_core::model::PackageFormat;
use larder_http::Response;
use serde::Serialize;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::query::parse_enum;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    repository_endpoint: String,
}

/// Larder answers at one address for both.
const ENDPOINT_TYPES: &[(&str, ())] = &[("ipv4", ()), ("dualstack", ())];

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let format: PackageFormat = call.query.get(param::FORMAT, str::parse)?;
    call.query.get_optional(param::ENDPOINT_TYPE, |text| parse_enum(ENDPOINT_TYPES, text))?;
    let allowed = call.authorize_repository(&address).await?;
    let repository_endpoint = call.endpoints.repository(call.base_url, &allowed.target().repository, format);
    Ok(answer(&Output { repository_endpoint }))
}
