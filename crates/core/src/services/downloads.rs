//! Finding an asset through the upstream graph and opening it (reference 3.3, 3.9).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use moka::sync::Cache;

use super::fetch::{Arrival, FetchJob, FetchKey, Fetches, SharedFetch};
use super::finding::{Hit, Wanted};
use super::view::{Dependencies, Views};
use super::{Background, Ingest};
use crate::access::{Allowed, RepositoryTarget, RequestNotes};
use crate::error::Result;
use crate::model::{
    Actor, AssetName, Digests, DomainId, ExpectedDigests, ExternalConnection, OriginRestrictions, PackageKey,
    Repository, RepositoryId, Sha256, Timestamp, VersionId, VersionText,
};
use crate::ports::{Blob, BlobStore, ByteRange, Change, MetadataStore, Promise, PromisedAsset};
use crate::refusal::Trace;

/// Opens assets for package managers.
pub struct Downloads {
    pub(super) views: Arc<Views>,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) fetches: Arc<Fetches>,
    pub(super) formats: super::Formats,
    pub(super) retention: Arc<Retention>,
    pub(super) found: Cache<String, Arc<FoundAsset>>,
}

/// A stored asset as found once, and what that depends on.
pub(super) struct FoundAsset {
    key: PackageKey,
    asset: StoredAsset,
    depends_on: Dependencies,
}

/// What serving a stored asset needs.
#[derive(Debug, Clone)]
struct StoredAsset {
    domain: DomainId,
    digests: Digests,
    published_at: Timestamp,
}

/// An asset that can be read.
#[derive(Clone)]
pub struct OpenedAsset {
    /// Unknown only while a registry that announced no length sends it.
    pub size_bytes: Option<u64>,
    /// Known once the asset is stored, or if its index promises it.
    pub sha256: Option<Sha256>,
    /// All of them once the asset is stored, else what its registry promises.
    pub digests: ExpectedDigests,
    /// When its source published it.
    pub published_at: Option<Timestamp>,
    source: Source,
    settled: bool,
}

#[derive(Clone)]
enum Source {
    Stored { blobs: Arc<dyn BlobStore>, domain: DomainId, sha256: Sha256 },
    Arriving(SharedFetch),
}

impl OpenedAsset {
    /// Whether parts of it can be read; an asset that is still arriving is read whole.
    #[must_use]
    pub fn is_seekable(&self) -> bool {
        matches!(self.source, Source::Stored { .. })
    }

    /// Whether opening it again is this again, for as long as nothing is committed: the repository that was asked holds
    /// it itself, so that nothing has to be fetched or retained.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Waits until it is stored, with all its digests. Opening it again then opens what is stored.
    ///
    /// # Errors
    /// What made its download fail, or that it could not be stored.
    pub async fn kept(self) -> Result<()> {
        match self.source {
            Source::Stored { .. } => Ok(()),
            Source::Arriving(mut fetch) => fetch.kept().await,
        }
    }

    /// Its bytes, or a part of them if it is seekable.
    ///
    /// # Errors
    /// When the blob store does not answer.
    pub async fn read(self, range: Option<ByteRange>) -> Result<Blob> {
        match self.source {
            Source::Stored { blobs, domain, sha256 } => blobs.open(domain, sha256, range).await,
            Source::Arriving(fetch) => Ok(Blob::Stream(fetch.stream())),
        }
    }
}

impl Downloads {
    /// How often a search is begun again because a download that others shared ended in between.
    const SEARCHES: usize = 3;

    /// Finds the asset, starting to fetch it if only a public registry has it. What is found elsewhere is retained in
    /// the repository that was asked, after the answer.
    ///
    /// # Errors
    /// [`crate::Error::ResourceNotFound`] if no source has it or its status hides it; [`crate::Error::Refused`] if it is held back for
    /// being young; [`crate::Error::Upstream`] if a registry that
    /// has it fails.
    pub async fn open(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: &VersionText,
        asset: &AssetName,
    ) -> Result<OpenedAsset> {
        RequestNotes::about(key, Some(version));
        let target = allowed.target();
        let name = format!("{} {key} {version} {asset}", target.repository.id.0);
        if let Some(found) = self.found.get(&name)
            && found.key == *key
            && found
                .depends_on
                .hold(&self.views.control, self.views.store.as_ref(), key, self.views.clock.now())
                .await?
        {
            return Ok(self.stored(&found.asset, true));
        }
        for _ in 0..Self::SEARCHES {
            let mut depends_on = Dependencies::begin(&self.views.control).await?;
            let wanted = Wanted { start: &target.repository, key, version, asset: Some(asset) };
            match self.find(wanted, &mut depends_on, &mut Trace::off()).await? {
                Hit::Stored { repository, version, asset } => {
                    let stored = StoredAsset {
                        domain: target.domain.id,
                        digests: asset.digests,
                        published_at: version.source_published_at.unwrap_or(version.published_at),
                    };
                    let opened = self.stored(&stored, repository == target.repository.id);
                    if repository == target.repository.id {
                        self.found.insert(name, Arc::new(FoundAsset { key: key.clone(), asset: stored, depends_on }));
                    } else {
                        self.retention.retain(allowed.actor(), target.repository.id, version.id);
                    }
                    return Ok(opened);
                }
                Hit::Offered { repository, connection, promise, asset } => {
                    if let Some(opened) = self.fetch(allowed, key, &repository, connection, promise, asset).await? {
                        return Ok(opened);
                    }
                }
            }
        }
        Err(Wanted { start: &target.repository, key, version, asset: Some(asset) }.missing())
    }

    fn stored(&self, asset: &StoredAsset, settled: bool) -> OpenedAsset {
        let sha256 = asset.digests.sha256;
        OpenedAsset {
            size_bytes: Some(asset.digests.size_bytes),
            sha256: Some(sha256),
            digests: ExpectedDigests::from(&asset.digests),
            published_at: Some(asset.published_at),
            source: Source::Stored { blobs: Arc::clone(&self.blobs), domain: asset.domain, sha256 },
            settled,
        }
    }

    /// Joins or starts the download; `None` if it turns out to be stored by now.
    async fn fetch(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        owner: &Repository,
        connection: ExternalConnection,
        promise: Arc<Promise>,
        asset: PromisedAsset,
    ) -> Result<Option<OpenedAsset>> {
        let target = allowed.target();
        let published_at = promise.published_at;
        let digests = asset.digests.clone();
        let sha256 = digests.sha256.map(Sha256);
        let format = self.formats.get(key.format())?;
        let document = format.promising_document(key, &promise.version, &asset.name);
        let document_path = format.index_request(&document).map(|request| request.path).unwrap_or_default();
        let fetch_key = FetchKey {
            repository: owner.id,
            connection,
            package: key.clone(),
            version: promise.version.clone(),
            asset: asset.name.clone(),
        };
        let job = FetchJob {
            key: fetch_key.clone(),
            document,
            document_path,
            ingest: Ingest {
                actor: allowed.actor().clone(),
                domain: target.domain.id,
                package: key.clone(),
                connection,
                promise,
                asset,
            },
        };
        if self.views.limits.fetches_whole_versions {
            self.fetch_others(&job, target.repository.id);
        }
        let mut shared = self.fetches.join(job);
        if owner.id != target.repository.id {
            self.retention.retain_fetched(allowed.actor(), target.repository.id, fetch_key, shared.clone());
        }
        let size_bytes = match shared.opened().await? {
            Arrival::Coming { size_bytes } => size_bytes,
            Arrival::Stored => return Ok(None),
        };
        let source = Source::Arriving(shared);
        Ok(Some(OpenedAsset { size_bytes, sha256, digests, published_at, source, settled: false }))
    }

    /// Fetches the version's other files, one after the other, whoever waits for this one.
    fn fetch_others(&self, asked: &FetchJob, into: RepositoryId) {
        let promise = &asked.ingest.promise;
        let others: Vec<FetchJob> = promise
            .assets
            .iter()
            .filter(|other| other.name != asked.key.asset)
            .map(|other| FetchJob {
                key: FetchKey { asset: other.name.clone(), ..asked.key.clone() },
                document: asked.document.clone(),
                document_path: asked.document_path.clone(),
                ingest: Ingest { asset: other.clone(), ..asked.ingest.clone() },
            })
            .collect();
        let (fetches, retention) = (Arc::clone(&self.fetches), Arc::clone(&self.retention));
        let name = format!("others of {} {} {}", asked.key.repository.0, asked.key.package, asked.key.version);
        self.retention.once((into, name), async move {
            for job in others {
                let (key, actor) = (job.key.clone(), job.ingest.actor.clone());
                let mut fetch = fetches.join(job);
                if key.repository != into {
                    retention.retain_fetched(&actor, into, key, fetch.clone());
                }
                // A failed fetch was logged where it failed, and is tried again when somebody asks for the file.
                let _ = fetch.kept().await;
            }
            Ok(())
        });
    }
}

/// Keeps references in the repository that was asked, after the answer.
pub(super) struct Retention {
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) background: Background,
    /// What is being retained now, so that a burst of requests writes once.
    pub(super) running: Mutex<HashSet<(RepositoryId, String)>>,
}

impl Retention {
    /// Retains a version that another repository of the domain holds.
    fn retain(self: &Arc<Self>, actor: &Actor, into: RepositoryId, source: VersionId) {
        let (this, actor) = (Arc::clone(self), actor.clone());
        self.once((into, format!("version {}", source.0)), async move { this.apply(&actor, into, source).await });
    }

    /// Retains a version once its fetch is stored.
    fn retain_fetched(self: &Arc<Self>, actor: &Actor, into: RepositoryId, key: FetchKey, mut fetch: SharedFetch) {
        let (this, actor) = (Arc::clone(self), actor.clone());
        // Of this fetch: one before it that failed may not have been forgotten yet.
        let (id, from) = (fetch.id(), key.repository.0);
        let name = format!("{from} {} {} {} {id}", key.package, key.version, key.asset);
        self.once((into, name), async move {
            // A failed fetch was logged where it failed.
            if fetch.kept().await.is_err() {
                return Ok(());
            }
            match this.store.find_version(key.repository, &key.package, &key.version).await? {
                Some(version) => this.apply(&actor, into, version.id).await,
                None => Ok(()),
            }
        });
    }

    async fn apply(&self, actor: &Actor, into: RepositoryId, source: VersionId) -> Result<()> {
        let change = Change::Retain { repository: into, source, restrictions: OriginRestrictions::INGESTED };
        self.store.apply(actor, change).await.map(drop)
    }

    fn once(self: &Arc<Self>, key: (RepositoryId, String), work: impl Future<Output = Result<()>> + Send + 'static) {
        if !self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            return;
        }
        let this = Arc::clone(self);
        self.background.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(%error, "could not retain a version; the next request for it tries again");
            }
            this.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
    }
}
