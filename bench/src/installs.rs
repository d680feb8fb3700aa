//! Whole installations with the real clients, and their requests without the clients, who are most of the time.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use larder_testkit::{Client, Registry, tools};

use crate::load::{Prepared, send_all};
use crate::peers::{self, Endpoint, Larder, Nginx, Target, tool};
use crate::report::{Report, Section, ratio};
use crate::wrk::median;
use crate::{Context, Result};

/// Sockets of npm towards one registry.
const CONNECTIONS: usize = 15;
/// How often the requests are replayed in one round, but for servers that need a second for one pass.
const REPEATS: usize = 20;

/// What is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Install {
    /// The lock file names the public registry's tarballs, as it does in most projects.
    NpmCi,
    /// The lock file has no addresses: npm asks for every document too.
    NpmCiDocuments,
    PipDownload,
}

impl Install {
    const ALL: [Self; 3] = [Self::NpmCi, Self::NpmCiDocuments, Self::PipDownload];

    fn title(self) -> &'static str {
        match self {
            Self::NpmCi => "npm ci",
            Self::NpmCiDocuments => "npm ci, no addresses in the lock file",
            Self::PipDownload => "pip download",
        }
    }
}

/// A server with its endpoint for an installation.
struct Server<'a> {
    name: &'static str,
    pid: u32,
    endpoint: &'a Endpoint,
}

/// Installs from every server and replays what was asked.
pub(crate) fn measure(rounds: usize, report: &mut Report) -> Result {
    if !tools::folder().join("fixtures/complete").is_file() || tool("npm").is_none() || tool("pip").is_none() {
        return Err("packages were not recorded or npm and pip not installed, see `cargo xtask clients`".into());
    }
    let registry = Registry::recorded();
    let larder = Larder::start(Some(&registry), "warn")?;
    let nginx = Nginx::start()?;
    let verdaccio = peers::start_verdaccio(&registry)?;
    let devpi = peers::devpi(&registry)?;
    let mirrored = |of: &Endpoint| Endpoint { address: nginx.address, headers: Vec::new(), token: None, ..of.clone() };
    let (nginx_npm, nginx_pypi) = (mirrored(&larder.npm), mirrored(&larder.pypi));
    let notes = "An application with 306 packages and a requirements file, clean client caches, warm servers. The requests \
                 are those that the client sent, in its order, over 15 connections; seconds of one pass, server \
                 processor time of one pass, and their ratios to nginx in the same round.";
    let columns =
        ["installation", "server", "client s", "requests", "replay ms", "CPU ms", "replay / nginx", "CPU / nginx"];
    let mut section = Section::new("Installing", notes, &columns);
    for install in Install::ALL {
        let is_npm = install != Install::PipDownload;
        let (pid, nginx_pid) = (larder.server.pid(), nginx.pid);
        let mut servers =
            vec![Server { name: "larder", pid, endpoint: if is_npm { &larder.npm } else { &larder.pypi } }];
        servers.push(Server { name: "nginx", pid: nginx_pid, endpoint: if is_npm { &nginx_npm } else { &nginx_pypi } });
        if let Some((verdaccio, npm)) = verdaccio.as_ref().filter(|_| is_npm) {
            servers.push(Server { name: "verdaccio", pid: verdaccio.pid(), endpoint: npm });
        }
        if let Some((peer, pypi)) =
            devpi.as_ref().and_then(|peer| Some((peer, peer.pypi.as_ref()?))).filter(|_| !is_npm)
        {
            servers.push(Server { name: "devpi", pid: peer.pid, endpoint: pypi });
        }
        measure_one(install, &servers, &nginx, rounds, &mut section, report)?;
    }
    report.sections.push(section);
    Ok(())
}

fn measure_one(
    install: Install,
    servers: &[Server<'_>],
    nginx: &Nginx,
    rounds: usize,
    section: &mut Section,
    report: &mut Report,
) -> Result {
    let mut recorded: Vec<Vec<Recorded>> = Vec::new();
    for server in servers {
        if server.name == "nginx" {
            // It holds what Larder answered, so the same requests fit.
            let asked = recorded.first().cloned().unwrap_or_default();
            mirror(&asked, servers[0].endpoint, nginx)?;
            recorded.push(asked.into_iter().map(Recorded::without_credentials).collect());
            continue;
        }
        // The first time, the server fetches from its upstream.
        run_client(install, server.endpoint, server.endpoint.address)?;
        let recorder = Recorder::start(server.endpoint.address)?;
        run_client(install, server.endpoint, recorder.address)?;
        recorded.push(recorder.requests());
    }
    let mut passes: Vec<Vec<(f64, f64)>> = vec![Vec::new(); servers.len()];
    for round in 0..rounds {
        for ((server, asked), passes) in servers.iter().zip(&recorded).zip(&mut passes) {
            let requests: Vec<Prepared> = asked.iter().map(|asked| asked.prepare(server.endpoint.address)).collect();
            if round == 0 {
                send_all(server.endpoint.address, server.pid, &requests, CONNECTIONS)?;
            }
            let repeats = if matches!(server.name, "larder" | "nginx") { REPEATS } else { 1 };
            let all: Vec<Prepared> = (0..repeats).flat_map(|_| requests.iter().cloned()).collect();
            let run = send_all(server.endpoint.address, server.pid, &all, CONNECTIONS)?;
            passes.push((run.seconds * 1000.0 / repeats as f64, run.cpu_total_ms() / repeats as f64));
        }
    }
    for (index, server) in servers.iter().enumerate() {
        let started = Instant::now();
        run_client(install, server.endpoint, server.endpoint.address)?;
        let client = started.elapsed().as_secs_f64();
        let of = |value: fn(&(f64, f64)) -> f64| median(passes[index].iter().map(value).collect());
        let to_nginx = |value: fn(&(f64, f64)) -> f64| {
            median(passes[index].iter().zip(&passes[1]).map(|(own, nginx)| value(own) / value(nginx)).collect())
        };
        let (time, cpu) = (to_nginx(|pass| pass.0), to_nginx(|pass| pass.1));
        section.row(vec![
            install.title().to_owned(),
            server.name.to_owned(),
            format!("{client:.2}"),
            recorded[index].len().to_string(),
            format!("{:.1}", of(|pass| pass.0)),
            format!("{:.1}", of(|pass| pass.1)),
            ratio(time),
            ratio(cpu),
        ]);
        if server.name == "larder" && install != Install::PipDownload {
            let what = format!("replaying {}: within 1.3 of nginx", install.title());
            report.goal(what, format!("time {}, CPU {}", ratio(time), ratio(cpu)), time <= 1.3);
        }
    }
    Ok(())
}

/// One installation into a clean folder with a clean cache. `address` is the server's or a recorder's.
fn run_client(install: Install, endpoint: &Endpoint, address: SocketAddr) -> Result {
    let client = Client::unconfigured();
    let application = tools::repository().join("e2e/fixtures/app");
    let fixtures = tools::folder().join("fixtures");
    if install == Install::PipDownload {
        let credentials = endpoint.token.as_ref().map_or_else(String::new, |token| format!("aws:{token}@"));
        let index = if endpoint.prefix.trim_start_matches('/').starts_with("root/") { "+simple" } else { "simple" };
        let index = format!("http://{credentials}{address}{}/{index}/", endpoint.prefix);
        let arguments = ["download", "--no-cache-dir", "--quiet", "--dest", "downloads", "--index-url", &index, "-r"];
        let requirements = application.join("requirements.txt");
        let _ = client.program("pip").args(arguments).arg(&requirements).succeeds();
        return Ok(());
    }
    let folder = client.folder("app");
    let lock = if install == Install::NpmCi { "public-lock.json" } else { "app-lock.json" };
    for (from, to) in
        [(application.join("package.json"), "package.json"), (fixtures.join("npm").join(lock), "package-lock.json")]
    {
        fs::copy(&from, folder.join(to)).context(from.display())?;
    }
    let bound = format!("//{address}{}/", endpoint.prefix);
    let token = endpoint.token.as_ref().map_or_else(String::new, |token| format!("{bound}:_authToken={token}\n"));
    client.write(".npmrc", format!("registry=http:{bound}\n{token}audit=false\nfund=false\n"));
    let _ = client.program("npm").args(["ci", "--ignore-scripts"]).in_folder(&folder).succeeds();
    Ok(())
}

/// A request as the client sent it.
#[derive(Debug, Clone)]
struct Recorded {
    method: String,
    target: String,
    /// But for those that concern the connection.
    headers: Vec<(String, String)>,
}

impl Recorded {
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

    fn without_credentials(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "authorization");
        self
    }

    fn prepare(&self, host: SocketAddr) -> Prepared {
        Prepared::new(&self.method, &self.target, host, &self.headers, b"")
    }
}

/// Puts what Larder answers to the requests into nginx.
fn mirror(asked: &[Recorded], larder: &Endpoint, nginx: &Nginx) -> Result {
    let mut done = BTreeSet::new();
    for request in asked.iter().filter(|request| done.insert(request.target.clone())) {
        let path = request.target.clone();
        let full = Target { address: larder.address, path, headers: request.headers.clone() };
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
struct Recorder {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorder {
    fn start(server: SocketAddr) -> Result<Self> {
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

    fn requests(&self) -> Vec<Recorded> {
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
