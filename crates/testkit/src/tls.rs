//! Certificates of a throw-away authority, made by the `openssl` program, and a server that shows one.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use tempfile::TempDir;

use crate::runner::skip;

/// Takes TLS off and passes everything on, until its standard input ends. Prints its port.
const FRONT: &str = "
import os, select, socket, ssl, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
def serve(plain):
    try:
        with context.wrap_socket(plain, server_side=True) as tls, \\
             socket.create_connection(('127.0.0.1', int(sys.argv[3]))) as behind:
            while True:
                ready = [tls] if tls.pending() else select.select([tls, behind], [], [])[0]
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (behind if source is tls else tls).sendall(data)
    except OSError:
        pass
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
";

/// A certificate authority that nobody trusts unless told to.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

/// A server's certificate with its key.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    /// Makes an authority. Skips the running test if there is no `openssl`.
    ///
    /// # Panics
    /// If `openssl` fails.
    #[must_use]
    pub fn new() -> Self {
        if Command::new("openssl").arg("version").output().is_err() {
            skip("there is no openssl to make certificates with");
        }
        let authority = Self { folder: tempfile::tempdir().expect("a folder") };
        let made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
                    -keyout authority.key -out authority.pem";
        authority.openssl(made);
        authority
    }

    /// The file to trust it by.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Signs a certificate for a name as X.509 writes it, such as `IP:127.0.0.1` or `DNS:example.test`.
    ///
    /// # Panics
    /// If `openssl` fails.
    #[must_use]
    pub fn certificate(&self, name: &str) -> Certificate {
        std::fs::write(self.folder.path().join("extensions"), format!("subjectAltName={name}")).expect("a file");
        self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout server.key -out server.csr",
        );
        self.openssl(
            "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile extensions \
             -out server.pem",
        );
        let path = |name| self.folder.path().join(name);
        Certificate { certificate: path("server.pem"), key: path("server.key") }
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        let output = command.output().expect("openssl runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Certificate {
    /// Copies certificate and key to where a server reads them.
    ///
    /// # Panics
    /// If they cannot be copied.
    pub fn copy_to(&self, certificate: &Path, key: &Path) {
        std::fs::copy(&self.certificate, certificate).expect("the certificate");
        std::fs::copy(&self.key, key).expect("the key");
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A server that speaks TLS in front of one that does not.
#[derive(Debug)]
pub struct TlsFront {
    port: u16,
    /// Closing it ends the server.
    _input: ChildStdin,
}

impl TlsFront {
    /// Starts it.
    ///
    /// # Panics
    /// If Python is missing or the port cannot be had.
    #[must_use]
    pub fn start(behind: SocketAddr, shown: &Certificate) -> Self {
        let file = |path: &Path| path.as_os_str().to_owned();
        let mut server = Command::new("python3")
            .args(["-c", FRONT])
            .args([file(&shown.certificate), file(&shown.key), behind.port().to_string().into()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let (input, output) = server.stdin.take().zip(server.stdout.take()).expect("pipes");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("the port");
        std::thread::spawn(move || server.wait());
        Self { port, _input: input }
    }

    /// `https://127.0.0.1:PORT`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}
