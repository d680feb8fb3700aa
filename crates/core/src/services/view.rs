//! What a repository and everything it can see know of one package, and what a remembered answer depends on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Cooldowns;
use super::cooldown::next_to_pass;
use super::graph::Graph;
use super::registry_index::RegistryIndexes;
use super::{Control, Limits};
use crate::error::{Error, ResourceType, Result};
use crate::model::{Clock, ExternalConnection, PackageKey, Repository, RepositoryId, Timestamp};
use crate::ports::{HostedPackage, MetadataStore, StoredIndex};

/// One source of a package.
#[derive(Debug, Clone)]
pub enum Layer {
    /// What a repository stores.
    Hosted { repository: Arc<Repository>, package: HostedPackage },
    /// What a public registry offers through the external connection of `repository`.
    Registry { repository: Arc<Repository>, connection: ExternalConnection, index: Arc<StoredIndex> },
}

/// All sources of a package that origin controls let through, in search order: a version is supplied by the first layer
/// that knows it, in whatever status.
#[derive(Debug)]
pub struct View {
    /// The repository that the client talks to.
    pub repository: RepositoryId,
    pub key: PackageKey,
    /// Never empty.
    pub layers: Vec<Layer>,
    pub(super) depends_on: Dependencies,
}

/// Which sources a view is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// Repositories and public registries.
    All,
    /// Repositories only: no registry is asked. For lists and searches, which look at many packages.
    Stored,
    /// Repositories, and what is held of the indexes of public registries, however old: no registry is asked. For what
    /// must not tell a registry of packages that it did not tell of itself.
    Held,
}

/// What must be unchanged for an answer to be still right.
#[derive(Debug)]
pub(super) struct Dependencies {
    /// The epoch under which everything below was last found unchanged.
    seen: AtomicU64,
    generation: u64,
    repositories: Vec<RepositoryId>,
    revisions: Vec<(RepositoryId, i64)>,
    /// A public registry had a say: ask again then.
    fresh_until: Option<Timestamp>,
}

impl Dependencies {
    /// Starts collecting: reads the epoch before anything else is read.
    pub(super) async fn begin(control: &Control) -> Result<Self> {
        let seen = control.epoch().await?;
        let generation = control.generation().await?;
        Ok(Self {
            seen: AtomicU64::new(seen),
            generation,
            repositories: Vec::new(),
            revisions: Vec::new(),
            fresh_until: None,
        })
    }

    /// Notes a repository and the package's revision there, `None` if it has no such package.
    pub(super) fn note(&mut self, repository: RepositoryId, revision: Option<i64>) {
        self.repositories.push(repository);
        self.revisions.extend(revision.map(|revision| (repository, revision)));
    }

    /// Notes until when a public registry's say counts.
    pub(super) fn note_fresh_until(&mut self, until: Timestamp) {
        self.fresh_until = Some(self.fresh_until.map_or(until, |known| known.min(until)));
    }

    /// When a public registry that had a say is to be asked again.
    pub(super) fn fresh_until(&self) -> Option<Timestamp> {
        self.fresh_until
    }

    /// Whether all is as it was. Costs nothing while nothing was committed; else one keyed read.
    pub(super) async fn hold(
        &self,
        control: &Control,
        store: &dyn MetadataStore,
        key: &PackageKey,
        now: Timestamp,
    ) -> Result<bool> {
        if self.fresh_until.is_some_and(|until| now >= until) {
            return Ok(false);
        }
        let epoch = control.epoch().await?;
        if self.seen.load(Ordering::Relaxed) == epoch {
            return Ok(true);
        }
        if control.generation().await? != self.generation {
            return Ok(false);
        }
        let mut noted = self.revisions.clone();
        noted.sort_unstable();
        if store.package_revisions(&self.repositories, key).await? != noted {
            return Ok(false);
        }
        self.seen.store(epoch, Ordering::Relaxed);
        Ok(true)
    }
}

/// Gathers views.
pub(super) struct Views {
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) control: Arc<Control>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) graph: Arc<Graph>,
    pub(super) indexes: Arc<RegistryIndexes>,
    pub(super) cooldowns: Arc<Cooldowns>,
    pub(super) limits: Limits,
}

impl Views {
    /// Walks the graph and reads every source, without the versions that are held back for being young, or what is stored only.
    pub(super) async fn load(&self, start: &Arc<Repository>, key: &PackageKey, sources: Sources) -> Result<View> {
        let mut depends_on = Dependencies::begin(&self.control).await?;
        let mut layers = Vec::new();
        let mut failure = None;
        let mut withheld = Vec::new();
        let mut walk = self.graph.walk(start, key).await?;
        while let Some(repository) = walk.next().await? {
            let hosted = self.store.load_package(repository.id, key).await?;
            depends_on.note(repository.id, hosted.as_ref().map(|hosted| hosted.package.revision));
            let upstream = hosted.as_ref().map(|hosted| hosted.package.restrictions.upstream);
            let way = walk.way();
            if let Some(mut package) = hosted {
                let rules = self.cooldowns.rules(&way[..way.len() - 1], key).await?;
                withheld.extend(self.cooldowns.gate_hosted(&rules, &mut package));
                layers.push(Layer::Hosted { repository: Arc::clone(&repository), package });
            }
            let Some(connection) = walk.enter(&repository, upstream) else { continue };
            let current = match sources {
                Sources::Stored => continue,
                Sources::Held => match self.indexes.held(repository.id, connection, key).await? {
                    Some(held) => Ok(held),
                    None => continue,
                },
                Sources::All => self.indexes.get(repository.id, connection, key).await,
            };
            match current {
                Ok(current) => {
                    depends_on.note_fresh_until(current.fresh_until);
                    let rules = self.cooldowns.rules(&way, key).await?;
                    let source = (repository.id, connection);
                    let gated = self.cooldowns.gate_index(&rules, source, key, key, current.index).await?;
                    withheld.extend(gated.withheld);
                    if gated.index.body.is_some() {
                        layers.push(Layer::Registry { repository, connection, index: gated.index });
                    }
                }
                Err(error @ Error::Upstream { .. }) => {
                    depends_on.note_fresh_until(self.clock.now().plus(self.limits.failure_pause));
                    failure = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(until) = next_to_pass(&withheld) {
            depends_on.note_fresh_until(until);
        }
        let offers_anything = layers.iter().any(|layer| match layer {
            Layer::Hosted { package, .. } => !package.versions.is_empty(),
            Layer::Registry { .. } => true,
        });
        if !offers_anything {
            let now = self.clock.now();
            let refusal = withheld.first().map(|first| first.refusal(key, now)).or_else(|| walk.into_refusal());
            return Err(match (refusal, failure) {
                (Some(refusal), _) => Error::hidden(ResourceType::Package, key.to_string(), refusal),
                (None, Some(failure)) => failure,
                (None, None) => not_found(start, key),
            });
        }
        Ok(View { repository: start.id, key: key.clone(), layers, depends_on })
    }
}

/// No source knows the package.
pub(super) fn not_found(repository: &Repository, key: &PackageKey) -> Error {
    Error::not_found(
        ResourceType::Package,
        key.to_string(),
        format!("package '{key}' is not in repository '{}' nor in any of its sources", repository.name),
    )
}
