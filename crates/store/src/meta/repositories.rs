//! Repositories and their links to upstreams.

use async_trait::async_trait;
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AccountId, Arn, DomainId, DomainName, ExternalConnection, Page, PageRequest, Repository, RepositoryId,
    RepositoryName, RepositorySummary, Timestamp, Upstream,
};
use larder_core::ports::{NewRepository, Repositories, RepositoryFilter};
use larder_core::{Error, Result};

use super::paging::Filtered;
use super::tags::Tagged;
use super::{Store, Transaction, paging, policies};
use crate::sql::{Conn, Row, Sql, Value, corrupt, params, statements};

macro_rules! repository {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.domain_id, d.owner, d.name, r.name, r.administrator, r.description, r.created_at,
                    r.external_connection, r.policy, r.policy_revision
               FROM repository r JOIN domain d ON d.id = r.domain_id
              WHERE ",
            $condition
        )
    };
}

macro_rules! summary {
    ($rest:literal) => {
        concat!(
            "SELECT r.name, r.administrator, d.name, d.owner, r.description, r.created_at, r.domain_id
               FROM repository r JOIN domain d ON d.id = r.domain_id
              WHERE ",
            $rest
        )
    };
}

statements! {
    FIND = repository!("r.domain_id = $1 AND r.name = $2 AND r.gone = 0");
    FIND_BY_ID = repository!("r.id = $1 AND r.gone = 0");
    UPSTREAMS = "
        SELECT l.upstream_id, COALESCE(u.name, l.upstream_name), CAST(CASE WHEN u.id IS NULL THEN 1 ELSE 0 END AS BIGINT)
          FROM upstream l LEFT JOIN repository u ON u.id = l.upstream_id AND u.gone = 0
         WHERE l.repository_id = $1
         ORDER BY l.position";
    LIST_OF_DOMAIN = summary!("r.domain_id = $1 AND r.name >= $2 AND r.name < $3 AND r.gone = 0 ORDER BY r.name LIMIT $4");
    LIST_OF_ADMINISTRATOR = summary!("
        r.administrator = $1 AND (r.name, r.domain_id) > ($2, $3) AND r.name < $4 AND r.gone = 0
        ORDER BY r.name, r.domain_id LIMIT $5");
    LIST_ALL = summary!("
        (r.name, r.domain_id) > ($1, $2) AND r.name < $3 AND r.gone = 0 ORDER BY r.name, r.domain_id LIMIT $4");
    CREATE = "
        INSERT INTO repository (domain_id, name, administrator, description, created_at, gone)
        VALUES ($1, $2, $3, $4, $5, 0)
        ON CONFLICT DO NOTHING
        RETURNING id";
    SET_DESCRIPTION = "UPDATE repository SET description = $2 WHERE id = $1";
    SET_CONNECTION = "UPDATE repository SET external_connection = $2 WHERE id = $1";
    /// What it held is removed later.
    HIDE = "UPDATE repository SET gone = id WHERE id = $1";
    UNLINK = "DELETE FROM upstream WHERE repository_id = $1";
    LINK = "INSERT INTO upstream (repository_id, position, upstream_id, upstream_name) VALUES ($1, $2, $3, $4)";
}

fn read_repository(row: &Row<'_>) -> Result<Repository> {
    let id = row.integer(0)?;
    let broken = |error| corrupt("repository", id, error);
    Ok(Repository {
        id: RepositoryId(id),
        domain: DomainId(row.integer(1)?),
        domain_owner: AccountId::new(row.text(2)?).map_err(broken)?,
        domain_name: DomainName::new(row.text(3)?).map_err(broken)?,
        name: RepositoryName::new(row.text(4)?).map_err(broken)?,
        administrator: AccountId::new(row.text(5)?).map_err(broken)?,
        description: row.optional_text(6)?.map(str::to_owned),
        created_at: Timestamp(row.integer(7)?),
        upstreams: Vec::new(),
        external_connection: row.optional_text(8)?.map(ExternalConnection::parse).transpose().map_err(broken)?,
        policy: policies::read_policy(row, 9, 10)?,
    })
}

fn read_upstream(row: &Row<'_>) -> Result<Upstream> {
    let id = row.integer(0)?;
    Ok(Upstream {
        id: RepositoryId(id),
        name: RepositoryName::new(row.text(1)?).map_err(|error| corrupt("upstream", id, error))?,
        dangling: row.boolean(2)?,
    })
}

/// Reads one with its upstreams.
async fn find(conn: &mut Conn, condition: &'static Sql, params: &[Value<'_>]) -> Result<Option<Repository>> {
    let Some(mut repository) = conn.find(condition, params, read_repository).await? else { return Ok(None) };
    repository.upstreams = conn.list(&UPSTREAMS, params![repository.id], read_upstream).await?;
    Ok(Some(repository))
}

fn read_summary(row: &Row<'_>) -> Result<(RepositorySummary, DomainId)> {
    let name = row.text(0)?;
    let broken = |error| corrupt("repository", name, error);
    let summary = RepositorySummary {
        name: RepositoryName::new(name).map_err(broken)?,
        administrator: AccountId::new(row.text(1)?).map_err(broken)?,
        domain_name: DomainName::new(row.text(2)?).map_err(broken)?,
        domain_owner: AccountId::new(row.text(3)?).map_err(broken)?,
        description: row.optional_text(4)?.map(str::to_owned),
        created_at: Timestamp(row.integer(5)?),
    };
    Ok((summary, DomainId(row.integer(6)?)))
}

#[async_trait]
impl Repositories for Store {
    async fn find_repository(&self, domain: DomainId, name: &RepositoryName) -> Result<Option<Repository>> {
        find(&mut self.database.snapshot().await?, &FIND, params![domain, name.as_str()]).await
    }

    async fn find_repository_by_id(&self, id: RepositoryId) -> Result<Option<Repository>> {
        find(&mut self.database.snapshot().await?, &FIND_BY_ID, params![id]).await
    }

    async fn list_repositories(
        &self,
        filter: &RepositoryFilter,
        page: &PageRequest,
    ) -> Result<Page<RepositorySummary>> {
        let mut conn = self.database.read().await?;
        let prefix = filter.prefix.as_deref().unwrap_or("");
        let end = paging::end_of_prefix(prefix);
        let mut filtered = Filtered::new(page.limit);
        let mut from = page.clone();
        loop {
            let start = paging::start(&from, 0, prefix);
            // Where several domains may have the name, the position is name and domain; ids start at 1.
            let (after, after_domain) = match from.key(0) {
                "" => (prefix, 0),
                name => (name, paging::number(&from, 1, 0)?),
            };
            let chunk = filtered.chunk();
            let rows = paging::rows(chunk - 1);
            let summaries = match (filter.domain, &filter.administrator) {
                (Some(domain), _) => {
                    conn.list(&LIST_OF_DOMAIN, params![domain, &start, &end, rows], read_summary).await?
                }
                (None, Some(administrator)) => {
                    let values = params![administrator.as_str(), after, after_domain, &end, rows];
                    conn.list(&LIST_OF_ADMINISTRATOR, values, read_summary).await?
                }
                (None, None) => conn.list(&LIST_ALL, params![after, after_domain, &end, rows], read_summary).await?,
            };
            let passes = |(summary, _): &(RepositorySummary, DomainId)| {
                filter.administrator.as_ref().is_none_or(|administrator| *administrator == summary.administrator)
            };
            let key = |(summary, domain): &(RepositorySummary, DomainId)| {
                vec![summary.name.to_string(), domain.0.to_string()]
            };
            match filtered.take(summaries, chunk, passes, key) {
                Ok(page) => return Ok(page.map(|(summary, _)| summary)),
                Err(next) => from = next,
            }
        }
    }
}

/// The repository's ARN.
pub(super) fn arn(region: &str, repository: &Repository) -> Arn {
    Arn::repository(region, &repository.domain_owner, &repository.domain_name, &repository.name)
}

/// The links as the journal tells them.
fn links(repository: &Repository) -> String {
    let upstreams: Vec<_> = repository.upstreams.iter().map(|upstream| upstream.name.as_str()).collect();
    let connection = repository.external_connection.map_or("none", ExternalConnection::name);
    format!("upstreams=[{}] external_connection={connection}", upstreams.join(","))
}

impl Transaction<'_> {
    /// The repository, which may have been deleted since it was looked up.
    pub(super) async fn get_repository(&mut self, id: RepositoryId) -> Result<Repository> {
        find(self.conn, &FIND_BY_ID, params![id]).await?.ok_or_else(|| {
            let message = "Repository not found. It was deleted meanwhile";
            Error::not_found(ResourceType::Repository, id.0.to_string(), message)
        })
    }

    pub(super) async fn create_repository(&mut self, new: &NewRepository) -> Result<()> {
        let domain = self.get_domain(new.domain).await?;
        let name = new.name.as_str();
        let exists = || {
            let message = format!("Repository '{name}' already exists in domain '{}'", domain.name);
            Error::conflict(ConflictKind::Exists, ResourceType::Repository, name, message)
        };
        if self.conn.find(&FIND, params![new.domain, name], |_| Ok(())).await?.is_some() {
            return Err(exists());
        }
        let count = self.count_repositories(new.domain).await?;
        if count >= u64::from(new.limit) {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Repository,
                resource_id: name.to_owned(),
                message: format!("Domain '{}' has {count} repositories and may have {}", domain.name, new.limit),
            });
        }
        let values = params![new.domain, name, new.administrator.as_str(), new.description.as_ref(), self.actor.at];
        let id = self.conn.find(&CREATE, values, |row| row.integer(0).map(RepositoryId)).await?.ok_or_else(exists)?;
        self.add_repositories(new.domain, 1).await?;
        self.link(id, new.domain, &new.upstreams).await?;
        self.put_tags(Tagged::Repository(new.domain, id), &new.tags).await?;
        let repository = self.get_repository(id).await?;
        self.record(arn(self.region, &repository).as_str(), None, Some(&links(&repository))).await
    }

    pub(super) async fn update_repository(
        &mut self,
        id: RepositoryId,
        description: Option<&String>,
        upstreams: Option<&Vec<RepositoryId>>,
    ) -> Result<()> {
        let before = self.get_repository(id).await?;
        if let Some(description) = description {
            self.conn.execute(&SET_DESCRIPTION, params![id, description]).await?;
        }
        if let Some(upstreams) = upstreams {
            if let Some(connection) = before.external_connection
                && !upstreams.is_empty()
            {
                let message = format!(
                    "Repository '{}' has the external connection '{connection}'; a repository has upstreams or an external connection, not both",
                    before.name
                );
                return Err(Error::validation("upstreams", message));
            }
            self.link(id, before.domain, upstreams).await?;
        }
        let after = self.get_repository(id).await?;
        let resource = arn(self.region, &after);
        self.record(resource.as_str(), Some(&links(&before)), Some(&links(&after))).await
    }

    /// Replaces the upstreams, in priority order.
    async fn link(&mut self, id: RepositoryId, domain: DomainId, upstreams: &[RepositoryId]) -> Result<()> {
        self.conn.execute(&UNLINK, params![id]).await?;
        for (position, upstream) in (0_i64..).zip(upstreams) {
            let upstream = self.get_repository(*upstream).await?;
            if upstream.domain != domain {
                let message = format!("upstream repository '{}' is of another domain", upstream.name);
                return Err(Error::validation("upstreams", message));
            }
            self.conn.execute(&LINK, params![id, position, upstream.id, upstream.name.as_str()]).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_repository(&mut self, id: RepositoryId) -> Result<()> {
        let repository = self.get_repository(id).await?;
        self.conn.execute(&HIDE, params![id]).await?;
        self.conn.execute(&UNLINK, params![id]).await?;
        self.delete_all_tags(repository.domain, id).await?;
        self.disallow_everywhere(id).await?;
        self.add_repositories(repository.domain, -1).await?;
        self.record(arn(self.region, &repository).as_str(), Some(&links(&repository)), None).await
    }

    pub(super) async fn associate(&mut self, id: RepositoryId, connection: ExternalConnection) -> Result<()> {
        let before = self.get_repository(id).await?;
        if before.external_connection.is_some() {
            let message = "ExternalConnections for repositories are currently limited to 1";
            return Err(Error::validation("externalConnection", message));
        }
        if !before.upstreams.is_empty() {
            let message = format!(
                "Repository '{}' has upstream repositories; a repository has upstreams or an external connection, not both",
                before.name
            );
            return Err(Error::validation("externalConnection", message));
        }
        self.set_connection(&before, Some(connection)).await
    }

    pub(super) async fn disassociate(&mut self, id: RepositoryId, connection: ExternalConnection) -> Result<()> {
        let before = self.get_repository(id).await?;
        if before.external_connection != Some(connection) {
            let message = format!("Repository '{}' has no external connection '{connection}'", before.name);
            return Err(Error::not_found(ResourceType::Other, connection.name(), message));
        }
        self.set_connection(&before, None).await
    }

    async fn set_connection(&mut self, before: &Repository, connection: Option<ExternalConnection>) -> Result<()> {
        let name = connection.map(ExternalConnection::name);
        self.conn.execute(&SET_CONNECTION, params![before.id, name]).await?;
        let after = self.get_repository(before.id).await?;
        self.record(arn(self.region, &after).as_str(), Some(&links(before)), Some(&links(&after))).await
    }
}
