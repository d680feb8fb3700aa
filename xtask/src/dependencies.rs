//! Licences, banned crates and duplicate versions among the third-party crates, by the rules in `dependencies.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::metadata::{self, list, text};
use crate::process::{Context, Failure, Result, root};

/// `xtask/dependencies.toml`.
struct Rules {
    licences: BTreeSet<String>,
    banned: BTreeMap<String, String>,
    duplicates: BTreeMap<String, String>,
}

/// Checks every crate in the lock file that is built on this platform or another.
pub(crate) fn check() -> Result {
    let rules = read_rules()?;
    let document = metadata::load(true)?;
    let packages = list(&document, "packages");
    let mut wrong = judge(&rules, packages);
    let names: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    for name in rules.duplicates.keys().filter(|name| !names.contains(name.as_str())) {
        wrong.push(format!("{name} has an exception in xtask/dependencies.toml and is not used: remove it"));
    }
    if wrong.is_empty() {
        println!("{} crates, licences and versions as agreed", packages.len());
        return Ok(());
    }
    Err(Failure(wrong.join("\n")))
}

fn read_rules() -> Result<Rules> {
    let path = root().join("xtask/dependencies.toml");
    let text = std::fs::read_to_string(&path).context(path.display())?;
    let table: toml::Table = text.parse().context(path.display())?;
    let reasons = |section: &str| {
        let entries = table.get(section).and_then(toml::Value::as_table).into_iter().flatten();
        entries.map(|(name, reason)| (name.clone(), reason.as_str().unwrap_or_default().to_owned())).collect()
    };
    let licences = table.get("licences").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(Rules {
        licences: licences.filter_map(|licence| licence.as_str().map(str::to_owned)).collect(),
        banned: reasons("banned"),
        duplicates: reasons("duplicates"),
    })
}

fn judge(rules: &Rules, packages: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let (name, version) = (text(package, "name"), text(package, "version"));
        if package.get("source").is_none_or(Value::is_null) {
            continue; // ours
        }
        if let Some(reason) = rules.banned.get(name) {
            wrong.push(format!("{name} is banned: {reason}"));
        }
        let licence = text(package, "license");
        if !acceptable(licence, &rules.licences) {
            wrong.push(format!(
                "{name} {version} has the licence `{licence}`, which xtask/dependencies.toml does not list"
            ));
        }
        versions.entry(name).or_default().insert(compatible_series(version));
    }
    for (name, series) in versions {
        if series.len() > 1 && !rules.duplicates.contains_key(name) {
            let series: Vec<String> = series.into_iter().collect();
            wrong.push(format!(
                "{name} is built in the incompatible versions {}: use one, or give a reason in xtask/dependencies.toml",
                series.join(" and ")
            ));
        }
    }
    wrong
}

/// `1` of `1.2.3`, `0.2` of `0.2.3`: versions of one series are compatible.
fn compatible_series(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (major, _) => major.unwrap_or_default().to_owned(),
    }
}

/// Whether an SPDX expression can be satisfied with the listed licences. `A/B` is the old spelling of `A OR B`.
fn acceptable(expression: &str, licences: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut position = 0;
    let accepted = any_of(&tokens, &mut position, licences);
    accepted && position == tokens.len()
}

fn any_of(tokens: &[&str], position: &mut usize, licences: &BTreeSet<String>) -> bool {
    let mut accepted = all_of(tokens, position, licences);
    while tokens.get(*position) == Some(&"OR") {
        *position += 1;
        accepted |= all_of(tokens, position, licences);
    }
    accepted
}

fn all_of(tokens: &[&str], position: &mut usize, licences: &BTreeSet<String>) -> bool {
    let mut accepted = one(tokens, position, licences);
    while tokens.get(*position) == Some(&"AND") {
        *position += 1;
        accepted &= one(tokens, position, licences);
    }
    accepted
}

fn one(tokens: &[&str], position: &mut usize, licences: &BTreeSet<String>) -> bool {
    let Some(token) = tokens.get(*position) else { return false };
    *position += 1;
    if *token == "(" {
        let accepted = any_of(tokens, position, licences);
        let closed = tokens.get(*position) == Some(&")");
        *position += 1;
        return accepted && closed;
    }
    let mut name = (*token).to_owned();
    if tokens.get(*position) == Some(&"WITH") {
        name = format!("{token} WITH {}", tokens.get(*position + 1).copied().unwrap_or_default());
        *position += 2;
    }
    licences.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn licences(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn one_side_of_an_or_is_enough_and_both_sides_of_an_and_are_needed() {
        let listed = licences(&["MIT", "ISC"]);
        assert!(acceptable("MIT OR GPL-3.0", &listed));
        assert!(acceptable("GPL-3.0/MIT", &listed));
        assert!(acceptable("(GPL-3.0 OR MIT) AND ISC", &listed));
        assert!(!acceptable("MIT AND GPL-3.0", &listed));
        assert!(!acceptable("", &listed));
        assert!(!acceptable("(MIT", &listed));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        let listed = licences(&["Apache-2.0 WITH LLVM-exception"]);
        assert!(acceptable("Apache-2.0 WITH LLVM-exception", &listed));
        assert!(!acceptable("Apache-2.0", &listed));
    }

    #[test]
    fn banned_crates_and_two_incompatible_versions_are_reported() {
        let rules = Rules {
            licences: licences(&["MIT"]),
            banned: [("openssl".to_owned(), "one TLS stack".to_owned())].into(),
            duplicates: BTreeMap::new(),
        };
        let package = |name: &str, version: &str| json!({"name": name, "version": version, "license": "MIT", "source": "registry"});
        let packages = [
            package("openssl", "0.10.1"),
            package("rand", "0.8.5"),
            package("rand", "0.9.0"),
            package("a", "1.0.0"),
            package("a", "1.9.0"),
        ];
        let wrong = judge(&rules, &packages);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("banned") && wrong[1].contains("0.8 and 0.9"), "{wrong:?}");
    }
}
