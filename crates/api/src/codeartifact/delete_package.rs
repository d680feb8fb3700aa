//! `DELETE /v1/package`: DeletePackage.

use larder_core::error::Result;
use larder_http::Response;
use serde::Serialize;

use super::address::PackageAddress;
use super::call::{Call, answer};
use super::shapes::PackageSummaryShape;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    deleted_package: PackageSummaryShape,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize_package(&PackageAddress::parse(&call.query)?).await?;
    let last = call.services.packages.delete(&allowed).await?;
    Ok(answer(&Output { deleted_package: PackageSummaryShape::new(&last) }))
}
