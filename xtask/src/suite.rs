//! `cargo xtask test` and `cargo xtask e2e`.

use std::path::PathBuf;

use crate::process::{Failure, Result, cargo, root, run, tools, watch};
use crate::steps::Steps;
use crate::{check, clients, metadata, table};

pub(crate) const TEST_HELP: &str = "\
cargo xtask test

All of `check`; `clients`; unit, store and API tests of the workspace; a release build of the server; the end-to-end
tests. Prints progress and times, goes on after a failed step, and ends with `N passed, N failed, N skipped`.
LARDER_LONG=1 runs the long forms of the tests that have one.";

pub(crate) const E2E_HELP: &str = "\
cargo xtask e2e [FILTER..]

Builds the server (release) and runs the end-to-end tests whose name contains a FILTER, all without one. Options after
`--` go to the test program: `--list`, `--threads N`.
LARDER_LONG=1 runs the long forms of the tests that have one.";

/// Tests counted over all test programs.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Count {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        let mut words = rest.split([' ', ';', '.']).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let (Ok(number), Some(what)) = (word.parse::<u64>(), words.peek()) else { continue };
            match *what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// `cargo xtask test`.
pub(crate) fn test() -> Result {
    let mut all = Steps::new(check::STEPS + 4);
    let mut count = Count::default();
    check::steps(&mut all);
    // Before the tests, some of which need PostgreSQL and an S3 server.
    let installed = all.step("clients", "see what is missing above; remove .tools/ to start afresh", clients::run);
    all.step("unit, store and API tests", "run the failed one with `cargo test -p CRATE NAME`", || {
        tests(&["test", "--workspace", "--exclude", "larder-e2e", "--locked", "--no-fail-fast"], &mut count)
    });
    let built = all.step("server", "run `cargo build --release -p larder`", || build_server().map(drop));
    if built && installed {
        all.step("end-to-end tests", "run the failed one with `cargo xtask e2e NAME`", || {
            let result = run_e2e(&[], &mut count);
            result.and(table::check())
        });
    } else {
        all.skip("end-to-end tests", "what they need is not there");
    }
    let result = all.finish();
    println!("\n{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    result
}

/// `cargo xtask e2e`.
pub(crate) fn e2e(arguments: &[String]) -> Result {
    build_server()?;
    clients::run()?;
    run_e2e(arguments, &mut Count::default())?;
    if arguments.is_empty() { table::write() } else { Ok(()) }
}

/// Builds the server as people run it and returns its path.
pub(crate) fn build_server() -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--locked", "--package", "larder", "--bin", "larder"]))?;
    Ok(metadata::target_directory()?.join("release").join("larder"))
}

fn run_e2e(arguments: &[String], count: &mut Count) -> Result {
    let server = metadata::target_directory()?.join("release").join("larder");
    let mut command = cargo();
    command.env("LARDER_BIN", server).env("LARDER_TOOLS", tools()).env("LARDER_REPOSITORY", root());
    command.env("LARDER_COVERAGE", table::made()?);
    command.args(["test", "--locked", "--package", "larder-e2e", "--test", "it", "--"]).args(arguments);
    finished(watch(&mut command, |line| count.add(line))?)
}

fn tests(arguments: &[&str], count: &mut Count) -> Result {
    finished(watch(cargo().args(arguments), |line| count.add(line))?)
}

fn finished(passed: bool) -> Result {
    if passed { Ok(()) } else { Err(Failure::new("some tests failed, see above")) }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn the_closing_lines_of_test_programs_are_added_up() {
        let mut count = Count::default();
        count.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        count.add("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 9 filtered out");
        count.add("test names::tests::x ... ok");
        assert_eq!((count.passed, count.failed, count.skipped), (5, 4, 1));
    }
}
