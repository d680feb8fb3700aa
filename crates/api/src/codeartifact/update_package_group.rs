//! `PUT /v1/package-group`: UpdatePackageGroup.

use larder_core::error::Result;
use larder_core::model::PackageGroupPattern;
use larder_core::services::PackageGroupUpdate;
use larder_http::Response;
use serde::Deserialize;

use super::address::{DomainAddress, PackageGroupAddress};
use super::body;
use super::call::{Call, answer};
use super::shapes::{PackageGroupOutput, PackageGroupShape};

#[derive(Debug)]
pub(super) struct Input {
    pattern: PackageGroupPattern,
    update: PackageGroupUpdate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    package_group: Option<String>,
    contact_info: Option<String>,
    description: Option<String>,
}

impl Input {
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let Body { package_group, contact_info, description } = body::parse(body)?;
        Ok(Self {
            pattern: body::get("packageGroup", package_group.as_deref(), PackageGroupPattern::new)?,
            update: PackageGroupUpdate {
                contact_info: body::get_optional("contactInfo", contact_info.as_deref(), body::parse_description)?,
                description: body::get_optional("description", description.as_deref(), body::parse_description)?,
            },
        })
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let domain = DomainAddress::parse(&call.query)?;
    let Input { pattern, update } = Input::parse(&call.body)?;
    let allowed = call.authorize_package_group(PackageGroupAddress { domain, pattern }).await?;
    let updated = call.services.package_groups.update(&allowed, update).await?;
    let (region, domain) = (call.services.access.region(), &allowed.target().domain);
    Ok(answer(&PackageGroupOutput { package_group: PackageGroupShape::new(region, domain, &updated) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let input = Input::parse(br#"{"packageGroup":"/npm/*","description":""}"#).unwrap();
        assert_eq!((input.update.contact_info, input.update.description.as_deref()), (None, Some("")));
        assert!(Input::parse(br#"{"description":"x"}"#).is_err());
    }
}
