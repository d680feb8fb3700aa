//! `GET /v1/list-associated-packages`: ListAssociatedPackages.

use larder_core::error::Result;
use larder_http::Response;
use serde::Serialize;

use super::address::PackageGroupAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::query::{next_token, parse_boolean};
use super::shapes::AssociatedPackageShape;

/// The documentation names none.
const DEFAULT_PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    packages: Vec<AssociatedPackageShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageGroupAddress::parse(&call.query)?;
    let preview = call.query.get_optional(param::PREVIEW, parse_boolean)?.unwrap_or(false);
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_package_group(address).await?;
    let found = call.services.package_groups.list_packages(&allowed, preview, &page).await?;
    Ok(answer(&Output {
        packages: found.items.iter().map(|(key, how)| AssociatedPackageShape::new(key, *how)).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}
