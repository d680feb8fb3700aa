//! A client that sends exactly what a test writes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing here takes this long unless it hangs.
const HANGS: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(found, _)| found == name)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), received: Vec::new() }
    }

    /// Sends bytes; `\n` stands for the line end of HTTP.
    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.replace('\n', "\r\n").as_bytes()).await.unwrap();
    }

    /// Sends bytes for as long as the server takes them; answers how many.
    pub(crate) async fn send_until_refused(&mut self, chunk: &[u8], times: usize) -> usize {
        for sent in 0..times {
            if self.stream.write_all(chunk).await.is_err() {
                return sent;
            }
        }
        times
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\nHost: larder.test\nAuthorization: Bearer alice\n{headers}\n")).await;
        self.answer().await
    }

    /// The next answer, with its body.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length = answer.header("content-length").parse().unwrap_or(0);
        while self.received.len() < length {
            assert!(self.fill().await, "the connection ended within a body");
        }
        answer.body = self.received.drain(..length).collect();
        answer
    }

    /// The next answer's head; the body, if any, is left.
    pub(crate) async fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill().await, "the connection ended before an answer");
        };
        let head: Vec<u8> = self.received.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let (status, headers) = head.split_once("\r\n").unwrap();
        let mut status = status.splitn(3, ' ').skip(1);
        Answer {
            status: status.next().unwrap().parse().unwrap(),
            reason: status.next().unwrap_or_default().to_owned(),
            headers: headers
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    /// Whether the server has closed the connection and sent nothing more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        !self.fill().await && self.received.is_empty()
    }

    /// Whether nothing arrives for a moment.
    pub(crate) async fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        timeout(Duration::from_millis(100), self.stream.peek(&mut byte)).await.is_err()
    }

    async fn fill(&mut self) -> bool {
        let mut space = vec![0; 16 * 1024];
        let read = timeout(HANGS, self.stream.read(&mut space)).await.expect("the server says nothing");
        let count = read.unwrap_or(0);
        self.received.extend_from_slice(&space[..count]);
        count > 0
    }
}
