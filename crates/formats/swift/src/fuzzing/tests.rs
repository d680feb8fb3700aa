//! Each entry point on its stored corpus and on changes of it.

use super::*;

macro_rules! corpus {
    ($($test:ident: $name:literal, $target:ident;)*) => {
        $(#[test]
        fn $test() {
            larder_corpus::run(env!("CARGO_MANIFEST_DIR"), $name, $target);
        })*
    };
}

corpus! {
    no_archive_makes_the_reader_panic: "archive", fuzz_archive;
    no_manifest_makes_the_reader_panic: "manifest", fuzz_manifest;
    no_form_makes_the_reader_panic: "publish_form", fuzz_publish_form;
    no_metadata_makes_the_reader_panic: "metadata", fuzz_metadata;
    no_name_makes_the_readers_panic: "names", fuzz_names;
    no_accept_header_makes_the_reader_panic: "accept", fuzz_accept;
    no_signature_makes_the_check_panic: "signature", fuzz_signature;
}
