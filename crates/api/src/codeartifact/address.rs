//! The query parameters that say what an operation is about: domain, repository, package.

use larder_core::error::{Invalid, Result};
use larder_core::model::{
    AccountId, DomainName, PackageFormat, PackageGroupPattern, PackageKey, RepositoryName, VersionText,
};

use super::operations::{Param, param};
use super::query::Query;

/// A domain by name; the caller's own account's unless an owner is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DomainAddress {
    pub(super) owner: Option<AccountId>,
    pub(super) name: DomainName,
}

impl DomainAddress {
    /// Reads `domain` and `domain-owner`.
    pub(super) fn parse(query: &Query) -> Result<Self> {
        Ok(Self {
            owner: query.get_optional(param::DOMAIN_OWNER, str::parse::<AccountId>)?,
            name: query.get(param::DOMAIN, str::parse::<DomainName>)?,
        })
    }
}

/// A repository of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RepositoryAddress {
    pub(super) domain: DomainAddress,
    pub(super) name: RepositoryName,
}

impl RepositoryAddress {
    /// Reads `domain`, `domain-owner` and `repository`.
    pub(super) fn parse(query: &Query) -> Result<Self> {
        Self::parse_named(query, param::REPOSITORY)
    }

    /// Reads the repository from a parameter of another name.
    pub(super) fn parse_named(query: &Query, repository: Param) -> Result<Self> {
        Ok(Self { domain: DomainAddress::parse(query)?, name: query.get(repository, str::parse::<RepositoryName>)? })
    }
}

/// A package group of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageGroupAddress {
    pub(super) domain: DomainAddress,
    pub(super) pattern: PackageGroupPattern,
}

impl PackageGroupAddress {
    /// Reads `domain`, `domain-owner` and `package-group`.
    pub(super) fn parse(query: &Query) -> Result<Self> {
        let pattern = query.get(param::PACKAGE_GROUP, PackageGroupPattern::new)?;
        Ok(Self { domain: DomainAddress::parse(query)?, pattern })
    }
}

/// A package as the caller names it; its format's rules are applied when it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageName {
    pub(super) format: PackageFormat,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

impl PackageName {
    /// Reads `format`, `namespace` and `package`, checking the rules that all formats share.
    pub(super) fn parse(query: &Query) -> Result<Self> {
        let format = query.get(param::FORMAT, str::parse)?;
        let namespace = query.find(param::NAMESPACE);
        let name = query.get(param::PACKAGE, |name| Ok::<_, Invalid>(name.to_owned()))?;
        PackageKey::new(format, namespace, &name).map_err(|rule| {
            let param = if rule.0.contains("namespace") { param::NAMESPACE } else { param::PACKAGE };
            rule.in_field(param.member)
        })?;
        Ok(Self { format, namespace: namespace.map(str::to_owned), name })
    }
}

/// A package in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageAddress {
    pub(super) repository: RepositoryAddress,
    pub(super) package: PackageName,
}

impl PackageAddress {
    /// Reads all parameters that name a package.
    pub(super) fn parse(query: &Query) -> Result<Self> {
        Ok(Self { repository: RepositoryAddress::parse(query)?, package: PackageName::parse(query)? })
    }
}

/// A version of a package in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionAddress {
    pub(super) package: PackageAddress,
    /// As the caller writes it.
    pub(super) version: VersionText,
}

impl VersionAddress {
    /// Reads all parameters that name a version.
    pub(super) fn parse(query: &Query) -> Result<Self> {
        let package = PackageAddress::parse(query)?;
        Ok(Self { package, version: query.get(param::VERSION, str::parse::<VersionText>)? })
    }
}

#[cfg(test)]
mod tests {
    use larder_core::error::Error;

    use super::*;

    fn parse(raw: &str) -> Result<VersionAddress> {
        VersionAddress::parse(&Query::parse(Some(raw)).unwrap())
    }

    const VERSION: &str = "domain=my-domain&repository=my-repo&format=npm&package=ui&version=1.0.0";

    #[test]
    fn a_version_is_named_by_domain_repository_package_and_version() {
        let address = parse(&format!("{VERSION}&namespace=vue&domain-owner=111122223333")).unwrap();
        assert_eq!(address.version.as_str(), "1.0.0");
        let PackageAddress { repository, package } = address.package;
        assert_eq!(repository.domain.owner.unwrap().as_str(), "111122223333");
        assert_eq!((repository.domain.name.as_str(), repository.name.as_str()), ("my-domain", "my-repo"));
        assert_eq!(
            package,
            PackageName { format: PackageFormat::Npm, namespace: Some("vue".into()), name: "ui".into() }
        );
        assert_eq!(parse(VERSION).unwrap().package.repository.domain.owner, None);
    }

    #[test]
    fn each_bad_part_is_named() {
        for (raw, member) in [
            (VERSION.replace("my-domain", "My_Domain"), "domain"),
            (VERSION.replace("my-repo", "-"), "repository"),
            (VERSION.replace("npm", "cobol"), "format"),
            (VERSION.replace("=ui", "=a%2Fb"), "package"),
            (VERSION.replace("1.0.0", "1%200"), "packageVersion"),
            (VERSION.replace("npm", "maven"), "namespace"),
            (format!("{}&namespace=x", VERSION.replace("npm", "pypi")), "namespace"),
            (format!("{VERSION}&namespace="), "namespace"),
            (format!("{VERSION}&domain-owner=12"), "domainOwner"),
        ] {
            let error = parse(&raw).unwrap_err();
            assert!(matches!(&error, Error::Validation { field, .. } if field == member), "{raw}: {error:?}");
        }
    }
}
