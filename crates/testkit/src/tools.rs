//! The clients and fixtures that `cargo xtask clients` installed.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use crate::runner::skip;

/// The folder of the installed clients: `LARDER_TOOLS`, or `.tools` of the checkout.
#[must_use]
pub fn folder() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.tools");
    std::env::var_os("LARDER_TOOLS").map_or_else(default, PathBuf::from)
}

/// The root of the checkout, for test data.
#[must_use]
pub fn repository() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("LARDER_REPOSITORY").map_or_else(default, PathBuf::from)
}

/// The path of an installed program. Skips the running test if the installation says that it could not be had.
#[must_use]
pub fn need(program: &str) -> PathBuf {
    if let Some(reason) = missing(program) {
        skip(format!("{program}: {reason}"));
    }
    folder().join("bin").join(program)
}

/// Skips the running test if the machine has no such program on its path.
pub fn need_system(program: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
        skip(format!("{program}: not installed, see xtask/clients.toml"));
    }
}

fn missing(program: &str) -> Option<String> {
    static LIST: OnceLock<Value> = OnceLock::new();
    let list = LIST.get_or_init(|| {
        let text = std::fs::read_to_string(folder().join("clients.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    });
    match list.get(program) {
        None => Some("not installed, run `cargo xtask clients`".to_owned()),
        Some(entry) => entry.get("missing").and_then(Value::as_str).map(str::to_owned),
    }
}
