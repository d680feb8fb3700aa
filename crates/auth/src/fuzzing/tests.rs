//! Each entry point on its stored corpus and on changes of it.

use larder_corpus::run;

use super::*;

#[test]
fn authorization_headers_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "authorization_header", fuzz_authorization_header);
}

#[test]
fn request_targets_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "request_target", fuzz_request_target);
}

#[test]
fn policy_documents_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "policy_document", fuzz_policy_document);
}

#[test]
fn web_identity_tokens_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "web_identity_token", fuzz_web_identity_token);
}

#[test]
fn checkpoint_notes_never_panic() {
    run(env!("CARGO_MANIFEST_DIR"), "checkpoint_note", fuzz_checkpoint_note);
}
