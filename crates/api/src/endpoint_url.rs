//! The addresses that GetRepositoryEndpoint hands out: what package managers are pointed at.

use larder_core::model::{PackageFormat, Repository};

/// How repository endpoints are addressed.
#[derive(Debug, Clone)]
pub(crate) struct EndpointUrls {
    /// `{domain}-{owner}.d.example.com`, which the listener has checked; `None` puts both into the path.
    host: Option<String>,
}

impl EndpointUrls {
    pub(crate) fn new(host: Option<String>) -> Self {
        Self { host }
    }

    /// A repository's endpoint for one format, always with a slash at the end. `base_url` is the server's own address as
    /// this client sees it, without one.
    pub(crate) fn repository(&self, base_url: &str, repository: &Repository, format: PackageFormat) -> String {
        let Repository { domain_name, domain_owner, name, .. } = repository;
        let Some(template) = &self.host else {
            return format!("{base_url}/d/{domain_name}-{domain_owner}/{format}/{name}/");
        };
        let host = template.replace("{domain}", domain_name.as_str()).replace("{owner}", domain_owner.as_str());
        let (scheme, rest) = base_url.split_once("://").unwrap_or(("http", base_url));
        let authority = rest.split('/').next().unwrap_or_default();
        // The last colon may belong to an IPv6 address.
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{scheme}://{host}{port}/{format}/{name}/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codeartifact::samples::repository;

    #[test]
    fn by_path_the_server_is_named_as_the_client_named_it() {
        let url = |base: &str, format| EndpointUrls::new(None).repository(base, &repository(), format);
        assert_eq!(
            url("http://127.0.0.1:5273", PackageFormat::Npm),
            "http://127.0.0.1:5273/d/my-domain-111122223333/npm/my-repo/"
        );
        assert_eq!(
            url("https://example.com/larder", PackageFormat::Generic),
            "https://example.com/larder/d/my-domain-111122223333/generic/my-repo/"
        );
    }

    #[test]
    fn by_host_each_domain_has_a_name_of_its_own() {
        let urls = EndpointUrls::new(Some("{domain}-{owner}.d.example.com".into()));
        let host = "my-domain-111122223333.d.example.com";
        for (base, expected) in [
            ("https://larder.example.com", format!("https://{host}/pypi/my-repo/")),
            ("http://127.0.0.1:5273", format!("http://{host}:5273/pypi/my-repo/")),
            ("http://[::1]", format!("http://{host}/pypi/my-repo/")),
            ("http://[::1]:80", format!("http://{host}:80/pypi/my-repo/")),
            ("https://example.com/x", format!("https://{host}/pypi/my-repo/")),
        ] {
            assert_eq!(urls.repository(base, &repository(), PackageFormat::Pypi), expected, "{base}");
        }
    }
}
