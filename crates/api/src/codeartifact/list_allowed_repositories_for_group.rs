//! `GET /v1/package-group-allowed-repositories`: ListAllowedRepositoriesForGroup.

use larder_core::error::Result;
use larder_http::Response;
use serde::Serialize;

use super::address::PackageGroupAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::query::{next_token, parse_enum};
use super::shapes::RESTRICTION_TYPES;

/// The documentation names none.
const DEFAULT_PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    allowed_repositories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageGroupAddress::parse(&call.query)?;
    let restriction = call.query.get(param::ORIGIN_RESTRICTION_TYPE, |text| parse_enum(RESTRICTION_TYPES, text))?;
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_package_group(address).await?;
    let found = call.services.package_groups.list_allowed_repositories(&allowed, restriction, &page).await?;
    Ok(answer(&Output {
        allowed_repositories: found.items.iter().map(ToString::to_string).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}
