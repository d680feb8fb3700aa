//! `POST /v1/package/version/dependencies`: ListPackageVersionDependencies. The page size cannot be chosen.

use larder_core::error::Result;
use larder_core::model::Dependency;
use larder_http::Response;
use serde::Serialize;

use super::address::VersionAddress;
use super::call::{Call, answer};
use super::query::next_token;
use super::shapes::VersionCoordinate;

const PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(flatten)]
    coordinate: VersionCoordinate,
    dependencies: Vec<DependencyShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `PackageDependency`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DependencyShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    package: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependency_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_requirement: Option<String>,
}

impl From<Dependency> for DependencyShape {
    fn from(dependency: Dependency) -> Self {
        let Dependency { namespace, package, dependency_type, version_requirement } = dependency;
        Self { namespace, package, dependency_type, version_requirement }
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let VersionAddress { package, version } = VersionAddress::parse(&call.query)?;
    let mut page = call.query.page(call.operation, PAGE)?;
    page.limit = PAGE;
    let version = call.version(package.package.format, &version)?;
    let allowed = call.authorize_package(&package).await?;
    let listed = call.services.versions.list_dependencies(&allowed, &version, &page).await?;
    Ok(answer(&Output {
        coordinate: VersionCoordinate::new(allowed.package(), &version, listed.revision),
        dependencies: listed.content.items.into_iter().map(DependencyShape::from).collect(),
        next_token: next_token(call.operation, listed.content.next),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dependency_leaves_out_what_the_manifest_does_not_say() {
        let dependency = Dependency {
            namespace: None,
            package: "left-pad".into(),
            dependency_type: Some("regular".into()),
            version_requirement: Some("^1.0.0".into()),
        };
        assert_eq!(
            serde_json::to_value(DependencyShape::from(dependency)).unwrap(),
            json!({"package": "left-pad", "dependencyType": "regular", "versionRequirement": "^1.0.0"})
        );
    }
}
