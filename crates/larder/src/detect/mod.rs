//! Which public registries do the package managers on this machine use? They are asked; nothing is guessed, and no
//! address is known to Larder itself.

mod cargo;
mod npm;
mod pip;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use larder_core::model::ExternalConnection;

use crate::config::RegistryEntry;

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
    pub(crate) result: Result<Found, String>,
}

/// Asks all package managers, at once: each takes its time to start.
pub(crate) fn detect() -> Vec<Outcome> {
    type Ask = fn() -> Result<Found, String>;
    let clients: [(&'static str, Ask); 3] = [("npm", npm::detect), ("pip", pip::detect), ("cargo", cargo::detect)];
    std::thread::scope(|scope| {
        let asked = clients.map(|(client, ask)| (client, scope.spawn(ask)));
        asked
            .into_iter()
            .map(|(client, answer)| Outcome {
                client,
                result: answer.join().unwrap_or_else(|_| Err("asking it failed".to_owned())),
            })
            .collect()
    })
}

/// Runs a client and answers what it printed. A client that is not there or hangs is no answer.
fn ask(program: &str, arguments: &[&str]) -> Result<String, String> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let shown = format!("{program} {}", arguments.join(" "));
    let mut child = Command::new(program)
        .args(arguments)
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
