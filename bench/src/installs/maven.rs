//! The first build of a Maven project, with an empty local repository.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use larder_testkit::{Client, tools};

use crate::load::Connection;
use crate::peers::{Endpoint, Target, expect_success};
use crate::recorder::Recorded;
use crate::{Context, Result};

/// What a build may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Whether Maven is there and everything that the build needs was recorded.
pub(super) fn can_build() -> bool {
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    tools::folder().join("maven/complete").is_file()
        && quiet(Command::new("mvn").arg("--version")).is_ok_and(|status| status.success())
}

/// Compiles the application of the end-to-end tests; everything comes from the endpoint.
pub(super) fn build(client: &Client, endpoint: &Endpoint, address: SocketAddr) -> Result {
    copy_folder(&tools::repository().join("e2e/fixtures/maven/app"), &client.folder("app"))?;
    let server = endpoint.token.as_ref().map_or_else(String::new, |token| {
        let user = if endpoint.prefix == "/maven2" { "bench" } else { "aws" };
        format!("<server><id>bench</id><username>{user}</username><password>{token}</password></server>")
    });
    client.write(
        "settings.xml",
        format!(
            "<settings><localRepository>{}/repository</localRepository><servers>{server}</servers><mirrors><mirror>\
             <id>bench</id><mirrorOf>*</mirrorOf><url>http://{address}{}/</url></mirror></mirrors></settings>",
            client.home().display(),
            endpoint.prefix
        ),
    );
    let maven = client.system("mvn").args(["-B", "-q", "-ntp", "-s", "settings.xml", "-f", "app/pom.xml"]);
    let _ = maven.arg("test-compile").limit(PATIENCE).succeeds();
    Ok(())
}

/// Puts what one server answers to the requests into another one, and answers the requests as they are there.
pub(super) fn copy(asked: &[Recorded], from: &Endpoint, to: &Endpoint) -> Result<Vec<Recorded>> {
    let mut connection = Connection::open(to.address).context("maven-proxy")?;
    for request in asked {
        let path = request.path_below(from);
        let target: Target = from.target(path);
        expect_success(&mut connection, &to.send("PUT", path, &target.get()?.body))?;
    }
    Ok(asked.iter().map(|request| request.moved(from, to)).collect())
}

fn copy_folder(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).context(to.display())?;
    for entry in fs::read_dir(from).context(from.display())? {
        let entry = entry.context(from.display())?;
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to).context(to.display())?;
        }
    }
    Ok(())
}
