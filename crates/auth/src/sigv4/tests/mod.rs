//! Signatures made by others (the AWS test suite, botocore), by our signer, and wrong ones.

mod botocore;
mod refusals;
mod roundtrip;
mod suite;

use http::{HeaderMap, HeaderName, HeaderValue};
use larder_core::model::{SecretAccessKey, Timestamp};
use sha2::{Digest, Sha256};

use super::*;

const REGION: &str = "us-east-1";

fn secret() -> SecretAccessKey {
    SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::try_from(name).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// Both phases, hashing `body` for the second.
fn check(request: &RequestParts<'_>, body: &[u8], now: Timestamp) -> Result<(), SignatureError> {
    let verifier = Verifier::new(REGION, &["service", "codeartifact", "sts"]);
    let sha256 = Sha256::digest(body).into();
    verifier.verify(&parse(request)?, &secret(), Some(&sha256), now)
}
