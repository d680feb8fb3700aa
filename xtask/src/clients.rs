//! Installs the package managers that the end-to-end tests drive, pinned by `clients.toml`, into `.tools/`.
//!
//! `.tools/python/NAME` is a virtual environment, `.tools/node/NAME` an npm prefix, `.tools/bin` has a link for each
//! program, and `.tools/clients.json` says what is there and why the rest is not. Each folder has a stamp with what was
//! asked for, so a second run does nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::fixtures;
use crate::process::{Context, Failure, Result, find_program, output, root, tools};
use crate::system::{self, SystemProgram};

pub(crate) const HELP: &str = "\
cargo xtask clients

Installs the package managers and tools listed in xtask/clients.toml into .tools/ of the checkout, with the machine's
pip and npm and from whatever registries those are configured for, and records the packages that the tests install. Nothing outside the checkout changes, except that
missing system programs are installed with apt-get when run as root; otherwise they are named.
Remove .tools/ to start afresh.";

/// A virtual environment or an npm prefix.
struct Folder {
    kind: Kind,
    name: String,
    packages: Vec<String>,
    /// Name in `.tools/bin` and name in the folder.
    programs: BTreeMap<String, String>,
    /// npm's `overrides`, as JSON.
    overrides: Value,
    optional: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Python,
    Node,
}

/// `cargo xtask clients`.
pub(crate) fn run() -> Result {
    let (folders, programs) = read_list()?;
    let missing_programs = system::ensure(&programs);
    for line in &missing_programs {
        println!("missing: {line}");
    }
    let bin = tools().join("bin");
    fs::create_dir_all(&bin).context(bin.display())?;
    let mut report = serde_json::Map::new();
    let mut failures = Vec::new();
    for folder in &folders {
        let outcome = twice(|| install(folder));
        if let Err(Failure(reason)) = &outcome {
            println!("missing: {}: {reason}", folder.name);
            if !folder.optional {
                failures.push(format!("{}: {reason}", folder.name));
            }
        }
        for (alias, program) in &folder.programs {
            report.insert(alias.clone(), entry(folder, alias, program, outcome.as_ref().err())?);
        }
    }
    let path = tools().join("clients.json");
    let text = serde_json::to_string_pretty(&Value::Object(report)).context("clients.json")?;
    fs::write(&path, text + "\n").context(path.display())?;
    if failures.is_empty() {
        if let Err(Failure(reason)) = twice(fixtures::record_maven) {
            println!("missing: artifacts for Maven's tests: {reason}");
        }
        if let Err(Failure(reason)) = twice(fixtures::record_ruby) {
            println!("missing: RubyGems and Bundler of other years: {reason}");
        }
        if let Err(Failure(reason)) = twice(fixtures::record_java_sdk) {
            println!("missing: the AWS SDK for Java: {reason}");
        }
        if let Err(Failure(reason)) = twice(fixtures::build_go_sdk) {
            println!("missing: the AWS SDK for Go: {reason}");
        }
        twice(fixtures::record)?;
        return twice(fixtures::record_crates);
    }
    Err(Failure(failures.join("\n")))
}

/// Tries again after a failure: what needs a network fails once in a while.
fn twice(action: impl Fn() -> Result) -> Result {
    action().or_else(|Failure(reason)| {
        println!("trying again: {}", reason.lines().next().unwrap_or_default());
        action()
    })
}

/// What `clients.json` says of one program; links it if it is there.
fn entry(folder: &Folder, alias: &str, program: &str, failure: Option<&Failure>) -> Result<Value> {
    let link = tools().join("bin").join(alias);
    let _ = fs::remove_file(&link);
    if let Some(Failure(reason)) = failure {
        return Ok(json!({"missing": reason.lines().next().unwrap_or_default()}));
    }
    if folder.kind == Kind::Node && program == "node" {
        // Scripts find the folder's packages; the interpreter is the machine's.
        let packages = folder.path().join("node_modules");
        write_script(&link, &format!("NODE_PATH='{}' exec node \"$@\"", packages.display()))?;
        return Ok(json!({"packages": folder.packages}));
    }
    let target = folder.programs_folder().join(program);
    if !target.exists() {
        return Ok(json!({"missing": format!("{} has no program {program}", folder.packages.join(" "))}));
    }
    if folder.kind == Kind::Python && program == "python" {
        // A link to a link of a virtual environment would lose the environment.
        write_script(&link, &format!("exec '{}' \"$@\"", target.display()))?;
    } else {
        std::os::unix::fs::symlink(&target, &link).context(link.display())?;
    }
    Ok(json!({"packages": folder.packages}))
}

/// Makes a program of one line for the shell.
fn write_script(path: &Path, line: &str) -> Result {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, format!("#!/bin/sh\n{line}\n")).context(path.display())?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).context(path.display())
}

impl Folder {
    fn path(&self) -> PathBuf {
        let kind = if self.kind == Kind::Python { "python" } else { "node" };
        tools().join(kind).join(&self.name)
    }

    fn programs_folder(&self) -> PathBuf {
        match self.kind {
            Kind::Python => self.path().join("bin"),
            Kind::Node => self.path().join("node_modules/.bin"),
        }
    }

    /// What the stamp of a finished installation holds.
    fn stamp(&self) -> String {
        format!("{}\n{}\n{}\n", self.path().display(), self.packages.join("\n"), self.overrides)
    }
}

fn install(folder: &Folder) -> Result {
    let path = folder.path();
    let stamp = path.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == folder.stamp()) {
        return Ok(());
    }
    println!("installing {}", folder.packages.join(" "));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).context(path.display())?;
    match folder.kind {
        Kind::Python => install_python(folder)?,
        Kind::Node => install_node(folder)?,
    }
    fs::write(&stamp, folder.stamp()).context(stamp.display())
}

fn install_python(folder: &Folder) -> Result {
    let python = find_program("python3", None).ok_or_else(|| Failure::new("python3 is not installed"))?;
    output(Command::new(python).args(["-m", "venv"]).arg(folder.path()))?;
    let mut pip = Command::new(folder.path().join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(&folder.packages);
    output(&mut pip).map(drop)
}

fn install_node(folder: &Folder) -> Result {
    let npm = find_program("npm", None).ok_or_else(|| Failure::new("npm is not installed"))?;
    let path = folder.path();
    let manifest = json!({"private": true, "overrides": folder.overrides});
    fs::write(path.join("package.json"), manifest.to_string()).context(path.display())?;
    let mut command = Command::new(npm);
    command.current_dir(&path).args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]);
    output(command.args(&folder.packages)).map(drop)
}

fn read_list() -> Result<(Vec<Folder>, Vec<SystemProgram>)> {
    let path = root().join("xtask/clients.toml");
    let text = fs::read_to_string(&path).context(path.display())?;
    let table: toml::Table = text.parse().context(path.display())?;
    let entries = |section: &str| table.get(section).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let mut folders = Vec::new();
    for (kind, section) in [(Kind::Python, "python"), (Kind::Node, "node")] {
        for entry in entries(section) {
            folders.push(read_folder(kind, &entry)?);
        }
    }
    let programs = entries("system").iter().map(read_program).collect::<Result<_>>()?;
    Ok((folders, programs))
}

fn read_folder(kind: Kind, entry: &toml::Value) -> Result<Folder> {
    let name = member(entry, "name")?;
    let packages = entry.get("packages").and_then(toml::Value::as_array).into_iter().flatten();
    let programs = entry.get("programs").and_then(toml::Value::as_table).into_iter().flatten();
    Ok(Folder {
        kind,
        name,
        packages: packages.filter_map(|package| package.as_str().map(str::to_owned)).collect(),
        programs: programs.filter_map(|(alias, program)| Some((alias.clone(), program.as_str()?.to_owned()))).collect(),
        overrides: overrides(entry),
        optional: entry.get("optional").and_then(toml::Value::as_bool).unwrap_or(false),
    })
}

fn overrides(entry: &toml::Value) -> Value {
    let entries = entry.get("overrides").and_then(toml::Value::as_table).into_iter().flatten();
    entries.map(|(name, version)| (name.clone(), json!(version.as_str()))).collect::<serde_json::Map<_, _>>().into()
}

fn read_program(entry: &toml::Value) -> Result<SystemProgram> {
    Ok(SystemProgram {
        program: member(entry, "program")?,
        also_in: member(entry, "also_in").ok(),
        package: member(entry, "package")?,
        needed_by: member(entry, "needed_by")?,
    })
}

fn member(entry: &toml::Value, name: &str) -> Result<String> {
    let value = entry.get(name).and_then(toml::Value::as_str);
    value.map(str::to_owned).ok_or_else(|| Failure(format!("an entry of xtask/clients.toml has no `{name}`: {entry}")))
}
