//! Amazon resource names (reference 1.3).

use std::fmt;

use super::{AccountId, DomainName, PackageKey, RepositoryName};
use crate::error::Invalid;

/// The text of an ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Arn(String);

impl Arn {
    /// `arn:aws:codeartifact:{region}:{owner}:domain/{domain}`.
    #[must_use]
    pub fn domain(region: &str, owner: &AccountId, domain: &DomainName) -> Self {
        Self(format!("arn:aws:codeartifact:{region}:{owner}:domain/{domain}"))
    }

    /// `…:repository/{domain}/{repository}`; the account is the domain owner's.
    #[must_use]
    pub fn repository(region: &str, owner: &AccountId, domain: &DomainName, repository: &RepositoryName) -> Self {
        Self(format!("arn:aws:codeartifact:{region}:{owner}:repository/{domain}/{repository}"))
    }

    /// `…:package/{domain}/{repository}/{format}/{namespace}/{name}`; no namespace leaves its segment empty.
    #[must_use]
    pub fn package(
        region: &str,
        owner: &AccountId,
        domain: &DomainName,
        repository: &RepositoryName,
        package: &PackageKey,
    ) -> Self {
        Self(format!(
            "arn:aws:codeartifact:{region}:{owner}:package/{domain}/{repository}/{}/{}/{}",
            package.format(),
            package.namespace().unwrap_or(""),
            package.name()
        ))
    }

    /// `arn:aws:iam::{account}:user/{name}`.
    #[must_use]
    pub fn user(account: &AccountId, name: &str) -> Self {
        Self(format!("arn:aws:iam::{account}:user/{name}"))
    }

    /// `arn:aws:sts::{account}:assumed-role/{role}/{session}`.
    #[must_use]
    pub fn assumed_role(account: &AccountId, role: &str, session: &str) -> Self {
        Self(format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"))
    }

    /// `arn:aws:iam::{account}:root`.
    #[must_use]
    pub fn root(account: &AccountId) -> Self {
        Self(format!("arn:aws:iam::{account}:root"))
    }

    /// Any other text that stands where an ARN stands, such as `*`.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A CodeArtifact ARN taken apart: what tags hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceArn {
    Domain { region: String, owner: AccountId, domain: DomainName },
    Repository { region: String, owner: AccountId, domain: DomainName, repository: RepositoryName },
}

impl ResourceArn {
    /// Reads a domain's or repository's ARN.
    ///
    /// # Errors
    /// [`Invalid`] when it is not one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "resourceArn must be the ARN of a domain or repository (arn:aws:codeartifact:REGION:ACCOUNT:domain/NAME)",
            )
        };
        let mut parts = text.splitn(6, ':');
        let (Some("arn"), Some("aws"), Some("codeartifact"), Some(region), Some(owner), Some(resource)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid());
        };
        let owner = AccountId::new(owner).map_err(|_| invalid())?;
        let region = region.to_owned();
        match resource.split('/').collect::<Vec<_>>().as_slice() {
            ["domain", domain] => {
                Ok(Self::Domain { region, owner, domain: DomainName::new(*domain).map_err(|_| invalid())? })
            }
            ["repository", domain, repository] => Ok(Self::Repository {
                region,
                owner,
                domain: DomainName::new(*domain).map_err(|_| invalid())?,
                repository: RepositoryName::new(*repository).map_err(|_| invalid())?,
            }),
            _ => Err(invalid()),
        }
    }
}
