//! Publishing directly to a repository (reference 3.5, 3.10).

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::finding::{note_group, note_repository};
use super::ingestion::merge;
use super::view::Views;
use super::{Associations, Formats, Limits};
use crate::access::{Allowed, PackageTarget};
use crate::error::{ConflictKind, Error, ResourceType, Result};
use crate::model::{
    AllowPublish, AllowUpstream, AssetKind, AssetName, NewAsset, Origin, OriginRestrictions, Package, PackageFormat,
    Publication, PublishMode, Published, Revision, TagUpdate, VersionDetails, VersionStatus, VersionText,
};
use crate::ports::{Applied, BlobStore, Change, MetadataStore, PublishAs, StagedBlob};
use crate::refusal::{Refusal, Step, Trace};

/// A checked upload: the format has read it and its digests are what the client said.
#[derive(Debug)]
pub struct Upload {
    /// As the publisher spells the package.
    pub display_name: String,
    pub version: VersionText,
    pub assets: Vec<UploadedAsset>,
    /// The version's document as the format keeps it.
    pub metadata: Bytes,
    pub details: VersionDetails,
    pub mode: PublishMode,
    /// More assets may follow before the version is usable.
    pub unfinished: bool,
    /// dist-tags to point to the version.
    pub tags: Vec<TagUpdate>,
}

/// A file of an upload.
#[derive(Debug)]
pub struct UploadedAsset {
    pub name: AssetName,
    pub kind: AssetKind,
    pub staged: StagedBlob,
    /// What the format keeps about the file.
    pub metadata: Bytes,
}

/// Versions at a time whose canonical texts are filled in.
const FILLED_AT_ONCE: usize = 500;

/// Publishes versions and changes what hangs on them.
pub struct Publishing {
    pub(super) views: Arc<Views>,
    pub(super) associations: Arc<Associations>,
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) formats: Formats,
    pub(super) limits: Limits,
}

impl Publishing {
    /// Stores the upload. When this returns it survives power loss and every later read sees it.
    ///
    /// # Errors
    /// [`Error::Refused`] if origin controls block publishing; [`Error::Conflict`] if the version, or an asset with
    /// other bytes, exists here or the version exists upstream; [`Error::QuotaExceeded`].
    pub async fn publish(&self, allowed: &Allowed<PackageTarget>, upload: Upload) -> Result<Published> {
        let target = allowed.target();
        let (repository, key) = (&target.repository, &target.package);
        let package = self.store.find_package(repository.id, key).await?;
        self.check_origin(allowed, package.as_ref(), &upload.version).await?;
        self.check_quota(target, &upload).await?;
        let canonical = self.formats.canonical_version(key.format(), &upload.version);
        if let (Some(_), Some(package)) = (&canonical, &package) {
            self.fill_canonical(package).await?;
        }

        let mut assets = Vec::with_capacity(upload.assets.len());
        for asset in upload.assets {
            let digests = asset.staged.digests.clone();
            self.blobs.commit(target.domain.id, asset.staged).await?;
            assets.push(NewAsset { name: asset.name, kind: asset.kind, digests, metadata: asset.metadata });
        }
        let publication = Publication {
            domain: target.domain.id,
            repository: repository.id,
            package: key.clone(),
            display_name: upload.display_name,
            version: upload.version,
            canonical,
            assets,
            metadata: upload.metadata,
            details: merge(VersionDetails::default(), upload.details),
            status: if upload.unfinished { VersionStatus::Unfinished } else { VersionStatus::Published },
            origin: Origin::internal(repository.name.clone()),
            source_published_at: None,
            mode: upload.mode,
            tags: upload.tags,
            default_restrictions: OriginRestrictions::PUBLISHED,
            requires_publish: Some(AllowPublish::Allow),
        };
        match self.store.apply(allowed.actor(), Change::Publish(Box::new(publication))).await? {
            Applied::Published(published) => Ok(published),
            other => Err(Error::internal(format!("the store answered a publish with {other:?}"))),
        }
    }

    /// Gives the versions their canonical texts that were stored before these were kept: once in a package's life.
    async fn fill_canonical(&self, package: &Package) -> Result<()> {
        loop {
            let versions = self.store.list_versions_without_canonical(package, FILLED_AT_ONCE).await?;
            let is_last = versions.len() < FILLED_AT_ONCE;
            if !versions.is_empty() {
                let canonical = |text: &VersionText| self.formats.canonical_version(package.key.format(), text);
                let filled = versions
                    .into_iter()
                    .map(|(id, text)| (id, canonical(&text).unwrap_or_else(|| text.to_string())))
                    .collect();
                self.store.put_canonical_versions(filled).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Origin controls, the package's group, and the version must not be reachable elsewhere. Also worth asking before a large body is read.
    ///
    /// # Errors
    /// As [`Publishing::publish`].
    pub async fn check_origin(
        &self,
        allowed: &Allowed<PackageTarget>,
        package: Option<&Package>,
        version: &VersionText,
    ) -> Result<()> {
        let target = allowed.target();
        let restrictions = package.map(|package| package.restrictions);
        if restrictions.is_some_and(|restrictions| restrictions.publish == AllowPublish::Block) {
            return Err(Refusal::origin_publish(&target.package, &target.repository.name).into());
        }
        let group = self.associations.get(target.domain.id, &target.package).await?;
        let PackageTarget { repository, package: key, .. } = target;
        if let Some(refusal) = group.refuses_publish(key, repository.id, &repository.name) {
            return Err(refusal.into());
        }
        let upstream = restrictions.map_or(AllowUpstream::Allow, |restrictions| restrictions.upstream);
        if upstream == AllowUpstream::Block || target.package.format() == PackageFormat::Generic {
            return Ok(());
        }
        if self.exists_upstream(target, package, version).await? {
            return Err(Error::conflict(
                ConflictKind::ExistsUpstream,
                ResourceType::PackageVersion,
                version.as_str(),
                format!(
                    "version '{version}' of '{}' exists in an upstream repository or public registry of '{}'; publish \
                     another version, or block upstream for the package with put-package-origin-configuration",
                    target.package, target.repository.name
                ),
            ));
        }
        Ok(())
    }

    /// As [`Publishing::check_origin`], writing down what is looked at.
    ///
    /// # Errors
    /// As [`Publishing::check_origin`].
    pub(super) async fn explain_origin(
        &self,
        allowed: &Allowed<PackageTarget>,
        package: Option<&Package>,
        version: &VersionText,
        trace: &mut Trace,
    ) -> Result<()> {
        let PackageTarget { repository, package: key, .. } = allowed.target();
        let stored = self.store.find_version(repository.id, key, version).await?;
        note_repository(repository, package, stored.as_ref(), trace);
        note_group(&self.views.graph.walk(repository, key).await?, trace);
        let decided = self.check_origin(allowed, package, version).await;
        if let Err(error) = &decided {
            trace.note(|| {
                let step = Step::new("publish", repository.name.as_str(), error.to_string());
                error.denial().map_or(step.clone(), |code| step.refusing(code))
            });
        }
        decided
    }

    /// `own` is what the target repository itself has.
    async fn exists_upstream(
        &self,
        target: &PackageTarget,
        own: Option<&Package>,
        version: &VersionText,
    ) -> Result<bool> {
        let key = &target.package;
        let mut walk = self.views.graph.walk(&target.repository, key).await?;
        while let Some(repository) = walk.next().await? {
            let found;
            let package = if repository.id == target.repository.id {
                own
            } else {
                found = self.store.find_package(repository.id, key).await?;
                found.as_ref()
            };
            if repository.id != target.repository.id
                && package.is_some()
                && self.store.find_version(repository.id, key, version).await?.is_some()
            {
                return Ok(true);
            }
            let upstream = package.map(|package| package.restrictions.upstream);
            let Some(connection) = walk.enter(&repository, upstream) else { continue };
            match self.views.indexes.get(repository.id, connection, key).await {
                Ok(current) if current.index.body.is_some() => {
                    let format = Arc::clone(self.formats.get(key.format())?);
                    let (package, wanted) = (key.clone(), version.clone());
                    let promise =
                        tokio::task::spawn_blocking(move || format.promise(&package, &current.index, &wanted))
                            .await
                            .map_err(Error::internal)?;
                    if matches!(promise, Ok(Some(_))) {
                        return Ok(true);
                    }
                }
                Ok(_) => {}
                // A registry that is away does not stop publishing (reference 3.5).
                Err(error @ Error::Upstream { .. }) => {
                    tracing::warn!(package = %key, %connection, %error, "could not check whether a version exists upstream");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn check_quota(&self, target: &PackageTarget, upload: &Upload) -> Result<()> {
        for asset in &upload.assets {
            if asset.staged.digests.size_bytes > self.limits.asset_size_bytes {
                return Err(Error::QuotaExceeded {
                    resource_type: ResourceType::Asset,
                    resource_id: asset.name.to_string(),
                    message: format!("an asset has at most {} bytes", self.limits.asset_size_bytes),
                });
            }
        }
        let mut names: HashSet<_> = upload.assets.iter().map(|asset| asset.name.clone()).collect();
        if upload.mode != PublishMode::NewVersion
            && let Some(stored) =
                self.store.find_version(target.repository.id, &target.package, &upload.version).await?
        {
            names.extend(stored.assets.into_iter().map(|asset| asset.name));
        }
        if names.len() > self.limits.assets_per_version {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::PackageVersion,
                resource_id: upload.version.to_string(),
                message: format!("a version has at most {} assets", self.limits.assets_per_version),
            });
        }
        Ok(())
    }

    /// Sets or removes a dist-tag. A tag on a version that only upstream has is refused: retain it first.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if package, version or (on removal) tag is missing here.
    pub async fn put_tag(
        &self,
        allowed: &Allowed<PackageTarget>,
        tag: &str,
        version: Option<&VersionText>,
    ) -> Result<()> {
        let package = self.get_package(allowed).await?;
        let change = Change::PutTag { package: package.id, tag: tag.to_owned(), version: version.cloned() };
        self.store.apply(allowed.actor(), change).await.map(drop)
    }

    /// Replaces a version's format metadata (deprecation, yanking) if its revision is still `expected`.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], or [`Error::Conflict`] if somebody else changed it meanwhile.
    pub async fn put_version_metadata(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
        metadata: Bytes,
        expected: Revision,
    ) -> Result<()> {
        let target = allowed.target();
        let found =
            self.store.find_version(target.repository.id, &target.package, version).await?.ok_or_else(|| {
                Error::not_found(
                    ResourceType::PackageVersion,
                    version.as_str(),
                    format!(
                        "version '{version}' of '{}' is not in repository '{}'",
                        target.package, target.repository.name
                    ),
                )
            })?;
        let change = Change::PutVersionMetadata { version: found.id, expected, metadata };
        self.store.apply(allowed.actor(), change).await.map(drop)
    }

    /// Publishes the assets of `source` under the name `name` too; see [`PublishAs`]. `expected` is the revision of
    /// `name` that the caller saw.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if package or source is missing here, [`Error::Conflict`] if `name` is not as
    /// expected or the source's assets are gone.
    pub async fn publish_as(
        &self,
        allowed: &Allowed<PackageTarget>,
        source: (&VersionText, VersionStatus),
        name: &VersionText,
        expected: Option<Revision>,
        metadata: Bytes,
    ) -> Result<()> {
        let package = self.get_package(allowed).await?.id;
        let (source, source_status) = (source.0.clone(), source.1);
        let wanted = PublishAs { package, source, source_status, name: name.clone(), expected, metadata };
        self.store.apply(allowed.actor(), Change::PublishAs(Box::new(wanted))).await.map(drop)
    }

    async fn get_package(&self, allowed: &Allowed<PackageTarget>) -> Result<Package> {
        let target = allowed.target();
        self.store.find_package(target.repository.id, &target.package).await?.ok_or_else(|| {
            Error::not_found(
                ResourceType::Package,
                target.package.to_string(),
                format!("package '{}' is not in repository '{}'", target.package, target.repository.name),
            )
        })
    }
}
