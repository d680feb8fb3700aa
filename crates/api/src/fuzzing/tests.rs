//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn calls_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "call", fuzz_call);
}

#[test]
fn forms_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "form", fuzz_form);
}
