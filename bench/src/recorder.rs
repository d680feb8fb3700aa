//! What a real client asks for, kept to be asked again without it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::load::Prepared;
use crate::peers::{Endpoint, Nginx, Target};
use crate::{Context, Result};

/// A request as the client sent it.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    method: String,
    target: String,
    /// But for those that concern the connection.
    headers: Vec<(String, String)>,
}

impl Recorded {
    /// The same at another server.
    pub(crate) fn moved(&self, from: &Endpoint, to: &Endpoint) -> Self {
        let mut moved = self.clone().without_credentials();
        moved.target = format!("{}/{}", to.prefix, self.path_below(from));
        moved.headers.extend(to.headers.iter().cloned());
        moved
    }

    /// What follows the endpoint's address.
    pub(crate) fn path_below(&self, endpoint: &Endpoint) -> &str {
        self.target.strip_prefix(&endpoint.prefix).unwrap_or(&self.target).trim_start_matches('/')
    }

    fn read(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| !matches!(name.as_str(), "host" | "connection"));
        Some(Self { method, target, headers: headers.collect() })
    }

    pub(crate) fn without_credentials(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "authorization");
        self
    }

    pub(crate) fn prepare(&self, host: SocketAddr) -> Prepared {
        Prepared::new(&self.method, &self.target, host, &self.headers, b"")
    }
}

/// The requests that a server answers with success: not those that try without credentials first or look for what need
/// not be there.
pub(crate) fn answered(asked: Vec<Recorded>, server: SocketAddr) -> Vec<Recorded> {
    let mut known: BTreeMap<(String, bool), bool> = BTreeMap::new();
    let mut is_answered = |request: &Recorded| {
        let has_credentials = request.headers.iter().any(|(name, _)| name == "authorization");
        *known.entry((request.target.clone(), has_credentials)).or_insert_with(|| {
            let target = Target {
                address: server,
                method: "GET",
                path: request.target.clone(),
                headers: request.headers.clone(),
            };
            target.get().is_ok()
        })
    };
    asked.into_iter().filter(|request| is_answered(request)).collect()
}

/// Puts what Larder answers to the requests into nginx.
pub(crate) fn mirror(asked: &[Recorded], larder: &Endpoint, nginx: &Nginx) -> Result {
    let mut done = BTreeSet::new();
    for request in asked.iter().filter(|request| done.insert(request.target.clone())) {
        let path = request.target.clone();
        let full = Target { address: larder.address, method: "GET", path, headers: request.headers.clone() };
        // Documents name the address under which they were asked for.
        let full = full.with("host", &nginx.address.to_string());
        let mut plain = full.clone();
        plain.headers.retain(|(name, _)| name != "accept-encoding");
        let compressed = full.get()?;
        let gzip = compressed.header("content-encoding").is_some().then_some(compressed.body.as_slice());
        nginx.put(&request.target, &plain.get()?.body, gzip)?;
    }
    Ok(())
}

/// Passes connections on to a server and keeps what clients sent. Its clients send no bodies.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    kept: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorder {
    pub(crate) fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("a port")?;
        let address = listener.local_addr().context("a port")?;
        let kept: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let keeps = Arc::clone(&kept);
        // It ends with the program: there are few of them.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let keeps = Arc::clone(&keeps);
                std::thread::spawn(move || pass(client, server, &keeps));
            }
        });
        Ok(Self { address, kept })
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pass(mut client: TcpStream, server: SocketAddr, kept: &Mutex<Vec<Recorded>>) -> std::io::Result<()> {
    let mut upstream = TcpStream::connect(server)?;
    let (mut answers, mut back) = (upstream.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let (mut text, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return upstream.shutdown(Shutdown::Write);
        }
        text.extend_from_slice(&buffer[..count]);
        while let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = text.drain(..end + 4).collect();
            let recorded = Recorded::read(&String::from_utf8_lossy(&head));
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend(recorded);
        }
        upstream.write_all(&buffer[..count])?;
    }
}
