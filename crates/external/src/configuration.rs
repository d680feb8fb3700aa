//! What the operator says about a public registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use larder_core::error::Invalid;
use tokio::sync::OnceCell;
use url::{Origin, Url};

use crate::client::Pool;

/// A public registry's address, as configured.
#[derive(Clone, Default)]
pub struct RegistryAddress {
    /// `https://registry.example/prefix`: documents are asked for below it. One that names a document
    /// (`https://registry.example/v3/index.json`, as NuGet's users have it) stands for the folder which that is in. A
    /// user and password in it are taken as [`Credentials::Basic`].
    pub url: String,
    /// Sent to this origin, below this path, and nowhere else.
    pub credentials: Option<Credentials>,
    /// Other origins (`https://files.example:8443`) that documents may place files on and redirects may lead to.
    /// They may lie in the operator's own network.
    pub allow_hosts: Vec<String>,
    /// Whether files may also lie on hosts that are not listed.
    pub allow_file_hosts: FileHosts,
}

/// Whether the files of a registry may lie on hosts that `allow_hosts` does not list. Documents never do.
///
/// Such hosts are named by the registry's documents and by redirects of its files. They are asked over `https` on its
/// usual port only, without credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileHosts {
    /// For an `https` address that leads to public IP addresses, as [`FileHosts::Discover`]. For another `https`
    /// address, only hosts that lead to the same IP addresses as the registry's own: a mirror inside the operator's
    /// network has no reason to send anyone elsewhere. For an `http` address, as [`FileHosts::Listed`].
    #[default]
    Automatic,
    /// Hosts are allowed that lead to public IP addresses, or to the same as the registry's own host.
    Discover,
    /// Only the address's own origin and `allow_hosts`.
    Listed,
}

/// How Larder shows a registry who it is.
#[derive(Clone)]
pub enum Credentials {
    Basic { username: String, password: String },
    Bearer { token: String },
}

impl Credentials {
    fn header(&self) -> Result<HeaderValue, Invalid> {
        let text = match self {
            Self::Basic { username, password } => {
                format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
            }
            Self::Bearer { token } => format!("Bearer {token}"),
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Invalid::new("the credentials have characters that no header can"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// A public registry's address, checked.
pub(crate) struct Registry {
    /// Without a slash at the end, user, query and fragment.
    pub(crate) base: Url,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) allowed: Vec<Origin>,
    pub(crate) file_hosts: FileHosts,
    /// Connections to hosts that only the registry named; made when first needed.
    pub(crate) discovered: OnceCell<Option<Pool>>,
}

impl TryFrom<&RegistryAddress> for Registry {
    type Error = Invalid;

    fn try_from(address: &RegistryAddress) -> Result<Self, Invalid> {
        let mut base = http_url(&address.url)?;
        let in_url = (!base.username().is_empty() || base.password().is_some()).then(|| Credentials::Basic {
            username: decoded(base.username()),
            password: decoded(base.password().unwrap_or_default()),
        });
        // These two fail for URLs without a host only.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let path = base.path().trim_end_matches('/');
        let folder = match path.rsplit_once('/') {
            Some((folder, document)) if document.ends_with(".json") => folder,
            _ => path,
        };
        let folder = folder.to_owned();
        base.set_path(&folder);
        let credentials = address.credentials.as_ref().or(in_url.as_ref());
        let mut allowed = Vec::new();
        for host in &address.allow_hosts {
            let url = http_url(host)?;
            if url.path() != "/" || !url.username().is_empty() {
                return Err(Invalid::new(format!("'{host}' must be an origin such as https://files.example")));
            }
            allowed.push(url.origin());
        }
        Ok(Self {
            base,
            authorization: credentials.map(Credentials::header).transpose()?,
            allowed,
            file_hosts: address.allow_file_hosts,
            discovered: OnceCell::new(),
        })
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn http_url(text: &str) -> Result<Url, Invalid> {
    let url = Url::parse(text).map_err(|error| Invalid::new(format!("'{text}' is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Invalid::new(format!("'{text}' must start with https:// or http:// and name a host")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Invalid::new(format!("'{text}' must not have a query or fragment")));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> RegistryAddress {
        RegistryAddress { url: url.to_owned(), ..RegistryAddress::default() }
    }

    #[test]
    fn a_user_and_password_in_the_address_become_credentials() {
        let registry = Registry::try_from(&address("https://me:p%40ss@registry.example/npm/")).unwrap();
        assert_eq!(registry.base.as_str(), "https://registry.example/npm");
        assert_eq!(registry.authorization.unwrap(), "Basic bWU6cEBzcw==");
    }

    #[test]
    fn an_address_that_names_a_document_stands_for_its_folder() {
        for (url, base) in [
            ("https://registry.example/v3/index.json", "https://registry.example/v3"),
            ("https://registry.example/index.json/", "https://registry.example/"),
            ("https://registry.example/jsons/", "https://registry.example/jsons"),
        ] {
            assert_eq!(Registry::try_from(&address(url)).unwrap().base.as_str(), base, "{url}");
        }
    }

    #[test]
    fn addresses_that_are_no_registry_are_refused() {
        for wrong in ["", "registry.example", "ftp://x/", "file:///etc", "https://x/?q", "https://x/#f", "http://"] {
            assert!(Registry::try_from(&address(wrong)).is_err(), "{wrong}");
        }
        let mut with_path = address("https://registry.example");
        with_path.allow_hosts = vec!["https://files.example/some/path".to_owned()];
        assert!(Registry::try_from(&with_path).is_err());
    }

    #[test]
    fn credentials_that_would_break_the_header_are_refused() {
        let mut wrong = address("https://registry.example");
        wrong.credentials = Some(Credentials::Bearer { token: "a\r\nb: c".to_owned() });
        assert!(Registry::try_from(&wrong).is_err());
    }
}
