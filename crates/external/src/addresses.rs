//! Which URLs a registry's documents, file addresses and redirects may lead to (reference: protocols 0.8). Pure.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::configuration::Registry;
use crate::guard::literal;
use crate::reach::Reach;

/// What is being fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Document,
    File {
        /// Whether hosts that nobody listed are allowed, over `https` on its usual port.
        discover: bool,
    },
}

/// How an admitted URL may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The configuration names the origin. With the registry's credentials if it lies below its address.
    Configured { with_credentials: bool },
    /// Only the registry named it: where it may lead is decided when it is resolved.
    Discovered,
}

/// Why a URL is not asked: a sentence.
pub(crate) type Refusal = String;

impl Registry {
    /// The URL of a document below the registry's address. `path` is percent-encoded.
    pub(crate) fn document_url(&self, path: &str) -> Result<Url, Refusal> {
        let text = format!("{}/{}", self.base.as_str().trim_end_matches('/'), path.trim_start_matches('/'));
        let url = Url::parse(&text).map_err(|error| format!("{text} is not a URL: {error}"))?;
        if url.origin() == self.base.origin() && is_below(self.base.path(), url.path()) {
            Ok(url)
        } else {
            Err(format!("{text} is not below the registry's address"))
        }
    }

    /// The URL of a file: `url` is relative to the document's or absolute.
    pub(crate) fn file_url(&self, document_path: &str, url: &str) -> Result<Url, Refusal> {
        follow(&self.document_url(document_path)?, url)
    }

    /// Whether and how a URL may be asked.
    pub(crate) fn admit(&self, url: &Url, purpose: Purpose) -> Result<Admission, Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{url} is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("an address on {} brings its own user and password", host_of(url)));
        }
        let origin = url.origin();
        if origin == self.base.origin() {
            let with_credentials = self.authorization.is_some() && is_below(self.base.path(), url.path());
            return Ok(Admission::Configured { with_credentials });
        }
        if self.allowed.contains(&origin) {
            return Ok(Admission::Configured { with_credentials: false });
        }
        let usual = url.scheme() == "https" && url.port().is_none();
        match purpose {
            Purpose::File { discover: true } if usual => match literal(url) {
                Some(address) if Reach::of(address) != Reach::Public => {
                    Err(format!("{address} is not a public address"))
                }
                _ => Ok(Admission::Discovered),
            },
            _ => Err(format!(
                "{} is neither the registry's own address nor in its allow_hosts",
                origin.ascii_serialization()
            )),
        }
    }
}

/// Where a reference found at `from` leads: a file URL in a document, a redirect's `Location`.
pub(crate) fn follow(from: &Url, reference: &str) -> Result<Url, Refusal> {
    let mut url = from.join(reference).map_err(|error| format!("'{reference}' is not a URL: {error}"))?;
    if from.scheme() == "https" && url.scheme() != "https" {
        return Err(format!("{} leads away from https", host_of(from)));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The host of a URL, for sentences: the rest may hold secrets.
pub(crate) fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or("an address without a host")
}

/// Whether a path lies below another, however its dots and slashes are escaped.
fn is_below(prefix: &str, path: &str) -> bool {
    let decoded = percent_decode_str(path).collect::<Vec<u8>>();
    let climbs = decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| segment == b"..");
    let prefix = prefix.trim_end_matches('/');
    !climbs && path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Credentials, RegistryAddress};

    fn registry(url: &str, allow_hosts: &[&str]) -> Registry {
        let address = RegistryAddress {
            url: url.to_owned(),
            credentials: Some(Credentials::Bearer { token: "secret".to_owned() }),
            allow_hosts: allow_hosts.iter().map(|&host| host.to_owned()).collect(),
            ..RegistryAddress::default()
        };
        Registry::try_from(&address).unwrap()
    }

    const FILE: Purpose = Purpose::File { discover: false };
    const DISCOVERED: Purpose = Purpose::File { discover: true };

    #[test]
    fn documents_lie_below_the_address_with_their_escapes_kept() {
        let npm = registry("https://registry.example/npm/", &[]);
        let url = npm.document_url("@scope%2fname").unwrap();
        assert_eq!(url.as_str(), "https://registry.example/npm/@scope%2fname");
        let root = registry("https://registry.example", &[]);
        assert_eq!(root.document_url("/simple/x/").unwrap().as_str(), "https://registry.example/simple/x/");
        for outside in ["../admin", "%2e%2e/admin", "x/../../admin", "x%2f..%2f..%2fadmin", "..%5cadmin"] {
            assert!(npm.document_url(outside).is_err(), "{outside}");
        }
        // A path that looks like a URL stays a path.
        assert_eq!(npm.document_url("//evil.example/x").unwrap().host_str(), Some("registry.example"));
        assert_eq!(npm.document_url("https://evil.example").unwrap().host_str(), Some("registry.example"));
    }

    #[test]
    fn file_addresses_are_relative_to_the_document() {
        let pypi = registry("https://index.example/main", &[]);
        let at = |url| pypi.file_url("simple/x/", url).map(String::from);
        assert_eq!(at("x-1.whl").unwrap(), "https://index.example/main/simple/x/x-1.whl");
        assert_eq!(at("../../files/x-1.whl#sha256=00").unwrap(), "https://index.example/main/files/x-1.whl");
        assert_eq!(at("https://files.example/x-1.whl").unwrap(), "https://files.example/x-1.whl");
        assert_eq!(at("//files.example/x").unwrap(), "https://files.example/x");
        assert!(at("http://index.example/x").is_err(), "never from https to http");
        assert!(at("file:///etc/passwd").is_err());
    }

    #[test]
    fn credentials_go_to_the_same_origin_and_path_only() {
        let npm = registry("https://registry.example/npm", &["https://files.example", "http://127.0.0.1:8080"]);
        let admitted = |url: &str| npm.admit(&Url::parse(url).unwrap(), FILE);
        let with = Ok(Admission::Configured { with_credentials: true });
        assert_eq!(admitted("https://registry.example/npm"), with);
        assert_eq!(admitted("https://registry.example:443/npm/x/-/x.tgz"), with);
        for without in [
            "https://registry.example/other/x",
            "https://registry.example/npm-evil/x",
            "https://registry.example/npm/..%2f..%2fother",
            "https://files.example/npm/x",
            "http://127.0.0.1:8080/npm/x",
        ] {
            assert_eq!(admitted(without), Ok(Admission::Configured { with_credentials: false }), "{without}");
        }
        for refused in [
            "http://registry.example/npm/x",
            "https://registry.example:8443/npm/x",
            "https://registry.example.evil/npm/x",
            "https://files.example:8443/x",
            "http://127.0.0.1:8081/x",
            "https://user@registry.example/npm/x",
            "https://registry.example@evil.example/npm/x",
            "ftp://registry.example/npm/x",
        ] {
            assert!(admitted(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn unlisted_hosts_are_for_files_over_https_at_public_addresses() {
        let pypi = registry("https://index.example", &[]);
        let discovered = |url: &str, purpose| pypi.admit(&Url::parse(url).unwrap(), purpose);
        assert_eq!(discovered("https://files.example/x", DISCOVERED), Ok(Admission::Discovered));
        assert!(discovered("https://files.example:8443/x", DISCOVERED).is_err());
        assert!(discovered("https://files.example/x", FILE).is_err());
        assert!(discovered("https://files.example/x", Purpose::Document).is_err());
        assert!(discovered("http://files.example/x", DISCOVERED).is_err());
        for internal in ["https://127.0.0.1/x", "https://169.254.169.254/x", "https://[::1]/x", "https://0x7f.1/x"] {
            assert!(discovered(internal, DISCOVERED).is_err(), "{internal}");
        }
    }
}
