//! Entry points for fuzzers: none of them may panic, whatever the bytes. The stored corpus is in `fuzz-corpus/`.

use http::{HeaderMap, HeaderValue};
use larder_http::{PathRules, RequestPath};

use crate::address::Address;
use crate::parameters::Parameters;
use crate::resume::Piece;
use crate::{digests, names, versions};

/// Reads a path with a query, and the names in it.
pub fn fuzz_address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (path, query) = text.split_once('?').map_or((&*text, None), |(path, query)| (path, Some(query)));
    let Ok(parameters) = Parameters::parse(query) else { return };
    let Ok(path) = RequestPath::parse(path, PathRules::default()) else { return };
    if let Ok(Address::Asset { package, version, asset }) = Address::parse(&path, parameters.namespace.as_deref())
        && let Ok(address) = package.version(&version).and_then(|version| version.asset(&asset))
    {
        assert!(!address.path().contains("//"));
    }
}

/// Reads headers that declare digests, one per line, and a `Content-Range`.
pub fn fuzz_headers(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
        if let (Ok(name), Ok(value)) = (http::HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let _ = digests::declared(&headers);
    let text = String::from_utf8_lossy(data);
    let _ = (digests::of_parameter(&text), Piece::parse(&text));
}

/// Reads names and versions.
pub fn fuzz_names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = names::asset_name(&text);
    let (a, b) = text.split_once('\n').unwrap_or((&text, "1.0"));
    assert_eq!(versions::compare_versions(a, b), versions::compare_versions(b, a).reverse());
}

#[cfg(test)]
mod tests {
    use larder_corpus::run;

    use super::*;

    #[test]
    fn no_address_makes_the_reader_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "address", fuzz_address);
    }

    #[test]
    fn no_header_makes_the_readers_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "headers", fuzz_headers);
    }

    #[test]
    fn no_name_makes_the_readers_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "names", fuzz_names);
    }
}
