//! Access keys, which sign API requests, and authorization tokens, which package managers present.

use std::fmt;

use super::names::text_type;
use super::{AccountId, Credential, DomainId, Principal, Timestamp, User};
use crate::error::Invalid;

text_type!(
    /// The public half of an access key: 16 to 128 letters and digits.
    AccessKeyId,
    check_access_key_id
);

fn check_access_key_id(text: &str) -> Result<(), Invalid> {
    if (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(Invalid::new("an access key id has 16 to 128 letters and digits"))
}

/// The secret half of an access key. Has no `Debug` of its content.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretAccessKey(String);

impl SecretAccessKey {
    /// Takes a secret of at least 16 printable characters.
    ///
    /// # Errors
    /// [`Invalid`] when it is shorter or holds other characters.
    pub fn new(secret: impl Into<String>) -> Result<Self, Invalid> {
        let secret = secret.into();
        if (16..=256).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self(secret));
        }
        Err(Invalid::new("a secret access key has 16 to 256 printable characters"))
    }

    /// The secret, for signing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretAccessKey(..)")
    }
}

/// Whether an access key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKeyStatus {
    Active,
    Inactive,
}

/// An access key and whose it is.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub id: AccessKeyId,
    pub secret: SecretAccessKey,
    pub status: AccessKeyStatus,
    pub user: User,
    pub created_at: Timestamp,
}

/// A use of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    pub at: Timestamp,
    /// As signatures name it: `codeartifact`, `sts` or `iam`.
    pub service: String,
    /// The region that the signature was made for.
    pub region: String,
}

/// The public name of a token in lists: not the secret, not derived from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenId(pub String);

/// An authorization token as stored: by the SHA-256 of its text, so that a stolen database opens nothing.
#[derive(Debug, Clone)]
pub struct AuthorizationToken {
    pub id: TokenId,
    /// SHA-256 of the token's text.
    pub sha256: [u8; 32],
    /// Whom it speaks for: a user or a session of a role.
    pub principal: Principal,
    /// What obtained it.
    pub credential: Credential,
    /// Which domain it opens.
    pub domain: DomainId,
    pub domain_owner: AccountId,
    /// May it write?
    pub read_only: bool,
    /// The label its user gave it (`npm token create --name`); may be empty.
    pub label: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}
