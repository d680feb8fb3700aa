//! Domains (reference 2.2).

use std::sync::Arc;

use super::Limits;
use super::tags::{check_settings, tag_set};
use crate::access::{AccountTarget, Allowed, DomainTarget, NewDomainTarget};
use crate::error::{Error, ResourceType, Result, ValidationReason};
use crate::model::{Domain, DomainId, EncryptionKey, Page, PageRequest, Tag};
use crate::ports::{Change, MetadataStore, Usage};

/// Creates, describes, lists and deletes domains.
pub struct DomainService {
    store: Arc<dyn MetadataStore>,
    region: Arc<str>,
    limit: u32,
}

/// What a domain is created with beside its name.
#[derive(Debug, Clone, Default)]
pub struct NewDomain {
    /// A KMS key as the caller names it; `None` for the default.
    pub encryption_key: Option<String>,
    pub tags: Vec<Tag>,
}

/// A domain and how much is in it.
#[derive(Debug, Clone)]
pub struct DescribedDomain {
    pub domain: Arc<Domain>,
    pub usage: Usage,
}

impl DomainService {
    /// Wires it up. `region` stands in the default encryption key.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>, region: Arc<str>, limits: &Limits) -> Self {
        Self { store, region, limit: limits.domains_per_account }
    }

    /// Creates a domain, owned by the caller's account.
    ///
    /// # Errors
    /// [`Error::Validation`] for a bad key or tags, [`Error::Conflict`] if the name is taken, [`Error::QuotaExceeded`]
    /// if the account has as many domains as it may.
    pub async fn create(&self, allowed: &Allowed<NewDomainTarget>, new: NewDomain) -> Result<DescribedDomain> {
        let NewDomainTarget { owner, name } = allowed.target();
        let encryption_key = match &new.encryption_key {
            Some(key) => EncryptionKey::parse(key, &self.region, owner).map_err(|invalid| Error::Validation {
                field: "encryptionKey".into(),
                reason: ValidationReason::EncryptionKeyError,
                message: invalid.to_string(),
            })?,
            None => EncryptionKey::default_for(&self.region, owner, name),
        };
        let domain = Domain {
            id: DomainId(0),
            owner: owner.clone(),
            name: name.clone(),
            encryption_key: encryption_key.into_arn(),
            created_at: allowed.actor().at,
            policy: None,
        };
        let tags = tag_set(new.tags)?;
        check_settings(&tags, false)?;
        self.store.apply(allowed.actor(), Change::CreateDomain { domain, tags, limit: self.limit }).await?;
        let domain = self.store.find_domain(owner, name).await?.ok_or_else(|| {
            Error::not_found(
                ResourceType::Domain,
                name.as_str(),
                format!("domain '{name}' was deleted right after its creation"),
            )
        })?;
        Ok(DescribedDomain { domain: Arc::new(domain), usage: Usage { repository_count: 0, asset_size_bytes: 0 } })
    }

    /// The domain with its numbers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn describe(&self, allowed: &Allowed<DomainTarget>) -> Result<DescribedDomain> {
        let domain = Arc::clone(&allowed.target().domain);
        let usage = self.store.domain_usage(domain.id).await?;
        Ok(DescribedDomain { domain, usage })
    }

    /// Deletes an empty domain and answers its last description. Its policy and tags go with it.
    ///
    /// # Errors
    /// [`Error::Conflict`] while it has a repository.
    pub async fn delete(&self, allowed: &Allowed<DomainTarget>) -> Result<DescribedDomain> {
        let last = self.describe(allowed).await?;
        self.store.apply(allowed.actor(), Change::DeleteDomain { domain: last.domain.id }).await?;
        Ok(last)
    }

    /// The domains that the caller's account owns, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, allowed: &Allowed<AccountTarget>, page: &PageRequest) -> Result<Page<Domain>> {
        self.store.list_domains(&allowed.principal().account, page).await
    }
}
