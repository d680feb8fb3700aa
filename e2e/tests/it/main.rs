//! The end-to-end tests: real clients and raw requests against the real program. `cargo xtask e2e` runs them.

mod npm_checks;
mod npm_clients;
mod pypi_checks;
mod pypi_clients;
mod seed;

fn main() {
    larder_testkit::runner::main(&[
        seed::TESTS,
        npm_checks::TESTS,
        npm_clients::TESTS,
        pypi_checks::TESTS,
        pypi_clients::TESTS,
    ])
}
