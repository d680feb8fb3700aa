//! A real S3 server program on loopback: moto, as `cargo xtask clients` installs it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs the server on a free port until its standard input ends, which is when the tests do.
const RUN: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
";

/// Where the server listens, as `http://127.0.0.1:port`. One serves all tests; without the program, `None`, and a line
/// on the terminal says so.
pub(super) fn endpoint() -> Option<&'static str> {
    static ENDPOINT: OnceLock<Option<String>> = OnceLock::new();
    ENDPOINT.get_or_init(start).as_deref()
}

fn start() -> Option<String> {
    let python = tools_folder().join("bin/s3-python");
    if !python.exists() {
        // Not by the macro, whose output a passing test hides.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: the blob suite does not run on S3, because {} is not there; `cargo xtask clients` installs it",
            python.display()
        );
        return None;
    }
    let mut server = Command::new(python)
        .args(["-c", RUN])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| line.unwrap().split_once("Running on ").map(|(_, url)| url.trim().to_owned()));
    // The server ends when this end of its input is closed: with this process.
    std::mem::forget(server.stdin.take());
    std::thread::spawn(move || {
        // Its log has to go somewhere, or the server stalls.
        lines.for_each(drop);
        server.wait()
    });
    Some(address.expect("the server says where it listens"))
}

/// `LARDER_TOOLS`, or `.tools` of the checkout.
fn tools_folder() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.tools");
    std::env::var_os("LARDER_TOOLS").map_or_else(default, PathBuf::from)
}

/// Makes a bucket that nobody else uses.
pub(super) fn fresh_bucket(endpoint: &str) -> String {
    static BUCKETS: AtomicU32 = AtomicU32::new(0);
    let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
    put(endpoint, &bucket, b"");
    bucket
}

/// Puts something below the server's root, past the store.
pub(super) fn put(endpoint: &str, path: &str, body: &[u8]) {
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(stream, "PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
        .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
