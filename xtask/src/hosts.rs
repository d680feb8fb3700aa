//! No tracked file names the host of a public package registry: addresses are configuration, not code.
//!
//! The names are not written here either. They are asked of the package managers that are installed, each with an empty
//! home so that it answers with its built-in default, and once more as the machine has it configured.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::process::{Context, Failure, Result, find_program, output, root, tools};

/// What `pip` has built in: the index and the host of the files.
const PIP_DEFAULTS: &str = "from pip._internal.models.index import PyPI, TestPyPI\n\
    for i in (PyPI, TestPyPI): print(i.netloc); print(i.file_storage_domain)";

/// What Maven has built in: the addresses in its super POM, in the jar that builds models.
const MAVEN_DEFAULTS: &str = "import glob, os, re, shutil, zipfile\n\
    mvn = os.path.realpath(shutil.which('mvn') or '/')\n\
    for jar in glob.glob(os.path.join(os.path.dirname(mvn), '..', 'lib', 'maven-model-builder-*.jar')):\n\
    \x20   pom = zipfile.ZipFile(jar).read('org/apache/maven/model/pom-4.0.0.xml').decode()\n\
    \x20   print('\\n'.join(re.findall('<url>(.*?)</url>', pom)))";

/// Fails with every line of a tracked file that holds such a name.
pub(crate) fn check() -> Result {
    let hosts = known_hosts();
    if hosts.is_empty() {
        println!("neither npm nor pip nor Maven is installed, so there is no name to look for");
        return Ok(());
    }
    let mut command = Command::new("git");
    command.current_dir(root()).args(["grep", "-n", "-i", "-I", "-F"]);
    for host in &hosts {
        command.args(["-e", host]);
    }
    let found = command.output().context("cannot start git")?;
    match found.status.code() {
        Some(1) => {
            println!("{} names looked for, none found", hosts.len());
            Ok(())
        }
        Some(0) => Err(Failure(format!(
            "these lines name a public registry:\n{}",
            String::from_utf8_lossy(&found.stdout).trim_end()
        ))),
        _ => Err(Failure(format!("git grep failed: {}", String::from_utf8_lossy(&found.stderr).trim_end()))),
    }
}

/// The host names, lower case, without ports.
fn known_hosts() -> BTreeSet<String> {
    let mut answers = Vec::new();
    let empty_home = tools().join("empty-home");
    let _ = std::fs::create_dir_all(&empty_home);
    for (program, arguments) in [
        ("npm", &["config", "get", "registry"][..]),
        ("yarn", &["config", "get", "registry"]),
        ("pip-python", &["-c", PIP_DEFAULTS]),
        ("python3", &["-c", PIP_DEFAULTS]),
        ("python3", &["-c", MAVEN_DEFAULTS]),
        ("pip", &["config", "get", "global.index-url"]),
    ] {
        let Some(path) = program_path(program) else { continue };
        for home in [Some(empty_home.as_path()), None] {
            answers.extend(ask(&path, arguments, home));
        }
    }
    answers.iter().flat_map(|answer| answer.lines()).filter_map(host).collect()
}

fn program_path(program: &str) -> Option<std::path::PathBuf> {
    let ours = tools().join("bin").join(program);
    if ours.is_file() { Some(ours) } else { find_program(program, None) }
}

/// What a program prints, or nothing if it does not know.
fn ask(program: &Path, arguments: &[&str], home: Option<&Path>) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(std::env::temp_dir());
    if let Some(home) = home {
        command.env("HOME", home);
        for (name, _) in std::env::vars().filter(|(name, _)| name.to_lowercase().starts_with("npm_config_")) {
            command.env_remove(name);
        }
    }
    output(&mut command).ok()
}

/// The host of a URL or of a bare `host[:port]`; nothing for a name without a dot and for an address of this machine.
fn host(line: &str) -> Option<String> {
    let line = line.trim().to_lowercase();
    let rest = line.split_once("://").map_or(line.as_str(), |(_, rest)| rest);
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let is_name =
        host.contains('.') && host.chars().any(|c| c.is_ascii_alphabetic()) && !host.contains(char::is_whitespace);
    is_name.then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_taken_out_of_a_url_or_a_bare_name() {
        assert_eq!(host("https://user:pw@Example.test:8443/simple/").as_deref(), Some("example.test"));
        assert_eq!(host("files.example.test").as_deref(), Some("files.example.test"));
        assert_eq!(host("undefined"), None);
        assert_eq!(host("http://127.0.0.1:4873/"), None);
        assert_eq!(host("ERROR: no such key - a.b"), None);
    }
}
