//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn no_pom_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "pom", fuzz_pom);
}

#[test]
fn no_metadata_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "maven_metadata", fuzz_maven_metadata);
}

#[test]
fn no_path_makes_the_readers_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "path", fuzz_path);
}

#[test]
fn no_checksum_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "checksum", fuzz_checksum);
}
