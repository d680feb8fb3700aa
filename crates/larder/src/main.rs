//! The `larder` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    larder::cli::run()
}
