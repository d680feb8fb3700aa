//! A proxy through which a server is reached under host names that are not this machine's, with TLS from end to end.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Answers `CONNECT` for any name with a connection to one server. Clients take it as `HTTPS_PROXY`.
#[derive(Debug)]
pub struct Tunnel {
    address: SocketAddr,
}

impl Tunnel {
    /// To this server, for as long as the test runs.
    ///
    /// # Panics
    /// If there is no port.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                thread::spawn(move || drop(serve(client, server)));
            }
        });
        Self { address }
    }

    /// As clients are told of it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let mut client = client;
    if !head.starts_with("CONNECT ") {
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n");
    }
    let behind = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_server, mut to_server) = (behind.try_clone()?, behind);
    let answering = thread::spawn(move || {
        let copied = io::copy(&mut from_server, &mut client);
        drop(client.shutdown(Shutdown::Write));
        copied
    });
    drop(io::copy(&mut reader, &mut to_server));
    to_server.shutdown(Shutdown::Write)?;
    drop(answering.join());
    Ok(())
}
