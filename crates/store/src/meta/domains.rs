//! Domains.

use async_trait::async_trait;
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{AccountId, Arn, Domain, DomainId, DomainName, Page, PageRequest, Tag, Timestamp};
use larder_core::ports::{Domains, Usage};
use larder_core::{Error, Result};

use super::tags::Tagged;
use super::{Store, Transaction, assets, paging, policies, tags};
use crate::sql::{Row, corrupt, params, statements};

macro_rules! domain {
    ($rest:literal) => {
        concat!("SELECT id, owner, name, encryption_key, created_at, policy, policy_revision FROM domain WHERE ", $rest)
    };
}

statements! {
    FIND = domain!("owner = $1 AND name = $2");
    FIND_BY_ID = domain!("id = $1");
    LIST = domain!("owner = $1 AND name > $2 ORDER BY name LIMIT $3");
    /// As many as the quota allows, one more than it at most.
    COUNT = "SELECT COUNT(*) FROM domain WHERE owner = $1";
    CREATE = "
        INSERT INTO domain (owner, name, encryption_key, created_at, policy, policy_revision, repository_count)
        VALUES ($1, $2, $3, $4, $5, $6, 0)
        ON CONFLICT DO NOTHING
        RETURNING id";
    /// Tags, tokens, usage and package groups go with it.
    DELETE = "DELETE FROM domain WHERE id = $1 AND repository_count = 0";
    REPOSITORY_COUNT = "SELECT repository_count FROM domain WHERE id = $1";
    ADD_REPOSITORIES = "UPDATE domain SET repository_count = repository_count + $2 WHERE id = $1";
}

fn read_domain(row: &Row<'_>) -> Result<Domain> {
    let id = row.integer(0)?;
    let broken = |error| corrupt("domain", id, error);
    Ok(Domain {
        id: DomainId(id),
        owner: AccountId::new(row.text(1)?).map_err(broken)?,
        name: DomainName::new(row.text(2)?).map_err(broken)?,
        encryption_key: row.text(3)?.to_owned(),
        created_at: Timestamp(row.integer(4)?),
        policy: policies::read_policy(row, 5, 6)?,
    })
}

#[async_trait]
impl Domains for Store {
    async fn find_domain(&self, owner: &AccountId, name: &DomainName) -> Result<Option<Domain>> {
        let mut conn = self.database.read().await?;
        conn.find(&FIND, params![owner.as_str(), name.as_str()], read_domain).await
    }

    async fn list_domains(&self, owner: &AccountId, page: &PageRequest) -> Result<Page<Domain>> {
        let mut conn = self.database.read().await?;
        let values = params![owner.as_str(), page.key(0), paging::rows(page.limit)];
        let domains = conn.list(&LIST, values, read_domain).await?;
        Ok(Page::cut(domains, page.limit, |domain| vec![domain.name.to_string()]))
    }

    async fn domain_usage(&self, domain: DomainId) -> Result<Usage> {
        let mut conn = self.database.snapshot().await?;
        let repository_count = conn.find(&REPOSITORY_COUNT, params![domain], |row| row.unsigned(0)).await?;
        let asset_size_bytes = assets::size_of_domain(&mut conn, domain).await?;
        Ok(Usage { repository_count: repository_count.unwrap_or(0), asset_size_bytes })
    }

    async fn list_tags(&self, resource: &str) -> Result<Vec<Tag>> {
        tags::list(&mut self.database.read().await?, &self.region, resource).await
    }
}

/// The domain's ARN.
pub(super) fn arn(region: &str, domain: &Domain) -> Arn {
    Arn::domain(region, &domain.owner, &domain.name)
}

impl Transaction<'_> {
    /// The domain, which may have been deleted since it was looked up.
    pub(super) async fn get_domain(&mut self, id: DomainId) -> Result<Domain> {
        let domain = self.conn.find(&FIND_BY_ID, params![id], read_domain).await?;
        domain.ok_or_else(|| {
            Error::not_found(ResourceType::Domain, id.0.to_string(), "Domain not found. It was deleted meanwhile")
        })
    }

    pub(super) async fn create_domain(&mut self, domain: &Domain, tags: &[Tag], limit: u32) -> Result<()> {
        let owner = domain.owner.as_str();
        let name = domain.name.as_str();
        if self.conn.find(&FIND, params![owner, name], |_| Ok(())).await?.is_some() {
            let message = format!("Domain '{name}' already exists in account '{owner}'");
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Domain, name, message));
        }
        let count = self.conn.find(&COUNT, params![owner], |row| row.unsigned(0)).await?.unwrap_or(0);
        if count >= u64::from(limit) {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Domain,
                resource_id: name.to_owned(),
                message: format!("Account '{owner}' has {count} domains and may have {limit}"),
            });
        }
        let (policy, revision) = domain.policy.as_ref().map(|(text, revision)| (&**text, revision.as_str())).unzip();
        let values = params![owner, name, &domain.encryption_key, domain.created_at, policy, revision];
        let id = self.conn.find(&CREATE, values, |row| row.integer(0).map(DomainId)).await?;
        let id = id.ok_or_else(|| {
            let message = format!("Domain '{name}' already exists in account '{owner}'");
            Error::conflict(ConflictKind::Exists, ResourceType::Domain, name, message)
        })?;
        self.create_root_group(id).await?;
        self.put_tags(Tagged::Domain(id), tags).await?;
        self.record(arn(self.region, domain).as_str(), None, Some("Active")).await
    }

    pub(super) async fn delete_domain(&mut self, id: DomainId) -> Result<()> {
        let domain = self.get_domain(id).await?;
        if self.count_repositories(id).await? == 0 {
            self.purge_domain(id).await?;
        }
        if self.conn.execute(&DELETE, params![id]).await? == 0 {
            let message = "Domain must contain 0 repositories before deletion";
            return Err(Error::conflict(ConflictKind::State, ResourceType::Domain, domain.name.as_str(), message));
        }
        self.record(arn(self.region, &domain).as_str(), Some("Active"), None).await
    }

    /// How many repositories the domain has.
    pub(super) async fn count_repositories(&mut self, id: DomainId) -> Result<u64> {
        let count = self.conn.find(&REPOSITORY_COUNT, params![id], |row| row.unsigned(0)).await?;
        Ok(count.unwrap_or(0))
    }

    /// Keeps the count of repositories when one is created (1) or deleted (-1).
    pub(super) async fn add_repositories(&mut self, id: DomainId, difference: i64) -> Result<()> {
        self.conn.execute(&ADD_REPOSITORIES, params![id, difference]).await.map(drop)
    }
}
