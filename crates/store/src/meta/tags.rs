//! Tags of domains, repositories and package groups. Callers name the resource by its ARN, rows by identity.

use larder_core::error::ResourceType;
use larder_core::model::{DomainId, PackageGroupId, RepositoryId, ResourceArn, Tag};
use larder_core::{Error, Result};

use super::Transaction;
use crate::sql::{Conn, Row, params, statements};

statements! {
    LIST_OF_DOMAIN = "
        SELECT t.key, t.value
          FROM domain d JOIN resource_tag t ON t.domain_id = d.id AND t.repository_id = 0
         WHERE d.owner = $1 AND d.name = $2
         ORDER BY t.key";
    LIST_OF_REPOSITORY = "
        SELECT t.key, t.value
          FROM domain d
          JOIN repository r ON r.domain_id = d.id
          JOIN resource_tag t ON t.domain_id = d.id AND t.repository_id = r.id
         WHERE d.owner = $1 AND d.name = $2 AND r.name = $3 AND r.gone = 0
         ORDER BY t.key";
    LIST_OF_GROUP = "
        SELECT t.key, t.value
          FROM domain d
          JOIN package_group g ON g.domain_id = d.id
          JOIN package_group_tag t ON t.group_id = g.id
         WHERE d.owner = $1 AND d.name = $2 AND g.pattern = $3
         ORDER BY t.key";
    FIND_DOMAIN = "SELECT id FROM domain WHERE owner = $1 AND name = $2";
    FIND_REPOSITORY = "
        SELECT d.id, r.id
          FROM domain d JOIN repository r ON r.domain_id = d.id
         WHERE d.owner = $1 AND d.name = $2 AND r.name = $3 AND r.gone = 0";
    FIND_GROUP = "
        SELECT g.id
          FROM domain d JOIN package_group g ON g.domain_id = d.id
         WHERE d.owner = $1 AND d.name = $2 AND g.pattern = $3";
    PUT = "
        INSERT INTO resource_tag (domain_id, repository_id, key, value) VALUES ($1, $2, $3, $4)
        ON CONFLICT (domain_id, repository_id, key) DO UPDATE SET value = excluded.value";
    DELETE = "DELETE FROM resource_tag WHERE domain_id = $1 AND repository_id = $2 AND key = $3";
    DELETE_ALL = "DELETE FROM resource_tag WHERE domain_id = $1 AND repository_id = $2";
    /// At most [`Tag::LIMIT`], and what one call adds.
    LIST = "SELECT key, value FROM resource_tag WHERE domain_id = $1 AND repository_id = $2 ORDER BY key";
    PUT_GROUP = "
        INSERT INTO package_group_tag (group_id, key, value) VALUES ($1, $2, $3)
        ON CONFLICT (group_id, key) DO UPDATE SET value = excluded.value";
    DELETE_GROUP = "DELETE FROM package_group_tag WHERE group_id = $1 AND key = $2";
    LIST_GROUP = "SELECT key, value FROM package_group_tag WHERE group_id = $1 ORDER BY key";
}

/// What tags hang on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tagged {
    Domain(DomainId),
    Repository(DomainId, RepositoryId),
    Group(PackageGroupId),
}

fn read_tag(row: &Row<'_>) -> Result<Tag> {
    Ok(Tag { key: row.text(0)?.to_owned(), value: row.text(1)?.to_owned() })
}

/// Reads an ARN, if it is one of this region.
fn parse(region: &str, resource: &str) -> Option<ResourceArn> {
    ResourceArn::parse(resource).ok().filter(|arn| arn.region() == region)
}

/// The tags of a resource, in key order; none for one that is not there.
pub(super) async fn list(conn: &mut Conn, region: &str, resource: &str) -> Result<Vec<Tag>> {
    match parse(region, resource) {
        Some(ResourceArn::Domain { owner, domain, .. }) => {
            conn.list(&LIST_OF_DOMAIN, params![owner.as_str(), domain.as_str()], read_tag).await
        }
        Some(ResourceArn::Repository { owner, domain, repository, .. }) => {
            let values = params![owner.as_str(), domain.as_str(), repository.as_str()];
            conn.list(&LIST_OF_REPOSITORY, values, read_tag).await
        }
        Some(ResourceArn::PackageGroup { owner, domain, pattern, .. }) => {
            conn.list(&LIST_OF_GROUP, params![owner.as_str(), domain.as_str(), pattern.as_str()], read_tag).await
        }
        None => Ok(Vec::new()),
    }
}

/// Tags as the journal tells them.
fn told(tags: &[Tag]) -> String {
    let pairs: Vec<_> = tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
    format!("tags=[{}]", pairs.join(","))
}

impl Transaction<'_> {
    /// The identity behind the ARN.
    async fn get_tagged(&mut self, resource: &str) -> Result<Tagged> {
        let found = match parse(self.region, resource) {
            Some(ResourceArn::Domain { owner, domain, .. }) => {
                let read = |row: &Row<'_>| Ok(Tagged::Domain(DomainId(row.integer(0)?)));
                self.conn.find(&FIND_DOMAIN, params![owner.as_str(), domain.as_str()], read).await?
            }
            Some(ResourceArn::Repository { owner, domain, repository, .. }) => {
                let values = params![owner.as_str(), domain.as_str(), repository.as_str()];
                let read =
                    |row: &Row<'_>| Ok(Tagged::Repository(DomainId(row.integer(0)?), RepositoryId(row.integer(1)?)));
                self.conn.find(&FIND_REPOSITORY, values, read).await?
            }
            Some(ResourceArn::PackageGroup { owner, domain, pattern, .. }) => {
                let values = params![owner.as_str(), domain.as_str(), pattern.as_str()];
                let read = |row: &Row<'_>| Ok(Tagged::Group(PackageGroupId(row.integer(0)?)));
                self.conn.find(&FIND_GROUP, values, read).await?
            }
            None => None,
        };
        found.ok_or_else(|| {
            let message = format!("Resource not found. '{resource}' does not exist");
            Error::not_found(ResourceType::Other, resource, message)
        })
    }

    async fn list_tags(&mut self, tagged: Tagged) -> Result<Vec<Tag>> {
        match tagged {
            Tagged::Group(group) => self.conn.list(&LIST_GROUP, params![group], read_tag).await,
            Tagged::Domain(domain) => self.conn.list(&LIST, params![domain, 0_i64], read_tag).await,
            Tagged::Repository(domain, repository) => {
                self.conn.list(&LIST, params![domain, repository], read_tag).await
            }
        }
    }

    /// Adds or replaces tags.
    pub(super) async fn put_tags(&mut self, tagged: Tagged, tags: &[Tag]) -> Result<()> {
        for tag in tags {
            match tagged {
                Tagged::Group(group) => self.conn.execute(&PUT_GROUP, params![group, &tag.key, &tag.value]).await?,
                Tagged::Domain(domain) => self.conn.execute(&PUT, params![domain, 0_i64, &tag.key, &tag.value]).await?,
                Tagged::Repository(domain, repository) => {
                    self.conn.execute(&PUT, params![domain, repository, &tag.key, &tag.value]).await?
                }
            };
        }
        Ok(())
    }

    /// Removes all tags of a repository that goes.
    pub(super) async fn delete_all_tags(&mut self, domain: DomainId, repository: RepositoryId) -> Result<()> {
        self.conn.execute(&DELETE_ALL, params![domain, repository]).await.map(drop)
    }

    pub(super) async fn tag(&mut self, resource: &str, tags: &[Tag]) -> Result<()> {
        let tagged = self.get_tagged(resource).await?;
        let before = self.list_tags(tagged).await?;
        self.put_tags(tagged, tags).await?;
        let after = self.list_tags(tagged).await?;
        if after.len() > Tag::LIMIT {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: resource.to_owned(),
                message: format!("a resource may have {} tags, '{resource}' would have {}", Tag::LIMIT, after.len()),
            });
        }
        self.record(resource, Some(&told(&before)), Some(&told(&after))).await
    }

    pub(super) async fn untag(&mut self, resource: &str, keys: &[String]) -> Result<()> {
        let tagged = self.get_tagged(resource).await?;
        let before = self.list_tags(tagged).await?;
        for key in keys {
            match tagged {
                Tagged::Group(group) => self.conn.execute(&DELETE_GROUP, params![group, key]).await?,
                Tagged::Domain(domain) => self.conn.execute(&DELETE, params![domain, 0_i64, key]).await?,
                Tagged::Repository(domain, repository) => {
                    self.conn.execute(&DELETE, params![domain, repository, key]).await?
                }
            };
        }
        let after = self.list_tags(tagged).await?;
        self.record(resource, Some(&told(&before)), Some(&told(&after))).await
    }
}
