//! `DELETE /v1/package-group`: DeletePackageGroup.

use larder_core::error::Result;
use larder_http::Response;

use super::address::PackageGroupAddress;
use super::call::{Call, answer};
use super::shapes::{PackageGroupOutput, PackageGroupShape};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageGroupAddress::parse(&call.query)?;
    let allowed = call.authorize_package_group(address).await?;
    let deleted = call.services.package_groups.delete(&allowed).await?;
    let (region, domain) = (call.services.access.region(), &allowed.target().domain);
    Ok(answer(&PackageGroupOutput { package_group: PackageGroupShape::new(region, domain, &deleted) }))
}
