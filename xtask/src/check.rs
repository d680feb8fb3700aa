//! `cargo xtask check`: everything that needs no running server.

use crate::process::{Result, cargo};
use crate::steps::Steps;
use crate::{arrows, dependencies, hosts, lines};

pub(crate) const HELP: &str = "\
cargo xtask check

  formatting     cargo fmt --check
  arrows         which crate may depend on which (xtask/src/arrows.rs)
  dependencies   licences, banned crates, duplicate versions (xtask/dependencies.toml)
  hosts          no tracked file names the host of a public package registry
  lints          cargo clippy, warnings are errors";

/// How many steps [`steps`] runs.
pub(crate) const STEPS: usize = 6;

/// `cargo xtask check`.
pub(crate) fn run() -> Result {
    let mut all = Steps::new(STEPS);
    steps(&mut all);
    all.finish()
}

/// The quick ones first.
pub(crate) fn steps(all: &mut Steps) {
    all.step("formatting", "run `cargo fmt`", || run_cargo(&["fmt", "--all", "--check"]));
    all.step("arrows", "move the code, or change xtask/src/arrows.rs and ARCHITECTURE.md together", arrows::check);
    all.step("dependencies", "see the reasons in xtask/dependencies.toml", dependencies::check);
    all.step("lines", "run `cargo xtask lines`", lines::check);
    all.step("hosts", "take the address from configuration or from the installed client", hosts::check);
    all.step("lints", "run `cargo clippy --workspace --all-targets`", || {
        run_cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"])
    });
}

fn run_cargo(arguments: &[&str]) -> Result {
    crate::process::run(cargo().args(arguments))
}
