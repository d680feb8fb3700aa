//! Making signatures: what a client does. Larder's tests and command line use it.

use std::time::Duration;

use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use larder_core::model::{SecretAccessKey, Timestamp};
use sha2::{Digest, Sha256};

use super::instant::Instant;
use super::key::SigningKey;
use super::parse::RequestParts;
use super::scope::Scope;
use super::verify::string_to_sign;
use super::{ALGORITHM, UNSIGNED_PAYLOAD, canonical};

/// Headers that proxies and client libraries change; SDKs leave them out.
const UNSIGNABLE: &[&str] = &[
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// How the body takes part in a signature to be made.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// The body's hash is signed and not declared.
    Body(&'a [u8]),
    /// The body's hash is signed and declared in `x-amz-content-sha256`.
    Declared([u8; 32]),
    /// The body is not signed.
    Unsigned,
}

impl Payload<'_> {
    /// The last line of the canonical request.
    fn line(self) -> String {
        match self {
            Payload::Body(body) => hex::encode(Sha256::digest(body)),
            Payload::Declared(sha256) => hex::encode(sha256),
            Payload::Unsigned => UNSIGNED_PAYLOAD.to_owned(),
        }
    }
}

/// Signs with one access key for one region and service.
pub struct Signer<'a> {
    pub access_key_id: &'a str,
    pub secret: &'a SecretAccessKey,
    pub region: &'a str,
    pub service: &'a str,
}

impl Signer<'_> {
    /// The headers to add to the request: `x-amz-date`, `authorization` and, if something is declared about the body,
    /// `x-amz-content-sha256`. The request's headers must hold `host` already; all that can be signed are.
    ///
    /// # Errors
    /// When the access key id or the scope cannot stand in a header.
    pub fn sign(
        &self,
        request: &RequestParts<'_>,
        payload: Payload<'_>,
        at: Timestamp,
    ) -> Result<HeaderMap, InvalidHeaderValue> {
        let at = Instant::new(at);
        let mut added = HeaderMap::new();
        added.insert(HeaderName::from_static("x-amz-date"), HeaderValue::try_from(at.basic())?);
        let line = payload.line();
        if !matches!(payload, Payload::Body(_)) {
            added.insert(HeaderName::from_static("x-amz-content-sha256"), HeaderValue::from_str(&line)?);
        }
        let mut headers = request.headers.clone();
        for (name, value) in &added {
            headers.insert(name.clone(), value.clone());
        }
        let scope = Scope::new(self.access_key_id, at.date(), self.region, self.service);
        let names = signed_headers(&headers);
        let mut canonical = canonical::head(request.method, request.path, request.query, &headers, &names);
        canonical.extend_from_slice(line.as_bytes());
        let signature = self.signature(at, &scope, &canonical);
        let authorization =
            format!("{ALGORITHM} Credential={}, SignedHeaders={names}, Signature={signature}", scope.credential());
        added.insert(AUTHORIZATION, HeaderValue::try_from(authorization)?);
        Ok(added)
    }

    /// The query of a presigned request for an empty body, its own parameters included. The request's headers are
    /// what whoever uses it must send, `host` at least.
    #[must_use]
    pub fn presign(&self, request: &RequestParts<'_>, expires: Duration, at: Timestamp) -> String {
        let at = Instant::new(at);
        let scope = Scope::new(self.access_key_id, at.date(), self.region, self.service);
        let names = signed_headers(request.headers);
        let own = request.query.filter(|query| !query.is_empty()).map(|query| format!("{query}&"));
        let query = format!(
            "{}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders={}",
            own.unwrap_or_default(),
            canonical::encode_query_part(&scope.credential()),
            at.basic(),
            expires.as_secs(),
            canonical::encode_query_part(&names)
        );
        let mut canonical = canonical::head(request.method, request.path, Some(&query), request.headers, &names);
        canonical.extend_from_slice(Payload::Body(b"").line().as_bytes());
        let signature = self.signature(at, &scope, &canonical);
        format!("{query}&{}={signature}", canonical::SIGNATURE_PARAMETER)
    }

    fn signature(&self, at: Instant, scope: &Scope, canonical: &[u8]) -> String {
        hex::encode(SigningKey::derive(self.secret, scope).sign(string_to_sign(at, scope, canonical).as_bytes()))
    }
}

fn signed_headers(headers: &HeaderMap) -> String {
    let mut names: Vec<&str> =
        headers.keys().map(HeaderName::as_str).filter(|name| !UNSIGNABLE.contains(name)).collect();
    names.sort_unstable();
    names.join(";")
}
