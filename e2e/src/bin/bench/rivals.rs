//! The servers that are measured, each with the same content.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_testkit::packages::{PythonPackage, multipart};
use larder_testkit::{Request, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::content::{ACCEPT_NPM, ACCEPT_PIP, Content};

/// A request to measure.
pub(crate) struct Target {
    pub(crate) what: &'static str,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// A running server.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) targets: Vec<Target>,
    /// Ends the server with this, if it was started here.
    _process: Option<Process>,
}

/// A server that ends, with its folder, when this is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    _folder: TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        for pid in crate::measure::family(self.child.id()).iter().rev() {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        let _ = self.child.wait();
    }
}

impl Rival {
    /// Larder itself, which runs already.
    pub(crate) fn larder(world: &World, content: &Content) -> Self {
        let token = || vec![("authorization".to_owned(), format!("Bearer {}", world.token))];
        let npm = |path: &str| format!("{}/{path}", world.server.path("npm", "my-repo"));
        let pypi = |path: &str| format!("{}/{path}", world.server.path("pypi", "my-repo"));
        let wheel = |index: usize| format!("simple/bench-python/1.{index}/{}", content.wheels[index].name);
        Self {
            name: "Larder",
            address: world.server.address(),
            pid: world.server.pid(),
            targets: targets(&npm(""), &pypi("simple/bench-python/"), &pypi(&wheel(0)), &pypi(&wheel(1)), token),
            _process: None,
        }
    }

    /// Binds the server with all its threads and children to core 0.
    pub(crate) fn pin(&self) {
        for pid in crate::measure::family(self.pid) {
            let _ = Command::new("taskset").args(["-a", "-p", "-c", "0", &pid.to_string()]).output();
        }
    }
}

/// The requests. `npm` ends in a slash.
fn targets(
    npm: &str,
    page: &str,
    wheel: &str,
    large_wheel: &str,
    auth: impl Fn() -> Vec<(String, String)>,
) -> Vec<Target> {
    let target = |what, path: &str, accept: &str, more: &[(&str, &str)]| {
        let mut headers = auth();
        if !accept.is_empty() {
            headers.push(("accept".to_owned(), accept.to_owned()));
        }
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Target { what, path: path.to_owned(), headers }
    };
    let gzip = [("accept-encoding", "gzip")];
    let mut all = Vec::new();
    if !npm.is_empty() {
        all.push(target("packument, 30 KB", &format!("{npm}bench-small"), ACCEPT_NPM, &[]));
        all.push(target("packument, 30 KB, gzip", &format!("{npm}bench-small"), ACCEPT_NPM, &gzip));
        all.push(target("packument, 304", &format!("{npm}bench-small"), ACCEPT_NPM, &[("if-none-match", "ETAG")]));
        all.push(target("packument, several MB, gzip", &format!("{npm}bench-large"), ACCEPT_NPM, &gzip));
        all.push(target("tarball, 20 KB", &format!("{npm}bench-small/-/bench-small-1.0.0.tgz"), "", &[]));
        all.push(target("tarball, 5 MB", &format!("{npm}bench-large/-/bench-large-1.0.0.tgz"), "", &[]));
    }
    if !page.is_empty() {
        all.push(target("simple index, 100 files", page, ACCEPT_PIP, &[]));
        all.push(target("wheel, 20 KB", wheel, "", &[]));
        all.push(target("wheel, 5 MB", large_wheel, "", &[]));
    }
    all
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Waits until something answers there.
pub(crate) fn wait_for(port: u16, path: &str) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let started = Instant::now();
    while Request::new(address, "GET", path).try_send().is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "no answer on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
    address
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Files below a folder, with their compressed twins for documents.
pub(crate) fn write_static(root: &std::path::Path, path: &str, bytes: &[u8], compressed: bool) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, bytes).expect("a file");
    if compressed {
        let twin = format!("{}.gz", path.display());
        fs::write(twin, gzip(bytes)).expect("a compressed file");
    }
}

/// Starts nginx on a folder of files, one worker.
pub(crate) fn start_nginx(folder: TempDir) -> (Process, SocketAddr) {
    let port = free_port();
    let root = folder.path();
    let configuration = format!(
        "worker_processes 1; daemon off; pid {0}/pid; error_log {0}/error.log;\n\
         events {{ worker_connections 512; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/octet-stream;\n\
         client_body_temp_path {0}/t; proxy_temp_path {0}/t; fastcgi_temp_path {0}/t; uwsgi_temp_path {0}/t; scgi_temp_path {0}/t;\n\
         open_file_cache max=1000;\n\
         server {{ listen 127.0.0.1:{port}; root {0}/www; gzip_static on; etag on; }} }}\n",
        root.display()
    );
    fs::write(root.join("nginx.conf"), configuration).expect("nginx.conf");
    let program = ["/usr/sbin/nginx", "nginx"].into_iter().find(|path| PathBuf::from(path).exists()).unwrap_or("nginx");
    let child = Command::new(program)
        .arg("-c")
        .arg(root.join("nginx.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx starts");
    let address = wait_for(port, "/");
    (Process { child, _folder: folder }, address)
}

/// nginx with the documents and files as Larder serves them.
pub(crate) fn nginx(content: &Content) -> Rival {
    let folder = tempfile::tempdir().expect("a folder");
    let www = folder.path().join("www");
    write_static(&www, "npm/bench-small", &content.small_document, true);
    write_static(&www, "npm/bench-large", &content.large_document, true);
    // A file cannot lie in another file, so the archives have a folder of their own.
    write_static(&www, "files/small.tgz", &content.small.tarball(), false);
    write_static(&www, "files/large.tgz", &content.large.tarball(), false);
    write_static(&www, "pypi/page", &content.page, true);
    write_static(&www, "files/small.whl", &content.wheels[0].bytes, false);
    write_static(&www, "files/large.whl", &content.wheels[1].bytes, false);
    let (process, address) = start_nginx(folder);
    let mut targets = targets("/npm/", "/pypi/page", "/files/small.whl", "/files/large.whl", Vec::new);
    for target in &mut targets {
        match target.what {
            "tarball, 20 KB" => target.path = "/files/small.tgz".to_owned(),
            "tarball, 5 MB" => target.path = "/files/large.tgz".to_owned(),
            _ => {}
        }
    }
    Rival { name: "nginx", address, pid: process.child.id(), targets, _process: Some(process) }
}

/// verdaccio's configuration: anyone may read and publish, nothing is fetched from elsewhere but from `uplink`.
pub(crate) fn start_verdaccio(
    storage: &[(String, Value, Vec<u8>)],
    uplink: Option<&str>,
) -> Option<(Process, SocketAddr)> {
    let program = tools::folder().join("bin/verdaccio");
    if !program.exists() {
        println!("verdaccio is not installed, so it is not measured");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let (uplinks, proxy) = match uplink {
        Some(url) => (format!("uplinks: {{ up: {{ url: '{url}', maxage: 60m }} }}\n"), ", proxy: up"),
        None => (String::new(), ""),
    };
    let configuration = format!(
        "storage: {0}/storage\nauth: {{ htpasswd: {{ file: {0}/htpasswd }} }}\nweb: {{ enable: false }}\n{uplinks}\
         packages: {{ '@*/*': {{ access: $all, publish: $all{proxy} }}, '**': {{ access: $all, publish: $all{proxy} }} }}\n\
         max_body_size: 200mb\nserver: {{ keepAliveTimeout: 60 }}\nlog: {{ type: stdout, format: json, level: fatal }}\n",
        root.display()
    );
    fs::write(root.join("config.yaml"), configuration).expect("config.yaml");
    for (name, document, tarball) in storage {
        let folder = root.join("storage").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("package.json"), document.to_string()).expect("package.json");
        fs::write(folder.join(format!("{name}-1.0.0.tgz")), tarball).expect("a tarball");
    }
    let port = free_port();
    let child = Command::new(program)
        .args(["--config", &root.join("config.yaml").to_string_lossy(), "--listen", &format!("127.0.0.1:{port}")])
        .current_dir(root)
        .env("HOME", root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("verdaccio starts");
    let process = Process { child, _folder: folder };
    let address = wait_for(port, "/-/ping");
    Some((process, address))
}

/// verdaccio with the packages as it would have stored them.
pub(crate) fn verdaccio(content: &Content) -> Option<Rival> {
    let stored = |document: &[u8], tarball: Vec<u8>| {
        let mut document: Value = serde_json::from_slice(document).expect("JSON");
        let name = document["name"].as_str().expect("a name").to_owned();
        document["_attachments"] = json!({(format!("{name}-1.0.0.tgz")): {}});
        document["time"] = json!({"modified": "2026-01-01T00:00:00.000Z", "created": "2026-01-01T00:00:00.000Z"});
        for member in ["_uplinks", "_distfiles", "users"] {
            document[member] = json!({});
        }
        document["_rev"] = json!("1-0");
        (name, document, tarball)
    };
    let storage = [
        stored(&content.small_document, content.small.tarball()),
        stored(&content.large_document, content.large.tarball()),
    ];
    let (process, address) = start_verdaccio(&storage, None)?;
    Some(Rival {
        name: "verdaccio",
        address,
        pid: process.child.id(),
        targets: targets("/", "", "", "", Vec::new),
        _process: Some(process),
    })
}

/// Starts devpi with one index that anyone with the password may upload to. Its path follows.
pub(crate) fn start_devpi(mirror: Option<&str>) -> Option<(Process, SocketAddr)> {
    let bin = tools::folder().join("bin");
    if !bin.join("devpi-server").exists() {
        println!("devpi is not installed, so it is not measured");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let quiet = |command: &mut Command| {
        command
            .env("HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let made =
        quiet(Command::new(bin.join("devpi-init")).arg("--serverdir").arg(&data).args(["--root-passwd", "root"]));
    assert!(made, "devpi-init failed");
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let child = Command::new(bin.join("devpi-server"))
        .arg("--serverdir")
        .arg(&data)
        .args(
            ["--host", "127.0.0.1", "--port", &port.to_string(), "--offline-mode"]
                [..if mirror.is_some() { 4 } else { 5 }]
                .iter(),
        )
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("devpi-server starts");
    let address = wait_for(port, "/+api");
    let client = |arguments: &[&str]| {
        let clientdir = folder.path().join("client").to_string_lossy().into_owned();
        quiet(Command::new(bin.join("devpi")).args(arguments).args(["--clientdir", &clientdir]))
    };
    let base = match mirror {
        Some(mirror) => format!("mirror_url={mirror}"),
        None => "bases=".to_owned(),
    };
    let index: Vec<&str> = match mirror {
        Some(_) => vec!["index", "-c", "root/bench", "type=mirror", &base],
        None => vec!["index", "-c", "root/bench", &base, "volatile=True"],
    };
    assert!(
        client(&["use", &url]) && client(&["login", "root", "--password=root"]) && client(&index),
        "devpi is not set up"
    );
    Some((Process { child, _folder: folder }, address))
}

/// Uploads a file to devpi's index.
pub(crate) fn upload_to_devpi(address: SocketAddr, package: &PythonPackage, name: &str, bytes: &[u8]) -> bool {
    let file = larder_testkit::packages::PythonFile { name: name.to_owned(), bytes: bytes.to_vec(), ..package.wheel() };
    let (content_type, body) = multipart(&package.form(&file), Some((name, bytes)));
    let request =
        Request::new(address, "POST", "/root/bench/").basic("root", "root").header("content-type", content_type);
    request.body(body).send().is_success()
}

/// devpi with the wheels uploaded.
pub(crate) fn devpi(content: &Content) -> Option<Rival> {
    let (process, address) = start_devpi(None)?;
    for (number, wheel) in content.wheels.iter().enumerate() {
        let mut version = content.python.clone();
        version.version = format!("1.{number}");
        assert!(upload_to_devpi(address, &version, &wheel.name, &wheel.bytes), "devpi refused {}", wheel.name);
    }
    let page = "/root/bench/+simple/bench-python/";
    let listed = Request::new(address, "GET", page).header("accept", ACCEPT_PIP).send().expect(200).json();
    let path = |index: usize| {
        let files = listed["files"].as_array().expect("files");
        let file =
            files.iter().find(|file| file["filename"] == content.wheels[index].name.as_str()).expect("the wheel");
        let url = file["url"].as_str().expect("a URL").split('#').next().unwrap_or_default().to_owned();
        match url.split_once("/+f/") {
            Some((_, rest)) => format!("/root/bench/+f/{rest}"),
            None => url,
        }
    };
    let targets = targets("", page, &path(0), &path(1), Vec::new);
    Some(Rival { name: "devpi", address, pid: process.child.id(), targets, _process: Some(process) })
}
