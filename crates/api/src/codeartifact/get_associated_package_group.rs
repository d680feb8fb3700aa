//! `GET /v1/get-associated-package-group`: GetAssociatedPackageGroup.

use larder_core::access::PackageGroupTarget;
use larder_core::error::{Error, Result};
use larder_http::Response;
use serde::Serialize;

use super::address::{DomainAddress, PackageName};
use super::call::{Call, answer};
use super::operations::ResourceKind;
use super::shapes::PackageGroupShape;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    package_group: PackageGroupShape,
    association_type: &'static str,
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let package = call.package_key(&PackageName::parse(&call.query)?)?;
    let domain = call.domain(&address).await?;
    let groups = &call.services.package_groups;
    // The right that is needed is one to the group, so which one it is has to be found first.
    let pattern = groups.association(domain.id, &package).await?.lineage().group().pattern.clone();
    let target = PackageGroupTarget { domain, pattern };
    let allowed = call.authorize(ResourceKind::PackageGroup, target).await?;
    let found = groups.associated_group(&allowed, &package).await?;
    let found = found.ok_or_else(|| Error::Unavailable {
        message: "package groups are being changed; ask again".to_owned(),
        source: "another group is associated by now".into(),
    })?;
    let (region, domain) = (call.services.access.region(), &allowed.target().domain);
    Ok(answer(&Output {
        package_group: PackageGroupShape::new(region, domain, found.lineage()),
        association_type: found.association_type().as_aws(),
    }))
}
