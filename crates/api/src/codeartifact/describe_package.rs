//! `GET /v1/package`: DescribePackage.

use larder_core::error::Result;
use larder_core::model::Package;
use larder_http::Response;
use serde::Serialize;

use super::address::PackageAddress;
use super::call::{Call, answer};
use super::shapes::OriginConfigurationShape;

#[derive(Serialize)]
struct Output {
    package: PackageDescription,
}

/// `PackageDescription`. Its member is `name`, unlike a summary's `package`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PackageDescription {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    origin_configuration: OriginConfigurationShape,
}

impl PackageDescription {
    fn new(package: &Package) -> Self {
        Self {
            format: package.key.format().as_str(),
            namespace: package.key.namespace().map(str::to_owned),
            name: package.key.name().to_owned(),
            origin_configuration: OriginConfigurationShape::new(package.restrictions),
        }
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let allowed = call.authorize_package(&PackageAddress::parse(&call.query)?).await?;
    let package = call.services.packages.describe(&allowed).await?;
    Ok(answer(&Output { package: PackageDescription::new(&package) }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shapes::samples;
    use super::*;

    #[test]
    fn a_description_calls_the_package_name() {
        assert_eq!(
            serde_json::to_value(Output { package: PackageDescription::new(&samples::package()) }).unwrap(),
            json!({"package": {
                "format": "npm",
                "namespace": "vue",
                "name": "ui",
                "originConfiguration": {"restrictions": {"publish": "ALLOW", "upstream": "BLOCK"}},
            }})
        );
    }
}
