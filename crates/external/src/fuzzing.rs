//! Entry points for fuzzers: whatever comes in, nothing panics and no rule is broken.

use std::time::SystemTime;

use bytes::Bytes;
use url::Url;

use crate::addresses::{Admission, Purpose, follow};
use crate::answer::{Encoding, parse_retry_after};
use crate::configuration::{Credentials, Registry, RegistryAddress};
use crate::guard::literal;
use crate::reach::Reach;

/// File URLs and redirects, one a line, each followed from where the one before led.
pub fn fuzz_addresses(data: &[u8]) {
    let address = RegistryAddress {
        url: "https://registry.example/npm".to_owned(),
        credentials: Some(Credentials::Bearer { token: "secret".to_owned() }),
        allow_hosts: vec!["http://127.0.0.1:8080".to_owned()],
        ..RegistryAddress::default()
    };
    let Ok(registry) = Registry::try_from(&address) else { return };
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let Ok(mut url) = registry.document_url(lines.next().unwrap_or_default()) else { return };
    assert!(url.path().starts_with("/npm/"), "{url} is outside");
    for reference in lines {
        let Ok(next) = follow(&url, reference) else { return };
        assert!(url.scheme() != "https" || next.scheme() == "https", "{next} is a downgrade");
        match registry.admit(&next, Purpose::File { discover: true }) {
            Err(_) => return,
            Ok(Admission::Configured { with_credentials }) => {
                let own = next.as_str() == "https://registry.example/npm"
                    || next.as_str().starts_with("https://registry.example/npm/")
                    || next.as_str().starts_with("https://registry.example/npm?");
                assert!(!with_credentials || own, "{next} gets the credentials");
                assert!(own || is_known(&next), "{next} was not configured");
            }
            Ok(Admission::Discovered) => {
                assert!(next.scheme() == "https" && next.port().is_none(), "{next} is not plain https");
                assert!(
                    literal(&next).is_none_or(|address| Reach::of(address) == Reach::Public),
                    "{next} is not public"
                );
            }
        }
        assert!(next.username().is_empty() && next.password().is_none(), "{next} brings a user");
        url = next;
    }
}

fn is_known(url: &Url) -> bool {
    url.as_str().starts_with("https://registry.example/") || url.as_str().starts_with("http://127.0.0.1:8080/")
}

/// A document's bytes as gzip: never more than the limit comes out.
pub fn fuzz_encoded_document(data: &[u8]) {
    const LIMIT: usize = 64 * 1024;
    if let Ok(decoded) = Encoding::Gzip.decode(Bytes::copy_from_slice(data), LIMIT) {
        assert!(decoded.len() <= LIMIT, "{} bytes came out", decoded.len());
    }
}

/// The value of a `Retry-After` header.
pub fn fuzz_retry_after(data: &[u8]) {
    if let Some(seconds) = parse_retry_after(&String::from_utf8_lossy(data), SystemTime::UNIX_EPOCH) {
        assert!(seconds <= 24 * 3600, "{seconds} s is too long");
    }
}

#[cfg(test)]
mod tests;
