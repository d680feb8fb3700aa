//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn no_publish_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "publish", fuzz_publish);
}

#[test]
fn no_publish_json_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "publish_json", fuzz_publish_json);
}

#[test]
fn no_crate_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "crate", fuzz_crate);
}

#[test]
fn no_index_file_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "index", fuzz_index);
}

#[test]
fn no_config_makes_the_reader_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "config", fuzz_config);
}

#[test]
fn no_name_makes_the_readers_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "names", fuzz_names);
}
