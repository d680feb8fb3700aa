//! nginx with what Larder would answer as static files, compressed beforehand: the practical limit.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Case, Endpoint, Peer, Target, free_address, wait_for};
use crate::host::Process;
use crate::{Context, Result};

/// A running nginx.
pub(crate) struct Nginx {
    _process: Process,
    folder: TempDir,
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
}

impl Nginx {
    /// Starts one without files.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-nginx-").tempdir().context("a temporary folder")?;
        let address = free_address()?;
        let root = folder.path();
        fs::create_dir_all(root.join("www")).context("a folder for the files")?;
        let configuration =
            CONFIGURATION.replace("ROOT", &root.display().to_string()).replace("ADDRESS", &address.to_string());
        let path = root.join("nginx.conf");
        fs::write(&path, configuration).context(path.display())?;
        // The workers of a server that root starts give up its rights.
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).context(root.display())?;
        let mut command = Command::new(program());
        command.arg("-c").arg(&path).arg("-p").arg(root);
        let process = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        wait_for(address, "nginx")?;
        Ok(Self { pid: process.pid(), _process: process, folder, address })
    }

    /// Puts a file under a path, plain and compressed.
    pub(crate) fn put(&self, path: &str, plain: &[u8], gzip: Option<&[u8]>) -> Result {
        let path = path.replace("%2f", "/").replace("%2F", "/").replace("%40", "@");
        let file: PathBuf = self.folder.path().join("www").join(path.trim_start_matches('/')).join("=");
        fs::create_dir_all(file.parent().unwrap_or(&file)).context(file.display())?;
        fs::write(&file, plain).context(file.display())?;
        if let Some(gzip) = gzip {
            let compressed = file.with_file_name("=.gz");
            fs::write(&compressed, gzip).context(compressed.display())?;
        }
        Ok(())
    }
}

/// Where Debian puts it, or on the path.
fn program() -> &'static str {
    if PathBuf::from("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" }
}

/// `nginx version: …`
pub(crate) fn version() -> String {
    crate::host::version_of(program(), "-v").replace("nginx version: ", "")
}

/// As fast as it goes for static files: no log, one worker, files kept open, compressed forms ready on disk.
const CONFIGURATION: &str = "\
worker_processes 1;
daemon off;
pid ROOT/pid;
error_log ROOT/error.log crit;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75;
    keepalive_requests 1000000000;
    open_file_cache max=10000 inactive=600s;
    open_file_cache_valid 600s;
    gzip_static on;
    types { }
    default_type application/json;
    client_body_temp_path ROOT/body;
    proxy_temp_path ROOT/proxy;
    fastcgi_temp_path ROOT/fastcgi;
    uwsgi_temp_path ROOT/uwsgi;
    scgi_temp_path ROOT/scgi;
    server {
        listen ADDRESS;
        root ROOT/www;
        location / { try_files $uri/= =404; }
        location ~ /simple/ { default_type application/vnd.pypi.simple.v1+json; try_files $uri/= =404; }
    }
}
";

/// An nginx that holds what another server answers to its cases.
pub(crate) fn nginx(of: &Peer) -> Result<Peer> {
    let nginx = Nginx::start()?;
    let mut targets = BTreeMap::new();
    for (case, target) in &of.targets {
        let header = |name: &str| target.headers.iter().find(|(have, _)| have == name);
        let mut plain = Target { method: "GET", ..target.clone() };
        plain.headers.retain(|(name, _)| !matches!(name.as_str(), "accept-encoding" | "if-none-match" | "range"));
        let body = plain.get()?.body;
        let gzip = header("accept-encoding").map(|_| plain.with("accept-encoding", "gzip").get()).transpose()?;
        let gzip = gzip.filter(|answer| answer.header("content-encoding").is_some());
        let path = format!("/case/{case:?}");
        nginx.put(&path, &body, gzip.as_ref().map(|answer| answer.body.as_slice()))?;
        let headers = plain.headers.iter().filter(|(name, _)| name == "accept").cloned().collect();
        let mut mirrored = Target { address: nginx.address, method: target.method, path, headers };
        for (name, value) in ["accept-encoding", "range"].into_iter().filter_map(header) {
            mirrored = mirrored.with(name, value);
        }
        if *case != Case::NotModified && mirrored.get()?.body != target.get()?.body {
            return Err(format!("nginx sends other bytes than Larder for {}", target.path).into());
        }
        if *case == Case::NotModified {
            mirrored = mirrored.revalidated()?;
        }
        targets.insert(*case, mirrored);
    }
    let endpoint = |of: &Option<Endpoint>| {
        of.as_ref().map(|of| Endpoint { address: nginx.address, headers: Vec::new(), token: None, ..of.clone() })
    };
    Ok(Peer {
        name: "nginx",
        pid: nginx.pid,
        targets,
        npm: endpoint(&of.npm),
        pypi: endpoint(&of.pypi),
        _running: Box::new(nginx),
    })
}
