//! Entry points for fuzzers: none of them may panic, whatever the bytes.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue};
use larder_core::merkle::{KeyName, SignedCheckpoint};
use larder_core::model::{AccountId, Principal, PrincipalKind, SecretAccessKey, Timestamp};
use larder_core::ports::{AccessQuestion, PolicyEvaluator, PolicyKind, WebIdentityTokens};

use crate::policy::Evaluator;
use crate::sigv4::{self, RequestParts, Verifier};
use crate::web_identity::JsonWebTokens;

/// Reads and verifies a request whose `Authorization` header is `data`.
pub fn fuzz_authorization_header(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost:5273"));
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    headers.insert(AUTHORIZATION, value);
    verify(&RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers });
}

/// Reads and verifies a request target that may be presigned: path, `?`, query.
pub fn fuzz_request_target(data: &[u8]) {
    let target = String::from_utf8_lossy(data);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost:5273"));
    verify(&RequestParts { method: "GET", path, query: Some(query), headers: &headers });
}

/// Checks a policy document as either kind and asks it a question.
pub fn fuzz_policy_document(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let evaluator = Evaluator::new();
    for kind in [PolicyKind::Identity, PolicyKind::Resource, PolicyKind::Trust] {
        // Whether it is valid is not the question here.
        let _ = evaluator.validate(kind, &text);
    }
    let Ok(account) = AccountId::new("111122223333") else { return };
    let documents = [Arc::from(&*text)];
    evaluator.evaluate(&AccessQuestion {
        principal: &Principal { account, kind: PrincipalKind::System },
        action: "codeartifact:ReadFromRepository",
        resource: "arn:aws:codeartifact:us-east-1:111122223333:repository/my-domain/my-repo",
        context: &[("aws:username", vec!["alice".to_owned()]), ("aws:SourceIp", vec!["10.0.0.1".to_owned()])],
        identity_policies: &documents,
        resource_policies: &documents,
        session_policies: Some(&documents),
    });
}

/// Reads a web identity token and tries to prove it with the keys in front of it: a JWK set, a line feed, a token.
pub fn fuzz_web_identity_token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (keys, token) = text.split_once('\n').unwrap_or(("", &text));
    if let Ok(token) = JsonWebTokens.read(token.trim_end()) {
        // Whether it is proven is not the question here.
        let _ = JsonWebTokens.prove(&token, keys.as_bytes());
    }
}

/// Reads a checkpoint of the journal, as `larder verify` finds it beside the database or is given it, and looks for the
/// signature of a key. What it says is told again in the same words.
pub fn fuzz_checkpoint_note(data: &[u8]) {
    let Some(signed) = SignedCheckpoint::parse(&String::from_utf8_lossy(data)) else { return };
    let key = KeyName { name: signed.checkpoint.origin.clone(), public: [9; 32] };
    if let Some(signature) = signed.signature_by(&key).and_then(|signature| signature.try_into().ok()) {
        let written = SignedCheckpoint::parse(&signed.checkpoint.note(&key, signature));
        assert_eq!(written.map(|again| again.checkpoint), Some(signed.checkpoint));
    }
}

fn verify(request: &RequestParts<'_>) {
    if let Ok(signed) = sigv4::parse(request)
        && let Ok(secret) = SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    {
        let verifier = Verifier::new("us-east-1", &["codeartifact"]);
        // Whether it verifies is not the question here.
        let _ = verifier.verify(&signed, &secret, Some(&[0; 32]), Timestamp(1_440_938_160_000));
    }
}
