//! The names in a certificate of the local authority.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// Host names and addresses under which clients may find a server, each once: this machine's own, what it listens on,
/// the base URL's host, and all hosts of domains if those have their own.
pub(super) fn of_server(listener: SocketAddr, base_url: Option<&str>, endpoint_host: Option<&str>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()];
    if listener.ip().is_unspecified() {
        names.extend(host_name());
    } else {
        names.push(listener.ip().to_canonical().to_string());
    }
    names.extend(base_url.and_then(|url| match Url::parse(url).ok()?.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }));
    // `{domain}-{owner}.d.example.com`: one label stands for every domain.
    names.extend(endpoint_host.and_then(|host| host.split_once('.')).map(|(_, suffix)| format!("*.{suffix}")));
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && name.is_ascii() && {
            seen.push(name.clone());
            true
        }
    });
    names
}

/// The machine's name on its network, where the system says it.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_ascii_lowercase();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (!name.is_empty() && name.len() <= 253 && name.bytes().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_machine_listener_and_configured_hosts_once_each() {
        let names = |listen: &str, base_url, host| of_server(listen.parse().expect("an address"), base_url, host);
        assert_eq!(names("127.0.0.1:1", None, None), ["localhost", "127.0.0.1", "::1"]);
        assert_eq!(
            names("10.0.0.7:5273", Some("https://larder.example.com:8443/x"), Some("{domain}-{owner}.d.example.com")),
            ["localhost", "127.0.0.1", "::1", "10.0.0.7", "larder.example.com", "*.d.example.com"]
        );
        assert!(names("0.0.0.0:1", Some("https://[2001:db8::1]"), None).contains(&"2001:db8::1".to_owned()));
    }
}
