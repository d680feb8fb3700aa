//! The second phase: scope, time and signature.

use std::fmt::Write;
use std::time::Duration;

use larder_core::model::{SecretAccessKey, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::instant::Instant;
use super::key::SigningKeys;
use super::parse::{PayloadHash, SignedRequest};
use super::presigned::Lifetime;
use super::scope::Scope;
use super::{ALGORITHM, SignatureError, TERMINATOR};

/// How far a client's clock may be off, either way.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// Derived keys remembered: one for each access key, service and day in use.
const SIGNING_KEYS: u64 = 10_000;

/// Verifies signatures made for one region and some services.
pub struct Verifier {
    region: String,
    services: Vec<String>,
    keys: SigningKeys,
}

impl Verifier {
    /// Accepts credential scopes of this region and these services (`codeartifact`, `sts`, …).
    #[must_use]
    pub fn new(region: &str, services: &[&str]) -> Self {
        Self {
            region: region.to_owned(),
            services: services.iter().map(|service| (*service).to_owned()).collect(),
            keys: SigningKeys::new(SIGNING_KEYS),
        }
    }

    /// Checks a signature made with `secret`. `body_sha256` is needed for [`PayloadHash::OfBody`], where a missing one
    /// never verifies; for [`PayloadHash::Declared`] a given one is compared and a missing one is left to whoever reads
    /// the body.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`] saying whether scope, time or signature is wrong. Whether a session token came along
    /// that belongs to the key is for whoever finds the secret to check; the signature covers it.
    pub fn verify(
        &self,
        request: &SignedRequest,
        secret: &SecretAccessKey,
        body_sha256: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        self.check_scope(request)?;
        check_time(request.signed_at, request.lifetime, now)?;
        let declared_otherwise =
            matches!((&request.payload, body_sha256), (PayloadHash::Declared(said), Some(is)) if said != is);
        let payload = match (&request.payload_line, body_sha256) {
            (Some(line), _) if !declared_otherwise => line.clone(),
            (_, Some(actual)) => hex::encode(actual),
            (_, None) => return Err(SignatureError::Invalid("The body was not hashed.".to_owned())),
        };
        let canonical = [request.canonical_head.as_slice(), payload.as_bytes()].concat();
        let to_sign = string_to_sign(request.signed_at, &request.scope, &canonical);
        let expected = self.keys.get(secret, &request.scope).sign(to_sign.as_bytes());
        if !declared_otherwise && bool::from(expected.ct_eq(&request.signature)) {
            return Ok(());
        }
        Err(mismatch(&canonical, &to_sign))
    }

    fn check_scope(&self, request: &SignedRequest) -> Result<(), SignatureError> {
        let scope = &request.scope;
        let refuse = |message: String| Err(SignatureError::Invalid(message));
        if scope.terminator != TERMINATOR {
            let got = &scope.terminator;
            return refuse(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{got}'."
            ));
        }
        if !self.services.contains(&scope.service) {
            let services = self.services.join("' or '");
            return refuse(format!("Credential should be scoped to correct service: '{services}'."));
        }
        if scope.region != self.region {
            return refuse(format!(
                "Credential should be scoped to a valid region, not '{}'. This server's region is '{}'.",
                scope.region, self.region
            ));
        }
        let date = request.signed_at.date();
        if scope.date != date {
            return refuse(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{date}', from '{}'.",
                scope.date,
                request.signed_at.basic()
            ));
        }
        Ok(())
    }
}

/// What is signed: algorithm, time, scope and the hash of the canonical request.
pub(super) fn string_to_sign(at: Instant, scope: &Scope, canonical: &[u8]) -> String {
    format!("{ALGORITHM}\n{}\n{}\n{}", at.basic(), scope.without_key(), hex::encode(Sha256::digest(canonical)))
}

fn check_time(signed_at: Instant, lifetime: Lifetime, now: Timestamp) -> Result<(), SignatureError> {
    let lasts = match lifetime {
        Lifetime::Skew => SKEW,
        Lifetime::Expires(span) => span,
    };
    let (at, here) = (signed_at.basic(), Instant::new(now).basic());
    if now > signed_at.timestamp().plus(lasts) {
        let limit = Instant::new(minus(now, lasts)).basic();
        return Err(SignatureError::Invalid(format!(
            "Signature expired: {at} is now earlier than {limit} ({here} - {}.)",
            span_text(lasts)
        )));
    }
    if signed_at.timestamp() > now.plus(SKEW) {
        let limit = Instant::new(now.plus(SKEW)).basic();
        return Err(SignatureError::Invalid(format!(
            "Signature not yet current: {at} is still later than {limit} ({here} + {}.)",
            span_text(SKEW)
        )));
    }
    Ok(())
}

fn minus(instant: Timestamp, span: Duration) -> Timestamp {
    Timestamp(instant.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}

/// AWS counts in minutes; shorter presigned lifetimes would read as zero.
fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds.is_multiple_of(60) { format!("{} min", seconds / 60) } else { format!("{seconds} sec") }
}

fn mismatch(canonical: &[u8], to_sign: &str) -> SignatureError {
    let mut message = String::from(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    );
    // Writing to a String cannot fail.
    let _ = write!(
        message,
        "\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should have been\n'{to_sign}'\n",
        String::from_utf8_lossy(canonical)
    );
    SignatureError::Invalid(message)
}
