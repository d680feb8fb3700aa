//! A real S3 server program on loopback: moto, as `cargo xtask clients` installs it.

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::http::Request;
use crate::tools;

/// Runs the server on a free port until its standard input ends, which is when the tests do.
const RUN: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
";

/// A running server.
#[derive(Debug)]
pub struct ObjectStore {
    endpoint: String,
    buckets: AtomicU32,
    /// The server ends when this end of its input is closed: with this value, or with the process.
    _input: ChildStdin,
}

impl ObjectStore {
    /// Starts a server.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    ///
    /// # Panics
    /// If the program is there and does not serve.
    pub fn try_start() -> Result<Self, String> {
        let python = tools::folder().join("bin/s3-python");
        if !python.exists() {
            return Err(format!("{} is not there; `cargo xtask clients` installs it", python.display()));
        }
        let mut server = Command::new(python)
            .args(["-c", RUN])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (input, log) = server.stdin.take().zip(server.stderr.take()).ok_or("the server has no pipes")?;
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned()));
        let endpoint = address.expect("the server says where it listens");
        std::thread::spawn(move || {
            // Its log has to go somewhere, or the server stalls.
            lines.for_each(drop);
            server.wait()
        });
        Ok(Self { endpoint, buckets: AtomicU32::new(0), _input: input })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Makes a bucket that nobody else uses and answers its name.
    #[must_use]
    pub fn bucket(&self) -> String {
        let bucket = format!("bucket-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        self.put(&bucket, b"");
        bucket
    }

    /// Puts something below the server's root, as somebody else would.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn put(&self, path: &str, body: &[u8]) {
        let address = self.endpoint.trim_start_matches("http://").parse().expect("an address");
        let _ = Request::new(address, "PUT", &format!("/{path}")).body(body).send().expect(200);
    }
}
