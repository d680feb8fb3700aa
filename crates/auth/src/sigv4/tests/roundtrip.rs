//! What our signer signs verifies; what was changed afterwards does not.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-03-04T05:06:07Z";

#[derive(Debug, Clone)]
struct Sent {
    method: String,
    path: String,
    query: Option<String>,
    extra: Vec<(String, String)>,
    body: Vec<u8>,
    payload: u8,
}

impl Sent {
    fn parts<'a>(&'a self, headers: &'a HeaderMap) -> RequestParts<'a> {
        RequestParts { method: &self.method, path: &self.path, query: self.query.as_deref(), headers }
    }

    fn own_headers(&self) -> HeaderMap {
        let own = [("host", "localhost:5273")].into_iter();
        headers(own.chain(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }

    fn sign(&self) -> HeaderMap {
        let mut headers = self.own_headers();
        let payload = match self.payload {
            0 => Payload::Body(&self.body),
            1 => Payload::Declared(Sha256::digest(&self.body).into()),
            _ => Payload::Unsigned,
        };
        let secret = secret();
        let signer = Signer { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret: &secret, region: REGION, service: "sts" };
        let added = signer.sign(&self.parts(&headers), payload, at(NOW)).unwrap();
        headers.extend(added);
        headers
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    (
        prop::sample::select(vec!["GET", "POST", "PUT", "DELETE"]),
        "(/([a-zA-Z0-9_~:@!$&'()*,;=+-]|%[0-9A-F]{2}|[éሴ]){1,6}){1,5}/?",
        prop::option::of("([a-zA-Z0-9_.~-]|%[0-9A-F]{2}|\\+|ሴ){1,5}(=([a-z0-9:/?=+-]|%[0-9A-F]{2}){0,6})?(&[a-z]{1,3}=[a-z0-9]{0,4}){0,3}"),
        prop::collection::vec(("x-(amz|custom)-[a-z]{1,5}", "[!-~]{1,5}([ \t]{1,3}[!-~]{1,5}){0,2}"), 0..4),
        prop::collection::vec(any::<u8>(), 0..40),
        0..3_u8,
    )
        .prop_filter("the signer sets these itself", |(_, _, _, extra, ..)| {
            !extra.iter().any(|(name, _)| name == "x-amz-date")
        })
        .prop_map(|(method, path, query, extra, body, payload)| Sent {
            method: method.to_owned(),
            path,
            query,
            extra,
            body,
            payload,
        })
}

/// Replaces one character (of those a request can hold) by another one.
fn changed(text: &str, position: prop::sample::Index, to: char) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return None;
    }
    let position = position.index(chars.len());
    if chars[position] == to {
        return None;
    }
    chars[position] = to;
    Some(chars.into_iter().collect())
}

fn pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs: Vec<_> = canonical::query_pairs(query).collect();
    pairs.sort();
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn signing_then_verifying_succeeds(sent in sent()) {
        let headers = sent.sign();
        prop_assert_eq!(check(&sent.parts(&headers), &sent.body, at(NOW)), Ok(()));
    }

    #[test]
    fn presigning_then_verifying_succeeds(sent in sent(), expires in 0..604_800_u64) {
        let headers = sent.own_headers();
        let secret = secret();
        let signer = Signer { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret: &secret, region: REGION, service: "sts" };
        let query = signer.presign(&sent.parts(&headers), Duration::from_secs(expires), at(NOW));
        let request = RequestParts { query: Some(&query), ..sent.parts(&headers) };
        prop_assert_eq!(check(&request, b"", at(NOW)), Ok(()));
        prop_assert!(check(&request, b"x", at(NOW)).is_err());
    }

    #[test]
    fn a_changed_path_does_not_verify(sent in sent(), position: prop::sample::Index, to in "[a-z0-9%~:ሴ]") {
        let headers = sent.sign();
        let Some(path) = changed(&sent.path, position, to.chars().next().unwrap()) else { return Ok(()) };
        // `//` and `/` name the same path, and only such a change may go unnoticed.
        prop_assume!(canonical::path(&path) != canonical::path(&sent.path));
        let request = RequestParts { path: &path, ..sent.parts(&headers) };
        prop_assert!(check(&request, &sent.body, at(NOW)).is_err());
    }

    #[test]
    fn a_changed_query_does_not_verify(sent in sent(), position: prop::sample::Index, to in "[a-z0-9%=&+ሴ]") {
        let headers = sent.sign();
        let query = sent.query.as_deref().unwrap_or("");
        let Some(other) = changed(query, position, to.chars().next().unwrap()) else { return Ok(()) };
        // `%2f` and `%2F` decode alike, and only what decodes alike may go unnoticed.
        prop_assume!(pairs(&other) != pairs(query));
        let request = RequestParts { query: Some(&other), ..sent.parts(&headers) };
        prop_assert!(check(&request, &sent.body, at(NOW)).is_err());
    }

    #[test]
    fn a_changed_signed_header_does_not_verify(sent in sent(), which: prop::sample::Index, position: prop::sample::Index, to in "[!-~]") {
        let headers = sent.sign();
        let names: Vec<HeaderName> =
            headers.keys().filter(|name| name.as_str() != "authorization").cloned().collect();
        let name = names[which.index(names.len())].clone();
        let Some(value) = changed(headers[&name].to_str().unwrap(), position, to.chars().next().unwrap()) else { return Ok(()) };
        let mut other = headers.clone();
        other.insert(name, value.parse().unwrap());
        prop_assert!(check(&sent.parts(&other), &sent.body, at(NOW)).is_err());
    }

    #[test]
    fn a_changed_method_body_or_signature_does_not_verify(sent in sent(), digit in 0..64_usize) {
        let headers = sent.sign();
        let request = RequestParts { method: "PATCH", ..sent.parts(&headers) };
        prop_assert!(check(&request, &sent.body, at(NOW)).is_err());
        let longer = [&sent.body[..], b"!"].concat();
        prop_assert_eq!(check(&sent.parts(&headers), &longer, at(NOW)).is_err(), sent.payload != 2);
        let mut authorization = headers["authorization"].to_str().unwrap().to_owned().into_bytes();
        let place = authorization.len() - 64 + digit;
        authorization[place] = if authorization[place] == b'0' { b'1' } else { b'0' };
        let mut other = headers.clone();
        other.insert("authorization", HeaderValue::from_bytes(&authorization).unwrap());
        prop_assert!(check(&sent.parts(&other), &sent.body, at(NOW)).is_err());
    }
}
