//! `POST /v1/package-group`: CreatePackageGroup.

use larder_core::access::{Action, PackageGroupTarget};
use larder_core::error::Result;
use larder_core::model::PackageGroupPattern;
use larder_core::services::PackageGroupSettings;
use larder_http::Response;
use serde::Deserialize;

use super::address::DomainAddress;
use super::body::{self, BodyTag};
use super::call::{Call, answer};
use super::shapes::{PackageGroupOutput, PackageGroupShape};
use super::tagged::authorize_with_tags;

#[derive(Debug)]
pub(super) struct Input {
    pattern: PackageGroupPattern,
    settings: PackageGroupSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    package_group: Option<String>,
    contact_info: Option<String>,
    description: Option<String>,
    tags: Option<Vec<BodyTag>>,
}

impl Input {
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let Body { package_group, contact_info, description, tags } = body::parse(body)?;
        Ok(Self {
            pattern: body::get("packageGroup", package_group.as_deref(), PackageGroupPattern::new)?,
            settings: PackageGroupSettings {
                contact_info: body::get_optional("contactInfo", contact_info.as_deref(), body::parse_description)?,
                description: body::get_optional("description", description.as_deref(), body::parse_description)?,
                tags: body::tags(tags)?,
            },
        })
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let Input { pattern, settings } = Input::parse(&call.body)?;
    let domain = call.domain(&address).await?;
    let target = PackageGroupTarget { domain: domain.clone(), pattern };
    let allowed = authorize_with_tags(call, Action::CreatePackageGroup, target, &settings.tags).await?;
    let created = call.services.package_groups.create(&allowed, settings).await?;
    Ok(answer(&PackageGroupOutput {
        package_group: PackageGroupShape::new(call.services.access.region(), &domain, &created),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_comes_in_the_body() {
        let body = br#"{"packageGroup":"/npm//react$","contactInfo":"me","tags":[{"key":"a","value":"b"}]}"#;
        let input = Input::parse(body).unwrap();
        assert_eq!(input.pattern.as_str(), "/npm//react$");
        assert_eq!((input.settings.contact_info.as_deref(), input.settings.description), (Some("me"), None));
        assert_eq!(input.settings.tags.len(), 1);
        for bad in ["{}", r#"{"packageGroup":"npm"}"#, r#"{"packageGroup":"/npm/*","contactInfo":"\u0000"}"#] {
            assert!(Input::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
