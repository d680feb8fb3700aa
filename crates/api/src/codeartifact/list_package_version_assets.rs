//! `POST /v1/package/version/assets`: ListPackageVersionAssets.

use larder_core::error::Result;
use larder_http::Response;
use serde::Serialize;

use super::address::VersionAddress;
use super::call::{Call, answer};
use super::query::next_token;
use super::shapes::{AssetShape, VersionCoordinate};

const DEFAULT_PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(flatten)]
    coordinate: VersionCoordinate,
    assets: Vec<AssetShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let VersionAddress { package, version } = VersionAddress::parse(&call.query)?;
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let version = call.version(package.package.format, &version)?;
    let allowed = call.authorize_package(&package).await?;
    let listed = call.services.versions.list_assets(&allowed, &version, &page).await?;
    Ok(answer(&Output {
        coordinate: VersionCoordinate::new(allowed.package(), &version, listed.revision),
        assets: listed.content.items.iter().map(AssetShape::of).collect(),
        next_token: next_token(call.operation, listed.content.next),
    }))
}
