//! A PostgreSQL server of our own for the tests, if its programs are on this machine.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use larder_core::Error;

use super::fixture::{Fixture, publication};
use crate::DatabaseUrl;

/// Runs the server while its standard input is open, then stops it and removes its folder: however the tests end, it
/// ends with them. It listens on a socket in its folder only, so that no port can be taken.
const SUPERVISOR: &str = r#"
    cd "$1" && "$2/initdb" -D data -U larder -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 &&
    "$2/pg_ctl" -D data -w -l server.log start \
        -o "-k '$1' -c listen_addresses= -c fsync=off -c shared_buffers=32MB -c max_connections=300" >start.log 2>&1 &&
    echo ready
    read -r _
    "$2/pg_ctl" -D data -m immediate stop >stop.log 2>&1
    cd / && rm -rf "$1"
"#;

struct Server {
    folder: PathBuf,
    /// Closing it, at the latest when the process ends, stops the server.
    _input: std::process::ChildStdin,
}

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A store on a new database, or `None` (and a line that says so) without a server.
pub(super) async fn fixture(test: &str) -> Option<Fixture> {
    let url = new_database(test).await?;
    Some(Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await)
}

/// A connection to a new database that has the schema.
pub(super) async fn client(test: &str) -> Option<tokio_postgres::Client> {
    let url = new_database(test).await?;
    Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    Some(client)
}

pub(super) async fn new_database(test: &str) -> Option<String> {
    let server = match SERVER.get_or_init(start) {
        Ok(server) => server,
        Err(reason) => {
            // Not through `eprintln!`, which the test harness swallows.
            let _ = writeln!(std::io::stderr(), "SKIPPED on PostgreSQL: {test}: {reason}");
            return None;
        }
    };
    let host = server.folder.display().to_string().replace('/', "%2F");
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let address = format!("postgres://larder@{host}/postgres");
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.expect("connects");
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("creates a database");
    drop(client);
    let _ = connection.await;
    Some(format!("postgres://larder@{host}/{name}"))
}

fn start() -> Result<Server, String> {
    let programs = programs().ok_or("neither PATH nor /usr/lib/postgresql/*/bin has initdb and pg_ctl")?;
    let folder = tempfile::Builder::new().prefix("larder-pg-").tempdir().map_err(|error| error.to_string())?;
    let mut command = match unprivileged()? {
        None => Command::new("sh"),
        Some((uid, gid)) => {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups", "sh"]);
            command
        }
    };
    let folder = folder.keep();
    command.args(["-c", SUPERVISOR, "supervisor"]).arg(&folder).arg(programs);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or("the supervisor has no pipes")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
    if line.trim() == "ready" {
        return Ok(Server { folder, _input: input });
    }
    let logs = ["initdb.log", "start.log", "server.log"]
        .map(|log| std::fs::read_to_string(folder.join(log)).unwrap_or_default());
    Err(format!("the server did not start: {}", logs.concat()))
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.filter_map(Result::ok).map(|version| version.path().join("bin")));
    }
    folders.iter().filter_map(|folder| has_programs(folder)).next()
}

/// Distributions put a link to `initdb` into the path and leave `pg_ctl` beside its target.
fn has_programs(folder: &Path) -> Option<PathBuf> {
    let target = folder.join("initdb").canonicalize().ok()?;
    let folder = target.parent()?;
    folder.join("pg_ctl").exists().then(|| folder.to_owned())
}

/// PostgreSQL refuses to run as root: user and group to run it as, if we are.
fn unprivileged() -> Result<Option<(u32, u32)>, String> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|user| id(&["-u", user]).zip(id(&["-g", user])))
        .map(Some)
        .ok_or_else(|| "it does not run as root, and there is no user 'postgres' or 'nobody'".to_owned())
}

#[tokio::test]
async fn connections_that_were_cut_are_replaced() {
    let Some(url) = new_database("connections_that_were_cut_are_replaced").await else { return };
    let fixture = Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await;
    let repository = fixture.some_repository().await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for round in 0..5 {
        client.batch_execute(cut).await.expect("cuts");
        let package = format!("package-{round}");
        // What was under way on a connection, or is sent on one before it is known to be cut, fails and may be repeated.
        let mut attempts = 0;
        while let Err(error) = fixture.publish(publication(&repository, &package, "1.0.0")).await {
            assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
            attempts += 1;
            assert!(attempts < 20, "it never recovers");
        }
        assert!(fixture.package(repository.id, &package).await.is_some());
    }
}
