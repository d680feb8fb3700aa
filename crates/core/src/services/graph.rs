//! Walking the upstream graph (reference 3.2): depth-first, in priority order, each repository once, at most 25.

use std::collections::HashSet;
use std::sync::Arc;

use moka::sync::Cache;

use super::{Control, Limits};
use crate::error::{ConflictKind, Error, ResourceType, Result};
use crate::model::{AllowUpstream, ExternalConnection, PackageFormat, PackageKey, Repository, RepositoryId};
use crate::ports::MetadataStore;

/// Finds the repositories that links lead to.
pub(crate) struct Graph {
    store: Arc<dyn MetadataStore>,
    control: Arc<Control>,
    searched: usize,
    repositories: Cache<RepositoryId, (u64, Arc<Repository>)>,
}

impl Graph {
    pub(crate) fn new(store: Arc<dyn MetadataStore>, control: Arc<Control>, limits: &Limits) -> Self {
        Self { store, control, searched: limits.searched_repositories, repositories: Cache::new(50_000) }
    }

    /// Starts at the repository that the client talks to.
    pub(crate) fn walk<'a>(&'a self, start: &Arc<Repository>, key: &'a PackageKey) -> Walk<'a> {
        let next = vec![(Next::Found(Arc::clone(start)), None)];
        Walk { graph: self, key, seen: HashSet::new(), next, way: Vec::new() }
    }

    /// A repository and its upstreams, each once, in search order, as many as are searched for one package. A link to a
    /// deleted repository fails requests for packages; this goes without it.
    pub(crate) async fn visible(&self, start: &Arc<Repository>) -> Result<Vec<Arc<Repository>>> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut next = vec![Arc::clone(start)];
        while let Some(repository) = next.pop()
            && found.len() < self.searched
        {
            if !seen.insert(repository.id) {
                continue;
            }
            for upstream in repository.upstreams.iter().rev() {
                next.extend(self.repository(upstream.id).await?);
            }
            found.push(repository);
        }
        Ok(found)
    }

    async fn repository(&self, id: RepositoryId) -> Result<Option<Arc<Repository>>> {
        let generation = self.control.generation().await?;
        if let Some((seen, repository)) = self.repositories.get(&id)
            && seen == generation
        {
            return Ok(Some(repository));
        }
        let found = self.store.find_repository_by_id(id).await?.map(Arc::new);
        if let Some(repository) = &found {
            self.repositories.insert(id, (generation, Arc::clone(repository)));
        }
        Ok(found)
    }
}

enum Next {
    Found(Arc<Repository>),
    Linked(RepositoryId),
}

/// A walk in progress. The caller looks at each repository and says whether its sources may be entered.
pub(crate) struct Walk<'a> {
    graph: &'a Graph,
    key: &'a PackageKey,
    seen: HashSet<RepositoryId>,
    /// A stack: the next one is last. With the one that links to it, as a place in `way`.
    next: Vec<(Next, Option<usize>)>,
    /// What was walked to so far, each with the place of the one that links to it.
    way: Vec<(Arc<Repository>, Option<usize>)>,
}

impl Walk<'_> {
    /// The next repository to look at.
    ///
    /// # Errors
    /// [`Error::Conflict`] at a link to a deleted repository, in AWS's words (reference 1.9).
    pub(crate) async fn next(&mut self) -> Result<Option<Arc<Repository>>> {
        while let Some((next, from)) = self.next.pop() {
            if self.seen.len() >= self.graph.searched {
                return Ok(None);
            }
            let repository = match next {
                Next::Found(repository) => repository,
                Next::Linked(id) if self.seen.contains(&id) => continue,
                Next::Linked(id) => self.graph.repository(id).await?.ok_or_else(dangling)?,
            };
            if self.seen.insert(repository.id) {
                self.way.push((Arc::clone(&repository), from));
                return Ok(Some(repository));
            }
        }
        Ok(None)
    }

    /// How the walk came to the repository that [`Walk::next`] answered last: the asked repository first, this one last.
    pub(crate) fn way(&self) -> Vec<Arc<Repository>> {
        let mut way = Vec::new();
        let mut next = self.way.len().checked_sub(1);
        while let Some((repository, from)) = next.and_then(|place| self.way.get(place)) {
            way.push(Arc::clone(repository));
            next = *from;
        }
        way.reverse();
        way
    }

    /// Enters the sources of a repository, given the package's origin setting there: answers the external connection to
    /// consult now, if there is one of the package's format, and queues the upstreams.
    pub(crate) fn enter(
        &mut self,
        repository: &Repository,
        upstream: Option<AllowUpstream>,
    ) -> Option<ExternalConnection> {
        // Generic packages are never taken from upstream (reference 6.8).
        if upstream == Some(AllowUpstream::Block) || self.key.format() == PackageFormat::Generic {
            return None;
        }
        let from = self.way.len().checked_sub(1);
        self.next.extend(repository.upstreams.iter().rev().map(|upstream| (Next::Linked(upstream.id), from)));
        repository.external_connection.filter(|connection| connection.format() == self.key.format())
    }
}

fn dangling() -> Error {
    Error::conflict(
        ConflictKind::State,
        ResourceType::Repository,
        "",
        "A repository referenced in your upstream graph no longer exists. To fix this issue, use the UpdateRepository API \
         with your new desired upstream configuration. Creating a repository of the same name does not repair the link",
    )
}
