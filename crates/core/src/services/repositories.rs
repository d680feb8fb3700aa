//! Repositories, their upstreams and external connections (reference 2.3, 3.1, 3.6).

use std::collections::HashSet;
use std::sync::Arc;

use super::Limits;
use super::tags::{check_settings, tag_set};
use crate::access::{AccountTarget, Allowed, DomainTarget, NewRepositoryTarget, RepositoryTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{
    AccountId, ExternalConnection, Page, PageRequest, Repository, RepositoryId, RepositoryName, RepositorySummary, Tag,
};
use crate::ports::{Change, MetadataStore, NewRepository, RepositoryFilter};

/// Creates, links, lists and deletes repositories.
pub struct RepositoryService {
    store: Arc<dyn MetadataStore>,
    upstreams: usize,
    repositories_per_domain: u32,
}

/// An upstream that may be linked: proof of `AssociateWithDownstreamRepository` on it.
pub type LinkableUpstream = Allowed<RepositoryTarget>;

/// What a repository is created with beside its name.
#[derive(Debug, Clone, Default)]
pub struct RepositorySettings {
    pub description: Option<String>,
    /// In priority order.
    pub upstreams: Vec<LinkableUpstream>,
    pub tags: Vec<Tag>,
}

/// What changes in a repository; `None` leaves a member as it is.
#[derive(Debug, Clone, Default)]
pub struct RepositoryUpdate {
    pub description: Option<String>,
    /// Replaces the whole list; names are resolved to repositories anew, which repairs links to deleted ones.
    pub upstreams: Option<Vec<LinkableUpstream>>,
}

/// What lists of repositories are narrowed by.
#[derive(Debug, Clone, Default)]
pub struct RepositorySearch {
    pub administrator: Option<AccountId>,
    pub prefix: Option<String>,
}

impl RepositoryService {
    /// Wires it up.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>, limits: &Limits) -> Self {
        Self {
            store,
            upstreams: limits.upstreams_per_repository,
            repositories_per_domain: limits.repositories_per_domain,
        }
    }

    /// Creates a repository; the caller's account administers it.
    ///
    /// # Errors
    /// [`Error::Validation`] for upstreams or tags that break a rule, [`Error::Conflict`] if the name is taken,
    /// [`Error::QuotaExceeded`] if the domain has as many repositories as it may.
    pub async fn create(
        &self,
        allowed: &Allowed<NewRepositoryTarget>,
        settings: RepositorySettings,
    ) -> Result<Repository> {
        let NewRepositoryTarget { domain, name } = allowed.target();
        let upstreams = self.upstream_ids(name, &settings.upstreams)?;
        let tags = tag_set(settings.tags)?;
        check_settings(&tags, true)?;
        let new = NewRepository {
            domain: domain.id,
            domain_owner: domain.owner.clone(),
            domain_name: domain.name.clone(),
            name: name.clone(),
            administrator: allowed.principal().account.clone(),
            description: settings.description,
            upstreams,
            tags,
            limit: self.repositories_per_domain,
        };
        self.store.apply(allowed.actor(), Change::CreateRepository(new)).await?;
        self.store.find_repository(domain.id, name).await?.ok_or_else(|| gone(name))
    }

    /// Changes the description, the upstreams or both.
    ///
    /// # Errors
    /// [`Error::Validation`] for upstreams that break a rule: too many, one twice, itself, a cycle, or any while an
    /// external connection is attached.
    pub async fn update(&self, allowed: &Allowed<RepositoryTarget>, update: RepositoryUpdate) -> Result<Repository> {
        let repository = &allowed.target().repository;
        let upstreams = match &update.upstreams {
            Some(upstreams) => {
                let ids = self.upstream_ids(&repository.name, upstreams)?;
                if !ids.is_empty() && repository.external_connection.is_some() {
                    return Err(upstreams_or_connection("upstreams"));
                }
                self.check_acyclic(repository, &ids).await?;
                Some(ids)
            }
            None => None,
        };
        let change = Change::UpdateRepository { repository: repository.id, description: update.description, upstreams };
        self.store.apply(allowed.actor(), change).await?;
        self.reload(repository).await
    }

    /// Deletes a repository with all it holds and answers its last description. Links of other repositories to it stay
    /// and dangle.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete(&self, allowed: &Allowed<RepositoryTarget>) -> Result<Arc<Repository>> {
        let repository = Arc::clone(&allowed.target().repository);
        self.store.apply(allowed.actor(), Change::DeleteRepository { repository: repository.id }).await?;
        Ok(repository)
    }

    /// The repositories that the caller's account administers, in whatever domain.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(
        &self,
        allowed: &Allowed<AccountTarget>,
        prefix: Option<String>,
        page: &PageRequest,
    ) -> Result<Page<RepositorySummary>> {
        let administrator = Some(allowed.principal().account.clone());
        self.store.list_repositories(&RepositoryFilter { domain: None, administrator, prefix }, page).await
    }

    /// The repositories of a domain.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_in_domain(
        &self,
        allowed: &Allowed<DomainTarget>,
        search: RepositorySearch,
        page: &PageRequest,
    ) -> Result<Page<RepositorySummary>> {
        let RepositorySearch { administrator, prefix } = search;
        let filter = RepositoryFilter { domain: Some(allowed.target().domain.id), administrator, prefix };
        self.store.list_repositories(&filter, page).await
    }

    /// Attaches an external connection.
    ///
    /// # Errors
    /// [`Error::Validation`] if the repository has one or has upstreams.
    pub async fn associate_external_connection(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        connection: ExternalConnection,
    ) -> Result<Repository> {
        let repository = &allowed.target().repository;
        if repository.external_connection.is_some() {
            let message = "ExternalConnections for repositories are currently limited to 1";
            return Err(Error::validation("externalConnection", message));
        }
        if !repository.upstreams.is_empty() {
            return Err(upstreams_or_connection("externalConnection"));
        }
        let change = Change::AssociateExternalConnection { repository: repository.id, connection };
        self.store.apply(allowed.actor(), change).await?;
        self.reload(repository).await
    }

    /// Detaches an external connection. Versions that came through it stay.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if it is not attached.
    pub async fn disassociate_external_connection(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        connection: ExternalConnection,
    ) -> Result<Repository> {
        let repository = &allowed.target().repository;
        if repository.external_connection != Some(connection) {
            return Err(Error::not_found(
                ResourceType::Repository,
                repository.name.as_str(),
                format!("External connection '{connection}' is not associated with repository '{}'", repository.name),
            ));
        }
        let change = Change::DisassociateExternalConnection { repository: repository.id, connection };
        self.store.apply(allowed.actor(), change).await?;
        self.reload(repository).await
    }

    /// Checks a list of upstreams for the rules that need no look at the graph, before rights on each are asked for.
    ///
    /// # Errors
    /// [`Error::Validation`] for too many, one twice, or the repository itself.
    pub fn check_upstream_names<'a>(
        &self,
        repository: &RepositoryName,
        upstreams: impl IntoIterator<Item = &'a RepositoryName>,
    ) -> Result<()> {
        let mut seen = HashSet::new();
        for upstream in upstreams {
            if upstream == repository {
                return Err(bad_upstreams(format!("Repository '{repository}' cannot be its own upstream")));
            }
            if !seen.insert(upstream) {
                return Err(bad_upstreams(format!("Upstream repository '{upstream}' is given more than once")));
            }
        }
        if seen.len() > self.upstreams {
            let message = format!("A repository has at most {} upstream repositories", self.upstreams);
            return Err(bad_upstreams(message));
        }
        Ok(())
    }

    fn upstream_ids(&self, name: &RepositoryName, upstreams: &[LinkableUpstream]) -> Result<Vec<RepositoryId>> {
        self.check_upstream_names(name, upstreams.iter().map(|upstream| &upstream.target().repository.name))?;
        Ok(upstreams.iter().map(|upstream| upstream.target().repository.id).collect())
    }

    /// Refuses upstreams from which the repository itself can be reached.
    async fn check_acyclic(&self, repository: &Repository, upstreams: &[RepositoryId]) -> Result<()> {
        let mut seen: HashSet<_> = upstreams.iter().copied().collect();
        let mut next = upstreams.to_vec();
        while let Some(id) = next.pop() {
            let Some(upstream) = self.store.find_repository_by_id(id).await? else { continue };
            for link in upstream.upstreams {
                if link.id == repository.id {
                    let (name, upstream) = (&repository.name, &upstream.name);
                    return Err(bad_upstreams(format!(
                        "Repository '{name}' is upstream of '{upstream}'; linking them the other way round makes a cycle"
                    )));
                }
                if seen.insert(link.id) {
                    next.push(link.id);
                }
            }
        }
        Ok(())
    }

    async fn reload(&self, repository: &Repository) -> Result<Repository> {
        self.store.find_repository_by_id(repository.id).await?.ok_or_else(|| gone(&repository.name))
    }
}

fn bad_upstreams(message: String) -> Error {
    Error::validation("upstreams", message)
}

fn upstreams_or_connection(field: &'static str) -> Error {
    Error::validation(
        field,
        "A repository has either upstream repositories or an external connection; remove the one before adding the other",
    )
}

fn gone(name: &RepositoryName) -> Error {
    Error::not_found(
        ResourceType::Repository,
        name.as_str(),
        format!("Repository '{name}' was deleted while the request was running"),
    )
}
