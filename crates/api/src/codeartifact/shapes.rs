//! The shapes that several operations answer with (reference 1.5). Members that have no value are left out.

mod batch;
mod domain;
mod package;
mod package_group;
mod policy;
mod repository;
mod version;

pub(super) use batch::BatchOutput;
pub(super) use domain::{DomainOutput, DomainShape};
pub(super) use package::{
    ALLOW_PUBLISH, ALLOW_UPSTREAM, OriginConfigurationShape, PackageCoordinate, PackageSummaryShape, VersionCoordinate,
};
pub(super) use package_group::{
    AssociatedPackageShape, PackageGroupOutput, PackageGroupShape, PackageGroupsOutput, RESTRICTION_MODES,
    RESTRICTION_TYPES,
};
pub(super) use policy::{PolicyOutput, TagShape};
pub(super) use repository::{RepositoriesOutput, RepositoryOutput, RepositoryShape, RepositorySummaryShape};
pub(super) use version::{AssetShape, OriginShape};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
