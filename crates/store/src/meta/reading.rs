//! The port through which packages, versions and assets are read.

use async_trait::async_trait;
use larder_core::Result;
use larder_core::model::{
    Asset, DomainId, Package, PackageFormat, PackageKey, PackageVersion, Page, PageRequest, RepositoryId, Sha256,
    VersionDetails, VersionId, VersionText,
};
use larder_core::ports::{HostedPackage, PackageFilter, Packages, VersionFilter};

use super::canonical::{self, PutCanonical};
use super::{Store, assets, packages, paging, versions};
use crate::sql::{Conn, Work};

/// Reads a package with all of its versions and their assets: for many versions, not a matter of microseconds.
struct LoadPackage {
    repository: RepositoryId,
    key: PackageKey,
}

impl Work for LoadPackage {
    type Output = Option<HostedPackage>;

    async fn run(&self, conn: &mut Conn) -> Result<Self::Output> {
        let Some(package) = packages::find(conn, self.repository, &self.key).await? else { return Ok(None) };
        let versions = versions::load(conn, package.id).await?;
        Ok(Some(HostedPackage { package, versions }))
    }
}

#[async_trait]
impl Packages for Store {
    async fn find_package(&self, repository: RepositoryId, key: &PackageKey) -> Result<Option<Package>> {
        packages::find(&mut self.database.snapshot().await?, repository, key).await
    }

    async fn find_package_twin(&self, repository: RepositoryId, key: &PackageKey) -> Result<Option<PackageKey>> {
        packages::find_twin(&mut self.database.read().await?, repository, key).await
    }

    async fn list_packages(
        &self,
        repository: RepositoryId,
        filter: &PackageFilter,
        page: &PageRequest,
    ) -> Result<Page<Package>> {
        packages::list(&mut self.database.read().await?, repository, filter, page).await
    }

    async fn load_package(&self, repository: RepositoryId, key: &PackageKey) -> Result<Option<HostedPackage>> {
        self.database.long_read(LoadPackage { repository, key: key.clone() }).await
    }

    async fn package_revisions(
        &self,
        repositories: &[RepositoryId],
        key: &PackageKey,
    ) -> Result<Vec<(RepositoryId, i64)>> {
        packages::revisions(&mut self.database.snapshot().await?, repositories, key).await
    }

    async fn find_version(
        &self,
        repository: RepositoryId,
        key: &PackageKey,
        version: &VersionText,
    ) -> Result<Option<PackageVersion>> {
        versions::find(&mut self.database.snapshot().await?, repository, key, version).await
    }

    async fn list_versions(
        &self,
        package: &Package,
        filter: &VersionFilter,
        page: &PageRequest,
    ) -> Result<Page<PackageVersion>> {
        versions::list(&mut self.database.read().await?, package.id, filter, page).await
    }

    async fn newest_version(&self, package: &Package) -> Result<Option<VersionText>> {
        versions::newest(&mut self.database.read().await?, package.id).await
    }

    async fn list_versions_without_canonical(
        &self,
        package: &Package,
        limit: usize,
    ) -> Result<Vec<(VersionId, VersionText)>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        canonical::list_without(&mut self.database.read().await?, package.id, limit).await
    }

    async fn put_canonical_versions(&self, versions: Vec<(VersionId, String)>) -> Result<()> {
        self.database.write(PutCanonical(versions)).await
    }

    async fn list_assets(&self, version: VersionId, page: &PageRequest) -> Result<Page<Asset>> {
        let mut conn = self.database.read().await?;
        let assets = assets::page_of_version(&mut conn, version, page.key(0), paging::rows(page.limit)).await?;
        Ok(Page::cut(assets, page.limit, |asset| vec![asset.name.to_string()]))
    }

    async fn version_details(&self, version: VersionId) -> Result<VersionDetails> {
        versions::details(&mut self.database.read().await?, version).await
    }

    async fn list_package_names(
        &self,
        repositories: &[RepositoryId],
        format: PackageFormat,
        page: &PageRequest,
    ) -> Result<Page<(PackageKey, String)>> {
        let mut conn = self.database.snapshot().await?;
        // Each repository's part of the page; what several have keeps the spelling of the first.
        let mut names: Vec<(PackageKey, String)> = Vec::new();
        for repository in repositories {
            names.extend(packages::list_names(&mut conn, *repository, format, page).await?);
        }
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        names.dedup_by(|(a, _), (b, _)| a == b);
        let position = |key: &PackageKey| vec![key.namespace().unwrap_or("").to_owned(), key.name().to_owned()];
        Ok(Page::cut(names, page.limit, |(key, _)| position(key)))
    }

    async fn list_blob_references(
        &self,
        after: Option<(DomainId, Sha256)>,
        limit: usize,
    ) -> Result<Vec<(DomainId, Sha256, u64)>> {
        assets::list_blobs(&mut self.database.read().await?, after, limit).await
    }

    async fn unreferenced(&self, blobs: &[(DomainId, Sha256)]) -> Result<Vec<(DomainId, Sha256)>> {
        let mut conn = self.database.read().await?;
        let mut found = Vec::new();
        for (domain, sha256) in blobs {
            if !assets::is_referred(&mut conn, *domain, sha256).await? {
                found.push((*domain, *sha256));
            }
        }
        Ok(found)
    }
}
