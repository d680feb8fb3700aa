//! What RFC 9110 and 9112 ask of every answer.

use std::time::Duration;

use larder_http::{EndpointSettings, ServerSettings};

use crate::client::Client;
use crate::fakes::{ASSET_BYTES, BASE, DOCUMENT, content, start, start_with};

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let mut client = Client::connect(start().await.address).await;
    for _ in 0..3 {
        let answer = client.get(&format!("{BASE}/document"), "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, DOCUMENT.body);
        assert!(answer.has("date"));
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let mut client = Client::connect(start().await.address).await;
    let request = |name: &str| format!("GET {BASE}/{name} HTTP/1.1\nHost: h\nAuthorization: Bearer alice\n\n");
    client.send(&format!("{}{}{}", request("a"), request("document"), request("b"))).await;
    assert!(client.answer().await.text().starts_with("[\"a\"]"));
    assert_eq!(client.answer().await.body, DOCUMENT.body);
    assert!(client.answer().await.text().starts_with("[\"b\"]"));
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let mut client = Client::connect(start().await.address).await;
    for (path, length) in [("document", DOCUMENT.body.len()), ("asset", ASSET_BYTES)] {
        let request = format!("HEAD {BASE}/{path} HTTP/1.1\nHost: h\nAuthorization: Bearer alice\n\n");
        client.send(&request).await;
        let head = client.head().await;
        assert_eq!(head.header("content-length"), length.to_string());
        let get = client.get(&format!("{BASE}/{path}"), "").await;
        assert_eq!((head.status, head.header("etag")), (200, get.header("etag")));
        assert_eq!(get.header("content-length"), length.to_string());
    }
}

#[tokio::test]
async fn an_asset_is_sent_whole_in_parts_and_not_beyond_its_end() {
    let mut client = Client::connect(start().await.address).await;
    let path = format!("{BASE}/asset");
    let whole = client.get(&path, "").await;
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, "bytes"));
    assert!(whole.body == content());
    let part = client.get(&path, "Range: bytes=131070-500000\n").await;
    assert_eq!((part.status, part.header("content-range")), (206, "bytes 131070-500000/600000"));
    assert!(part.body == content()[131_070..=500_000]);
    let beyond = client.get(&path, "Range: bytes=600000-\n").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */600000"));
}

#[tokio::test]
async fn a_client_that_has_it_gets_304_and_may_go_on() {
    let mut client = Client::connect(start().await.address).await;
    let path = format!("{BASE}/document");
    let known = client.get(&path, &format!("If-None-Match: {}\n", DOCUMENT.etag)).await;
    assert_eq!((known.status, known.header("etag")), (304, DOCUMENT.etag.as_str()));
    assert_eq!(known.header("vary"), "Accept, Accept-Encoding");
    assert!(known.has("cache-control") && !known.has("content-length"));
    let gzip = client.get(&path, "Accept-Encoding: gzip\n").await;
    assert_eq!((gzip.status, gzip.header("content-encoding")), (200, "gzip"));
    assert_eq!(Some(gzip.body), DOCUMENT.gzip.as_ref().map(|gzip| gzip.to_vec()));
}

#[tokio::test]
async fn long_tokens_fit_and_endless_headers_are_refused() {
    let running = start().await;
    let mut client = Client::connect(running.address).await;
    let fits = client.get(&format!("{BASE}/a"), &format!("X-Forwarded-Junk: {}\n", "j".repeat(20_000))).await;
    assert_eq!(fits.status, 200);
    let endless = client.get(&format!("{BASE}/a"), &format!("X-Junk: {}\n", "j".repeat(40_000))).await;
    assert_eq!(endless.status, 431);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_headers_is_dropped() {
    let settings = ServerSettings { header_timeout: Duration::from_millis(200), ..ServerSettings::default() };
    let running = start_with(settings, EndpointSettings::default(), Duration::from_secs(1)).await;
    let mut client = Client::connect(running.address).await;
    client.send("GET / HTTP/1.1\nHost: ").await;
    assert!(client.is_closed().await);
    // Nor is one that sends a little from time to time, or nothing after an answer.
    let mut slow = Client::connect(running.address).await;
    assert_eq!(slow.get("/-/health/live", "").await.status, 200);
    let began = tokio::time::Instant::now();
    while slow.send_until_refused(b"G", 1).await == 1 {
        assert!(began.elapsed() < Duration::from_secs(5), "the server goes on listening");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut idle = Client::connect(running.address).await;
    assert_eq!(idle.get("/-/health/live", "").await.status, 200);
    assert!(idle.is_closed().await);
}

#[tokio::test]
async fn an_answer_may_take_longer_than_a_request() {
    let settings = ServerSettings { header_timeout: Duration::from_millis(100), ..ServerSettings::default() };
    let running = start_with(settings, EndpointSettings::default(), Duration::from_secs(1)).await;
    let mut client = Client::connect(running.address).await;
    for _ in 0..2 {
        client.send(&format!("GET {BASE}/slow HTTP/1.1\nHost: h\nAuthorization: Bearer alice\n\n")).await;
        running.waiting.acquire().await.unwrap().forget();
        tokio::time::sleep(Duration::from_millis(300)).await;
        running.go_on.add_permits(1);
        assert_eq!(client.answer().await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_dropped() {
    let settings = ServerSettings { write_timeout: Duration::from_millis(200), ..ServerSettings::default() };
    let running = start_with(settings, EndpointSettings::default(), Duration::from_secs(1)).await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET {BASE}/endless HTTP/1.1\nHost: h\nAuthorization: Bearer alice\n\n")).await;
    let dropped = tokio::time::timeout(Duration::from_secs(20), running.waiting.acquire()).await;
    assert!(dropped.is_ok(), "the server still holds the body");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let mut client = Client::connect(start().await.address).await;
    client.send("nonsense\n\n").await;
    assert_eq!(client.answer().await.status, 400);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let settings = ServerSettings { max_connections: 1, ..ServerSettings::default() };
    let running = start_with(settings, EndpointSettings::default(), Duration::from_secs(1)).await;
    let mut first = Client::connect(running.address).await;
    assert_eq!(first.get("/-/health/live", "").await.status, 200);
    let mut second = Client::connect(running.address).await;
    second.send("GET /-/health/live HTTP/1.1\nHost: h\n\n").await;
    assert!(second.is_silent().await);
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

#[tokio::test]
async fn a_defect_in_a_handler_is_one_failed_answer_with_its_id() {
    let mut client = Client::connect(start().await.address).await;
    let answer = client.get(&format!("{BASE}/panic"), "").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains(answer.header("x-amzn-requestid")) && answer.header("x-amzn-requestid").len() == 36);
    assert!(!answer.text().contains("defect"));
    assert_eq!(client.get(&format!("{BASE}/a"), "").await.status, 200);
}
