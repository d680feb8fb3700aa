//! Which repository a path or host name addresses.

use std::borrow::Cow;

use larder_core::error::{Error, Invalid, ResourceType};
use larder_core::model::{AccountId, DomainName, PackageFormat, RepositoryName};

use crate::PeerInfo;
use crate::path::{BadPath, RawPath};

/// The pattern that an endpoint host begins with.
const HOST_PATTERN: &str = "{domain}-{owner}.";

/// What follows the first label in host names of repositories.
#[derive(Debug, Clone)]
pub(super) struct HostSuffix(String);

impl HostSuffix {
    /// Reads `{domain}-{owner}.d.example.com`.
    pub(super) fn parse(pattern: &str) -> Result<Self, Invalid> {
        let suffix = pattern.strip_prefix(HOST_PATTERN).unwrap_or_default();
        let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if suffix.is_empty() || !suffix.bytes().all(is_host_byte) {
            return Err(Invalid::new(format!(
                "the endpoint host must be {HOST_PATTERN} and the rest of a host name, not '{pattern}'"
            )));
        }
        Ok(Self(format!(".{}", suffix.to_ascii_lowercase())))
    }

    /// `{domain}-{owner}`, if the client asked for such a host.
    fn domain_of(&self, authority: &str) -> Option<String> {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_ascii_lowercase();
        host.strip_suffix(&self.0).map(ToOwned::to_owned)
    }
}

/// A package endpoint as addressed; nothing of it is known to exist.
#[derive(Debug)]
pub(super) struct Location<'a> {
    /// `{domain}-{owner}`.
    domain: Cow<'a, str>,
    pub(super) format: Cow<'a, str>,
    repository: Cow<'a, str>,
    form: Form,
    /// What follows the repository.
    pub(super) rest: RawPath<'a>,
}

/// The forms of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `/d/{domain}-{owner}/{format}/{repository}/…`
    Path,
    /// `/{format}/d/{domain}-{owner}/{repository}/…`, which AWS has for interface endpoints.
    FormatFirst,
    /// `/{format}/{repository}/…` on a host of the domain's own.
    Host,
}

impl<'a> Location<'a> {
    /// Reads the address; `None` if it is not one of a package endpoint. Missing parts are empty.
    pub(super) fn read(
        raw_path: &'a str,
        peer: &PeerInfo,
        hosts: Option<&HostSuffix>,
    ) -> Result<Option<Self>, BadPath> {
        let mut rest = RawPath::new(raw_path)?;
        let mut next = || Ok(rest.next_segment()?.unwrap_or_default());
        if let Some(domain) = hosts.and_then(|hosts| hosts.domain_of(&peer.authority)) {
            let (format, repository) = (next()?, next()?);
            return Ok(Some(Self { domain: domain.into(), format, repository, form: Form::Host, rest }));
        }
        let first = next()?;
        if first == "d" {
            let (domain, format, repository) = (next()?, next()?, next()?);
            return Ok(Some(Self { domain, format, repository, form: Form::Path, rest }));
        }
        if first.parse::<PackageFormat>().is_ok() && next()? == "d" {
            let (domain, repository) = (next()?, next()?);
            return Ok(Some(Self { domain, format: first, repository, form: Form::FormatFirst, rest }));
        }
        Ok(None)
    }

    /// The format, if it is one.
    pub(super) fn format(&self) -> Option<PackageFormat> {
        self.format.parse().ok()
    }

    /// The names, checked. `{domain}-{owner}` ends with the owner's 12 digits; domain names hold hyphens too.
    pub(super) fn names(&self) -> Result<(AccountId, DomainName, RepositoryName), Error> {
        let domain = self
            .domain
            .rsplit_once('-')
            .and_then(|(name, owner)| Some((AccountId::new(owner).ok()?, DomainName::new(name).ok()?)));
        let Some((owner, domain)) = domain else {
            let message = format!(
                "there is no domain '{}'; addresses are /d/DOMAIN-OWNER/FORMAT/REPOSITORY/ with the owner's 12 digits",
                self.domain
            );
            return Err(Error::not_found(ResourceType::Domain, self.domain.as_ref(), message));
        };
        let repository = RepositoryName::new(self.repository.as_ref()).map_err(|_| {
            let message = format!("there is no repository '{}' in domain '{domain}'", self.repository);
            Error::not_found(ResourceType::Repository, self.repository.as_ref(), message)
        })?;
        Ok((owner, domain, repository))
    }

    /// The repository's address as the client sees it, without trailing slash.
    pub(super) fn base(&self, peer: &PeerInfo) -> String {
        let (root, domain, format, repository) = (&peer.base_url, &self.domain, &self.format, &self.repository);
        match self.form {
            Form::Path => format!("{root}/d/{domain}/{format}/{repository}"),
            Form::FormatFirst => format!("{root}/{format}/d/{domain}/{repository}"),
            Form::Host => {
                let scheme = root.split_once("://").map_or("http", |(scheme, _)| scheme);
                format!("{scheme}://{}/{format}/{repository}", peer.authority)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(authority: &str) -> PeerInfo {
        PeerInfo {
            address: [127, 0, 0, 1].into(),
            secure: true,
            base_url: "https://larder.example/x".to_owned(),
            authority: authority.to_owned(),
        }
    }

    fn read<'a>(path: &'a str, authority: &str) -> Option<(Location<'a>, String)> {
        let hosts = HostSuffix::parse("{domain}-{owner}.d.Example.com").unwrap();
        let peer = peer(authority);
        let location = Location::read(path, &peer, Some(&hosts)).unwrap()?;
        let base = location.base(&peer);
        Some((location, base))
    }

    #[test]
    fn a_repository_is_addressed_by_path_in_two_orders_or_by_host() {
        for (path, authority, base) in [
            (
                "/d/my-dom-123456789012/npm/my.repo/a/",
                "h",
                "https://larder.example/x/d/my-dom-123456789012/npm/my.repo",
            ),
            (
                "/npm/d/my-dom-123456789012/my.repo/a/",
                "h",
                "https://larder.example/x/npm/d/my-dom-123456789012/my.repo",
            ),
            (
                "/npm/my.repo/a/",
                "My-Dom-123456789012.d.example.com:1",
                "https://My-Dom-123456789012.d.example.com:1/npm/my.repo",
            ),
        ] {
            let (location, seen) = read(path, authority).unwrap();
            let (owner, domain, repository) = location.names().unwrap();
            assert_eq!((owner.as_str(), domain.as_str()), ("123456789012", "my-dom"));
            assert_eq!((&*location.format, repository.as_str()), ("npm", "my.repo"));
            assert_eq!(location.rest.finish(crate::PathRules::default()).unwrap().segments(), ["a"]);
            assert_eq!(seen, base);
        }
    }

    #[test]
    fn other_paths_are_no_repository() {
        for path in ["/", "", "/v1/domain", "/npm", "/npm/repo/a", "/D/dom-123456789012/npm/repo", "/maven/x/d"] {
            assert!(read(path, "larder.example").is_none(), "{path}");
        }
    }

    #[test]
    fn an_address_with_parts_missing_or_wrong_names_nothing_that_exists() {
        for path in [
            "/d",
            "/d/",
            "/d/dom/npm/repo",
            "/d/dom-1/npm/repo",
            "/d/Dom-123456789012/npm/repo",
            "/d/-123456789012/npm/r1",
        ] {
            let (location, _) = read(path, "h").unwrap();
            assert!(location.names().unwrap_err().is_not_found(), "{path}");
        }
        for path in ["/d/dom-123456789012/npm", "/d/dom-123456789012/npm/_"] {
            let (location, _) = read(path, "h").unwrap();
            assert!(location.names().unwrap_err().to_string().contains("repository"), "{path}");
        }
    }

    #[test]
    fn a_pattern_without_its_variables_is_refused() {
        for pattern in [
            "",
            "d.example.com",
            "{domain}-{owner}.",
            "{domain}.{owner}.x",
            "{domain}-{owner}.a/b",
            "{domain}-{owner}.{x}",
        ] {
            assert!(HostSuffix::parse(pattern).is_err(), "{pattern}");
        }
    }
}
