//! `cargo xtask bench`: builds what is measured and what measures, and starts it (crate `larder-bench`).

use crate::process::{self, Result, cargo, root, tools};
use crate::{clients, suite};

pub(crate) const HELP: &str = "\
cargo xtask bench [--quick] [--alone] [--only SECTION,..] [--case TEXT] [--seconds N] [--output FILE]

Measures Larder (release build), nginx with static files, verdaccio, devpi and maven-proxy in one run, the server pinned to
core 0 and the client to core 1, and writes bench/RESULTS.md. Takes about a quarter of an hour; needs nginx, wrk and taskset.

  --quick    one short round: to try it, not for figures
  --alone    without verdaccio, devpi and maven-proxy
  --only     reads, installs, rules, publishes, start, growth
  --case     only reads whose title contains the text
  --seconds  of one measurement; Maven's, Cargo's and RubyGems' take half of it
  --output   another file than bench/RESULTS.md";

/// Runs the benchmark, or one part of it.
pub(crate) fn run(arguments: &[String]) -> Result {
    let server = suite::build_server()?;
    clients::run()?;
    let mut command = cargo();
    command.env("LARDER_BIN", server).env("LARDER_TOOLS", tools()).env("LARDER_REPOSITORY", root());
    command.args(["run", "--release", "--locked", "--package", "larder-bench", "--"]);
    process::run(command.args(arguments))
}
