//! How packages and their origin settings look in answers.

use larder_core::model::{AllowPublish, AllowUpstream, OriginRestrictions, Package, PackageKey, Revision, VersionText};
use serde::Serialize;

/// `format`, `namespace` and `package`, as most answers name a package.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct PackageCoordinate {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    package: String,
}

impl PackageCoordinate {
    pub(in crate::codeartifact) fn new(key: &PackageKey) -> Self {
        Self {
            format: key.format().as_str(),
            namespace: key.namespace().map(str::to_owned),
            package: key.name().to_owned(),
        }
    }
}

/// A package, one of its versions and the version's revision, as the lists of one version's parts name it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct VersionCoordinate {
    #[serde(flatten)]
    package: PackageCoordinate,
    version: String,
    version_revision: String,
}

impl VersionCoordinate {
    pub(in crate::codeartifact) fn new(key: &PackageKey, version: &VersionText, revision: Revision) -> Self {
        Self { package: PackageCoordinate::new(key), version: version.to_string(), version_revision: revision.0 }
    }
}

/// `PackageSummary`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codeartifact) struct PackageSummaryShape {
    #[serde(flatten)]
    coordinate: PackageCoordinate,
    origin_configuration: OriginConfigurationShape,
}

impl PackageSummaryShape {
    pub(in crate::codeartifact) fn new(package: &Package) -> Self {
        Self {
            coordinate: PackageCoordinate::new(&package.key),
            origin_configuration: OriginConfigurationShape::new(package.restrictions),
        }
    }
}

/// `PackageOriginConfiguration`.
#[derive(Debug, Serialize)]
pub(in crate::codeartifact) struct OriginConfigurationShape {
    restrictions: RestrictionsShape,
}

#[derive(Debug, Serialize)]
struct RestrictionsShape {
    publish: &'static str,
    upstream: &'static str,
}

impl OriginConfigurationShape {
    pub(in crate::codeartifact) fn new(restrictions: OriginRestrictions) -> Self {
        let publish = match restrictions.publish {
            AllowPublish::Allow => "ALLOW",
            AllowPublish::Block => "BLOCK",
        };
        let upstream = match restrictions.upstream {
            AllowUpstream::Allow => "ALLOW",
            AllowUpstream::Block => "BLOCK",
        };
        Self { restrictions: RestrictionsShape { publish, upstream } }
    }
}

/// The values of `publish`.
pub(in crate::codeartifact) const ALLOW_PUBLISH: &[(&str, AllowPublish)] =
    &[("ALLOW", AllowPublish::Allow), ("BLOCK", AllowPublish::Block)];
/// The values of `upstream`.
pub(in crate::codeartifact) const ALLOW_UPSTREAM: &[(&str, AllowUpstream)] =
    &[("ALLOW", AllowUpstream::Allow), ("BLOCK", AllowUpstream::Block)];
