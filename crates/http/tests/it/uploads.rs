//! Bodies of requests: limits, `Expect: 100-continue`, and answers that come before the body is read.

use crate::client::Client;
use crate::fakes::{BASE, UPLOAD_LIMIT, start};

fn put(path: &str, headers: &str) -> String {
    format!("PUT {BASE}/{path} HTTP/1.1\nHost: h\nAuthorization: Bearer alice\n{headers}\n")
}

#[tokio::test]
async fn a_body_is_taken_with_a_length_and_in_chunks() {
    let mut client = Client::connect(start().await.address).await;
    client.send(&put("upload", "Content-Length: 5\n")).await;
    client.send("hello").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text()), (201, "5 bytes\n"));
    client.send(&put("upload", "Transfer-Encoding: chunked\n")).await;
    client.send("3\nabc\n4\ndefg\n0\n\n").await;
    assert_eq!(client.answer().await.text(), "7 bytes\n");
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on_only_when_its_body_is_read() {
    let running = start().await;
    let mut client = Client::connect(running.address).await;
    client.send(&put("upload", "Expect: 100-continue\nContent-Length: 5\n")).await;
    assert_eq!(client.head().await.status, 100);
    client.send("hello").await;
    assert_eq!(client.answer().await.status, 201);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let mut client = Client::connect(start().await.address).await;
    let headers = format!("Expect: 100-continue\nContent-Length: {}\n", UPLOAD_LIMIT + 1);
    client.send(&put("upload", &headers)).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("larger than the 1000 bytes"), "{}", answer.text());
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn missing_credentials_are_reported_before_the_body_is_sent() {
    let mut client = Client::connect(start().await.address).await;
    let headers = "Host: h\nExpect: 100-continue\nContent-Length: 5000000\n";
    client.send(&format!("PUT {BASE}/upload HTTP/1.1\n{headers}\n")).await;
    assert_eq!(client.answer().await.status, 401);
}

#[tokio::test]
async fn chunks_over_the_limit_are_refused_while_they_arrive() {
    let mut client = Client::connect(start().await.address).await;
    client.send(&put("upload", "Transfer-Encoding: chunked\n")).await;
    client.send(&format!("258\n{0}\n258\n{0}\n", "x".repeat(600))).await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn a_client_that_sends_everything_first_still_reads_the_refusal() {
    let running = start().await;
    for path in ["refused", "upload"] {
        let mut client = Client::connect(running.address).await;
        let chunk = vec![b'x'; 64 * 1024];
        client.send(&put(path, &format!("Content-Length: {}\n", 256 * chunk.len()))).await;
        assert_eq!(client.send_until_refused(&chunk, 256).await, 256, "the server must not reset the connection");
        let answer = client.answer().await;
        assert!(matches!(answer.status, 403 | 413), "{}", answer.status);
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_small_body_that_nobody_read_does_not_end_the_connection() {
    let mut client = Client::connect(start().await.address).await;
    client.send(&format!("{}hello", put("refused", "Content-Length: 5\n"))).await;
    assert_eq!(client.answer().await.status, 403);
    assert_eq!(client.get(&format!("{BASE}/a"), "").await.status, 200);
}

/// Head and body in two packets, which some clients send however small the body is.
#[tokio::test]
async fn a_small_unread_body_that_comes_after_its_head_does_not_end_the_connection() {
    let mut client = Client::connect(start().await.address).await;
    client.send(&put("refused", "Content-Length: 5\n")).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    client.send("hello").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (403, ""));
    assert_eq!(client.get(&format!("{BASE}/a"), "").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_leaves_a_large_body_unread_says_that_the_connection_ends() {
    for header in ["Content-Length: 1000000\n", "Content-Length: 5\nExpect: 100-continue\n"] {
        let mut client = Client::connect(start().await.address).await;
        client.send(&put("refused", header)).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (403, "close"), "{header}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_upload() {
    let running = start().await;
    let mut client = Client::connect(running.address).await;
    client.send(&put("upload", "Transfer-Encoding: chunked\n")).await;
    client.send("3\nabc\nnonsense\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("broke off"), "{}", answer.text());
}
