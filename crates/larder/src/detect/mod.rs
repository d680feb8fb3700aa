//! Which public registries do the package managers on this machine use? They are asked; nothing is guessed, and no
//! address is known to Larder itself.

mod cargo;
mod gem;
mod gradle;
mod maven;
mod npm;
mod nuget;
mod pip;
mod xml;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use larder_core::model::ExternalConnection;
use url::Url;

use crate::config::{RegistryEntry, RegistryTable};

/// An address and where it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) connection: ExternalConnection,
    pub(crate) entry: RegistryEntry,
    /// `npm config get registry`
    pub(crate) source: String,
}

/// What asking one package manager gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) client: &'static str,
    /// What no client before it found already.
    pub(crate) result: Result<Vec<Found>, String>,
}

/// Asks all package managers, at once: each takes its time to start. If two know the same registry, the first one counts.
pub(crate) fn detect() -> Vec<Outcome> {
    type Ask = fn() -> Result<Vec<Found>, String>;
    let clients: [(&'static str, Ask); 7] = [
        ("npm", || npm::detect().map(|found| vec![found])),
        ("pip", || pip::detect().map(|found| vec![found])),
        ("maven", maven::detect),
        ("gradle", gradle::detect),
        ("nuget", nuget::detect),
        ("gem", gem::detect),
        ("cargo", || cargo::detect().map(|found| vec![found])),
    ];
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let asked = clients.map(|(client, ask)| (client, scope.spawn(ask)));
        let answers = asked
            .into_iter()
            .map(|(client, answer)| (client, answer.join().unwrap_or_else(|_| Err("asking it failed".to_owned()))));
        answers.collect()
    });
    let mut known = HashSet::new();
    let mut first = |found: Vec<Found>| -> Vec<Found> {
        found.into_iter().filter(|found| known.insert(found.connection)).collect()
    };
    outcomes.into_iter().map(|(client, result)| Outcome { client, result: result.map(&mut first) }).collect()
}

/// An address that was found.
fn registry(connection: &str, table: RegistryTable, source: &str) -> Result<Found, String> {
    let url =
        Url::parse(&table.url).map_err(|_| format!("the address '{}' of {connection} is not a URL", table.url))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the address '{url}' of {connection} is not on the network"));
    }
    Ok(Found {
        connection: ExternalConnection::parse(connection).map_err(|error| error.to_string())?,
        entry: RegistryEntry::Table(table),
        source: source.to_owned(),
    })
}

/// Credentials go into their own keys, so that the address can be shown.
fn split_credentials(mut url: Url) -> RegistryTable {
    let (username, password) = (url.username().to_owned(), url.password().map(str::to_owned));
    let _ = url.set_username("");
    let _ = url.set_password(None);
    RegistryTable {
        url: url.to_string(),
        username: (!username.is_empty()).then_some(username),
        password,
        ..RegistryTable::default()
    }
}

/// The user's home.
fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// Runs a client and answers what it printed. A client that is not there or hangs is no answer.
fn ask(program: &str, arguments: &[&str]) -> Result<String, String> {
    ask_in(Path::new("."), program, arguments)
}

/// As [`ask`], in a folder.
fn ask_in(folder: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let shown = format!("{program} {}", arguments.join(" "));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{shown}` cannot be run: {error}"))?;
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                // It is of no use any more, whether it can be ended or not.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{shown}` did not answer in {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("`{shown}`: {error}")),
        }
    }
    let output = child.wait_with_output().map_err(|error| format!("`{shown}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` failed ({})", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
