//! Requests over a plain socket, byte for byte as written here, for what no client would send.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use serde_json::Value;

/// How long a request waits for the next byte of its answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request to one address. Nothing is added but `Host`, `Connection: close` and `Content-Length`.
#[derive(Debug, Clone)]
#[must_use]
pub struct Request {
    address: SocketAddr,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    content_length: Option<String>,
}

impl Request {
    /// `target` goes on the request line as it is.
    pub fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            content_length: None,
        }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// `Authorization: Bearer TOKEN`.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// `Authorization: Basic`, as package managers write it.
    pub fn basic(self, user: &str, password: &str) -> Self {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        self.header("authorization", format!("Basic {encoded}"))
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// Says another length than the body has.
    pub fn lying_about_its_length(mut self, length: &str) -> Self {
        self.content_length = Some(length.to_owned());
        self
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(crate) fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// The authority that goes into `Host`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Sends and reads the whole answer.
    ///
    /// # Panics
    /// If the server cannot be reached or answers with something that is not HTTP.
    #[must_use]
    pub fn send(&self) -> Response {
        match self.try_send() {
            Ok(response) => response,
            Err(error) => panic!("{} {} got no answer: {error}", self.method, self.target),
        }
    }

    /// Sends and reads the whole answer.
    ///
    /// # Errors
    /// If the server cannot be reached, closes the connection or answers with something that is not HTTP.
    pub fn try_send(&self) -> io::Result<Response> {
        let mut stream = self.open()?;
        // A refusal may come before the body was read; what it says is the answer, not the broken pipe.
        let written = stream.write_all(&self.body).and_then(|()| stream.flush());
        read_response(&mut BufReader::new(stream), &self.method).or_else(|error| written.and(Err(error)))
    }

    /// Connects and sends the head only. The body can follow, or not.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn open(&self) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(self.head().as_bytes())?;
        Ok(stream)
    }

    fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |name: &str| self.headers.iter().any(|(have, _)| have.eq_ignore_ascii_case(name));
        if !has("host") {
            let _ = write!(head, "host: {}\r\n", self.address);
        }
        if !has("connection") {
            head.push_str("connection: close\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let needs_length = !self.body.is_empty() || matches!(self.method.as_str(), "PUT" | "POST");
        if let Some(length) = &self.content_length {
            let _ = write!(head, "content-length: {length}\r\n");
        } else if needs_length && !has("transfer-encoding") {
            let _ = write!(head, "content-length: {}\r\n", self.body.len());
        }
        head.push_str("\r\n");
        head
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// The words after the status.
    pub reason: String,
    pub headers: Vec<(String, String)>,
    /// As on the wire, but for a chunked transfer coding.
    pub body: Vec<u8>,
    /// Whether as many bytes came as were promised.
    pub complete: bool,
}

impl Response {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The header of that name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn need_header(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no header {name} in {self:?}"))
    }

    /// Checks the status.
    ///
    /// # Panics
    /// If it is another one.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {:?}: {}", self.reason, self.headers, self.text());
        self
    }

    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.decoded()).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.decoded()).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The body without its content coding.
    #[must_use]
    pub fn decoded(&self) -> Vec<u8> {
        if self.header("content-encoding") != Some("gzip") {
            return self.body.clone();
        }
        let mut plain = Vec::new();
        match flate2::read::GzDecoder::new(self.body.as_slice()).read_to_end(&mut plain) {
            Ok(_) => plain,
            Err(_) => self.body.clone(),
        }
    }
}

fn read_response(reader: &mut impl BufRead, method: &str) -> io::Result<Response> {
    loop {
        let (status, reason, headers) = read_head(reader)?;
        if status == 100 {
            continue;
        }
        let mut response = Response { status, reason, headers, body: Vec::new(), complete: true };
        if method == "HEAD" || matches!(status, 204 | 304) {
            return Ok(response);
        }
        if response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            response.complete = read_chunks(reader, &mut response.body).is_ok();
        } else if let Some(length) = response.header("content-length").and_then(|length| length.parse::<u64>().ok()) {
            // A connection that is cut off ends the body early; the test sees that in `complete`.
            let _ = reader.by_ref().take(length).read_to_end(&mut response.body);
            response.complete = response.body.len() as u64 == length;
        } else {
            reader.read_to_end(&mut response.body)?;
        }
        return Ok(response);
    }
}

type Head = (u16, String, Vec<(String, String)>);

fn read_head(reader: &mut impl BufRead) -> io::Result<Head> {
    let line = read_line(reader)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, format!("not a status line: {line:?}"));
    let mut words = line.splitn(3, ' ');
    let status = words.nth(1).and_then(|word| word.parse().ok()).ok_or_else(invalid)?;
    let reason = words.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok((status, reason, headers));
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(reader)?;
        let length = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if length == 0 {
            return Ok(());
        }
        let before = body.len() as u64;
        reader.by_ref().take(length).read_to_end(body)?;
        if body.len() as u64 != before + length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read_line(reader)?;
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_answer_is_put_together_and_a_short_one_is_seen() {
        let wire = b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let response = read_response(&mut &wire[..], "GET").expect("an answer");
        assert_eq!((response.text().as_str(), response.reason.as_str(), response.complete), ("abcde", "Fine", true));
        let response =
            read_response(&mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"[..], "GET").expect("an answer");
        assert!(!response.complete);
    }
}
