//! devpi as it comes, with an index for uploads and a mirror of the stand-in registry.

use std::path::Path;
use std::process::{Command, Stdio};

use larder_testkit::packages::multipart;
use larder_testkit::{Registry, Request};
use serde_json::json;
use tempfile::TempDir;

use super::larder::{basic, expect_success};
use super::{Endpoint, Peer, free_address, pypi_targets, tool, wait_for};
use crate::corpus::{self, PROJECT};
use crate::host::Process;
use crate::load::{Connection, Prepared};
use crate::{Context, Result};

/// The user that every devpi has.
const USER: &str = "root";

/// Starts it; `None` if it is not installed.
pub(crate) fn devpi(registry: &Registry) -> Result<Option<Peer>> {
    let (Some(init), Some(program)) = (tool("devpi-init"), tool("devpi-server")) else { return Ok(None) };
    let (folder, process, root) = start(&init, &program)?;
    let index = |kind: &str, name: &str, value| {
        let mut request = Request::new(root.address, "PUT", &format!("/{USER}/{name}")).json(&value);
        for (name, value) in &root.headers {
            request = request.header(name, value);
        }
        let answer = request.header("accept", "application/json").try_send().context("devpi")?;
        if answer.is_success() { Ok(()) } else { Err(format!("devpi made no {kind}: {}", answer.text())) }.context(name)
    };
    index("index", "bench", json!({"type": "stage", "bases": [], "volatile": true}))?;
    let upstream = registry.pypi_url();
    index(
        "mirror",
        "mirror",
        json!({"type": "mirror", "mirror_url": upstream, "mirror_no_project_list": true, "volatile": true}),
    )?;

    let mut connection = Connection::open(root.address).context("devpi")?;
    for project in corpus::projects() {
        let file = project.wheel();
        let (content_type, body) = multipart(&project.form(&file), Some((&file.name, &file.bytes)));
        let headers = [root.headers.clone(), vec![("content-type".to_owned(), content_type)]].concat();
        expect_success(
            &mut connection,
            &Prepared::new("POST", &format!("/{USER}/bench/"), root.address, &headers, &body),
        )?;
    }
    let endpoint = |name: &str| Endpoint { prefix: format!("/{USER}/{name}"), ..root.clone() };
    let targets = pypi_targets(&endpoint("bench").target(&format!("+simple/{PROJECT}/")))?;
    Ok(Some(Peer {
        name: "devpi",
        pid: process.pid(),
        targets,
        npm: None,
        pypi: Some(endpoint("mirror")),
        _running: Box::new((process, folder)),
    }))
}

fn start(init: &Path, program: &Path) -> Result<(TempDir, Process, Endpoint)> {
    let folder = tempfile::Builder::new().prefix("bench-devpi-").tempdir().context("a temporary folder")?;
    let data = folder.path().join("data");
    let quiet = |command: &mut Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    };
    let mut command = Command::new(init);
    command.arg("--serverdir").arg(&data).arg("--no-root-pypi");
    quiet(&mut command);
    if !command.status().context("devpi-init")?.success() {
        return Err("devpi-init failed".into());
    }
    let address = free_address()?;
    let mut command = Command::new(program);
    command.arg("--serverdir").arg(&data).args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
    quiet(&mut command);
    let process = Process::start(&mut command)?;
    wait_for(address, "devpi")?;
    let credentials = json!({"user": "root", "password": ""});
    let login = Request::new(address, "POST", "/+login").json(&credentials).header("accept", "application/json");
    let answer = login.try_send().context("devpi's login")?.json();
    let token = answer["result"]["password"].as_str().ok_or("devpi gave no token")?;
    let proof = basic("root", token).replace("Basic ", "");
    let headers = vec![("x-devpi-auth".to_owned(), proof)];
    Ok((folder, process, Endpoint { address, prefix: String::new(), headers, token: None }))
}
