//! Whole installations with the real clients, and their requests without the clients, who are most of the time.

mod maven;

use std::fs;
use std::net::SocketAddr;
use std::time::Instant;

use larder_testkit::{Client, Registry, tools};

use crate::load::{Prepared, send_all};
use crate::peers::{self, Endpoint, Larder, Nginx, tool};
use crate::recorder::{Recorded, Recorder, answered, mirror};
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
    /// The first build of a project on a machine that has nothing yet.
    MavenBuild,
}

impl Install {
    const ALL: [Self; 4] = [Self::NpmCi, Self::NpmCiDocuments, Self::PipDownload, Self::MavenBuild];

    fn title(self) -> &'static str {
        match self {
            Self::NpmCi => "npm ci",
            Self::NpmCiDocuments => "npm ci, no addresses in the lock file",
            Self::PipDownload => "pip download",
            Self::MavenBuild => "mvn test-compile",
        }
    }

    fn endpoint(self, larder: &Larder) -> &Endpoint {
        match self {
            Self::NpmCi | Self::NpmCiDocuments => &larder.npm,
            Self::PipDownload => &larder.pypi,
            Self::MavenBuild => &larder.maven,
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
    if maven::can_build() {
        registry.serve_recorded_maven();
    }
    let larder = Larder::start(Some(&registry), "warn")?;
    let nginx = Nginx::start()?;
    let verdaccio = peers::start_verdaccio(&registry)?;
    let devpi = peers::devpi(&registry)?;
    let maven_proxy = peers::start_maven_proxy()?;
    let notes = "An application with 306 packages, a requirements file and a Maven project of two modules; clean client \
                 caches, warm servers. The requests are those that the client sent, in its order, over 15 connections; \
                 Maven's without those that are not answered with success, such as its first one without credentials. \
                 Seconds of one pass, server processor time of one pass, and their ratios to nginx in the same round.";
    let columns =
        ["installation", "server", "client s", "requests", "replay ms", "CPU ms", "replay / nginx", "CPU / nginx"];
    let mut section = Section::new("Installing", notes, &columns);
    for install in Install::ALL {
        if install == Install::MavenBuild && !maven::can_build() {
            println!("  Maven's artifacts were not recorded or mvn is not installed, see `cargo xtask clients`");
            continue;
        }
        let is_npm = matches!(install, Install::NpmCi | Install::NpmCiDocuments);
        let endpoint = install.endpoint(&larder);
        let mirrored = Endpoint { address: nginx.address, headers: Vec::new(), token: None, ..endpoint.clone() };
        let mut servers = vec![Server { name: "larder", pid: larder.server.pid(), endpoint }];
        servers.push(Server { name: "nginx", pid: nginx.pid, endpoint: &mirrored });
        if let Some((verdaccio, npm)) = verdaccio.as_ref().filter(|_| is_npm) {
            servers.push(Server { name: "verdaccio", pid: verdaccio.pid(), endpoint: npm });
        }
        if let Some((peer, pypi)) = devpi
            .as_ref()
            .and_then(|peer| Some((peer, peer.pypi.as_ref()?)))
            .filter(|_| install == Install::PipDownload)
        {
            servers.push(Server { name: "devpi", pid: peer.pid, endpoint: pypi });
        }
        if let Some(proxy) = maven_proxy.as_ref().filter(|_| install == Install::MavenBuild) {
            servers.push(Server { name: "maven-proxy", pid: proxy.pid(), endpoint: &proxy.maven });
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
        if server.name == "maven-proxy" {
            let asked = recorded.first().map(Vec::as_slice).unwrap_or_default();
            recorded.push(maven::copy(asked, servers[0].endpoint, server.endpoint)?);
            continue;
        }
        // The first time, the server fetches from its upstream.
        if install != Install::MavenBuild {
            run_client(install, server.endpoint, server.endpoint.address)?;
        }
        let recorder = Recorder::start(server.endpoint.address)?;
        run_client(install, server.endpoint, recorder.address)?;
        let asked = recorder.requests();
        recorded.push(match install {
            // What Maven asks for does not depend on whether the server has it already.
            Install::MavenBuild => answered(asked, server.endpoint.address),
            _ => asked,
        });
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
    if install == Install::MavenBuild {
        return maven::build(&client, endpoint, address);
    }
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
