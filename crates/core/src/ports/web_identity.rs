//! Web identities: what an OpenID Connect provider says of somebody. Reading tokens is `auth`'s work, fetching keys is
//! `external`'s.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Invalid, Result};
use crate::model::Timestamp;

/// Reads and proves tokens (RFC 7519). Pure.
pub trait WebIdentityTokens: Send + Sync + 'static {
    /// Reads a token without believing it.
    ///
    /// # Errors
    /// [`Invalid`] saying what is wrong with it: its form, an algorithm that is not accepted, a claim that is missing.
    fn read(&self, token: &str) -> Result<UnprovenToken, Invalid>;

    /// Proves that one of the keys signed the token. `keys` is a JWK set (RFC 7517).
    ///
    /// # Errors
    /// [`Unproven`].
    fn prove(&self, token: &UnprovenToken, keys: &[u8]) -> Result<(), Unproven>;
}

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproven {
    /// None of the keys has the id that the token names: they may have been rotated.
    UnknownKey,
    /// The keys make no sense, or the signature is wrong.
    Refused(Invalid),
}

/// A token as it was read.
#[derive(Debug, Clone)]
pub struct UnprovenToken {
    pub claims: Claims,
    /// The `alg` of its header, one of those that are accepted.
    pub algorithm: &'static str,
    /// The `kid` of its header.
    pub key_id: Option<String>,
    /// What is signed: header and claims as they came.
    pub signed: String,
    pub signature: Vec<u8>,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// Whom it is meant for: `azp` if that is there, else `aud`.
    pub audiences: Vec<String>,
    /// `exp`
    pub expires_at: Timestamp,
    /// `iat`
    pub issued_at: Timestamp,
    /// `nbf`
    pub not_before: Option<Timestamp>,
    /// `jti`
    pub id: Option<String>,
    /// Every claim that is a text, a number, a boolean or a list of them, for conditions; `aud` as `audiences` has it.
    pub values: Vec<(String, Vec<String>)>,
    /// `https://aws.amazon.com/tags`: session tags, with whether they are transitive.
    pub tags: Vec<(String, String, bool)>,
    /// `https://aws.amazon.com/source_identity`
    pub source_identity: Option<String>,
}

/// Fetches the keys of identity providers.
#[async_trait]
pub trait IssuerKeys: Send + Sync + 'static {
    /// The JWK set that the issuer's discovery document names (OpenID Connect Discovery 1.0). `issuer` is the URL that
    /// was registered, exactly.
    ///
    /// # Errors
    /// [`crate::Error::Upstream`] with a sentence when the issuer does not do its part, or may not be asked.
    async fn fetch_keys(&self, issuer: &str) -> Result<Bytes>;
}
