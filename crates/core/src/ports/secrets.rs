//! Where new secrets and ids come from.

use crate::model::{AccessKeyId, SecretAccessKey};

/// Makes unguessable texts; tests make them predictable.
pub trait Secrets: Send + Sync + 'static {
    /// A new authorization token's text and its public id.
    fn token(&self) -> (String, String);
    /// The SHA-256 under which a token is stored.
    fn token_sha256(&self, token: &str) -> [u8; 32];
    /// A new access key: `AKIA…` and its secret.
    fn access_key(&self) -> (AccessKeyId, SecretAccessKey);
    /// A new user's id: `AIDA…`.
    fn user_id(&self) -> String;
}
