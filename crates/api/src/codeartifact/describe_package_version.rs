//! `GET /v1/package/version`: DescribePackageVersion.

use larder_core::error::Result;
use larder_core::services::DescribedVersion;
use larder_http::Response;
use serde::Serialize;

use super::address::VersionAddress;
use super::call::{Call, answer};
use super::shapes::OriginShape;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    package_version: VersionDescription,
}

/// `PackageVersionDescription`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionDescription {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    package_name: String,
    display_name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home_page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_code_repository: Option<String>,
    published_time: f64,
    licenses: Vec<LicenseShape>,
    revision: String,
    status: &'static str,
    origin: OriginShape,
}

/// `LicenseInfo`.
#[derive(Serialize)]
struct LicenseShape {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl VersionDescription {
    fn new(described: DescribedVersion) -> Self {
        let DescribedVersion { package, version, details } = described;
        let licenses = details.licenses.into_iter();
        Self {
            format: package.key.format().as_str(),
            namespace: package.key.namespace().map(str::to_owned),
            package_name: package.key.name().to_owned(),
            display_name: details.display_name.unwrap_or(package.display_name),
            version: version.version.to_string(),
            summary: details.summary,
            home_page: details.home_page,
            source_code_repository: details.source_code_repository,
            published_time: version.published_at.as_aws(),
            licenses: licenses.map(|license| LicenseShape { name: license.name, url: license.url }).collect(),
            revision: version.revision.to_string(),
            status: version.status.as_str(),
            origin: OriginShape::new(&version.origin),
        }
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let VersionAddress { package, version } = VersionAddress::parse(&call.query)?;
    let version = call.version(package.package.format, &version)?;
    let allowed = call.authorize_package(&package).await?;
    let described = call.services.versions.describe(&allowed, &version).await?;
    Ok(answer(&Output { package_version: VersionDescription::new(described) }))
}

#[cfg(test)]
mod tests {
    use larder_core::model::{License, VersionDetails};
    use serde_json::json;

    use super::super::shapes::samples;
    use super::*;

    #[test]
    fn a_description_has_what_the_manifest_says() {
        let described = DescribedVersion {
            package: samples::package(),
            version: samples::version(),
            details: VersionDetails {
                summary: Some("buttons".into()),
                home_page: Some("https://example.com".into()),
                licenses: vec![License { name: "MIT".into(), url: None }],
                ..VersionDetails::default()
            },
        };
        assert_eq!(
            serde_json::to_value(Output { package_version: VersionDescription::new(described) }).unwrap(),
            json!({"packageVersion": {
                "format": "npm",
                "namespace": "vue",
                "packageName": "ui",
                "displayName": "@vue/ui",
                "version": "1.2.3",
                "summary": "buttons",
                "homePage": "https://example.com",
                "publishedTime": 1_577_481_261.09,
                "licenses": [{"name": "MIT"}],
                "revision": "Ciqe5/9yicvkJT13b5/LdLpCyE6fqA7poa9qp+FilPs=",
                "status": "Published",
                "origin": {
                    "domainEntryPoint": {"externalConnectionName": "public:npmjs"},
                    "originType": "EXTERNAL",
                },
            }})
        );
    }
}
