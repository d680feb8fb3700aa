//! Tokens of identity providers: JSON Web Tokens (RFC 7519) in the compact form (RFC 7515), proven with the keys of a
//! JWK set (RFC 7517).
//!
//! What is accepted is a closed list (RFC 8725): signatures with RSA, ECDSA or Ed25519 under the algorithms of
//! [`algorithm::Algorithm`]. `none`, keyed hashes and encryption are not on it. Which kind of key may prove which
//! algorithm is fixed, so that a public key never serves as anything else. Keys come from the caller only: `jwk`, `jku`,
//! `x5c` and `x5u` in a header are not looked at.
//!
//! Time, issuer and audience are for the service to check: here it is only read what a token claims.

mod algorithm;
mod claims;
mod keys;
mod token;

#[cfg(test)]
mod tests;

use larder_core::error::Invalid;
use larder_core::ports::{Unproven, UnprovenToken, WebIdentityTokens};

/// The longest token, in bytes: the API's limit for `WebIdentityToken`.
const MAX_TOKEN_BYTES: usize = 20_000;
/// The most keys of an issuer. None comes near; it bounds the work of a proof.
const MAX_KEYS: usize = 100;

/// Reads and proves tokens.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonWebTokens;

impl WebIdentityTokens for JsonWebTokens {
    fn read(&self, token: &str) -> Result<UnprovenToken, Invalid> {
        token::read(token)
    }

    fn prove(&self, token: &UnprovenToken, keys: &[u8]) -> Result<(), Unproven> {
        keys::prove(token, keys)
    }
}
