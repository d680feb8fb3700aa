//! Running other programs.

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a command of xtask failed, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Adds what was tried to an error of the standard library or a parser.
pub(crate) trait Context<T> {
    fn context(self, what: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl Display) -> Result<T> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map_or_else(|| ".".into(), Path::to_path_buf)
}

/// Where clients and fixtures are installed: `.tools` of the checkout.
pub(crate) fn tools() -> PathBuf {
    root().join(".tools")
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Set by `cargo run` for this program only; a build script of another crate would take them for its own.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_CRATE_NAME" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with its output on ours.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = display(command);
    let status = command.stdin(Stdio::null()).status().context(format!("cannot start `{shown}`"))?;
    if status.success() { Ok(()) } else { Err(Failure(format!("`{shown}` ended with {status}"))) }
}

/// Runs a command and returns what it printed. Its error output is part of the failure.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = display(command);
    let output = command.stdin(Stdio::null()).output().context(format!("cannot start `{shown}`"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = error.lines().collect();
    let tail = lines[lines.len().saturating_sub(15)..].join("\n");
    Err(Failure(format!("`{shown}` ended with {}\n{tail}", output.status)))
}

/// Runs a command, passes its standard output on line by line and shows each line to `look`. Returns whether it
/// succeeded.
pub(crate) fn watch(command: &mut Command, mut look: impl FnMut(&str)) -> Result<bool> {
    let shown = display(command);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context(format!("cannot start `{shown}`"))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context(format!("cannot read the output of `{shown}`"))?;
            println!("{line}");
            look(&line);
        }
    }
    Ok(child.wait().context(format!("cannot wait for `{shown}`"))?.success())
}

fn display(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// The path of a program on the search path, or in one of the folders that a pattern such as
/// `/usr/lib/postgresql/*/bin` names.
pub(crate) fn find_program(name: &str, also_in: Option<&str>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Some(pattern) = also_in {
        match pattern.split_once("/*") {
            None => folders.push(pattern.into()),
            Some((before, after)) => {
                let entries = std::fs::read_dir(before).into_iter().flatten().flatten();
                folders.extend(entries.map(|entry| entry.path().join(after.trim_start_matches('/'))));
            }
        }
    }
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}
