//! The index documents of public registries: fresh for a while, then asked for again with validators, one request at a
//! time per document, stale rather than nothing when the registry fails (protocols 0.8).

use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;

use super::keyed_lock::KeyedLock;
use super::{Formats, Limits};
use crate::error::{Error, Result};
use crate::model::{Clock, ExternalConnection, PackageKey, RepositoryId, Timestamp, VersionText};
use crate::ports::{MetadataStore, PublicRegistries, RegistryAnswer, RegistryDocuments, RegistryRequest, StoredIndex};

type IndexKey = (RepositoryId, ExternalConnection, PackageKey);

/// Reads and refreshes index documents.
pub(crate) struct RegistryIndexes {
    store: Arc<dyn MetadataStore>,
    registries: Arc<dyn PublicRegistries>,
    formats: Formats,
    clock: Arc<dyn Clock>,
    limits: Limits,
    refreshing: KeyedLock<IndexKey>,
    /// Registries that failed for a document lately: until when they are left alone, and what they said.
    failed: Cache<IndexKey, (Timestamp, Arc<str>)>,
}

/// An index document and how long it may be used without asking.
pub(crate) struct CurrentIndex {
    pub(crate) index: Arc<StoredIndex>,
    pub(crate) fresh_until: Timestamp,
}

impl RegistryIndexes {
    pub(crate) fn new(
        store: Arc<dyn MetadataStore>,
        registries: Arc<dyn PublicRegistries>,
        formats: Formats,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Self {
        Self { store, registries, formats, clock, limits, refreshing: KeyedLock::default(), failed: Cache::new(10_000) }
    }

    /// The index of a package. Its body is `None` when the registry has no such package.
    ///
    /// # Errors
    /// [`Error::Upstream`] when the registry fails and nothing is held.
    pub(crate) async fn get(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        package: &PackageKey,
    ) -> Result<CurrentIndex> {
        if let Some(index) = self.store.find_index(repository, connection, package).await?
            && let Some(current) = self.if_fresh(index)
        {
            return Ok(current);
        }
        let key = (repository, connection, package.clone());
        let _refreshing = self.refreshing.lock(key.clone()).await;
        // Whoever held the key before has just stored it.
        let held = self.store.find_index(repository, connection, package).await?;
        if let Some(index) = held.clone()
            && let Some(current) = self.if_fresh(index)
        {
            return Ok(current);
        }
        let now = self.clock.now();
        if let Some((until, message)) = self.failed.get(&key)
            && now < until
        {
            return stale_or(held, until, || Error::Upstream {
                message: message.to_string(),
                retry_after_seconds: u32::try_from(until.since(now).as_secs() + 1).ok(),
            });
        }
        match self.refresh(connection, package, held.as_ref()).await {
            Ok(index) => {
                self.failed.invalidate(&key);
                let stored = self.store.put_index(repository, connection, package, &index).await?;
                if held.is_none_or(|held| held.revision != stored.revision) {
                    self.note_sightings((repository, connection), package, &stored).await?;
                }
                let fresh_until = self.fresh_until(&stored);
                Ok(CurrentIndex { index: Arc::new(stored), fresh_until })
            }
            Err(error) => {
                let until = now.plus(self.limits.failure_pause);
                tracing::warn!(%package, %connection, %error, "public registry failed; serving what is held");
                self.failed.insert(key, (until, error.to_string().into()));
                stale_or(held, until, || error)
            }
        }
    }

    /// The index of a package as it is held, without asking; `None` if it never was asked for. It counts as fresh for as
    /// long as if it had just been checked.
    pub(crate) async fn held(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        package: &PackageKey,
    ) -> Result<Option<CurrentIndex>> {
        let held = self.store.find_index(repository, connection, package).await?;
        let fresh_until = self.clock.now().plus(self.limits.index_fresh_for);
        Ok(held.map(|index| CurrentIndex { index: Arc::new(index), fresh_until }))
    }

    async fn refresh(
        &self,
        connection: ExternalConnection,
        package: &PackageKey,
        held: Option<&StoredIndex>,
    ) -> Result<StoredIndex> {
        let format = self.formats.get(package.format())?;
        let registry = OneRegistry { registries: self.registries.as_ref(), connection };
        let checked_at = self.clock.now();
        match format.fetch_index(&registry, package, held).await? {
            RegistryAnswer::Found { body, content_type, etag, last_modified } => {
                let index =
                    StoredIndex { body: Some(body), content_type, etag, last_modified, checked_at, revision: 0 };
                format.check_index(package, &index).map_err(|error| Error::Upstream {
                    message: format!("{connection} answered something that is no index of {package}: {error}"),
                    retry_after_seconds: None,
                })?;
                Ok(index)
            }
            RegistryAnswer::NotModified => match held {
                Some(held) if held.body.is_some() => Ok(StoredIndex { checked_at, ..held.clone() }),
                _ => Err(Error::Upstream {
                    message: format!("{connection} answered 'not modified' to a request without validators"),
                    retry_after_seconds: None,
                }),
            },
            RegistryAnswer::NotFound => Ok(StoredIndex {
                body: None,
                content_type: String::new(),
                etag: None,
                last_modified: None,
                checked_at,
                revision: 0,
            }),
        }
    }

    /// Keeps since when versions are known whose age their index does not say.
    async fn note_sightings(
        &self,
        (repository, connection): (RepositoryId, ExternalConnection),
        package: &PackageKey,
        index: &StoredIndex,
    ) -> Result<()> {
        let format = Arc::clone(self.formats.get(package.format())?);
        let (key, read) = (package.clone(), index.clone());
        let undated = tokio::task::spawn_blocking(move || format.undated_versions(&key, &read));
        let undated = undated.await.map_err(Error::internal)?.unwrap_or_default();
        if undated.is_empty() {
            return Ok(());
        }
        let changed_at = index.last_modified.as_deref().and_then(Timestamp::parse_http_date);
        let now = changed_at.map_or(index.checked_at, |changed_at| changed_at.min(index.checked_at));
        let known = self.store.find_sightings(repository, connection, package).await?;
        let since = |version: &VersionText| known.get(version.as_str()).map_or(now, |known| (*known).min(now));
        let sightings = undated.iter().map(|version| (version.to_string(), since(version))).collect();
        if known != sightings {
            self.store.put_sightings(repository, connection, package, &sightings).await?;
        }
        Ok(())
    }

    fn fresh_until(&self, index: &StoredIndex) -> Timestamp {
        let span = if index.body.is_some() { self.limits.index_fresh_for } else { self.limits.absence_fresh_for };
        index.checked_at.plus(span)
    }

    fn if_fresh(&self, index: StoredIndex) -> Option<CurrentIndex> {
        let fresh_until = self.fresh_until(&index);
        (self.clock.now() < fresh_until).then(|| CurrentIndex { index: Arc::new(index), fresh_until })
    }
}

/// A public registry, as a format sees it.
struct OneRegistry<'a> {
    registries: &'a dyn PublicRegistries,
    connection: ExternalConnection,
}

#[async_trait]
impl RegistryDocuments for OneRegistry<'_> {
    async fn get(&self, request: &RegistryRequest, limit_bytes: usize) -> Result<RegistryAnswer> {
        self.registries.fetch_document(self.connection, request, limit_bytes).await
    }
}

/// What is held, if it is worth serving, else the error.
fn stale_or(held: Option<StoredIndex>, until: Timestamp, error: impl FnOnce() -> Error) -> Result<CurrentIndex> {
    match held {
        Some(index) if index.body.is_some() => Ok(CurrentIndex { index: Arc::new(index), fresh_until: until }),
        _ => Err(error()),
    }
}
