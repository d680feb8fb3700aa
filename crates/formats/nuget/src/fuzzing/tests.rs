//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn no_manifest_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "nuspec", fuzz_nuspec);
}

#[test]
fn no_package_makes_the_readers_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "nupkg", fuzz_nupkg);
}

#[test]
fn no_name_makes_the_readers_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "names", fuzz_names);
}

#[test]
fn no_registration_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "registration", fuzz_registration);
}

#[test]
fn no_debug_file_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "pdb", fuzz_pdb);
}
