//! A registry that misbehaves on demand: raw bytes over TCP.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
pub(crate) enum Act {
    /// Answers and waits for the next request.
    Answer(Vec<u8>),
    /// Answers and closes the connection.
    Close(Vec<u8>),
    /// Answers and says nothing more, the connection open.
    Stall(Vec<u8>),
}

/// A server on a port of its own. It ends with the test's runtime.
pub(crate) struct TestServer {
    /// `http://127.0.0.1:port`
    pub(crate) origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TestServer {
    /// Starts a server that acts on each request's head, which is given in lower case but for its first line.
    pub(crate) async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (act, noted) = (Arc::new(act), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (act, noted) = (Arc::clone(&act), Arc::clone(&noted));
                tokio::spawn(async move { serve(stream, &*act, &noted).await });
            }
        });
        Self { origin, requests }
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, act: &(impl Fn(&str) -> Act + Sync), noted: &Mutex<Vec<String>>) {
    while let Some(head) = read_head(&mut stream).await {
        noted.lock().unwrap().push(head.clone());
        let (bytes, then) = match act(&head) {
            Act::Answer(bytes) => (bytes, None),
            Act::Close(bytes) => (bytes, Some(false)),
            Act::Stall(bytes) => (bytes, Some(true)),
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        match then {
            None => {}
            Some(true) => std::future::pending().await,
            Some(false) => return,
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let (first, rest) = head.split_once("\r\n").unwrap();
    Some(format!("{first}\n{}", rest.to_lowercase()))
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
