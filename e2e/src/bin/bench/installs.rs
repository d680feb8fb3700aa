//! Whole installations with the real clients, and the same requests without the client.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::time::Instant;

use larder_e2e::World;
use larder_testkit::{Client, Registry, tools};
use serde_json::Value;

use crate::measure::wrk_script;
use crate::report::Report;
use crate::rivals::{self, start_nginx, write_static};

/// Times of which the best is taken: the machine is shared, and what disturbs only ever adds.
const RUNS: usize = 3;

pub(crate) fn run(report: &mut Report) {
    println!("whole installations");
    let world = World::with(Registry::recorded(), |builder| builder);
    let client = Client::unconfigured();
    let app = client.folder("app");
    let fixtures = tools::folder().join("fixtures");
    fs::copy(tools::repository().join("e2e/fixtures/app/package.json"), app.join("package.json"))
        .expect("package.json");
    fs::copy(fixtures.join("npm/app-lock.json"), app.join("package-lock.json")).expect("the lock file");
    let paths = tarball_paths(&client);
    let mut text = format!(
        "`npm ci` of {} packages and `pip download` of requirements, clean client caches, best of {RUNS}; then only the requests \
         for the {} archives, 15 connections.\n\n| server | npm ci, s | pip download, s | archives/s | CPU ms per archive | all archives, ms |\n\
         |---|---:|---:|---:|---:|---:|\n",
        paths.len(),
        paths.len()
    );
    let mut line = |name: &str, npm: Option<f64>, pip: Option<f64>, replay: Option<(f64, f64)>| {
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let (rate, cpu) = replay.unwrap_or((f64::NAN, f64::NAN));
        let all = paths.len() as f64 / rate * 1000.0;
        let replayed =
            if replay.is_some() { format!("{rate:.0} | {cpu:.3} | {all:.0}") } else { "– | – | –".to_owned() };
        println!("  {name}: npm ci {}, pip {}, {replayed}", shown(npm), shown(pip));
        let _ = writeln!(text, "| {name} | {} | {} | {replayed} |", shown(npm), shown(pip));
    };

    let www = tempfile::tempdir().expect("a folder");
    for path in &paths {
        let recorded =
            fs::read(fixtures.join("npm/tarballs").join(format!("={}", path.replace('/', "!")))).expect("a tarball");
        write_static(&www.path().join("www"), path, &recorded, false);
    }
    let (nginx, address) = start_nginx(www);
    let replay = replayed(address, nginx.child.id(), "/", None, &paths);
    line("nginx", Some(npm_ci(&client, &format!("http://{address}/"), None)), None, Some(replay));
    drop(nginx);

    if let Some((verdaccio, address)) = rivals::start_verdaccio(&[], Some(&world.registry.npm_url())) {
        let npm = npm_ci(&client, &format!("http://{address}/"), None);
        let replay = replayed(address, verdaccio.child.id(), "/", None, &paths);
        line("verdaccio", Some(npm), None, Some(replay));
    }
    if let Some((_devpi, address)) = rivals::start_devpi(Some(&world.registry.pypi_url())) {
        line("devpi", None, Some(pip_download(&client, &format!("http://{address}/root/bench/+simple/"))), None);
    }
    let npm = npm_ci(&client, &world.server.endpoint("npm", "my-repo"), Some(&world.token));
    let pip = pip_download(&client, &world.index_url());
    let base = format!("{}/", world.server.path("npm", "my-repo"));
    let replay = replayed(world.server.address(), world.server.pid(), &base, Some(&world.token), &paths);
    line("Larder", Some(npm), Some(pip), Some(replay));
    report.section("Installing an application", &text);
}

/// `NAME/-/FILE` of every package in the lock file.
fn tarball_paths(client: &Client) -> Vec<String> {
    let lock: Value = serde_json::from_str(&client.read("app/package-lock.json")).expect("a lock file");
    let packages = lock["packages"].as_object().expect("packages");
    let mut paths: Vec<String> = packages
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .filter_map(|(path, entry)| {
            let name = entry["name"].as_str().or_else(|| path.rsplit("node_modules/").next())?;
            Some(format!("{name}/-/{}-{}.tgz", name.rsplit('/').next()?, entry["version"].as_str()?))
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn best(mut run: impl FnMut()) -> f64 {
    // The first one warms the server's caches.
    run();
    let times = (0..RUNS).map(|_| {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

fn npm_ci(client: &Client, registry: &str, token: Option<&str>) -> f64 {
    let bound = registry.trim_start_matches("http:");
    let auth = token.map_or_else(String::new, |token| format!("{bound}:_authToken={token}\n"));
    client.write(".npmrc", format!("registry={registry}\n{auth}audit=false\n"));
    best(|| {
        let _ = fs::remove_dir_all(client.home().join("app/node_modules"));
        let _ = fs::remove_dir_all(client.home().join(".npm"));
        let _ = client.program("npm").args(["ci", "--ignore-scripts"]).in_folder(client.home().join("app")).succeeds();
    })
}

fn pip_download(client: &Client, index: &str) -> f64 {
    let requirements = tools::repository().join("e2e/fixtures/app/requirements.txt");
    best(|| {
        let _ = fs::remove_dir_all(client.home().join("downloads"));
        let arguments = ["download", "--no-cache-dir", "--dest", "downloads", "--index-url", index, "-r"];
        let _ = client.program("pip").args(arguments).arg(&requirements).succeeds();
    })
}

/// Rate and CPU of the requests for the archives, each as often as the others.
fn replayed(address: SocketAddr, pid: u32, base: &str, token: Option<&str>, paths: &[String]) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut script = String::from("local paths = {\n");
    for path in paths {
        let _ = writeln!(script, "  \"{base}{path}\",");
    }
    let header =
        token.map_or_else(String::new, |token| format!("wrk.headers[\"authorization\"] = \"Bearer {token}\"\n"));
    let _ = write!(
        script,
        "}}\n{header}local next = 0\nrequest = function()\n  next = next % #paths + 1\n  return wrk.format(\"GET\", paths[next])\nend\n"
    );
    let path = folder.path().join("replay.lua");
    fs::write(&path, script).expect("the script");
    for pid in crate::measure::family(pid) {
        let _ = std::process::Command::new("taskset").args(["-a", "-p", "-c", "0", &pid.to_string()]).output();
    }
    let measured = wrk_script(address, pid, &path.to_string_lossy(), 15);
    (measured.rate, measured.cpu_ms)
}
