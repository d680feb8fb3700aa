//! `GET /v1/package/version/readme`: GetPackageVersionReadme.

use larder_core::error::Result;
use larder_http::Response;
use serde::Serialize;

use super::address::VersionAddress;
use super::call::{Call, answer};
use super::shapes::VersionCoordinate;

#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    coordinate: VersionCoordinate,
    readme: String,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let VersionAddress { package, version } = VersionAddress::parse(&call.query)?;
    let version = call.version(package.package.format, &version)?;
    let allowed = call.authorize_package(&package).await?;
    let found = call.services.versions.get_readme(&allowed, &version).await?;
    Ok(answer(&Output {
        coordinate: VersionCoordinate::new(allowed.package(), &version, found.revision),
        readme: found.content,
    }))
}
