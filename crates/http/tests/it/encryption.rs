//! Encrypted connections, with an encryption that only reads a greeting.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use larder_http::{EncryptedStream, Encryption, EndpointSettings, ServerSettings};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::fakes::{BASE, Running, start_encrypted};

/// The client sends a handshake byte and `hello`; after that everything is plain.
struct Greeting;

#[async_trait]
impl Encryption for Greeting {
    async fn accept(&self, mut stream: TcpStream) -> std::io::Result<Box<dyn EncryptedStream>> {
        let mut greeting = [0; 6];
        stream.read_exact(&mut greeting).await?;
        if &greeting != b"\x16hello" {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        Ok(Box::new(stream))
    }
}

async fn start(handshake_timeout: Duration) -> Running {
    let settings = ServerSettings { handshake_timeout, ..ServerSettings::default() };
    start_encrypted(settings, EndpointSettings::default(), Arc::new(Greeting)).await
}

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn requests_are_served_after_the_handshake() {
    let running = start(LONG).await;
    let mut client = Client::connect(running.address).await;
    client.send("\u{16}hello").await;
    assert_eq!(client.get("/-/health/live", "").await.status, 200);
    let answer = client.get(&format!("{BASE}/left-pad"), "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.has("x-amzn-requestid"));
}

#[tokio::test]
async fn a_client_that_speaks_plainly_is_told_so() {
    let running = start(LONG).await;
    let mut client = Client::connect(running.address).await;
    let answer = client.get("/-/health/live", "").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_client_that_says_nothing_or_not_enough_is_given_up() {
    let running = start(Duration::from_millis(100)).await;
    let mut silent = Client::connect(running.address).await;
    let mut slow = Client::connect(running.address).await;
    slow.send("\u{16}hel").await;
    let mut wrong = Client::connect(running.address).await;
    wrong.send("\u{16}what?").await;
    for client in [&mut silent, &mut slow, &mut wrong] {
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_handshakes() {
    let running = start(LONG).await;
    let mut silent = Client::connect(running.address).await;
    let mut other = Client::connect(running.address).await;
    other.send("\u{16}hello").await;
    assert_eq!(other.get("/-/health/live", "").await.status, 200, "the first connection was taken before this one");
    running.stop.send(()).unwrap();
    running.stopped.await.unwrap();
    assert!(silent.is_closed().await);
}
