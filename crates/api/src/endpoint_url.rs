//! The addresses that GetRepositoryEndpoint hands out: what package managers are pointed at.

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, Repository};

/// How repository endpoints are addressed: configuration.
#[derive(Debug, Clone, Default)]
pub struct EndpointUrls {
    host: Option<HostTemplate>,
}

/// A host name that holds `{domain}` and `{owner}`, with a port if it has one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTemplate(String);

impl HostTemplate {
    /// Reads a template such as `{domain}-{owner}.d.example.com`.
    ///
    /// # Errors
    /// [`Invalid`] unless both placeholders are in it once and the rest is a host name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let count = |placeholder| text.matches(placeholder).count();
        let rest = text.replace("{domain}", "").replace("{owner}", "");
        let is_host = rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
        if count("{domain}") == 1 && count("{owner}") == 1 && is_host {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("the endpoint host must be a host name with {domain} and {owner}, each once"))
    }
}

impl EndpointUrls {
    /// Below the server's own address, which needs no DNS.
    #[must_use]
    pub fn by_path() -> Self {
        Self::default()
    }

    /// A host name for each domain, as AWS has it.
    #[must_use]
    pub fn by_host(host: HostTemplate) -> Self {
        Self { host: Some(host) }
    }

    /// A repository's endpoint for one format, always with a slash at the end. `base_url` is the server's own address as
    /// this client sees it, without one.
    #[must_use]
    pub fn repository(&self, base_url: &str, repository: &Repository, format: PackageFormat) -> String {
        let Repository { domain_name, domain_owner, name, .. } = repository;
        let Some(HostTemplate(template)) = &self.host else {
            return format!("{base_url}/d/{domain_name}-{domain_owner}/{format}/{name}/");
        };
        let host = template.replace("{domain}", domain_name.as_str()).replace("{owner}", domain_owner.as_str());
        let (scheme, rest) = base_url.split_once("://").unwrap_or(("http", base_url));
        let (authority, prefix) = rest.split_once('/').map_or((rest, String::new()), |(a, p)| (a, format!("/{p}")));
        let port = match authority.rsplit_once(':') {
            // The colon may belong to an IPv6 address.
            Some((_, port)) if !template.contains(':') && !port.contains(']') => format!(":{port}"),
            _ => String::new(),
        };
        format!("{scheme}://{host}{port}{prefix}/{format}/{name}/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codeartifact::samples::repository;

    #[test]
    fn by_path_the_server_is_named_as_the_client_named_it() {
        assert_eq!(
            EndpointUrls::by_path().repository("http://127.0.0.1:5273", &repository(), PackageFormat::Npm),
            "http://127.0.0.1:5273/d/my-domain-111122223333/npm/my-repo/"
        );
        assert_eq!(
            EndpointUrls::by_path().repository("https://example.com/larder", &repository(), PackageFormat::Generic),
            "https://example.com/larder/d/my-domain-111122223333/generic/my-repo/"
        );
    }

    #[test]
    fn by_host_each_domain_has_a_name_of_its_own() {
        let url = |template: &str, base: &str| {
            let urls = EndpointUrls::by_host(HostTemplate::parse(template).unwrap());
            urls.repository(base, &repository(), PackageFormat::Pypi)
        };
        let template = "{domain}-{owner}.d.example.com";
        let host = "my-domain-111122223333.d.example.com";
        assert_eq!(url(template, "https://larder.example.com"), format!("https://{host}/pypi/my-repo/"));
        assert_eq!(url(template, "http://127.0.0.1:5273"), format!("http://{host}:5273/pypi/my-repo/"));
        assert_eq!(url(template, "http://[::1]"), format!("http://{host}/pypi/my-repo/"));
        assert_eq!(url(template, "https://example.com/x"), format!("https://{host}/x/pypi/my-repo/"));
        assert_eq!(
            url(&format!("{template}:8443"), "https://127.0.0.1:5273"),
            format!("https://{host}:8443/pypi/my-repo/")
        );
    }

    #[test]
    fn a_template_needs_both_placeholders() {
        for bad in ["", "example.com", "{domain}.example.com", "{domain}{domain}{owner}", "{domain}-{owner}/x"] {
            assert!(HostTemplate::parse(bad).is_err(), "{bad}");
        }
    }
}
