//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn no_registry_page_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "registry_page", fuzz_registry_page);
}

#[test]
fn no_core_metadata_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "core_metadata", fuzz_core_metadata);
}

#[test]
fn no_name_makes_the_readers_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "names", fuzz_names);
}

#[test]
fn no_accept_header_makes_the_negotiation_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "accept", fuzz_accept);
}

#[test]
fn no_attestation_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "attestations", fuzz_attestations);
}

#[test]
fn no_wheel_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "wheel", fuzz_wheel);
}

#[test]
fn no_sdist_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "sdist", fuzz_sdist);
}
