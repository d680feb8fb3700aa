//! Everything that is done to this repository besides compiling it: `cargo xtask --help`.

mod arrows;
mod bench;
mod check;
mod clients;
mod dependencies;
mod fixtures;
mod hosts;
mod lines;
mod metadata;
mod process;
mod steps;
mod suite;
mod system;
mod table;

use std::process::ExitCode;

use process::Failure;

const HELP: &str = "\
cargo xtask COMMAND

  test             everything below in order, as CI does: checks, unit, store and API tests, clients, end to end
  check            formatting, lints, dependency arrows, licences and duplicates, registry host names
  clients          install the package managers that the end-to-end tests drive into .tools/ (xtask/clients.toml)
  e2e [FILTER..]   build the server and run the end-to-end tests whose name contains a FILTER
  lines            count the lines of each format and of what they share into docs/adding-a-format.md
  bench [PART]     measure Larder beside nginx, verdaccio and devpi; writes bench/RESULTS.md

COMMAND --help says more. Exit code 0: all passed; 1: something failed; 2: the command was not understood.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        None => ("--help", &[][..]),
        Some((command, rest)) => (command.as_str(), rest),
    };
    if rest.iter().any(|argument| argument == "--help" || argument == "-h") {
        return match help(command) {
            Some(text) => say(text),
            None => unknown(command),
        };
    }
    let result = match command {
        "test" => suite::test(),
        "check" => check::run(),
        "clients" => clients::run(),
        "e2e" => suite::e2e(rest),
        "lines" => lines::write(),
        "bench" => bench::run(rest),
        "--help" | "-h" | "help" => return say(HELP),
        other => return unknown(other),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("\nxtask {command} failed: {message}");
            ExitCode::FAILURE
        }
    }
}

fn help(command: &str) -> Option<&'static str> {
    Some(match command {
        "test" => suite::TEST_HELP,
        "check" => check::HELP,
        "clients" => clients::HELP,
        "e2e" => suite::E2E_HELP,
        "lines" => lines::HELP,
        "bench" => bench::HELP,
        _ => return None,
    })
}

fn say(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

fn unknown(command: &str) -> ExitCode {
    eprintln!("xtask: there is no command `{command}`\n\n{HELP}");
    ExitCode::from(2)
}
