//! Which crate of the workspace may depend on which: ARCHITECTURE.md draws it, this holds it.

use serde_json::Value;

use crate::metadata::{self, list, text};
use crate::process::{Failure, Result};

/// What a crate may use of ours in its program and library. `larder-npm` stands for every format.
const ALLOWED: &[(&str, &[&str])] = &[
    ("larder-core", &[]),
    ("larder-auth", &["larder-core"]),
    ("larder-store", &["larder-core"]),
    ("larder-external", &["larder-core"]),
    ("larder-http", &["larder-core"]),
    ("larder-api", &["larder-core", "larder-auth", "larder-http"]),
    ("larder-archive", &["larder-core"]),
    ("FORMAT", &["larder-core", "larder-http", "larder-archive"]),
    (
        "larder",
        &[
            "larder-core",
            "larder-archive",
            "larder-auth",
            "larder-store",
            "larder-external",
            "larder-http",
            "larder-api",
            "FORMAT",
        ],
    ),
    ("larder-corpus", &[]),
    ("larder-formatkit", &["larder-core", "larder-auth", "larder-http", "larder-store"]),
    ("larder-testkit", &["larder"]),
    ("larder-e2e", &["larder-testkit"]),
    // Fills stores beside a running server, as no client could.
    ("larder-bench", &["larder-core", "larder-store", "larder-testkit"]),
    ("xtask", &[]),
];

/// What a crate may use in its tests only, besides the above. The tests of `api`, `http` and the formats need a real
/// store and a real policy evaluation, and neither knows anything of them.
const ALLOWED_IN_TESTS: &[&str] = &[
    "larder-core",
    "larder-auth",
    "larder-store",
    "larder-external",
    "larder-testkit",
    "larder-corpus",
    "larder-formatkit",
];

/// Crates that know nothing of SQL, IAM or the network. None of these may be among the dependencies of `core`, `http`,
/// `api` or a format.
const DRIVERS: &[&str] = &["rusqlite", "tokio-postgres", "rusty-s3", "hyper-rustls", "rustls"];

/// Checks every dependency of every crate in the workspace.
pub(crate) fn check() -> Result {
    let document = metadata::load(false)?;
    let mut wrong = Vec::new();
    for package in list(&document, "packages") {
        wrong.extend(check_package(package));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure(wrong.join("\n"))) }
}

fn check_package(package: &Value) -> Vec<String> {
    let name = text(package, "name");
    let role = role(package, name);
    let Some((_, allowed)) = ALLOWED.iter().find(|(from, _)| *from == role) else {
        return vec![format!("{name} is not in the table of xtask/src/arrows.rs: add it and say what it may use")];
    };
    let mut wrong = Vec::new();
    for dependency in list(package, "dependencies") {
        let used = text(dependency, "name");
        let in_tests = text(dependency, "kind") == "dev";
        if dependency.get("path").is_some_and(|path| !path.is_null()) {
            let used_role = if text(dependency, "path").contains("/formats/") { "FORMAT" } else { used };
            if !(allowed.contains(&used_role) || in_tests && ALLOWED_IN_TESTS.contains(&used)) {
                wrong.push(format!("{name} must not depend on {used}"));
            }
        } else if DRIVERS.contains(&used)
            && !in_tests
            && matches!(role, "larder-core" | "larder-http" | "larder-api" | "FORMAT")
        {
            wrong.push(format!(
                "{name} must not depend on {used}: SQL and outgoing connections have crates of their own"
            ));
        }
    }
    wrong
}

fn role<'a>(package: &Value, name: &'a str) -> &'a str {
    if text(package, "manifest_path").contains("/formats/") { "FORMAT" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, manifest: &str, dependency: &Value) -> Value {
        json!({"name": name, "manifest_path": manifest, "dependencies": [dependency]})
    }

    #[test]
    fn a_format_that_uses_another_format_is_refused() {
        let dependency = json!({"name": "larder-npm", "path": "/w/crates/formats/npm", "kind": null});
        let wrong = check_package(&package("larder-pypi", "/w/crates/formats/pypi/Cargo.toml", &dependency));
        assert_eq!(wrong, ["larder-pypi must not depend on larder-npm"]);
    }

    #[test]
    fn the_binary_may_use_a_format() {
        let dependency = json!({"name": "larder-npm", "path": "/w/crates/formats/npm", "kind": null});
        assert!(check_package(&package("larder", "/w/crates/larder/Cargo.toml", &dependency)).is_empty());
    }

    #[test]
    fn core_must_not_know_sql() {
        let dependency = json!({"name": "rusqlite", "kind": null});
        assert_eq!(check_package(&package("larder-core", "/w/crates/core/Cargo.toml", &dependency)).len(), 1);
    }

    #[test]
    fn a_crate_that_nobody_listed_is_refused() {
        let dependency = json!({"name": "serde", "kind": null});
        assert_eq!(check_package(&package("larder-new", "/w/crates/new/Cargo.toml", &dependency)).len(), 1);
    }
}
