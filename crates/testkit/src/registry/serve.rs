//! The HTTP server of the registry: one thread per connection, whole bodies, entity tags.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::content::Found;
use super::fault::{self, Fault};
use super::{Asked, State, lock};
use crate::packages::sha256;

/// Accepts until the registry is dropped.
pub(crate) fn accept(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming().flatten() {
        // Only this thread's and the connections' handles are left: the registry itself is gone.
        if Arc::strong_count(state) == 1 && state.down.load(Ordering::SeqCst) {
            return;
        }
        let state = Arc::clone(state);
        std::thread::spawn(move || {
            let _ = serve(&stream, &state);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

fn serve(stream: &TcpStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let base = format!("http://{}", stream.local_addr()?);
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(asked) = read_request(&mut reader)? {
        lock(&state.asked).push(asked.clone());
        let fault = fault::take(&mut lock(&state.faults), &asked.target);
        if state.down.load(Ordering::SeqCst) || !answer(stream, state, &asked, fault, &base)? {
            return Ok(());
        }
    }
    Ok(())
}

/// A request, or nothing at the end of the connection.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    let mut asked = Asked { method, target, headers, body: Vec::new() };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.by_ref().take(length).read_to_end(&mut asked.body)?;
    Ok(Some(asked))
}

/// Answers, broken if so asked. Returns whether the connection can be used again.
fn answer(stream: &TcpStream, state: &State, asked: &Asked, fault: Option<Fault>, base: &str) -> io::Result<bool> {
    let path = asked.target.split('?').next().unwrap_or_default();
    let found = lock(&state.content).find(path, base);
    match fault {
        None => whole(stream, asked, found),
        Some(Fault::Slow(delay)) => {
            std::thread::sleep(delay);
            whole(stream, asked, found)
        }
        Some(Fault::Status(status)) => send(stream, asked, status, &[], "text/plain", b"broken by the test"),
        Some(Fault::Redirect(location)) => send(stream, asked, 302, &[("location", &location)], "text/plain", b""),
        Some(Fault::Html) => send(stream, asked, 200, &[], "text/html", b"<html><h1>Please log in</h1></html>"),
        Some(Fault::Hangup) => Ok(false),
        Some(Fault::WrongBytes) => whole(stream, asked, found.map(flip)),
        Some(Fault::Shortened) => whole(stream, asked, found.map(halve)),
        Some(fault @ (Fault::Truncated | Fault::WrongLength)) => cut_off(stream, found, &fault),
    }
}

fn flip(mut found: Found) -> Found {
    let middle = found.body.len() / 2;
    if let Some(byte) = found.body.get_mut(middle) {
        *byte ^= 1;
    }
    found
}

fn halve(mut found: Found) -> Found {
    found.body.truncate(found.body.len() / 2);
    found
}

fn whole(stream: &TcpStream, asked: &Asked, found: Option<Found>) -> io::Result<bool> {
    let Some(found) = found else {
        return send(stream, asked, 404, &[], "application/json", br#"{"error":"not_found"}"#);
    };
    let tag = format!("\"{}\"", &sha256(&found.body)[..32]);
    if asked.header("if-none-match") == Some(tag.as_str()) {
        return send(stream, asked, 304, &[("etag", &tag)], found.content_type, b"");
    }
    let mut headers = vec![("etag", tag.as_str())];
    headers.extend(found.last_modified.as_deref().map(|date| ("last-modified", date)));
    send(stream, asked, 200, &headers, found.content_type, &found.body)
}

/// Promises more than it sends, then closes.
fn cut_off(mut stream: &TcpStream, found: Option<Found>, fault: &Fault) -> io::Result<bool> {
    let body = found.map(|found| found.body).unwrap_or_default();
    let (promised, sent) = match fault {
        Fault::WrongLength => (body.len() + 100, body.len()),
        _ => (body.len(), body.len() / 2),
    };
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {promised}\r\n\r\n")?;
    stream.write_all(&body[..sent])?;
    Ok(false)
}

fn send(
    mut stream: &TcpStream,
    asked: &Asked,
    status: u16,
    headers: &[(&str, &str)],
    content_type: &str,
    body: &[u8],
) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {status} Answer\r\ncontent-type: {content_type}\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if status != 304 {
        let _ = write!(head, "content-length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    let mut message = head.into_bytes();
    if asked.method != "HEAD" {
        message.extend_from_slice(body);
    }
    stream.write_all(&message)?;
    Ok(true)
}
