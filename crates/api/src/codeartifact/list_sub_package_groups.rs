//! `POST /v1/package-groups/sub-groups`: ListSubPackageGroups.

use larder_core::error::Result;
use larder_http::Response;

use super::address::PackageGroupAddress;
use super::call::{Call, answer};
use super::list_package_groups::DEFAULT_PAGE;
use super::query::next_token;
use super::shapes::{PackageGroupShape, PackageGroupsOutput};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageGroupAddress::parse(&call.query)?;
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_package_group(address).await?;
    let found = call.services.package_groups.list_children(&allowed, &page).await?;
    let (region, domain) = (call.services.access.region(), &allowed.target().domain);
    Ok(answer(&PackageGroupsOutput {
        package_groups: found.items.iter().map(|group| PackageGroupShape::new(region, domain, group)).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}
