//! Walking the upstream graph (reference 3.2): depth-first, in priority order, each repository once, at most 25.

use std::collections::HashSet;
use std::sync::Arc;

use moka::sync::Cache;

use super::{Associations, Control, Limits};
use crate::error::{ConflictKind, Error, ResourceType, Result};
use crate::model::{
    AllowUpstream, Association, ExternalConnection, PackageFormat, PackageKey, Repository, RepositoryId,
};
use crate::ports::MetadataStore;
use crate::refusal::Refusal;

/// Finds the repositories that links lead to.
pub(crate) struct Graph {
    store: Arc<dyn MetadataStore>,
    control: Arc<Control>,
    associations: Arc<Associations>,
    searched: usize,
    repositories: Cache<RepositoryId, (u64, Arc<Repository>)>,
}

impl Graph {
    pub(crate) fn new(
        store: Arc<dyn MetadataStore>,
        control: Arc<Control>,
        associations: Arc<Associations>,
        limits: &Limits,
    ) -> Self {
        let searched = limits.searched_repositories;
        Self { store, control, associations, searched, repositories: Cache::new(50_000) }
    }

    /// Starts at the repository that the client talks to, with the group that the package belongs to.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn walk<'a>(&'a self, start: &Arc<Repository>, key: &'a PackageKey) -> Result<Walk<'a>> {
        let group = match key.as_document() {
            None => Some(self.associations.get(start.domain, key).await?),
            // Documents of a registry that are no package's belong to no group.
            Some(_) => None,
        };
        Ok(Walk {
            graph: self,
            key,
            start: Arc::clone(start),
            group,
            refusal: None,
            seen: HashSet::new(),
            next: vec![(Next::Found(Arc::clone(start)), None)],
            way: Vec::new(),
        })
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
    /// What the client talks to: the repository that retains what is found in another one.
    start: Arc<Repository>,
    group: Option<Arc<Association>>,
    /// The first rule that kept a source out.
    refusal: Option<Refusal>,
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
    /// consult now, if there is one of the package's format, and queues the upstreams. What the origin setting or the
    /// package's group does not let in (reference 3.9, 4.2) is left out, on every path, because all of them come by here:
    /// a public registry where the group does not admit the repository that owns the connection, upstreams where it does
    /// not admit the repository that was asked, and both for a variant of what a group stands for.
    pub(crate) fn enter(
        &mut self,
        repository: &Repository,
        upstream: Option<AllowUpstream>,
    ) -> Option<ExternalConnection> {
        // Generic packages are never taken from upstream (reference 6.8).
        if self.key.format() == PackageFormat::Generic {
            return None;
        }
        let connection = repository.external_connection.filter(|connection| connection.format() == self.key.format());
        if upstream == Some(AllowUpstream::Block) {
            if connection.is_some() || !repository.upstreams.is_empty() {
                self.refusal.get_or_insert_with(|| Refusal::origin_upstream(self.key, &repository.name));
            }
            return None;
        }
        if let Some(first) = repository.upstreams.first() {
            let (group, start) = (self.group.as_deref(), &self.start);
            match group.and_then(|group| group.refuses_internal_upstream(self.key, start.id, &start.name, &first.name))
            {
                None => {
                    let from = self.way.len().checked_sub(1);
                    let upstreams = repository.upstreams.iter().rev();
                    self.next.extend(upstreams.map(|upstream| (Next::Linked(upstream.id), from)));
                }
                refusal => self.refusal = self.refusal.take().or(refusal),
            }
        }
        let (connection, group) = (connection?, self.group.as_deref());
        let refusal = group
            .and_then(|group| group.refuses_external_upstream(self.key, repository.id, &repository.name, connection));
        match refusal {
            None => Some(connection),
            refusal => {
                self.refusal = self.refusal.take().or(refusal);
                None
            }
        }
    }

    /// The first rule that kept a source out: why nothing was found, if nothing was.
    pub(crate) fn into_refusal(self) -> Option<Refusal> {
        self.refusal
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
