use std::io::Read as _;

use http::header::{ACCEPT, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http_body::Body as _;
use larder_core::model::Timestamp;
use larder_core::services::Rendered;

use super::*;

fn document() -> Document {
    Document::build(Rendered {
        content_type: "application/json",
        body: "0123456789".repeat(100).into(),
        last_modified: Some(Timestamp(784_111_777_250)),
        headers: vec![("x-pypi-last-serial", "7".to_owned())],
    })
}

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn get(pairs: &[(HeaderName, &str)]) -> Response {
    serve_document(&Method::GET, &headers(pairs), &document())
}

fn bytes(response: &Response) -> &[u8] {
    match response.body() {
        Body::Full(bytes) => bytes,
        Body::Empty => &[],
        _ => panic!("a document is served from memory"),
    }
}

#[test]
fn the_plain_form_is_sent_to_whom_accepts_nothing_else() {
    let response = get(&[]);
    let (document, out) = (document(), response.headers());
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(bytes(&response), document.body);
    assert_eq!(out[ETAG], document.etag);
    assert_eq!(out[VARY], "Accept, Accept-Encoding");
    assert_eq!(out[CACHE_CONTROL], "private, no-cache");
    assert_eq!(out[LAST_MODIFIED], "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(out[CONTENT_TYPE], "application/json");
    assert_eq!(out[X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(out["x-pypi-last-serial"], "7");
    assert!(!out.contains_key(CONTENT_ENCODING));
}

#[test]
fn gzip_is_sent_to_whom_accepts_it_under_its_own_tag() {
    let response = get(&[(ACCEPT_ENCODING, "gzip, deflate, br")]);
    assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(response.headers()[ETAG], document().etag_gzip);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes(&response)).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, document().body);
}

#[test]
fn weights_decide_between_the_forms() {
    for (accept, expected) in [
        ("gzip", true),
        ("GZIP;Q=0.001", true),
        ("x-gzip", true),
        ("*", true),
        ("br, *;q=0.1", true),
        ("identity, gzip", true),
        ("identity;q=0.5, gzip;q=0.8", true),
        ("gzip;q=nonsense", true),
        ("identity;q=0, *", true),
        ("", false),
        ("br", false),
        ("identity", false),
        ("gzip;q=0", false),
        ("gzip;q=0.000, *", false),
        ("*;q=0", false),
        ("identity, gzip;q=0.9", false),
        ("gzip ; q=0.25, identity;q=0.5", false),
    ] {
        assert_eq!(accepts_gzip(&headers(&[(ACCEPT_ENCODING, accept)])), expected, "{accept}");
    }
}

#[test]
fn a_known_tag_of_the_form_that_would_be_sent_is_answered_with_304() {
    let document = document();
    let response = get(&[(IF_NONE_MATCH, &document.etag), (ACCEPT, "*/*")]);
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert!(response.body().is_end_stream());
    for name in [ETAG, CACHE_CONTROL, VARY, LAST_MODIFIED] {
        assert!(response.headers().contains_key(&name), "{name}");
    }
    assert!(!response.headers().contains_key(CONTENT_TYPE));

    let gzip = (ACCEPT_ENCODING, "gzip");
    assert_eq!(get(&[(IF_NONE_MATCH, &document.etag_gzip), gzip.clone()]).status(), StatusCode::NOT_MODIFIED);
    assert_eq!(get(&[(IF_NONE_MATCH, &document.etag), gzip]).status(), StatusCode::OK);
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(get(&[(IF_MODIFIED_SINCE, date)]).status(), StatusCode::NOT_MODIFIED);
}

#[test]
fn a_range_is_of_the_plain_form_even_for_whom_accepts_gzip() {
    let response = get(&[(RANGE, "bytes=998-"), (ACCEPT_ENCODING, "gzip")]);
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.headers()[CONTENT_RANGE], "bytes 998-999/1000");
    assert_eq!(bytes(&response), b"89");
    let response = get(&[(RANGE, "bytes=1000-")]);
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(response.headers()[CONTENT_RANGE], "bytes */1000");
}

#[test]
fn head_has_the_length_and_no_body() {
    let response = serve_document(&Method::HEAD, &headers(&[(ACCEPT_ENCODING, "gzip")]), &document());
    let length = document().gzip.unwrap().len().to_string();
    assert_eq!(response.headers()[CONTENT_LENGTH], length);
    assert!(response.body().is_end_stream());
}

#[test]
fn a_header_of_the_document_replaces_the_common_one() {
    let mut document = document();
    document.headers.push(("cache-control", "max-age=600".to_owned()));
    let response = serve_document(&Method::GET, &HeaderMap::new(), &document);
    assert_eq!(response.headers().get_all(CACHE_CONTROL).iter().collect::<Vec<_>>(), ["max-age=600"]);
}
