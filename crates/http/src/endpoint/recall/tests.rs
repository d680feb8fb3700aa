use larder_core::access::Repeats;
use larder_core::services::{Document, Rendered};

use super::*;

fn parts(edit: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Parts {
    let request = http::Request::builder().uri("/d/a-1/npm/r/p?x").header(HOST, "h").header(AUTHORIZATION, "Bearer t");
    edit(request).body(()).unwrap().into_parts().0
}

fn ends(address: &str, is_encrypted: bool) -> Ends {
    let remote = format!("{address}:1").parse().unwrap();
    Ends { remote, local: remote, is_encrypted }
}

/// The key of a request from one place.
fn key(parts: &Parts) -> Option<Key<'_>> {
    Key::of(parts, ends("192.0.2.1", false), None)
}

const REPEATS: Repeats = Repeats { until: Timestamp(1000), same_peer: false };

fn document(fresh_until: Option<i64>) -> Arc<Document> {
    let rendered =
        Rendered { content_type: "text/plain", body: "text".into(), last_modified: None, headers: Vec::new() };
    let mut document = Document::build(rendered);
    document.fresh_until = fresh_until.map(Timestamp);
    Arc::new(document)
}

fn remembered(document: &Arc<Document>) -> Recall {
    let recall = Recall::new();
    let repeatable = Arc::new(Repeatable::document(REPEATS, document));
    recall.put(key(&parts(|request| request)).unwrap().to_owned(), 7, repeatable, Remembered::default());
    recall
}

#[tokio::test]
async fn the_same_request_is_answered_again_while_nothing_was_committed() {
    let document = document(None);
    let recall = remembered(&document);
    let asked = parts(|request| request);
    let memory = recall.find(key(&asked).unwrap(), 7, Timestamp(999)).unwrap();
    let response = memory.repeatable().answer(&Method::GET, &asked.headers).await.unwrap();
    assert_eq!(response.headers()["etag"], document.etag);
    let unchanged = parts(|request| request.header("if-none-match", &document.etag));
    let response = memory.repeatable().answer(&Method::GET, &unchanged.headers).await.unwrap();
    assert_eq!(response.status(), 304);
}

#[test]
fn a_commit_or_the_end_of_the_token_ends_the_memory() {
    let document = document(None);
    let recall = remembered(&document);
    let asked = parts(|request| request);
    let asked_key = key(&asked).unwrap();
    assert!(recall.find(asked_key, 8, Timestamp(0)).is_none());
    assert!(recall.find(asked_key, 7, Timestamp(1000)).is_none());
}

#[test]
fn a_document_of_a_public_registry_is_remembered_for_as_long_as_it_is_fresh() {
    let document = document(Some(500));
    let recall = remembered(&document);
    let asked = parts(|request| request);
    assert!(recall.find(key(&asked).unwrap(), 7, Timestamp(499)).is_some());
    assert!(recall.find(key(&asked).unwrap(), 7, Timestamp(500)).is_none());
}

#[tokio::test]
async fn a_document_that_left_its_cache_is_found_anew() {
    let kept = document(None);
    let recall = remembered(&kept);
    drop(kept);
    let asked = parts(|request| request);
    let memory = recall.find(key(&asked).unwrap(), 7, Timestamp(0)).unwrap();
    assert!(memory.repeatable().answer(&Method::GET, &asked.headers).await.is_none());
}

#[tokio::test]
async fn a_short_text_is_kept_by_its_memory() {
    let recall = Recall::new();
    let text = Document::clone(&document(Some(500)));
    let asked = parts(|request| request);
    let asked_key = key(&asked).unwrap();
    recall.put(asked_key.to_owned(), 7, Arc::new(Repeatable::text(REPEATS, text)), Remembered::default());
    let memory = recall.find(asked_key, 7, Timestamp(499)).unwrap();
    let response = memory.repeatable().answer(&Method::GET, &asked.headers).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert!(recall.find(asked_key, 7, Timestamp(500)).is_none(), "as long as what it was made of is fresh");
}

#[test]
fn whatever_decides_tells_requests_apart() {
    let document = document(None);
    let recall = remembered(&document);
    for other in [parts(|request| request.uri("/d/a-1/npm/r/p")), parts(|request| request.header(ACCEPT, "*/*"))] {
        assert!(recall.find(key(&other).unwrap(), 7, Timestamp(0)).is_none());
    }
    for (name, value) in [(HOST, "other"), (AUTHORIZATION, "Bearer u"), (AUTHORIZATION, "bearer t")] {
        let mut other = parts(|request| request);
        other.headers.insert(name, HeaderValue::from_static(value));
        assert!(recall.find(key(&other).unwrap(), 7, Timestamp(0)).is_none());
    }
}

#[test]
fn an_answer_that_a_policy_gave_for_the_peer_is_for_that_peer_only() {
    let recall = Recall::new();
    let document = document(None);
    let asked = parts(|request| request);
    let from = |address, is_encrypted| Key::of(&asked, ends(address, is_encrypted), None).unwrap();
    for address in ["192.0.2.1", "192.0.2.2"] {
        let repeatable = Arc::new(Repeatable::document(Repeats { same_peer: true, ..REPEATS }, &document));
        recall.put(from(address, false).to_owned(), 7, repeatable, Remembered::default());
    }
    let found = |address, is_encrypted| recall.find(from(address, is_encrypted), 7, Timestamp(0)).is_some();
    assert!(found("192.0.2.1", false) && found("192.0.2.2", false), "each has its place");
    assert!(!found("192.0.2.3", false) && !found("192.0.2.1", true));
    // Without such a policy it is for everybody with the same token.
    let repeatable = Arc::new(Repeatable::document(REPEATS, &document));
    recall.put(from("192.0.2.1", false).to_owned(), 7, repeatable, Remembered::default());
    assert!(found("192.0.2.3", false));
    assert!(!found("192.0.2.3", true), "addresses in documents begin with https then");
}

#[test]
fn what_a_proxy_says_tells_requests_apart() {
    let document = document(None);
    let asked = parts(|request| request);
    let client = |address: &str, base_url: &str, authority: &str| PeerInfo {
        address: address.parse().unwrap(),
        secure: true,
        base_url: base_url.to_owned(),
        authority: authority.to_owned(),
    };
    let first = client("198.51.100.1", "https://larder.example", "larder.example");
    let second = client("198.51.100.2", "https://larder.example", "larder.example");
    let others = [
        client("198.51.100.1", "https://other.example", "larder.example"),
        client("198.51.100.1", "https://larder.example", "other.example"),
    ];
    for same_peer in [false, true] {
        let recall = Recall::new();
        let behind = |client| Key::of(&asked, ends("192.0.2.1", false), client).unwrap();
        let repeatable = Arc::new(Repeatable::document(Repeats { same_peer, ..REPEATS }, &document));
        recall.put(behind(Some(&first)).to_owned(), 7, repeatable, Remembered::default());
        let found = |client| recall.find(behind(client), 7, Timestamp(0)).is_some();
        assert!(found(Some(&first)) && !found(None));
        assert_eq!(found(Some(&second)), !same_peer);
        assert!(others.iter().all(|other| !found(Some(other))));
    }
}

#[test]
fn writes_strangers_and_ambiguous_requests_have_no_memory() {
    assert!(key(&parts(|request| request.method(Method::PUT))).is_none());
    assert!(key(&parts(|request| request.header(AUTHORIZATION, "Bearer u"))).is_none());
    assert!(key(&parts(|request| request.header(ACCEPT, "a/b").header(ACCEPT, "c/d"))).is_none());
    assert!(key(&parts(|request| request.uri("http://other/d/a-1/npm/r/p"))).is_none());
    assert!(key(&parts(|request| request.header(ACCEPT, "x".repeat(LONGEST_KEY_BYTES)))).is_none());
    let mut nobody = parts(|request| request);
    nobody.headers.remove(AUTHORIZATION);
    assert!(key(&nobody).is_none());
}
