//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn no_address_breaks_the_rules() {
    run(env!("CARGO_MANIFEST_DIR"), "addresses", fuzz_addresses);
}

#[test]
fn no_encoded_document_exceeds_its_limit() {
    run(env!("CARGO_MANIFEST_DIR"), "encoded_document", fuzz_encoded_document);
}

#[test]
fn no_retry_after_is_longer_than_a_day() {
    run(env!("CARGO_MANIFEST_DIR"), "retry_after", fuzz_retry_after);
}
