//! What `cargo metadata` says about the workspace.

use std::path::PathBuf;

use serde_json::Value;

use crate::process::{Context, Result, cargo, output};

/// The document of `cargo metadata`, format version 1.
pub(crate) fn load(with_dependencies: bool) -> Result<Value> {
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1", "--locked"]);
    if !with_dependencies {
        command.arg("--no-deps");
    }
    serde_json::from_str(&output(&mut command)?).context("cannot read what cargo metadata printed")
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let document = load(false)?;
    Ok(PathBuf::from(text(&document, "target_directory")))
}

/// A member that is a string; empty if it is not there.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is a list; empty if it is not there.
pub(crate) fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
