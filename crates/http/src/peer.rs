//! Who is at the other end, and under which address it sees this server (protocols 0.4).

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Version};
use ipnet::IpNet;
use larder_core::error::Invalid;

use crate::server::Ends;

/// The peer of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// The client: the peer of the connection, or whom a trusted proxy names.
    pub address: IpAddr,
    /// The client's connection is encrypted.
    pub secure: bool,
    /// Scheme, host and port under which the client reached this server, and a path prefix if a proxy adds one;
    /// without trailing slash.
    pub base_url: String,
    /// Host and port that the client asked for, whatever the base URL is.
    pub authority: String,
}

/// A `Host` that is missing where it is needed, sent twice, or not a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Host header must name one host, with a port if need be")]
pub struct BadHost;

/// How peers are recognized: configuration.
#[derive(Debug, Clone, Default)]
pub struct PeerRules {
    /// The public address of this server, without trailing slash; when unset it is what the client asked for.
    base_url: Option<String>,
    /// The networks whose `Forwarded` and `X-Forwarded-*` headers are believed.
    proxies: Vec<IpNet>,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

impl PeerRules {
    /// With these proxies, each an address or a network (CIDR).
    ///
    /// # Errors
    /// [`Invalid`] for one that is neither.
    pub fn new(base_url: Option<String>, proxies: &[String]) -> Result<Self, Invalid> {
        let proxies = proxies.iter().map(|proxy| {
            let address = proxy.parse::<IpAddr>().map(IpNet::from);
            proxy.parse().or(address).map_err(|_| {
                Invalid::new(format!(
                    "the trusted proxy '{proxy}' is neither an address nor a network such as 10.0.0.0/8"
                ))
            })
        });
        let base_url = base_url.map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { base_url, proxies: proxies.collect::<Result<_, _>>()? })
    }

    /// Reads the peer of a request that came over a connection.
    ///
    /// # Errors
    /// [`BadHost`], also for an HTTP/1.1 request without `Host`.
    pub fn read(&self, ends: Ends, request: &Parts) -> Result<PeerInfo, BadHost> {
        let asked = requested_authority(request)?;
        let nearest = Behind::nobody(ends.remote.ip().to_canonical(), ends.is_encrypted);
        let behind = if self.is_proxy(nearest.client) { self.behind(nearest, &request.headers) } else { nearest };
        let mut authority = match (behind.host, asked) {
            (Some(host), _) => check_authority(host)?.to_owned(),
            (None, Some(asked)) => asked.to_owned(),
            (None, None) => ends.local.to_string(),
        };
        if let Some(port) = behind.port.and_then(|port| port.parse::<u16>().ok())
            && port_of(&authority).is_none()
            && port != if behind.secure { 443 } else { 80 }
        {
            authority = format!("{authority}:{port}");
        }
        let base_url = self.base_url.clone().unwrap_or_else(|| {
            let scheme = if behind.secure { "https" } else { "http" };
            format!("{scheme}://{authority}{}", behind.prefix)
        });
        Ok(PeerInfo { address: behind.client, secure: behind.secure, base_url, authority })
    }

    /// Whether what this peer says of others is believed.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(&address))
    }

    /// Follows the chain of proxies from the nearest one for as long as they are trusted. What a client wrote into
    /// these headers itself stands before what the trusted proxies added, and is not reached.
    fn behind<'a>(&self, nearest: Behind<'a>, headers: &'a HeaderMap) -> Behind<'a> {
        let mut found = nearest;
        for hop in hops(headers) {
            if let Some(proto) = hop.proto {
                found.secure = proto.eq_ignore_ascii_case("https");
            }
            found.host = hop.host.or(found.host);
            let Some(client) = hop.client else { break };
            found.client = client;
            if !self.is_proxy(client) {
                break;
            }
        }
        found.port = items(headers, &X_FORWARDED_PORT).pop();
        found.prefix = items(headers, &X_FORWARDED_PREFIX).pop().filter(|prefix| is_prefix(prefix)).unwrap_or("");
        found.prefix = found.prefix.trim_end_matches('/');
        found
    }
}

/// What trusted proxies say of the client.
struct Behind<'a> {
    client: IpAddr,
    secure: bool,
    host: Option<&'a str>,
    port: Option<&'a str>,
    prefix: &'a str,
}

impl Behind<'_> {
    /// No proxy spoke.
    fn nobody(client: IpAddr, secure: bool) -> Self {
        Self { client, secure, host: None, port: None, prefix: "" }
    }
}

/// What one proxy says of whom it serves.
#[derive(Default)]
struct Hop<'a> {
    client: Option<IpAddr>,
    proto: Option<&'a str>,
    host: Option<&'a str>,
}

/// The hops, nearest first: from `Forwarded` (RFC 7239) if there is one, else from the `X-Forwarded-*` lists.
fn hops(headers: &HeaderMap) -> Vec<Hop<'_>> {
    let forwarded = items(headers, &FORWARDED);
    if !forwarded.is_empty() {
        return forwarded.into_iter().rev().map(forwarded_hop).collect();
    }
    let [clients, protos, hosts] =
        [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST].map(|name| items(headers, &name));
    let length = clients.len().max(protos.len()).max(hosts.len());
    let nth_last = |list: &[&'_ str], back: usize| list.len().checked_sub(back + 1);
    (0..length)
        .map(|back| Hop {
            client: nth_last(&clients, back).and_then(|at| address(clients[at])),
            proto: nth_last(&protos, back).map(|at| protos[at]),
            host: nth_last(&hosts, back).map(|at| hosts[at]),
        })
        .collect()
}

fn forwarded_hop(element: &str) -> Hop<'_> {
    let mut hop = Hop::default();
    for (name, value) in element.split(';').filter_map(|pair| pair.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim() {
            name if name.eq_ignore_ascii_case("for") => hop.client = address(value),
            name if name.eq_ignore_ascii_case("proto") => hop.proto = Some(value),
            name if name.eq_ignore_ascii_case("host") => hop.host = Some(value),
            _ => {}
        }
    }
    hop
}

/// The items of a comma-separated list that may be spread over several headers.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// An address with or without port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

/// What the request line or `Host` names; `None` only for HTTP/1.0 without either.
fn requested_authority(request: &Parts) -> Result<Option<&str>, BadHost> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(BadHost);
    }
    if let Some(authority) = request.uri.authority() {
        return check_authority(authority.as_str()).map(Some);
    }
    match host {
        Some(host) => check_authority(host.to_str().map_err(|_| BadHost)?).map(Some),
        None if request.version >= Version::HTTP_11 => Err(BadHost),
        None => Ok(None),
    }
}

/// Lets through a host name or address with an optional port, and nothing that could end up elsewhere in a URL.
fn check_authority(text: &str) -> Result<&str, BadHost> {
    let host = match port_of(text) {
        Some(port) if port.parse::<u16>().is_ok() => &text[..text.len() - port.len() - 1],
        Some(_) => return Err(BadHost),
        None => text,
    };
    let name = |host: &str| {
        (1..=253).contains(&host.len())
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if v6.map_or_else(|| name(host), |v6| v6.parse::<std::net::Ipv6Addr>().is_ok()) { Ok(text) } else { Err(BadHost) }
}

/// What stands after the colon that is not part of an IPv6 address.
fn port_of(authority: &str) -> Option<&str> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    authority[after_address..].rsplit_once(':').map(|(_, port)| port)
}

fn is_prefix(text: &str) -> bool {
    text.starts_with('/')
        && !text.contains("//")
        && !text.contains("..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~'))
}

#[cfg(test)]
mod tests;
