//! `POST /v1/package/versions`: ListPackageVersions.

use larder_core::error::Result;
use larder_core::model::{OriginType, PackageVersion, VersionStatus};
use larder_core::ports::VersionFilter;
use larder_http::Response;
use serde::Serialize;

use super::address::PackageAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::query::{Query, next_token, parse_enum};
use super::shapes::{OriginShape, PackageCoordinate};

/// Reference 1.7.
const DEFAULT_PAGE: usize = 50;

const ORIGIN_TYPES: &[(&str, OriginType)] =
    &[("INTERNAL", OriginType::Internal), ("EXTERNAL", OriginType::External), ("UNKNOWN", OriginType::Unknown)];
/// Newest first is the only order there is to ask for.
const SORT_TYPES: &[(&str, ())] = &[("PUBLISHED_TIME", ())];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    default_display_version: Option<String>,
    #[serde(flatten)]
    coordinate: PackageCoordinate,
    versions: Vec<VersionSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `PackageVersionSummary`.
#[derive(Serialize)]
struct VersionSummary {
    version: String,
    revision: String,
    status: &'static str,
    origin: OriginShape,
}

impl VersionSummary {
    fn new(version: &PackageVersion) -> Self {
        Self {
            version: version.version.to_string(),
            revision: version.revision.to_string(),
            status: version.status.as_str(),
            origin: OriginShape::new(&version.origin),
        }
    }
}

pub(super) fn parse_filter(query: &Query) -> Result<VersionFilter> {
    let statuses = VersionStatus::ALL.map(|status| (status.as_str(), status));
    Ok(VersionFilter {
        status: query.get_optional(param::STATUS, |text| parse_enum(&statuses, text))?,
        origin: query.get_optional(param::ORIGIN_TYPE, |text| parse_enum(ORIGIN_TYPES, text))?,
        newest_first: query.get_optional(param::SORT_BY, |text| parse_enum(SORT_TYPES, text))?.is_some(),
    })
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageAddress::parse(&call.query)?;
    let filter = parse_filter(&call.query)?;
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_package(&address).await?;
    let listed = call.services.versions.list(&allowed, &filter, &page).await?;
    Ok(answer(&Output {
        default_display_version: listed.default_display_version.map(|version| version.to_string()),
        coordinate: PackageCoordinate::new(allowed.package()),
        versions: listed.versions.items.iter().map(VersionSummary::new).collect(),
        next_token: next_token(call.operation, listed.versions.next),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shapes::samples;
    use super::*;

    fn parse(raw: &str) -> Result<VersionFilter> {
        parse_filter(&Query::parse(Some(raw)).unwrap())
    }

    #[test]
    fn filters_and_order_are_enumerations() {
        let filter = parse("status=Unlisted&originType=EXTERNAL&sortBy=PUBLISHED_TIME").unwrap();
        assert_eq!(filter.status, Some(VersionStatus::Unlisted));
        assert_eq!(filter.origin, Some(OriginType::External));
        assert!(filter.newest_first);
        assert!(!parse("").unwrap().newest_first);
        for bad in ["status=published", "originType=internal", "sortBy=PUBLISH_TIME"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_answer_names_the_package_beside_its_versions() {
        let output = Output {
            default_display_version: Some("1.2.3".into()),
            coordinate: PackageCoordinate::new(&samples::package().key),
            versions: vec![VersionSummary::new(&samples::version())],
            next_token: None,
        };
        assert_eq!(
            serde_json::to_value(output).unwrap(),
            json!({
                "defaultDisplayVersion": "1.2.3",
                "format": "npm",
                "namespace": "vue",
                "package": "ui",
                "versions": [{
                    "version": "1.2.3",
                    "revision": "Ciqe5/9yicvkJT13b5/LdLpCyE6fqA7poa9qp+FilPs=",
                    "status": "Published",
                    "origin": {
                        "domainEntryPoint": {"externalConnectionName": "public:npmjs"},
                        "originType": "EXTERNAL",
                    },
                }],
            })
        );
    }
}
