//! JWK sets (RFC 7517, RFC 7518 6, RFC 8037 2) and proving a signature with one of their keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use larder_core::error::Invalid;
use larder_core::ports::{Unproven, UnprovenToken};
use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use super::MAX_KEYS;
use super::algorithm::{Algorithm, Proof};

/// Keys of kinds that are not known here are skipped (RFC 7517 5).
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// Proves that one of the keys signed the token.
///
/// # Errors
/// [`Unproven`].
pub(super) fn prove(token: &UnprovenToken, keys: &[u8]) -> Result<(), Unproven> {
    let refused = |why: &'static str| Unproven::Refused(Invalid::new(why));
    let algorithm = Algorithm::find(token.algorithm).ok_or_else(|| refused("the token's algorithm is not accepted"))?;
    let set: Set = serde_json::from_slice(keys).map_err(|_| refused("the issuer's keys are not a JWK set"))?;
    if set.keys.len() > MAX_KEYS {
        return Err(refused("the issuer has too many keys"));
    }
    let readable = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Key>(key).ok());
    let fitting: Vec<Key> = readable.filter(|key| key.fits(algorithm)).collect();
    let key = match &token.key_id {
        Some(id) => fitting.iter().find(|key| key.kid.as_ref() == Some(id)).ok_or(Unproven::UnknownKey)?,
        // Without a name there must be no choice.
        None => match fitting.as_slice() {
            [key] => key,
            _ => return Err(refused("the token's header names no key (kid)")),
        },
    };
    match key.verifies(algorithm, token.signed.as_bytes(), &token.signature) {
        Some(true) => Ok(()),
        Some(false) => Err(refused("the token's signature is wrong")),
        None => Err(refused("the issuer's key cannot be read")),
    }
}

impl Key {
    /// Whether it is of the kind that an algorithm needs, and for signatures with that one.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm.proof {
            Proof::Rsa(_) => self.kty == "RSA",
            Proof::Ec { curve, .. } => self.kty == "EC" && self.crv.as_deref() == Some(curve),
            Proof::Ed25519(_) => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
        };
        kind && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == algorithm.name)
    }

    /// Whether it made the signature; `None` if the key itself is broken.
    fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> Option<bool> {
        match algorithm.proof {
            Proof::Rsa(parameters) => {
                let (n, e) = (number(self.n.as_deref()?)?, number(self.e.as_deref()?)?);
                Some(RsaPublicKeyComponents { n: &n, e: &e }.verify(parameters, signed, signature).is_ok())
            }
            Proof::Ec { coordinate_bytes, algorithm, .. } => {
                let (x, y) = (bytes(self.x.as_deref()?)?, bytes(self.y.as_deref()?)?);
                if x.len() != coordinate_bytes || y.len() != coordinate_bytes {
                    return None;
                }
                // An uncompressed point (SEC 1, 2.3.3).
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                Some(UnparsedPublicKey::new(algorithm, point).verify(signed, signature).is_ok())
            }
            Proof::Ed25519(algorithm) => {
                let x = bytes(self.x.as_deref()?)?;
                Some(UnparsedPublicKey::new(algorithm, x).verify(signed, signature).is_ok())
            }
        }
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// A big-endian number without leading zeros, which some issuers send.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = bytes(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec())
}
