//! maven-proxy, a repository of Maven artifacts in Python: the one that a registry of packages has to install. It keeps
//! files as they are sent, checks a password and answers one request on a connection.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::larder::{basic, expect_success};
use super::{Endpoint, Peer, free_address, maven_targets, tool, wait_for};
use crate::host::Process;
use crate::load::Connection;
use crate::{Context, Result, corpus};

/// Its own start listens at all addresses and asks public registries for what is new.
const START: &str = "import logging\n\
                     logging.getLogger('werkzeug').setLevel(logging.ERROR)\n\
                     from maven_proxy import proxy\n\
                     proxy.app.run(host='127.0.0.1', port=proxy.config.PORT, threaded=True)\n";

/// A running one.
pub(crate) struct MavenProxy {
    process: Process,
    pub(crate) maven: Endpoint,
    _folder: TempDir,
}

impl MavenProxy {
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// `maven-proxy …`
pub(super) fn version() -> String {
    let version = |python: &Path| {
        let code = "import importlib.metadata as m; print(m.version('maven-proxy'))";
        let output = Command::new(python).args(["-c", code]).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let version = tool("maven-proxy-python").and_then(|python| version(&python));
    format!("maven-proxy {}", version.unwrap_or_else(|| "not installed".to_owned()))
}

/// One that holds the artifacts; `None` if it is not installed.
pub(crate) fn maven_proxy() -> Result<Option<Peer>> {
    let Some(proxy) = start_maven_proxy()? else { return Ok(None) };
    let mut connection = Connection::open(proxy.maven.address).context("maven-proxy")?;
    for (path, bytes) in corpus::maven::deployments() {
        expect_success(&mut connection, &proxy.maven.send("PUT", &path, &bytes))?;
    }
    Ok(Some(Peer {
        name: "maven-proxy",
        pid: proxy.pid(),
        targets: maven_targets(&proxy.maven),
        npm: None,
        pypi: None,
        _running: Box::new(proxy),
    }))
}

/// Starts it empty; `None` if it is not installed.
pub(crate) fn start_maven_proxy() -> Result<Option<MavenProxy>> {
    let Some(python) = tool("maven-proxy-python") else { return Ok(None) };
    let folder = tempfile::Builder::new().prefix("bench-maven-proxy-").tempdir().context("a temporary folder")?;
    let address = free_address()?;
    let mut command = Command::new(python);
    command.args(["-c", START, "--port", &address.port().to_string(), "--remote-repos", "[]"]);
    command.arg("--local-repo-dir").arg(folder.path()).args(["--auth-user", "bench", "--auth-password", "password"]);
    let quiet = command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = Process::start(quiet)?;
    wait_for(address, "maven-proxy")?;
    let headers = vec![("authorization".to_owned(), basic("bench", "password"))];
    let maven = Endpoint { address, prefix: "/maven2".to_owned(), headers, token: Some("password".to_owned()) };
    Ok(Some(MavenProxy { process, maven, _folder: folder }))
}
