//! Each way to be wrong, with the name and words a client sees.

use super::*;

const NOW: &str = "2015-08-30T12:36:00Z";
const HOST: (&str, &str) = ("host", "localhost:5273");
const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");

/// `GET /v1/domains` signed at [`NOW`], then changed.
fn signed_with(service: &str, region: &str, change: impl FnOnce(&mut HeaderMap)) -> HeaderMap {
    let mut headers = headers([HOST]);
    let secret = secret();
    let signer = Signer { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret: &secret, region, service };
    let request = RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers };
    let added = signer.sign(&request, Payload::Body(b""), at(NOW)).unwrap();
    headers.extend(added);
    change(&mut headers);
    headers
}

fn replace(headers: &mut HeaderMap, from: &str, to: &str) {
    let text = headers["authorization"].to_str().unwrap().replace(from, to);
    headers.insert("authorization", text.parse().unwrap());
}

fn refusal(headers: &HeaderMap, query: Option<&str>, now: &str) -> (&'static str, String) {
    let error = check(&RequestParts { method: "GET", path: "/v1/domains", query, headers }, b"", at(now)).unwrap_err();
    (error.code(), error.message().to_owned())
}

#[test]
fn an_unsigned_request_misses_its_token() {
    let (code, message) = refusal(&headers([HOST]), Some("max-results=1"), NOW);
    assert_eq!((code, message.as_str()), ("MissingAuthenticationToken", "Missing Authentication Token"));
}

#[test]
fn clocks_may_differ_by_fifteen_minutes_and_no_more() {
    let headers = signed_with("codeartifact", REGION, |_| {});
    let request = RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers };
    assert_eq!(check(&request, b"", at("2015-08-30T12:51:00Z")), Ok(()));
    assert_eq!(check(&request, b"", at("2015-08-30T12:21:00Z")), Ok(()));
    assert_eq!(
        refusal(&headers, None, "2015-08-30T12:51:01Z"),
        (
            "InvalidSignatureException",
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
                .to_owned()
        )
    );
    assert_eq!(
        refusal(&headers, None, "2015-08-30T12:20:59Z"),
        (
            "InvalidSignatureException",
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
                .to_owned()
        )
    );
}

#[test]
fn the_scope_must_be_ours() {
    for (headers, words) in [
        (
            signed_with("codeartifact", "eu-west-1", |_| {}),
            "Credential should be scoped to a valid region, not 'eu-west-1'.",
        ),
        (
            signed_with("s3", REGION, |_| {}),
            "Credential should be scoped to correct service: 'service' or 'codeartifact' or 'sts'.",
        ),
        (
            signed_with("codeartifact", REGION, |headers| replace(headers, "aws4_request", "aws5_request")),
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
        ),
        (
            signed_with("codeartifact", REGION, |headers| replace(headers, "20150830", "20150829")),
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
        ),
    ] {
        let (code, message) = refusal(&headers, None, NOW);
        assert_eq!(code, "InvalidSignatureException");
        assert!(message.starts_with(words), "{message}");
    }
}

#[test]
fn a_wrong_signature_shows_what_should_have_been_signed_and_nothing_secret() {
    let headers = signed_with("codeartifact", REGION, |headers| {
        replace(headers, "Signature=", "Signature=0");
        let cut = headers["authorization"].to_str().unwrap();
        let cut = cut[..cut.len() - 1].to_owned();
        headers.insert("authorization", cut.parse().unwrap());
    });
    let (code, message) = refusal(&headers, None, NOW);
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.starts_with("The request signature we calculated does not match the signature you provided."));
    let canonical = "The Canonical String for this request should have been\n'GET\n/v1/domains\n\nhost:localhost:5273\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'";
    assert!(message.contains(canonical), "{message}");
    let to_sign = "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/codeartifact/aws4_request\n";
    assert!(message.contains(to_sign), "{message}");
    assert!(!message.contains(secret().expose()));
}

#[test]
fn another_secret_does_not_verify() {
    let headers = signed_with("codeartifact", REGION, |_| {});
    let signed = parse(&RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers }).unwrap();
    let other = SecretAccessKey::new("another-secret-access-key").unwrap();
    let verifier = Verifier::new(REGION, &["codeartifact"]);
    let body = Sha256::digest(b"").into();
    assert_eq!(verifier.verify(&signed, &secret(), Some(&body), at(NOW)), Ok(()));
    assert!(matches!(verifier.verify(&signed, &other, Some(&body), at(NOW)), Err(SignatureError::Invalid(_))));
}

#[test]
fn a_body_that_was_not_hashed_never_verifies() {
    let headers = signed_with("codeartifact", REGION, |_| {});
    let signed = parse(&RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers }).unwrap();
    assert_eq!(signed.payload, PayloadHash::OfBody);
    let verifier = Verifier::new(REGION, &["codeartifact"]);
    assert!(matches!(verifier.verify(&signed, &secret(), None, at(NOW)), Err(SignatureError::Invalid(_))));
}

#[test]
fn a_session_token_is_covered_by_the_signature() {
    let mut headers = headers([HOST, ("x-amz-security-token", "FwoGZXIvYXdzEXAMPLE")]);
    let secret = secret();
    let signer = Signer { access_key_id: "ASIAIOSFODNN7EXAMPLE", secret: &secret, region: REGION, service: "sts" };
    let added = signer
        .sign(
            &RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers },
            Payload::Body(b""),
            at(NOW),
        )
        .unwrap();
    headers.extend(added);
    let read = |headers: &HeaderMap| {
        parse(&RequestParts { method: "GET", path: "/v1/domains", query: None, headers }).unwrap()
    };
    let signed = read(&headers);
    assert_eq!(signed.session_token.as_deref(), Some("FwoGZXIvYXdzEXAMPLE"));
    assert!(!format!("{signed:?}").contains("FwoGZXIvYXdzEXAMPLE"));
    let verifier = Verifier::new(REGION, &["sts"]);
    let body = Sha256::digest(b"").into();
    assert_eq!(verifier.verify(&signed, &secret, Some(&body), at(NOW)), Ok(()));
    headers.insert("x-amz-security-token", "AnotherTokenEXAMPLE".parse().unwrap());
    let changed = verifier.verify(&read(&headers), &secret, Some(&body), at(NOW));
    assert!(matches!(changed, Err(SignatureError::Invalid(_))), "{changed:?}");
}

#[test]
fn headers_that_must_be_signed_are() {
    for (change, words) in [
        (
            Box::new(|headers: &mut HeaderMap| replace(headers, "host;", "")) as Box<dyn FnOnce(&mut HeaderMap)>,
            "'Host' or ':authority' must be a 'SignedHeader'",
        ),
        (Box::new(|headers| replace(headers, ";x-amz-date", "")), "'x-amz-date' must be a 'SignedHeader'"),
        (
            Box::new(|headers| {
                headers.insert("x-amz-meta", "1".parse().unwrap());
            }),
            "'x-amz-meta' must be a 'SignedHeader'",
        ),
        (Box::new(|headers| replace(headers, "host;", "host;range;")), "has no such header"),
    ] {
        let headers = signed_with("codeartifact", REGION, change);
        let (code, message) = refusal(&headers, None, NOW);
        assert_eq!(code, "InvalidSignatureException");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn the_agents_name_need_not_be_signed() {
    let headers = signed_with("codeartifact", REGION, |headers| {
        headers.insert("x-amz-user-agent", HeaderValue::from_static("aws-sdk-php/3"));
    });
    let request = RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers };
    assert_eq!(check(&request, b"", at(NOW)), Ok(()));
}

#[test]
fn what_cannot_be_read_is_incomplete() {
    let set = |headers: &mut HeaderMap, name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    let signed = |change: &dyn Fn(&mut HeaderMap)| signed_with("codeartifact", REGION, change);
    let without_date = |headers: &mut HeaderMap| {
        headers.remove("x-amz-date");
    };
    let two_dates = |headers: &mut HeaderMap| {
        headers.append("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    };
    for (headers, query, words) in [
        (signed(&without_date), None, "either a 'X-Amz-Date' or a 'Date' header"),
        (signed(&two_dates), None, "more than once"),
        (signed(&|headers| set(headers, "x-amz-date", "2015-08-30")), None, "ISO-8601 'basic format'"),
        (signed(&|_| {}), Some("X-Amz-Signature=00"), "must include 'X-Amz-Algorithm'"),
        (signed(&|headers| replace(headers, "/us-east-1", "")), None, "exactly 5 slash-delimited elements"),
        (signed(&|headers| replace(headers, "host;x-amz-date", "x-amz-date;host")), None, "sorted"),
        (signed(&|headers| replace(headers, "host;", "Host;")), None, "lower case"),
        (signed(&|headers| replace(headers, "Signature=", "Signature=zz")), None, "64 lower-case hexadecimal digits"),
        (signed(&|headers| set(headers, "authorization", "Bearer abc")), None, "requires the algorithm"),
        (headers([HOST, DATE]), Some("X-Amz-Algorithm=AWS4-HMAC-SHA256"), "must include 'X-Amz-Credential'"),
        (headers([HOST]), Some("X-Amz-Algorithm=AWS4-X"), "X-Amz-Algorithm must be 'AWS4-HMAC-SHA256'"),
        (headers([HOST]), Some("X-Amz-Signature=0&X-Amz-Signature=1"), "once only"),
        (headers([HOST]), Some("X-Amz-Signature=%FF"), "is not text"),
    ] {
        let (code, message) = refusal(&headers, query, NOW);
        assert_eq!(code, "IncompleteSignature", "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_presigned_lifetime_is_a_number_up_to_a_week() {
    for (expires, fits) in
        [("0", true), ("604800", true), ("604801", false), ("-1", false), ("+1", false), ("", false), ("1.5", false)]
    {
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20150830/us-east-1/sts/aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires={}&X-Amz-SignedHeaders=host&X-Amz-Signature={}",
            expires.replace('+', "%2B"),
            "0".repeat(64)
        );
        let (code, message) = refusal(&headers([HOST]), Some(&query), NOW);
        assert_eq!(
            code,
            if fits { "InvalidSignatureException" } else { "IncompleteSignature" },
            "{expires}: {message}"
        );
    }
}

#[test]
fn a_request_is_not_signed_twice() {
    let headers = signed_with("codeartifact", REGION, |_| {});
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20150830/us-east-1/sts/aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={}",
        "0".repeat(64)
    );
    let (code, message) = refusal(&headers, Some(&query), NOW);
    assert_eq!(code, "IncompleteSignature");
    assert!(message.contains("not by both"), "{message}");
}

#[test]
fn a_declared_payload_hash_must_be_one_and_must_be_true() {
    let with = |value: &str| {
        let value = value.to_owned();
        let mut headers = headers([HOST, ("x-amz-content-sha256", value.as_str())]);
        let secret = secret();
        let signer = Signer { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret: &secret, region: REGION, service: "sts" };
        let request = RequestParts { method: "GET", path: "/v1/domains", query: None, headers: &headers };
        let added = signer.sign(&request, Payload::Body(b""), at(NOW)).unwrap();
        headers.extend(added);
        headers
    };
    let (code, message) = refusal(&with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), None, NOW);
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.starts_with("x-amz-content-sha256 must be"), "{message}");
    // The header promises another body than the one that was signed and sent.
    let (code, message) = refusal(&with(&"a".repeat(64)), None, NOW);
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.contains("does not match"), "{message}");
}

#[test]
fn query_services_have_their_own_names() {
    for (error, name) in [
        (SignatureError::Invalid(String::new()), "SignatureDoesNotMatch"),
        (SignatureError::UnrecognizedClient, "InvalidClientTokenId"),
        (SignatureError::ExpiredToken, "ExpiredToken"),
        (SignatureError::MissingAuthenticationToken, "MissingAuthenticationToken"),
        (SignatureError::Incomplete(String::new()), "IncompleteSignature"),
    ] {
        assert_eq!(error.query_code(), name);
    }
}
