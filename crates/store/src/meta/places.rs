//! Where a package is: its repository and domain, with the names that make its ARN.

use larder_core::error::ResourceType;
use larder_core::model::{AccountId, Arn, DomainId, DomainName, PackageKey, RepositoryId, RepositoryName, VersionText};
use larder_core::{Error, Result};

use super::Transaction;
use crate::sql::{Row, corrupt, params, statements};

statements! {
    FIND = "
        SELECT r.id, d.id, d.owner, d.name, r.name, r.administrator
          FROM repository r JOIN domain d ON d.id = r.domain_id
         WHERE r.id = $1 AND r.gone = 0";
}

/// A repository's domain and the names of both.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) repository: RepositoryId,
    pub(super) domain: DomainId,
    pub(super) owner: AccountId,
    pub(super) domain_name: DomainName,
    pub(super) name: RepositoryName,
    pub(super) administrator: AccountId,
}

impl Place {
    /// The ARN of a package there.
    pub(super) fn package(&self, region: &str, key: &PackageKey) -> Arn {
        Arn::package(region, &self.owner, &self.domain_name, &self.name, key)
    }

    /// A version has no ARN: its package's, `#` (which no name may hold), its text.
    pub(super) fn version(&self, region: &str, key: &PackageKey, version: &VersionText) -> String {
        format!("{}#{version}", self.package(region, key))
    }
}

fn read_place(row: &Row<'_>) -> Result<Place> {
    let id = row.integer(0)?;
    let broken = |error| corrupt("repository", id, error);
    Ok(Place {
        repository: RepositoryId(id),
        domain: DomainId(row.integer(1)?),
        owner: AccountId::new(row.text(2)?).map_err(broken)?,
        domain_name: DomainName::new(row.text(3)?).map_err(broken)?,
        name: RepositoryName::new(row.text(4)?).map_err(broken)?,
        administrator: AccountId::new(row.text(5)?).map_err(broken)?,
    })
}

impl Transaction<'_> {
    /// The place, whose repository may have been deleted since it was looked up.
    pub(super) async fn get_place(&mut self, repository: RepositoryId) -> Result<Place> {
        self.conn.find(&FIND, params![repository], read_place).await?.ok_or_else(|| {
            let message = "Repository not found. It was deleted meanwhile";
            Error::not_found(ResourceType::Repository, repository.0.to_string(), message)
        })
    }
}
