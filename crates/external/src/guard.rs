//! DNS resolution that leads nowhere it must not.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;
use url::{Host, Url};

use crate::reach::Reach;

/// The resolver of a connection pool. Who named the pool's hosts decides where they may lead.
#[derive(Debug, Clone)]
pub(crate) enum Guard {
    /// The configuration named them: they may lead into the operator's own network.
    Operator,
    /// A registry's documents and redirects named them.
    Registry(Discovery),
}

/// Where hosts that a registry named may lead.
#[derive(Debug, Clone)]
pub(crate) struct Discovery {
    /// To any public address.
    pub(crate) public: bool,
    /// To the addresses of the registry's own host: where the operator sent Larder already.
    pub(crate) own_host: Option<String>,
}

impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move { guard.resolve(name.as_str()).await.map(Vec::into_iter) })
    }
}

impl Guard {
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let found = lookup(name).await?;
        let own = match self {
            Self::Registry(Discovery { own_host: Some(own_host), .. })
                if !found.iter().all(|address| Reach::of(address.ip()) == Reach::Public) =>
            {
                lookup(own_host).await?
            }
            _ => Vec::new(),
        };
        self.choose(&found, &own).map_err(|refused| {
            let message = format!("{name} leads to {refused}, which is not an address it may lead to");
            io::Error::new(io::ErrorKind::PermissionDenied, message)
        })
    }

    /// Those of the addresses that may be connected to; one of the others if there is none.
    fn choose(&self, found: &[SocketAddr], own: &[SocketAddr]) -> Result<Vec<SocketAddr>, IpAddr> {
        let admitted = |address: &SocketAddr| match (self, Reach::of(address.ip())) {
            (_, Reach::Never) => false,
            (Self::Operator, Reach::Public | Reach::Internal) => true,
            (Self::Registry(discovery), Reach::Public) => discovery.public || own.contains(address),
            (Self::Registry(_), Reach::Internal) => own.contains(address),
        };
        let chosen: Vec<_> = found.iter().copied().filter(admitted).collect();
        match found.first() {
            Some(refused) if chosen.is_empty() => Err(refused.ip()),
            _ => Ok(chosen),
        }
    }
}

async fn lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// The address that a URL's host is, if it is one: it is never resolved.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Whether everything that a URL's host stands for is public.
pub(crate) async fn is_public(url: &Url) -> io::Result<bool> {
    let public = |address| Reach::of(address) == Reach::Public;
    match (literal(url), url.host_str()) {
        (Some(address), _) => Ok(public(address)),
        (None, Some(name)) => Ok(lookup(name).await?.iter().all(|address| public(address.ip()))),
        (None, None) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
    }

    fn registry(public: bool) -> Guard {
        Guard::Registry(Discovery { public, own_host: None })
    }

    #[test]
    fn a_host_named_by_a_registry_leads_to_public_addresses_only() {
        let mixed = addresses(&["127.0.0.1", "1.1.1.1", "169.254.169.254", "::1"]);
        assert_eq!(registry(true).choose(&mixed, &[]), Ok(addresses(&["1.1.1.1"])));
        assert_eq!(registry(false).choose(&mixed, &[]), Err("127.0.0.1".parse().unwrap()));
        assert_eq!(registry(true).choose(&addresses(&["10.0.0.1"]), &[]), Err("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_host_named_by_a_registry_may_be_the_registrys_own_machine() {
        let own = addresses(&["10.0.0.5", "169.254.169.254"]);
        assert_eq!(registry(false).choose(&addresses(&["10.0.0.5"]), &own), Ok(addresses(&["10.0.0.5"])));
        assert!(registry(true).choose(&addresses(&["10.0.0.6"]), &own).is_err());
        assert!(registry(true).choose(&addresses(&["169.254.169.254"]), &own).is_err());
    }

    #[test]
    fn a_host_named_by_the_operator_leads_inside_but_never_to_metadata() {
        let own = addresses(&["10.0.0.1", "::1", "169.254.169.254"]);
        assert_eq!(Guard::Operator.choose(&own, &[]), Ok(addresses(&["10.0.0.1", "::1"])));
        assert!(Guard::Operator.choose(&addresses(&["169.254.169.254"]), &[]).is_err());
    }

    #[tokio::test]
    async fn names_are_looked_at_after_resolution() {
        assert!(Guard::Operator.resolve("localhost").await.is_ok());
        let refused = registry(true).resolve("localhost").await.expect_err("loopback is not public");
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let own = Guard::Registry(Discovery { public: true, own_host: Some("localhost".to_owned()) });
        assert!(own.resolve("localhost").await.is_ok());
    }

    #[test]
    fn literal_addresses_are_seen_however_they_are_written() {
        for text in
            ["http://127.0.0.1/", "http://0x7f.1/", "http://2130706433/", "http://[::ffff:7f00:1]/", "http://0/"]
        {
            let address = literal(&Url::parse(text).unwrap()).unwrap();
            assert_ne!(Reach::of(address), Reach::Public, "{text}");
        }
        assert_eq!(literal(&Url::parse("http://localhost/").unwrap()), None);
    }

    #[tokio::test]
    async fn this_machine_is_not_public() {
        assert!(!is_public(&Url::parse("http://localhost/").unwrap()).await.unwrap());
        assert!(!is_public(&Url::parse("http://[::1]/").unwrap()).await.unwrap());
        assert!(is_public(&Url::parse("http://1.1.1.1/").unwrap()).await.unwrap());
    }
}
