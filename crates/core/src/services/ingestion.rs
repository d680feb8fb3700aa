//! Keeping what was fetched from a public registry, under the repository that owns the connection (reference 3.3).

use std::sync::Arc;

use bytes::Bytes;

use super::Formats;
use super::fetch::FetchKey;
use crate::error::{Error, Result};
use crate::model::{
    Actor, AssetKind, AssetName, DomainId, ExternalConnection, NewAsset, Origin, OriginRestrictions, PackageKey,
    Publication, PublishMode, RepositoryId, Timestamp, VersionDetails, VersionStatus,
};
use crate::ports::{BlobStore, Change, Inspected, MetadataStore, Promise, PromisedAsset, StagedBlob, StoredIndex};

/// A fetched asset and the version that it belongs to.
#[derive(Clone)]
pub(crate) struct Ingest {
    /// On whose behalf.
    pub(crate) actor: Actor,
    pub(crate) domain: DomainId,
    pub(crate) package: PackageKey,
    pub(crate) connection: ExternalConnection,
    pub(crate) promise: Arc<Promise>,
    pub(crate) asset: PromisedAsset,
}

/// Stores fetched assets.
pub(crate) struct Ingestion {
    pub(crate) store: Arc<dyn MetadataStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) formats: Formats,
}

impl Ingestion {
    /// Whether the asset is stored where its fetch would put it.
    pub(crate) async fn holds(&self, key: &FetchKey) -> Result<bool> {
        let version = self.store.find_version(key.repository, &key.package, &key.version).await?;
        Ok(version.is_some_and(|version| version.assets.iter().any(|asset| asset.name == key.asset)))
    }

    /// Whether what was downloaded is what the format asked for, beyond its digests.
    ///
    /// # Errors
    /// [`Error::Upstream`] if it is not.
    pub(crate) async fn check(&self, ingest: &Ingest, staged: StagedBlob) -> Result<StagedBlob> {
        let format = Arc::clone(self.formats.get(ingest.package.format())?);
        let (package, version) = (ingest.package.clone(), ingest.promise.version.clone());
        let asset = ingest.asset.clone();
        let checked = tokio::task::spawn_blocking(move || {
            format.check_download(&package, &version, &asset, staged.path()).map(|()| staged)
        });
        checked.await.map_err(Error::internal)?.map_err(|error| Error::Upstream {
            message: format!("the registry's file is not what was asked for, so it was discarded: {error}"),
            retry_after_seconds: None,
        })
    }

    /// Lets a promise be asked for again that a file was not as: what is held of the document is not fresh any more.
    pub(crate) async fn doubt(&self, key: &FetchKey, document: &PackageKey) -> Result<()> {
        let Some(held) = self.store.find_index(key.repository, key.connection, document).await? else { return Ok(()) };
        let doubted = StoredIndex { checked_at: Timestamp(0), ..held };
        self.store.put_index(key.repository, key.connection, document, &doubted).await.map(drop)
    }

    /// Reads what the archive says of itself, puts its bytes in place and records version and asset.
    pub(crate) async fn ingest(&self, repository: RepositoryId, ingest: Ingest, staged: StagedBlob) -> Result<()> {
        let format = Arc::clone(self.formats.get(ingest.package.format())?);
        let name = ingest.asset.name.clone();
        let (inspected, staged) = tokio::task::spawn_blocking(move || {
            let inspected = format.inspect(&name, staged.path());
            (inspected, staged)
        })
        .await
        .map_err(Error::internal)?;
        let Inspected { details, sidecars } = inspected;

        let mut assets = vec![NewAsset {
            name: ingest.asset.name.clone(),
            kind: AssetKind::Asset,
            digests: staged.digests.clone(),
            metadata: ingest.asset.metadata.clone(),
        }];
        self.blobs.commit(ingest.domain, staged).await?;
        for (name, kind, bytes) in sidecars {
            assets.push(store_small(self.blobs.as_ref(), ingest.domain, name, kind, bytes).await?);
        }
        let promise = &ingest.promise;
        let canonical = self.formats.canonical_version(ingest.package.format(), &promise.version);
        let publication = Publication {
            domain: ingest.domain,
            repository,
            package: ingest.package,
            display_name: promise.display_name.clone(),
            version: promise.version.clone(),
            canonical,
            assets,
            metadata: promise.metadata.clone(),
            details: merge(promise.details.clone(), details),
            status: VersionStatus::Published,
            origin: Origin::external(ingest.connection),
            source_published_at: promise.published_at,
            mode: PublishMode::AddAssets,
            tags: promise.tags.clone(),
            default_restrictions: OriginRestrictions::INGESTED,
            requires_publish: None,
        };
        self.store.apply(&ingest.actor, Change::Publish(Box::new(publication))).await?;
        Ok(())
    }
}

/// Stores a small file whose bytes are in memory.
pub(crate) async fn store_small(
    blobs: &dyn BlobStore,
    domain: DomainId,
    name: AssetName,
    kind: AssetKind,
    bytes: Bytes,
) -> Result<NewAsset> {
    let mut staging = blobs.stage().await?;
    staging.write(bytes).await?;
    let staged = staging.finish().await?;
    let digests = staged.digests.clone();
    blobs.commit(domain, staged).await?;
    Ok(NewAsset { name, kind, digests, metadata: Bytes::new() })
}

/// What the archive says comes before what the index said. Fields over the limit are dropped (reference 1.5).
pub(crate) fn merge(promised: VersionDetails, read: VersionDetails) -> VersionDetails {
    let limited = |text: Option<String>| text.filter(|text| text.len() <= VersionDetails::FIELD_LIMIT_BYTES);
    let either = |read: Option<String>, promised: Option<String>| limited(read.or(promised));
    VersionDetails {
        display_name: either(read.display_name, promised.display_name),
        summary: either(read.summary, promised.summary),
        home_page: either(read.home_page, promised.home_page),
        source_code_repository: either(read.source_code_repository, promised.source_code_repository),
        licenses: if read.licenses.is_empty() { promised.licenses } else { read.licenses },
        dependencies: if read.dependencies.is_empty() { promised.dependencies } else { read.dependencies },
        readme: either(read.readme, promised.readme),
    }
}
