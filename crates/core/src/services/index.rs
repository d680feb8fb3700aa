//! Index documents: gathered over the upstream graph, rendered by the format, remembered ready to send.

use std::sync::Arc;

use moka::sync::Cache;

use super::keyed_lock::KeyedLock;
use super::view::{Dependencies, Sources, Views};
use super::{Document, Rendered, View};
use crate::access::{Allowed, RepositoryTarget, RequestNotes};
use crate::error::{Error, Result};
use crate::model::{PackageKey, Repository, RepositoryId};

/// A document and what it depends on.
struct Remembered {
    key: PackageKey,
    document: Arc<Document>,
    depends_on: Dependencies,
}

/// Gathers and renders index documents.
pub struct IndexService {
    views: Arc<Views>,
    documents: Cache<String, Arc<Remembered>>,
    rendering: KeyedLock<String>,
}

impl IndexService {
    pub(super) fn new(views: Arc<Views>) -> Self {
        let documents = Cache::builder()
            .max_capacity(views.limits.document_cache_bytes)
            .weigher(|name: &String, remembered: &Arc<Remembered>| {
                u32::try_from(name.len() + remembered.document.memory_bytes()).unwrap_or(u32::MAX)
            })
            .build();
        Self { views, documents, rendering: KeyedLock::default() }
    }

    /// What the repository and all it can see know of a package.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if nobody knows it, [`Error::Upstream`] if a source that might know it failed.
    pub async fn view(&self, allowed: &Allowed<RepositoryTarget>, key: &PackageKey) -> Result<View> {
        self.view_of(allowed, key, Sources::All).await
    }

    /// As [`IndexService::view`], of some of the sources.
    ///
    /// # Errors
    /// As [`IndexService::view`].
    pub async fn view_of(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        sources: Sources,
    ) -> Result<View> {
        RequestNotes::about(key, None);
        self.views.load(&allowed.target().repository, key, sources).await
    }

    /// The repository and its upstreams, in search order: whose packages lists and searches show.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn visible_repositories(&self, allowed: &Allowed<RepositoryTarget>) -> Result<Vec<Arc<Repository>>> {
        self.views.graph.visible(&allowed.target().repository).await
    }

    /// The document that `render` makes of the view: from memory if nothing that it depends on has changed. `variant`
    /// tells documents of one package apart: form and base address. `render` runs on a blocking thread.
    ///
    /// # Errors
    /// As [`IndexService::view`], and what `render` answers.
    pub async fn document<F>(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        variant: &str,
        render: F,
    ) -> Result<Arc<Document>>
    where
        F: FnOnce(&View) -> Result<Rendered> + Send + 'static,
    {
        self.document_of(allowed, key, Sources::All, variant, render).await
    }

    /// As [`IndexService::document`], of some of the sources. `variant` differs from those of other sources.
    ///
    /// # Errors
    /// As [`IndexService::document`].
    pub async fn document_of<F>(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        sources: Sources,
        variant: &str,
        render: F,
    ) -> Result<Arc<Document>>
    where
        F: FnOnce(&View) -> Result<Rendered> + Send + 'static,
    {
        RequestNotes::about(key, None);
        let name = document_name(allowed.target().repository.id, key, variant);
        if let Some(document) = self.remembered(&name, key).await? {
            return Ok(document);
        }
        let _rendering = self.rendering.lock(name.clone()).await;
        if let Some(document) = self.remembered(&name, key).await? {
            return Ok(document);
        }
        let view = self.views.load(&allowed.target().repository, key, sources).await?;
        let (document, depends_on) = tokio::task::spawn_blocking(move || {
            let rendered = render(&view)?;
            let mut document = Document::build(rendered);
            document.fresh_until = view.depends_on.fresh_until();
            Ok::<_, Error>((Arc::new(document), view.depends_on))
        })
        .await
        .map_err(Error::internal)??;
        let remembered = Remembered { key: key.clone(), document: Arc::clone(&document), depends_on };
        self.documents.insert(name, Arc::new(remembered));
        Ok(document)
    }

    async fn remembered(&self, name: &str, key: &PackageKey) -> Result<Option<Arc<Document>>> {
        let Some(remembered) = self.documents.get(name) else { return Ok(None) };
        let views = &self.views;
        let holds = remembered.key == *key
            && remembered.depends_on.hold(&views.control, views.store.as_ref(), key, views.clock.now()).await?;
        Ok(holds.then(|| Arc::clone(&remembered.document)))
    }
}

fn document_name(repository: RepositoryId, key: &PackageKey, variant: &str) -> String {
    use std::fmt::Write as _;
    let mut name = String::with_capacity(variant.len() + key.name().len() + 48);
    let _ = write!(name, "{} {key} {variant}", repository.0);
    name
}
