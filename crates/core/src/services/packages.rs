//! Packages of one repository and their origin settings (reference 2.4, 4.1). Upstreams are never looked at.

use std::sync::Arc;

use crate::access::{Allowed, PackageTarget, RepositoryTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{OriginRestrictions, Package, PackageKey, Page, PageRequest, RepositoryId};
use crate::ports::{Change, MetadataStore, PackageFilter};

/// Lists, describes and deletes packages and sets their origin controls.
pub struct PackageService {
    store: Arc<dyn MetadataStore>,
}

impl PackageService {
    /// Wires it up.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>) -> Self {
        Self { store }
    }

    /// The packages held here, including those without versions.
    ///
    /// # Errors
    /// [`Error::Validation`] for a namespace without a format.
    pub async fn list(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        filter: &PackageFilter,
        page: &PageRequest,
    ) -> Result<Page<Package>> {
        if filter.namespace.is_some() && filter.format.is_none() {
            return Err(Error::validation("namespace", "namespace can only be given together with format"));
        }
        self.store.list_packages(allowed.target().repository.id, filter, page).await
    }

    /// The package with its own settings, not the effective ones.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package.
    pub async fn describe(&self, allowed: &Allowed<PackageTarget>) -> Result<Package> {
        get_package(&*self.store, allowed).await
    }

    /// Removes the package, its settings and its versions here, and answers its last description.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package.
    pub async fn delete(&self, allowed: &Allowed<PackageTarget>) -> Result<Package> {
        let last = self.describe(allowed).await?;
        self.store.apply(allowed.actor(), Change::DeletePackage { package: last.id }).await?;
        Ok(last)
    }

    /// Sets the origin controls; creates an empty package if there is none, so that a name can be blocked beforehand.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn put_origin_configuration(
        &self,
        allowed: &Allowed<PackageTarget>,
        restrictions: OriginRestrictions,
    ) -> Result<OriginRestrictions> {
        let PackageTarget { repository, package, .. } = allowed.target();
        let change =
            Change::PutOriginRestrictions { repository: repository.id, package: package.clone(), restrictions };
        self.store.apply(allowed.actor(), change).await?;
        Ok(restrictions)
    }
}

/// The package that may be acted on.
///
/// # Errors
/// [`Error::ResourceNotFound`] if this repository has no such package.
pub(super) async fn get_package(store: &dyn MetadataStore, allowed: &Allowed<PackageTarget>) -> Result<Package> {
    let PackageTarget { repository, package, .. } = allowed.target();
    store.find_package(repository.id, package).await?.ok_or_else(|| no_such_package(repository.id, package))
}

/// In AWS's words (reference 1.9).
fn no_such_package(repository: RepositoryId, package: &PackageKey) -> Error {
    let namespace = package.namespace().map_or_else(String::new, |namespace| format!("namespace={namespace}, "));
    Error::not_found(
        ResourceType::Package,
        package.to_string(),
        format!(
            "Package not found in repository. RepoId: {}, Package = PackageCoordinate{{packageType={}, {namespace}packageName={}}}",
            repository.0,
            package.format(),
            package.name(),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PackageFormat;

    #[test]
    fn a_missing_package_is_named_with_its_coordinate() {
        let key = PackageKey::new(PackageFormat::Npm, Some("vue"), "ui").unwrap();
        assert_eq!(
            no_such_package(RepositoryId(7), &key).to_string(),
            "Package not found in repository. RepoId: 7, Package = \
             PackageCoordinate{packageType=npm, namespace=vue, packageName=ui}"
        );
    }
}
