//! Package versions of one repository: reading them and changing their status (reference 2.5-2.7). Upstreams are never
//! looked at; copying is in [`super::copies`].

use std::sync::Arc;

use super::graph::Graph;
use super::packages::get_package;
use super::{Cooldowns, Formats};
use crate::access::{Allowed, PackageTarget};
use crate::error::{ConflictKind, Error, ResourceType, Result};
use crate::model::{
    Asset, AssetKind, AssetName, Dependency, Package, PackageVersion, Page, PageRequest, PageToken, Revision,
    VersionDetails, VersionStatus, VersionText,
};
use crate::ports::{Applied, BatchOutcome, BatchSelection, Blob, BlobStore, Change, MetadataStore, VersionFilter};

/// Describes, lists, copies, withdraws and deletes package versions.
pub struct VersionService {
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) formats: Formats,
    pub(super) graph: Arc<Graph>,
    pub(super) cooldowns: Arc<Cooldowns>,
}

/// A version with what was read from its own files.
#[derive(Debug, Clone)]
pub struct DescribedVersion {
    pub package: Package,
    pub version: PackageVersion,
    pub details: VersionDetails,
}

/// A page of a package's versions.
#[derive(Debug, Clone)]
pub struct ListedVersions {
    /// What a person is shown first: the version that `latest` names, else the newest. `None` if no version is published.
    pub default_display_version: Option<VersionText>,
    pub versions: Page<PackageVersion>,
}

/// Something listed of one version, and the revision it belongs to.
#[derive(Debug, Clone)]
pub struct OfVersion<T> {
    pub revision: Revision,
    pub content: T,
}

impl VersionService {
    /// One version, in whatever status.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package or version.
    pub async fn describe(&self, allowed: &Allowed<PackageTarget>, version: &VersionText) -> Result<DescribedVersion> {
        let package = get_package(&*self.store, allowed).await?;
        let version = self.get_version(allowed, version).await?;
        let details = self.store.version_details(version.id).await?;
        Ok(DescribedVersion { package, version, details })
    }

    /// The versions held here, by default in every status.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package.
    pub async fn list(
        &self,
        allowed: &Allowed<PackageTarget>,
        filter: &VersionFilter,
        page: &PageRequest,
    ) -> Result<ListedVersions> {
        let package = get_package(&*self.store, allowed).await?;
        let default_display_version = self.default_display_version(&package).await?;
        let versions = self.store.list_versions(&package, filter, page).await?;
        Ok(ListedVersions { default_display_version, versions })
    }

    async fn default_display_version(&self, package: &Package) -> Result<Option<VersionText>> {
        let latest = self.formats.get(package.key.format()).ok().and_then(|format| format.default_version_tag());
        let tagged = package.tags.iter().find(|(tag, _)| Some(tag.as_str()) == latest);
        match tagged.and_then(|(_, version)| VersionText::new(version).ok()) {
            Some(version) => Ok(Some(version)),
            None => self.store.newest_version(package).await,
        }
    }

    /// The version's assets by name; none once it is disposed.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such version.
    pub async fn list_assets(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        page: &PageRequest,
    ) -> Result<OfVersion<Page<Asset>>> {
        let version = self.get_version(allowed, version).await?;
        let content = self.store.list_assets(version.id, page).await?;
        Ok(OfVersion { revision: version.revision, content })
    }

    /// What the version's manifest depends on directly, in its order.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such version, [`Error::Validation`] for a page token of
    /// another list.
    pub async fn list_dependencies(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        page: &PageRequest,
    ) -> Result<OfVersion<Page<Dependency>>> {
        let version = self.get_version(allowed, version).await?;
        let details = self.store.version_details(version.id).await?;
        let content = page_of(details.dependencies, page)?;
        Ok(OfVersion { revision: version.revision, content })
    }

    /// The README as found in the package.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such version or it has no README.
    pub async fn get_readme(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
    ) -> Result<OfVersion<String>> {
        let found = self.get_version(allowed, version).await?;
        let details = self.store.version_details(found.id).await?;
        let content = details.readme.filter(|readme| !readme.is_empty()).ok_or_else(|| {
            Error::not_found(
                ResourceType::PackageVersion,
                version.as_str(),
                format!("Version '{version}' of '{}' has no readme", allowed.package()),
            )
        })?;
        Ok(OfVersion { revision: found.revision, content })
    }

    /// Opens one asset of a version held here. `revision` pins the version's revision. The assets of an Unfinished
    /// version can be read this way.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the version or asset is not here, is archived or disposed; [`Error::Conflict`] if
    /// the version has another revision.
    pub async fn open_asset(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        asset: &AssetName,
        revision: Option<&Revision>,
    ) -> Result<OfVersion<(Asset, Blob)>> {
        let found = self.get_version(allowed, version).await?;
        if matches!(found.status, VersionStatus::Archived | VersionStatus::Disposed) {
            return Err(Error::not_found(
                ResourceType::PackageVersion,
                version.as_str(),
                format!("The assets of version '{version}' cannot be read, its status is {}", found.status),
            ));
        }
        if let Some(expected) = revision.filter(|expected| **expected != found.revision) {
            return Err(Error::conflict(
                ConflictKind::Revision,
                ResourceType::PackageVersion,
                version.as_str(),
                revision_differs(&found.revision, expected),
            ));
        }
        let stored = found.assets.into_iter().find(|stored| stored.name == *asset && stored.kind == AssetKind::Asset);
        let stored = stored.ok_or_else(|| {
            Error::not_found(
                ResourceType::Asset,
                asset.as_str(),
                format!("Version '{version}' of '{}' has no asset '{asset}'", allowed.package()),
            )
        })?;
        let blob = self.blobs.open(allowed.target().domain.id, stored.digests.sha256, None).await?;
        Ok(OfVersion { revision: found.revision, content: (stored, blob) })
    }

    /// Sets the status of versions to Published, Unlisted or Archived: all of them or none.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package, [`Error::Validation`] for another target.
    pub async fn update_status(
        &self,
        allowed: &Allowed<PackageTarget>,
        selection: BatchSelection,
        target: VersionStatus,
    ) -> Result<BatchOutcome> {
        if !matches!(target, VersionStatus::Published | VersionStatus::Unlisted | VersionStatus::Archived) {
            let message = format!("targetStatus must be Published, Unlisted or Archived, not {target}");
            return Err(Error::validation("targetStatus", message));
        }
        let package = get_package(&*self.store, allowed).await?.id;
        self.apply_batch(allowed, Change::UpdateVersionsStatus { package, selection, target }).await
    }

    /// Removes the assets of versions for good and keeps their records.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package.
    pub async fn dispose(&self, allowed: &Allowed<PackageTarget>, selection: BatchSelection) -> Result<BatchOutcome> {
        let package = get_package(&*self.store, allowed).await?.id;
        self.apply_batch(allowed, Change::DisposeVersions { package, selection }).await
    }

    /// Removes versions with their assets; the package and its origin settings stay.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such package.
    pub async fn delete(&self, allowed: &Allowed<PackageTarget>, selection: BatchSelection) -> Result<BatchOutcome> {
        let package = get_package(&*self.store, allowed).await?.id;
        self.apply_batch(allowed, Change::DeleteVersions { package, selection }).await
    }

    /// Removes one asset of a version for good.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if this repository has no such version or asset, [`Error::Conflict`] if somebody
    /// else changed the version meanwhile.
    pub async fn delete_asset(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        asset: &AssetName,
    ) -> Result<()> {
        let found = self.get_version(allowed, version).await?;
        let change = Change::DeleteAsset { version: found.id, expected: found.revision, asset: asset.clone() };
        self.store.apply(allowed.actor(), change).await.map(drop)
    }

    pub(super) async fn apply_batch(&self, allowed: &Allowed<PackageTarget>, change: Change) -> Result<BatchOutcome> {
        match self.store.apply(allowed.actor(), change).await? {
            Applied::Versions(outcome) => Ok(outcome),
            other => Err(Error::internal(format!("the store answered a batch with {other:?}"))),
        }
    }

    async fn get_version(&self, allowed: &Allowed<PackageTarget>, version: &VersionText) -> Result<PackageVersion> {
        let PackageTarget { repository, package, .. } = allowed.target();
        if let Some(found) = self.store.find_version(repository.id, package, version).await? {
            return Ok(found);
        }
        get_package(&*self.store, allowed).await?;
        Err(Error::not_found(
            ResourceType::PackageVersion,
            version.as_str(),
            format!("Version '{version}' of '{package}' is not in repository '{}'", repository.name),
        ))
    }
}

/// In AWS's words (reference 1.9).
pub(super) fn revision_differs(current: &Revision, expected: &Revision) -> String {
    format!("current revision: {current}, expected revision: {expected}")
}

/// A page of a list that is kept whole with its version; its position is an index.
fn page_of<T>(items: Vec<T>, page: &PageRequest) -> Result<Page<T>> {
    let start = match page.key(0) {
        "" => 0,
        position => position.parse::<usize>().map_err(|_| {
            Error::validation("nextToken", "the pagination token belongs to another list; repeat the call without it")
        })?,
    };
    let end = start.saturating_add(page.limit);
    let next = (end < items.len()).then(|| PageToken(vec![end.to_string()]));
    Ok(Page { items: items.into_iter().skip(start).take(page.limit).collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_kept_whole_is_walked_page_by_page_without_gap_or_repeat() {
        let all: Vec<_> = (0..7).collect();
        for limit in 1..9 {
            let mut page = PageRequest::first(limit);
            let mut seen = Vec::new();
            loop {
                let Page { items, next } = page_of(all.clone(), &page).unwrap();
                seen.extend(items);
                let Some(token) = next else { break };
                page.after = Some(token);
            }
            assert_eq!(seen, all, "pages of {limit}");
        }
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        let page = PageRequest { limit: 1, after: Some(PageToken(vec!["left-pad".into()])) };
        assert!(matches!(page_of(vec![1], &page), Err(Error::Validation { .. })));
    }
}
