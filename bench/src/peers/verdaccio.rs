//! Verdaccio as it comes, but for its log and its upstream.

use std::fs;
use std::process::{Command, Stdio};

use larder_testkit::{Registry, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::larder::expect_success;
use super::{ABBREVIATED, Endpoint, Peer, Target, free_address, npm_targets, tool, wait_for};
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

/// Starts it; `None` if it is not installed.
pub(crate) fn verdaccio(registry: &Registry, large: &Target) -> Result<Option<Peer>> {
    let Some(program) = tool("verdaccio") else { return Ok(None) };
    let (folder, process, npm) = start(&program, registry)?;
    let mut connection = Connection::open(npm.address).context("verdaccio")?;
    for package in corpus::small().into_iter().chain(corpus::archives()) {
        expect_success(&mut connection, &npm.publish(&package))?;
    }
    // Publishing as many versions as the large document has would take it minutes.
    let mut document: Value = large.get()?.json();
    for member in ["_uplinks", "_distfiles", "_attachments"] {
        document[member] = json!({});
    }
    let home = folder.path().join("storage").join(corpus::LARGE);
    fs::create_dir_all(&home).context(home.display())?;
    fs::write(home.join("package.json"), document.to_string()).context(home.display())?;
    npm.target(corpus::LARGE).with("accept", ABBREVIATED).get()?;
    Ok(Some(Peer {
        name: "verdaccio",
        pid: process.pid(),
        targets: npm_targets(&npm)?,
        npm: Some(npm),
        pypi: None,
        _running: Box::new((process, folder)),
    }))
}

fn start(program: &std::path::Path, registry: &Registry) -> Result<(TempDir, Process, Endpoint)> {
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
    Ok((folder, process, Endpoint { address, prefix: String::new(), headers, token: Some(token) }))
}
