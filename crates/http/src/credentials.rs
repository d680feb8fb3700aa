//! What clients put into `Authorization` (protocols 0.3).

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

/// Some clients leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request presents. It has no `Debug`: the token is a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented<'a> {
    /// No `Authorization` at all.
    Nothing,
    /// The text of a token, not checked yet.
    Token(Cow<'a, str>),
    /// A signature of the AWS kind, which opens the API and no package endpoint.
    Signature,
    /// Something else; nobody can be told from it.
    Unusable,
}

/// Reads the token text from `Bearer T`, from `Basic any-user:T` (CodeArtifact's user is `aws`) or from a bare `T`
/// (cargo, gem). A `Basic` user without a password is taken for the token: that is what clients make of
/// `https://TOKEN@host/`.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Presented::Nothing };
    // Two headers could be read differently by whoever stands in front.
    let (None, Ok(value)) = (values.next(), value.to_str()) else { return Presented::Unusable };
    read(value.trim())
}

/// As [`presented`], where clients may also send a token in a header of its own, as an API key. Of two that come
/// together the key says who writes: clients send what reads packages with everything (protocols 4.5). A read goes by
/// `Authorization`, if it is there.
#[must_use]
pub fn presented_beside_key<'a>(method: &Method, headers: &'a HeaderMap, key_header: &str) -> Presented<'a> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && headers.contains_key(AUTHORIZATION) {
        return presented(headers);
    }
    let mut keys = headers.get_all(key_header).iter();
    match (keys.next(), keys.next()) {
        (None, _) => presented(headers),
        (Some(key), None) => key.to_str().map_or(Presented::Unusable, |key| read(key.trim())),
        (Some(_), Some(_)) => Presented::Unusable,
    }
}

fn read(value: &str) -> Presented<'_> {
    if value.starts_with("AWS4-") {
        return Presented::Signature;
    }
    let token = match value.split_once(' ') {
        None => Some(Cow::Borrowed(value)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => Some(Cow::Borrowed(rest.trim_start())),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => basic(rest.trim_start()).map(Cow::Owned),
        Some(_) => None,
    };
    match token {
        Some(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Presented::Token(token)
        }
        _ => Presented::Unusable,
    }
}

fn basic(encoded: &str) -> Option<String> {
    let pair = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
    let (user, password) = pair.split_once(':').unwrap_or((&pair, ""));
    Some(if password.is_empty() { user } else { password }.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn token(value: &str) -> Option<String> {
        match read(value) {
            Presented::Token(token) => Some(token.into_owned()),
            _ => None,
        }
    }

    fn basic_of(pair: &str) -> String {
        format!("Basic {}", BASE64.encode(pair))
    }

    #[test]
    fn a_token_is_taken_from_bearer_basic_and_bare_forms() {
        for value in ["Bearer tok", "bearer  tok", "BEARER tok", "tok"] {
            assert_eq!(token(value).as_deref(), Some("tok"), "{value}");
        }
        for pair in ["aws:tok", "any user:tok", ":tok", "tok:", "tok"] {
            assert_eq!(token(&basic_of(pair)).as_deref(), Some("tok"), "{pair}");
        }
        assert_eq!(token("Basic YXdzOnRvaw").as_deref(), Some("tok"), "without padding");
        assert_eq!(token(&basic_of("aws:a:b")).as_deref(), Some("a:b"), "a password may hold a colon");
    }

    #[test]
    fn what_is_no_token_is_told_apart() {
        assert!(read("AWS4-HMAC-SHA256 Credential=AKIA/x") == Presented::Signature);
        for value in ["", "Bearer ", "Basic ", "Basic !!!", "Digest username=x", "Bearer a b", "t\u{e9}"] {
            assert!(read(value) == Presented::Unusable, "{value}");
        }
        assert!(read(&basic_of(":")) == Presented::Unusable);
        assert!(presented(&HeaderMap::new()) == Presented::Nothing);
    }

    #[test]
    fn two_authorization_headers_name_nobody() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert!(matches!(presented(&headers), Presented::Token(token) if token == "a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(presented(&headers) == Presented::Unusable);
    }

    #[test]
    fn an_api_key_writes_and_authorization_reads() {
        let mut headers = HeaderMap::new();
        let told = |method: &Method, headers: &HeaderMap| match presented_beside_key(method, headers, "x-key") {
            Presented::Token(token) => Some(token.into_owned()),
            _ => None,
        };
        headers.insert("x-key", HeaderValue::from_static("key"));
        assert_eq!(told(&Method::GET, &headers).as_deref(), Some("key"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer reader"));
        assert_eq!(told(&Method::PUT, &headers).as_deref(), Some("key"));
        assert_eq!(told(&Method::GET, &headers).as_deref(), Some("reader"));
        headers.append("x-key", HeaderValue::from_static("other"));
        assert_eq!(told(&Method::PUT, &headers), None, "two keys name nobody");
        headers.remove("x-key");
        assert_eq!(told(&Method::PUT, &headers).as_deref(), Some("reader"));
    }

    proptest! {
        #[test]
        fn every_token_survives_all_three_forms(text in "[!-9;-~]{1,80}", user in "[a-z]{0,8}") {
            prop_assume!(!text.starts_with("AWS4-"));
            prop_assert_eq!(token(&text), Some(text.clone()));
            prop_assert_eq!(token(&format!("Bearer {text}")), Some(text.clone()));
            prop_assert_eq!(token(&basic_of(&format!("{user}:{text}"))), Some(text));
        }
    }
}
