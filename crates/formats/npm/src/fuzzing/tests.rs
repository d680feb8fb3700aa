//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn tarballs_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "tarball", fuzz_tarball);
}

#[test]
fn tars_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "tar", fuzz_tar);
}

#[test]
fn publish_bodies_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "publish_body", fuzz_publish_body);
}

#[test]
fn packuments_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "packument", fuzz_packument);
}

#[test]
fn names_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "names", fuzz_names);
}

#[test]
fn provenance_never_panics() {
    run(env!("CARGO_MANIFEST_DIR"), "provenance", fuzz_provenance);
}
