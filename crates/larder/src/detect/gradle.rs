//! The repositories that Gradle has names for: a build script is run that prints where they are.

use std::fs;

use url::Url;

use super::{Found, ask_in, registry};
use crate::config::RegistryTable;

/// Methods of a repository handler, and which connection each is.
const NAMES: [(&str, &str); 3] = [
    ("mavenCentral", "public:maven-central"),
    ("google", "public:maven-googleandroid"),
    ("gradlePluginPortal", "public:maven-gradleplugins"),
];

/// Marks the lines that are ours.
const MARK: &str = "larder-repository";

pub(super) fn detect() -> Result<Vec<Found>, String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let write = |name: &str, text: &str| {
        fs::write(scratch.path().join(name), text).map_err(|error| format!("no temporary file: {error}"))
    };
    write("settings.gradle", "")?;
    write("build.gradle", &script())?;
    let printed = ask_in(scratch.path(), "gradle", &["-q", "--offline", "--no-daemon", "help"])?;
    let mut found = Vec::new();
    for (name, url) in read(&printed) {
        let Some((_, connection)) = NAMES.iter().find(|(known, _)| *known == name) else { continue };
        let table = RegistryTable { url: url.to_string(), ..RegistryTable::default() };
        found.push(registry(connection, table, "gradle's built-in repository")?);
    }
    if found.is_empty() { Err("gradle names no repository on the network".to_owned()) } else { Ok(found) }
}

/// A version of Gradle that does not know one of them prints the others.
fn script() -> String {
    let tries = NAMES.map(|(name, _)| {
        format!("try {{ println('{MARK} {name} ' + repositories.{name}().url) }} catch (Throwable unknown) {{ }}\n")
    });
    tries.concat()
}

/// Names and addresses. A distribution may have repositories in the file system instead.
fn read(printed: &str) -> Vec<(&str, Url)> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix(MARK)?.trim().split_once(' '));
    lines
        .filter_map(|(name, url)| Some((name, Url::parse(url).ok()?)))
        .filter(|(_, url)| matches!(url.scheme(), "http" | "https"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_among_other_output() {
        let printed =
            "Welcome\nlarder-repository google https://g.test/m2/\nlarder-repository mavenCentral file:/usr/x\n";
        let found = read(printed);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0, found[0].1.as_str()), ("google", "https://g.test/m2/"));
    }
}
