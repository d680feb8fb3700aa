//! Entry points for fuzzers: none of them may panic, whatever the bytes.

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use larder_core::model::Timestamp;
use larder_core::services::{Document, Rendered};

use crate::path::{PathRules, RequestPath};
use crate::peer::PeerRules;
use crate::{body, credentials, serve_document};

/// Reads a raw path by the strictest and the loosest rules.
pub fn fuzz_request_path(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    for rules in [PathRules::default(), PathRules { scoped_slash: true, long_last_segment: true }] {
        if let Ok(path) = RequestPath::parse(&raw, rules) {
            let dangerous = |part: &str| part.is_empty() || part == "." || part == "..";
            assert!(!path.segments().iter().any(|segment| segment.split('/').any(dangerous)), "{raw:?}");
        }
    }
}

/// Reads an `Authorization` header.
pub fn fuzz_authorization(data: &[u8]) {
    let _ = credentials::presented(&headers_of(data, &[AUTHORIZATION]));
}

/// Serves a document to a request whose headers are the lines of `data`.
pub fn fuzz_conditional(data: &[u8]) {
    let document = Document::build(Rendered {
        content_type: "text/plain",
        body: "larder ".repeat(50).into(),
        last_modified: Some(Timestamp(784_111_777_000)),
        headers: Vec::new(),
    });
    let headers = headers_of(data, &[RANGE, IF_NONE_MATCH, IF_RANGE, IF_MODIFIED_SINCE, ACCEPT_ENCODING]);
    let _ = serve_document(&Method::GET, &headers, &document);
}

/// Reads the peer behind a trusted proxy from headers that are the lines of `data`.
pub fn fuzz_forwarded(data: &[u8]) {
    let names = ["host", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix"]
        .map(HeaderName::from_static);
    let mut headers = headers_of(data, &names);
    headers.entry(HOST).or_insert(HeaderValue::from_static("localhost"));
    let mut request = Request::new(());
    *request.headers_mut() = headers;
    let (parts, ()) = request.into_parts();
    let here = ([127, 0, 0, 1], 5273).into();
    if let Ok(rules) = PeerRules::new(None, &["0.0.0.0/0".to_owned(), "::/0".to_owned()])
        && let Ok(peer) = rules.read(here, here, &parts)
    {
        assert!(!peer.base_url.contains([' ', '"', '<', '?', '#', '@', '\\']), "{}", peer.base_url);
    }
}

/// Undoes gzip with a limit.
pub fn fuzz_gzip_body(data: &[u8]) {
    let limit = 1 << 16;
    if let Ok(plain) = body::gunzip(data, limit) {
        assert!(plain.len() as u64 <= limit);
    }
}

/// Each line that may be a header value, under the names in turn.
fn headers_of(data: &[u8], names: &[HeaderName]) -> HeaderMap {
    let lines = data.split(|byte| *byte == b'\n');
    let values = lines
        .zip(names.iter().cycle())
        .filter_map(|(line, name)| Some((name.clone(), HeaderValue::from_bytes(line).ok()?)));
    let mut headers = HeaderMap::new();
    for (name, value) in values.take(64) {
        headers.append(name, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Mutations of each stored input.
    const MUTATIONS: usize = 3000;

    /// A generator with a fixed seed, so that a failure is the same every time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
        }
    }

    fn mutate(input: &[u8], random: &mut Random) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
                _ => {
                    let end = at + random.below(bytes.len() - at + 1);
                    let copied = bytes[at..end].to_vec();
                    bytes.extend(copied);
                }
            }
        }
        bytes
    }

    fn run(name: &str, fuzz: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-corpus").join(name);
        let mut random = Random(42);
        let mut files = 0;
        for entry in std::fs::read_dir(corpus).unwrap() {
            let input = std::fs::read(entry.unwrap().path()).unwrap();
            fuzz(&input);
            for _ in 0..MUTATIONS {
                fuzz(&mutate(&input, &mut random));
            }
            files += 1;
        }
        assert!(files > 0, "there is no corpus for {name}");
    }

    #[test]
    fn no_path_gets_through_undecoded() {
        run("request_path", fuzz_request_path);
    }

    #[test]
    fn no_authorization_header_is_too_strange() {
        run("authorization", fuzz_authorization);
    }

    #[test]
    fn no_condition_or_range_is_too_strange() {
        run("conditional", fuzz_conditional);
    }

    #[test]
    fn no_forwarded_header_breaks_the_base_url() {
        run("forwarded", fuzz_forwarded);
    }

    #[test]
    fn no_gzip_body_grows_beyond_its_limit() {
        run("gzip_body", fuzz_gzip_body);
    }
}
