//! Merged projects, kept for as long as nothing they depend on changes. Pages are kept as documents; this is for the
//! requests that need a project's data: files passed on from a public registry, the JSON API, uploads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageKey, RepositoryId};
use larder_core::services::{Rendered, Services};
use larder_core::{Error, Result};
use moka::sync::Cache;

use crate::project::Project;

/// How many files the kept projects may have together; a file takes some 500 bytes.
const FILES_KEPT: u64 = 40_000;

type Kept = (String, Arc<Project>);

/// Keeps merged projects.
pub(crate) struct Projects {
    services: Arc<Services>,
    kept: Cache<(RepositoryId, PackageKey), Kept>,
    rendered: Arc<AtomicU64>,
}

impl Projects {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        let kept = Cache::builder()
            .max_capacity(FILES_KEPT)
            .weigher(|_: &(RepositoryId, PackageKey), (_, project): &Kept| {
                u32::try_from(project.files().count() + 1).unwrap_or(u32::MAX)
            })
            .build();
        Self { services, kept, rendered: Arc::default() }
    }

    /// The project as the repository shows it.
    ///
    /// # Errors
    /// As [`larder_core::services::IndexService::view`].
    pub(crate) async fn get(&self, allowed: &Allowed<RepositoryTarget>, key: &PackageKey) -> Result<Arc<Project>> {
        // A document that is nothing but a number stands for the project: the index service renders it anew exactly
        // when something that the project depends on has changed.
        let fresh = Arc::new(OnceLock::new());
        let (slot, counter) = (Arc::clone(&fresh), Arc::clone(&self.rendered));
        let document = self.services.index.document(allowed, key, "project", move |view| {
            let project = Arc::new(Project::of(&view.key, &view.layers)?);
            let _ = slot.set(project);
            let number = counter.fetch_add(1, Ordering::Relaxed).to_string();
            Ok(Rendered { content_type: "text/plain", body: number.into(), last_modified: None, headers: Vec::new() })
        });
        let tag = document.await?.etag.clone();
        let name = (allowed.target().repository.id, key.clone());
        if fresh.get().is_none()
            && let Some((of, project)) = self.kept.get(&name)
            && of == tag
        {
            return Ok(project);
        }
        let project = match fresh.get() {
            Some(project) => Arc::clone(project),
            // The project went and its number stayed.
            None => {
                let view = self.services.index.view(allowed, key).await?;
                let merged = tokio::task::spawn_blocking(move || Project::of(&view.key, &view.layers));
                Arc::new(merged.await.map_err(Error::internal)??)
            }
        };
        self.kept.insert(name, (tag, Arc::clone(&project)));
        Ok(project)
    }
}
