//! Amazon resource names (reference 1.3).

use std::fmt;

use super::{AccountId, DomainName, PackageGroupPattern, PackageKey, RepositoryName};
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

    /// `…:package-group/{domain}{pattern}`, where `*`, `$` and `%` of the pattern are escaped.
    #[must_use]
    pub fn package_group(region: &str, owner: &AccountId, domain: &DomainName, pattern: &PackageGroupPattern) -> Self {
        let pattern = pattern.as_str().replace('%', "%25").replace('*', "%2a").replace('$', "%24");
        Self(format!("arn:aws:codeartifact:{region}:{owner}:package-group/{domain}{pattern}"))
    }

    /// `arn:aws:iam::{account}:user{path}{name}`.
    #[must_use]
    pub fn user(account: &AccountId, path: &str, name: &str) -> Self {
        Self(format!("arn:aws:iam::{account}:user{path}{name}"))
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
    PackageGroup { region: String, owner: AccountId, domain: DomainName, pattern: PackageGroupPattern },
}

/// Reads a pattern as [`Arn::package_group`] writes it, without its first slash. Nothing else is escaped, and escapes
/// are in lower case, so that a group has one ARN.
fn parse_pattern(text: &str) -> Option<PackageGroupPattern> {
    let mut pattern = String::from("/");
    let mut parts = text.split('%');
    pattern.push_str(parts.next()?);
    for part in parts {
        let (escape, rest) = part.split_at_checked(2)?;
        pattern.push(match escape {
            "25" => '%',
            "2a" => '*',
            "24" => '$',
            _ => return None,
        });
        pattern.push_str(rest);
    }
    let escaped = !text.contains(['*', '$']);
    PackageGroupPattern::new(&pattern).ok().filter(|_| escaped)
}

impl ResourceArn {
    /// The region that it names.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Self::Domain { region, .. } | Self::Repository { region, .. } | Self::PackageGroup { region, .. } => region,
        }
    }

    /// Reads the ARN of a domain, a repository or a package group.
    ///
    /// # Errors
    /// [`Invalid`] when it is not one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "resourceArn must be the ARN of a domain, repository or package group (arn:aws:codeartifact:REGION:ACCOUNT:domain/NAME)",
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
        if let Some((domain, pattern)) = resource.strip_prefix("package-group/").and_then(|rest| rest.split_once('/')) {
            return Ok(Self::PackageGroup {
                region,
                owner,
                domain: DomainName::new(domain).map_err(|_| invalid())?,
                pattern: parse_pattern(pattern).ok_or_else(invalid)?,
            });
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_groups_arn_escapes_three_characters() {
        let (account, domain) = (AccountId::new("111122223333").unwrap(), DomainName::new("my-domain").unwrap());
        for (pattern, end) in [
            ("/*", "/%2a"),
            ("/npm//react$", "/npm//react%24"),
            ("/npm/space/foo~", "/npm/space/foo~"),
            ("/npm//100%$", "/npm//100%25%24"),
        ] {
            let pattern = PackageGroupPattern::new(pattern).unwrap();
            let arn = Arn::package_group("us-east-1", &account, &domain, &pattern);
            assert_eq!(
                arn.as_str(),
                format!("arn:aws:codeartifact:us-east-1:111122223333:package-group/my-domain{end}")
            );
            let expected = ResourceArn::PackageGroup {
                region: "us-east-1".into(),
                owner: account.clone(),
                domain: domain.clone(),
                pattern,
            };
            assert_eq!(ResourceArn::parse(arn.as_str()), Ok(expected));
        }
        for bad in ["/*", "/%2A", "/npm//react$", "/npm//a%", "/npm//a%2", "/npm//a%20%24", "", "/"] {
            let arn = format!("arn:aws:codeartifact:us-east-1:111122223333:package-group/my-domain{bad}");
            assert!(ResourceArn::parse(&arn).is_err(), "{bad}");
        }
    }
}
