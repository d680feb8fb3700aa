//! Where new secrets and ids come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{AccessKeyId, SESSION_KEY_PREFIX, SecretAccessKey};

/// Bytes of a session's secret access key: 40 characters of base64, as AWS has them.
const SESSION_SECRET_BYTES: usize = 30;

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

    /// A new role's id: `AROA…`.
    fn role_id(&self) -> String {
        self.user_id().replacen("AIDA", "AROA", 1)
    }

    /// A new group's id: `AGPA…`.
    fn group_id(&self) -> String {
        self.user_id().replacen("AIDA", "AGPA", 1)
    }

    /// A new managed policy's id: `ANPA…`.
    fn policy_id(&self) -> String {
        self.user_id().replacen("AIDA", "ANPA", 1)
    }

    /// New temporary credentials: `ASIA…` and the session token.
    fn session(&self) -> (AccessKeyId, String) {
        let (key, _) = self.access_key();
        let random = key.as_str().get(SESSION_KEY_PREFIX.len()..).unwrap_or_default();
        let id = AccessKeyId::new(format!("{SESSION_KEY_PREFIX}{random}"));
        (id.unwrap_or(key), self.token().0)
    }

    /// The secret that belongs to a session token: made from it, so that it need not be stored. The prefix keeps it
    /// apart from the digest that is stored.
    fn session_secret(&self, session_token: &str) -> SecretAccessKey {
        let digest = self.token_sha256(&format!("session secret\n{session_token}"));
        let text = STANDARD.encode(&digest[..SESSION_SECRET_BYTES]);
        let Ok(secret) = SecretAccessKey::new(text) else { unreachable!("40 characters of base64 are a secret") };
        secret
    }
}
