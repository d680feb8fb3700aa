//! Entry points for fuzzers: none of them may panic, whatever the bytes.

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue};
use larder_core::model::{SecretAccessKey, Timestamp};

use crate::sigv4::{self, RequestParts, Verifier};

/// Reads and verifies a request whose `Authorization` header is `data`.
pub fn fuzz_authorization_header(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost:5273"));
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    headers.insert(AUTHORIZATION, value);
    verify(&RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers });
}

/// Reads and verifies a request target that may be presigned: path, `?`, query.
pub fn fuzz_request_target(data: &[u8]) {
    let target = String::from_utf8_lossy(data);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost:5273"));
    verify(&RequestParts { method: "GET", path, query: Some(query), headers: &headers });
}

fn verify(request: &RequestParts<'_>) {
    if let Ok(signed) = sigv4::parse(request)
        && let Ok(secret) = SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    {
        let verifier = Verifier::new("us-east-1", &["codeartifact"]);
        // Whether it verifies is not the question here.
        let _ = verifier.verify(&signed, &secret, Some(&[0; 32]), Timestamp(1_440_938_160_000));
    }
}
