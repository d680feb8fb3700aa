//! Entry points for fuzzers: none of them may panic, whatever the bytes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use larder_core::model::Timestamp;
use larder_core::services::{Document, Rendered};

use crate::path::{PathRules, RequestPath};
use crate::peer::PeerRules;
use crate::server::Ends;
use crate::{body, credentials, serve_document};

/// A file with a fuzzer's bytes that goes when it is dropped: formats read archives from files.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Writes the bytes.
    ///
    /// # Errors
    /// If the disk does not take them.
    pub fn write(data: &[u8]) -> std::io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("larder-fuzz-{}-{number}", std::process::id()));
        std::fs::write(&path, data)?;
        Ok(Self(path))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the folder for temporary files.
        let _ = std::fs::remove_file(&self.0);
    }
}

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
    let ends = Ends { remote: here, local: here, is_encrypted: false };
    if let Ok(rules) = PeerRules::new(None, &["0.0.0.0/0".to_owned(), "::/0".to_owned()])
        && let Ok(peer) = rules.read(ends, &parts)
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
    use larder_corpus::run;

    use super::*;

    #[test]
    fn no_path_gets_through_undecoded() {
        run(env!("CARGO_MANIFEST_DIR"), "request_path", fuzz_request_path);
    }

    #[test]
    fn no_authorization_header_is_too_strange() {
        run(env!("CARGO_MANIFEST_DIR"), "authorization", fuzz_authorization);
    }

    #[test]
    fn no_condition_or_range_is_too_strange() {
        run(env!("CARGO_MANIFEST_DIR"), "conditional", fuzz_conditional);
    }

    #[test]
    fn no_forwarded_header_breaks_the_base_url() {
        run(env!("CARGO_MANIFEST_DIR"), "forwarded", fuzz_forwarded);
    }

    #[test]
    fn no_gzip_body_grows_beyond_its_limit() {
        run(env!("CARGO_MANIFEST_DIR"), "gzip_body", fuzz_gzip_body);
    }
}
