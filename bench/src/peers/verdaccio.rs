//! Verdaccio as it comes, but for its log and its upstream.

use std::fs;
use std::process::{Command, Stdio};

use larder_testkit::{Registry, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::larder::expect_success;
use super::{Endpoint, Peer, Target, free_address, npm_targets, tool, wait_for};
use crate::host::Process;
use crate::load::Connection;
use crate::{Context, Result, corpus};

/// Tokens are signed, not encrypted passwords: the cheaper of its two forms to check.
const CONFIGURATION: &str = "\
storage: ROOT/storage
auth: {htpasswd: {file: ROOT/htpasswd, max_users: 10}}
uplinks: {public: {url: 'UPSTREAM', maxage: 1h}}
packages:
  'bench-*': {access: $all, publish: $authenticated}
  '@*/*': {access: $all, publish: $authenticated, proxy: public}
  '**': {access: $all, publish: $authenticated, proxy: public}
security: {api: {legacy: false, jwt: {sign: {expiresIn: 29d}}}}
web: {enable: false}
max_body_size: 100mb
log: {type: stdout, format: json, level: fatal}
";

/// A running verdaccio.
pub(crate) struct Verdaccio {
    process: Process,
    folder: TempDir,
}

impl Verdaccio {
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Stores another server's document as a package: publishing thousands of versions would take it minutes.
    pub(crate) fn put_document(&self, of: &Target, name: &str) -> Result {
        let mut document: Value = of.get()?.json();
        for member in ["_uplinks", "_distfiles", "_attachments"] {
            document[member] = json!({});
        }
        let home = self.folder.path().join("storage").join(name);
        fs::create_dir_all(&home).context(home.display())?;
        fs::write(home.join("package.json"), document.to_string()).context(home.display())
    }
}

/// One that holds the packages; `None` if it is not installed.
pub(crate) fn verdaccio(registry: &Registry, large: &Target) -> Result<Option<Peer>> {
    let Some((verdaccio, npm)) = start_verdaccio(registry)? else { return Ok(None) };
    let mut connection = Connection::open(npm.address).context("verdaccio")?;
    for package in corpus::small().into_iter().chain(corpus::archives()) {
        expect_success(&mut connection, &npm.publish(&package))?;
    }
    verdaccio.put_document(large, corpus::LARGE)?;
    Ok(Some(Peer {
        name: "verdaccio",
        pid: verdaccio.pid(),
        targets: npm_targets(&npm)?,
        npm: Some(npm),
        pypi: None,
        _running: Box::new(verdaccio),
    }))
}

/// Starts it empty, with this upstream; `None` if it is not installed.
pub(crate) fn start_verdaccio(registry: &Registry) -> Result<Option<(Verdaccio, Endpoint)>> {
    let Some(program) = tool("verdaccio") else { return Ok(None) };
    let folder = tempfile::Builder::new().prefix("bench-verdaccio-").tempdir().context("a temporary folder")?;
    let address = free_address()?;
    let root = folder.path().display().to_string();
    let path = folder.path().join("config.yaml");
    let configuration = CONFIGURATION.replace("ROOT", &root).replace("UPSTREAM", &registry.npm_url());
    fs::write(&path, configuration).context(path.display())?;
    let mut command = Command::new(program);
    command.arg("--config").arg(&path).args(["--listen", &address.to_string()]);
    command.env("NODE_ENV", "production").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = Process::start(&mut command)?;
    wait_for(address, "verdaccio")?;
    let user = json!({"_id": "org.couchdb.user:bench", "name": "bench", "password": "bench-password", "type": "user"});
    let login = Request::new(address, "PUT", "/-/user/org.couchdb.user:bench").json(&user).try_send();
    let login = login.context("verdaccio's login")?;
    let token = login.json()["token"].as_str().map(str::to_owned).ok_or("verdaccio gave no token")?;
    let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
    let npm = Endpoint { address, prefix: String::new(), headers, token: Some(token) };
    Ok(Some((Verdaccio { process, folder }, npm)))
}
