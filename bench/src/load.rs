//! Requests over connections that stay open: for publishes and for replays, where `wrk` has nothing to say.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;
use crate::host::cpu_seconds;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// For messages.
    pub(crate) name: String,
    /// No body comes with the answer, whatever its length is said to be.
    is_head: bool,
    bytes: Vec<u8>,
}

impl Prepared {
    /// Puts the request together.
    pub(crate) fn new(method: &str, target: &str, host: SocketAddr, headers: &[(String, String)], body: &[u8]) -> Self {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        Self { name: format!("{method} {target}"), is_head: method == "HEAD", bytes: [head.as_bytes(), body].concat() }
    }
}

/// A connection that stays open.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { address, stream: BufReader::with_capacity(64 * 1024, stream), body: Vec::new() })
    }

    /// Sends a request and reads its answer to the end; answers the status. The body is then in [`Connection::body`].
    pub(crate) fn send(&mut self, request: &Prepared) -> io::Result<u16> {
        self.stream.get_mut().write_all(&request.bytes)?;
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(|| io::Error::other(format!("not HTTP: {status_line}")))?;
        let (mut length, mut chunked, mut close) = (None, false, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            let Some((name, value)) = line.split_once(':') else { break };
            match name {
                "content-length" => length = value.trim().parse::<u64>().ok(),
                "transfer-encoding" => chunked = value.contains("chunked"),
                "connection" => close = value.contains("close"),
                _ => {}
            }
        }
        self.body.clear();
        if !request.is_head && !matches!(status, 204 | 304) {
            if chunked {
                self.chunks()?;
            } else if let Some(length) = length {
                self.take(length)?;
            } else {
                self.stream.read_to_end(&mut self.body)?;
                close = true;
            }
        }
        if close {
            let body = std::mem::take(&mut self.body);
            *self = Self::open(self.address)?;
            self.body = body;
        }
        Ok(status)
    }

    /// As [`Connection::send`], of what must succeed; answers the milliseconds that it took.
    pub(crate) fn timed(&mut self, request: &Prepared) -> io::Result<f64> {
        let started = Instant::now();
        let status = self.send(request)?;
        let took = started.elapsed().as_secs_f64() * 1000.0;
        if (200..400).contains(&status) {
            return Ok(took);
        }
        let said = String::from_utf8_lossy(&self.body).chars().take(300).collect::<String>();
        Err(io::Error::other(format!("{} was answered with {status}: {said}", request.name)))
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    fn take(&mut self, length: u64) -> io::Result<()> {
        let read = self.stream.by_ref().take(length).read_to_end(&mut self.body)?;
        if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn chunks(&mut self) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let length = u64::from_str_radix(line.split(';').next().unwrap_or_default(), 16);
            let length = length.map_err(|_| io::Error::other(format!("not the length of a chunk: {line}")))?;
            self.take(length)?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

/// What a run of requests took.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) seconds: f64,
    /// Of one request, sorted, in milliseconds.
    pub(crate) latencies_ms: Vec<f64>,
    /// Server processor time of one request, in milliseconds.
    pub(crate) cpu_ms: f64,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies_ms.len() as f64 / self.seconds
    }

    pub(crate) fn median_ms(&self) -> f64 {
        crate::wrk::median(self.latencies_ms.clone())
    }

    /// Server processor time of the whole run, in milliseconds.
    pub(crate) fn cpu_total_ms(&self) -> f64 {
        self.cpu_ms * self.latencies_ms.len() as f64
    }
}

/// Sends the requests in order over so many connections, each taking the next as soon as it is free. An answer that is
/// no success ends it.
pub(crate) fn send_all(address: SocketAddr, pid: u32, requests: &[Prepared], connections: usize) -> Result<Run> {
    let queue: Mutex<VecDeque<&Prepared>> = Mutex::new(requests.iter().collect());
    measured(address, pid, connections, || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front())
}

/// Sends one request over and over for so long.
pub(crate) fn send_for(
    address: SocketAddr,
    pid: u32,
    request: &Prepared,
    connections: usize,
    duration: Duration,
) -> Result<Run> {
    let end = Instant::now() + duration;
    measured(address, pid, connections, || (Instant::now() < end).then_some(request))
}

/// Sends what `next` answers until it answers nothing.
fn measured<'a>(
    address: SocketAddr,
    pid: u32,
    connections: usize,
    next: impl Fn() -> Option<&'a Prepared> + Sync,
) -> Result<Run> {
    let opened: Vec<Connection> = (0..connections).map(|_| Connection::open(address)).collect::<io::Result<_>>()?;
    let before = cpu_seconds(pid);
    let started = Instant::now();
    let results: Vec<io::Result<Vec<f64>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = opened.into_iter().map(|connection| scope.spawn(|| work(connection, &next))).collect();
        let ended = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.map(|ended| ended.unwrap_or_else(|_| Err(io::Error::other("a connection's thread panicked")))).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds(pid) - before;
    let mut latencies_ms = Vec::new();
    for result in results {
        latencies_ms.extend(result?);
    }
    latencies_ms.sort_by(f64::total_cmp);
    let cpu_ms = cpu * 1000.0 / latencies_ms.len().max(1) as f64;
    Ok(Run { seconds, latencies_ms, cpu_ms })
}

fn work<'a>(mut connection: Connection, next: impl Fn() -> Option<&'a Prepared>) -> io::Result<Vec<f64>> {
    let mut latencies = Vec::new();
    while let Some(request) = next() {
        latencies.push(connection.timed(request)?);
    }
    Ok(latencies)
}
