//! Tokens that another implementation signed (Python's `cryptography`), and what must not pass for one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use larder_core::model::Timestamp;
use larder_core::ports::{Unproven, UnprovenToken, WebIdentityTokens};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const KEYS: &str = include_str!("../../testdata/web_identity/jwks.json");

fn stored(name: &str) -> String {
    let tokens: Value = serde_json::from_str(include_str!("../../testdata/web_identity/tokens.json")).unwrap();
    tokens[name].as_str().unwrap_or_else(|| panic!("no token {name}")).to_owned()
}

fn read(token: &str) -> UnprovenToken {
    JsonWebTokens.read(token).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn prove(token: &str) -> Result<(), Unproven> {
    JsonWebTokens.prove(&read(token), KEYS.as_bytes())
}

fn refusal(outcome: Result<(), Unproven>) -> String {
    match outcome {
        Ok(()) => "accepted".to_owned(),
        Err(Unproven::UnknownKey) => "unknown key".to_owned(),
        Err(Unproven::Refused(why)) => why.to_string(),
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims() -> Value {
    json!({"iss": "https://issuer.example", "sub": "s", "aud": "a", "exp": 2, "iat": 1})
}

/// A token that nobody signed.
fn forged(header: &Value, claims: &Value) -> String {
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("x"))
}

#[test]
fn every_accepted_algorithm_is_proven_and_a_changed_token_is_not() {
    for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
        let token = stored(name);
        assert_eq!(prove(&token), Ok(()), "{name}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, body) = signed.split_once('.').unwrap();
        let body = String::from_utf8(URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
        let body = URL_SAFE_NO_PAD.encode(body.replace("octo/app", "octo/apq"));
        let changed = format!("{header}.{body}.{signature}");
        assert_eq!(refusal(prove(&changed)), "the token's signature is wrong", "{name}");
        let unsigned = format!("{signed}.");
        assert_eq!(refusal(prove(&unsigned)), "the token's signature is wrong", "{name}");
    }
}

#[test]
fn a_key_proves_only_what_keys_of_its_kind_sign() {
    for (name, why) in [
        ("unknown key", "unknown key"),
        ("no key id", "the token's header names no key (kid)"),
        ("key of another kind", "unknown key"),
        ("another key", "the token's signature is wrong"),
        ("short RSA key", "the token's signature is wrong"),
    ] {
        assert_eq!(refusal(prove(&stored(name))), why, "{name}");
    }
    // A name is not needed where there is no choice.
    let keys: Value = serde_json::from_str(KEYS).unwrap();
    let only = json!({"keys": [keys["keys"][0]]}).to_string();
    assert_eq!(JsonWebTokens.prove(&read(&stored("no key id")), only.as_bytes()), Ok(()));
    // A key that is for something else does not prove a token.
    for (member, value) in [("use", "enc"), ("alg", "RS512")] {
        let mut key = keys["keys"][0].clone();
        key[member] = value.into();
        let other = json!({"keys": [key]}).to_string();
        assert_eq!(
            JsonWebTokens.prove(&read(&stored("RS256")), other.as_bytes()),
            Err(Unproven::UnknownKey),
            "{member}"
        );
    }
    let many = json!({"keys": vec![keys["keys"][0].clone(); 101]}).to_string();
    assert_eq!(refusal(JsonWebTokens.prove(&read(&stored("RS256")), many.as_bytes())), "the issuer has too many keys");
    assert_eq!(refusal(JsonWebTokens.prove(&read(&stored("RS256")), b"<html>")), "the issuer's keys are not a JWK set");
}

#[test]
fn a_token_never_chooses_to_be_unsigned_or_signed_with_a_public_key_as_secret() {
    for alg in ["none", "None", "NONE", "HS256", "HS384", "HS512", "ES256K", "ES512", "RSA-OAEP", ""] {
        let token = forged(&json!({"alg": alg, "kid": "rsa"}), &claims());
        let wrong = JsonWebTokens.read(&token).map(drop).expect_err(alg);
        assert!(wrong.to_string().contains("algorithm is not accepted"), "{alg}: {wrong}");
    }
    // The token says which key, and nothing else of what it brings along counts.
    let header =
        json!({"alg": "ES256", "kid": "p256", "jwk": {"kty": "EC"}, "jku": "https://evil.example", "x5u": "x"});
    assert_eq!(refusal(prove(&forged(&header, &claims()))), "the token's signature is wrong");
}

#[test]
fn what_is_not_a_token_is_refused_with_a_reason() {
    let good = json!({"alg": "ES256", "kid": "p256"});
    let huge = format!("{}.{}", forged(&good, &claims()), "a".repeat(20_000));
    let mut cases = vec![
        (String::new(), "three parts"),
        ("a.b".to_owned(), "three parts"),
        ("a.b.c.d.e".to_owned(), "three parts"),
        (huge, "longer than 20000"),
        ("e30.e30.e30".to_owned(), "header cannot be read"),
        ("!.!.!".to_owned(), "header is not base64url"),
        (format!("{}=.e30.e30", part(&good)), "header is not base64url"),
        (forged(&json!({"alg": "ES256", "crit": ["b64"], "b64": false}), &claims()), "crit"),
        (forged(&json!({"alg": "ES256", "typ": "at+jwt"}), &claims()), "typ must be JWT"),
        (
            format!("{}.{}.x", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","alg":"none"}"#), part(&claims())),
            "header cannot",
        ),
        (format!("{}.{}.x", part(&good), URL_SAFE_NO_PAD.encode("[1]")), "body cannot be read"),
        (
            format!(
                "{}.{}.x",
                part(&good),
                URL_SAFE_NO_PAD.encode(r#"{"iss":"a","iss":"b","sub":"s","aud":"a","exp":2,"iat":1}"#)
            ),
            "body cannot be read",
        ),
    ];
    for claim in ["iss", "sub", "aud", "exp", "iat"] {
        let mut without = claims();
        without.as_object_mut().unwrap().shift_remove(claim);
        cases.push((forged(&good, &without), "lacks the claim"));
        let mut wrong = claims();
        wrong[claim] = json!({});
        cases.push((forged(&good, &wrong), "cannot be read"));
    }
    for (claim, value, words) in [
        ("iss", json!(""), "'iss' is empty"),
        ("sub", json!(""), "'sub' is empty"),
        ("aud", json!([]), "'aud' is empty"),
        ("exp", json!(-1), "'exp' is not an instant"),
        ("exp", json!(1e300), "'exp' is not an instant"),
        ("iat", json!("now"), "cannot be read"),
        ("https://aws.amazon.com/tags", json!({"principal_tags": {"a": ["b", "c"]}}), "session tags"),
        ("https://aws.amazon.com/tags", json!({"principal_tags": {"a": {}}}), "session tags"),
    ] {
        let mut wrong = claims();
        wrong[claim] = value;
        cases.push((forged(&good, &wrong), words));
    }
    for (token, words) in cases {
        let wrong = JsonWebTokens.read(&token).map(drop).expect_err(words).to_string();
        assert!(wrong.contains(words), "{wrong} instead of {words}");
    }
}

#[test]
fn claims_are_read_for_conditions_and_session_tags() {
    let claims = read(&stored("RS256")).claims;
    assert_eq!(claims.issuer, "https://issuer.example");
    assert_eq!(claims.audiences, ["sts.amazonaws.com"]);
    assert_eq!((claims.issued_at, claims.expires_at), (Timestamp(1_800_000_000_000), Timestamp(1_800_000_600_000)));
    assert_eq!(claims.id.as_deref(), Some("example-id"));
    let value = |name: &str| claims.values.iter().find(|(known, _)| known == name).map(|(_, values)| values.join(","));
    assert_eq!(value("repository").as_deref(), Some("octo/app"));
    assert_eq!(value("run_number").as_deref(), Some("7"));
    assert_eq!(value("protected").as_deref(), Some("true"));
    assert_eq!(value("groups").as_deref(), Some("a,b"));
    assert_eq!(value("nested"), None);

    let mut with_tags = self::claims();
    with_tags["aud"] = json!(["a", "b"]);
    with_tags["azp"] = json!("c");
    with_tags["https://aws.amazon.com/tags"] =
        json!({"principal_tags": {"team": ["web"], "stage": ["test"]}, "transitive_tag_keys": ["team"]});
    with_tags["https://aws.amazon.com/source_identity"] = json!("alice");
    let claims = read(&forged(&json!({"alg": "ES256", "kid": "x"}), &with_tags)).claims;
    assert_eq!(claims.audiences, ["c"], "the authorized party is whom it is meant for");
    let tag = |key: &str, value: &str, transitive| (key.to_owned(), value.to_owned(), transitive);
    assert_eq!(claims.tags, [tag("team", "web", true), tag("stage", "test", false)]);
    assert_eq!(claims.source_identity.as_deref(), Some("alice"));
}

proptest! {
    #[test]
    fn no_change_of_a_signed_token_is_proven(at in 0_usize..1000, byte in any::<u8>(), alg in 0_usize..3) {
        let token = stored(["RS256", "ES256", "EdDSA"][alg]).into_bytes();
        let at = at % token.len();
        let mut changed = token.clone();
        changed[at] = byte;
        prop_assume!(changed != token);
        if let Ok(text) = String::from_utf8(changed)
            && let Ok(read) = JsonWebTokens.read(&text)
        {
            prop_assert!(JsonWebTokens.prove(&read, KEYS.as_bytes()).is_err());
        }
    }

    #[test]
    fn reading_never_panics(text in ".{0,200}", header in ".{0,60}", body in ".{0,60}") {
        let _ = JsonWebTokens.read(&text);
        let token = format!("{}.{}.", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&body));
        let _ = JsonWebTokens.read(&token);
    }
}
