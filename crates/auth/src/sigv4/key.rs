//! Signing keys: derived from the secret for one day, region and service, and remembered.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use larder_core::model::SecretAccessKey;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::scope::Scope;

/// A derived key. As good as the secret within its scope, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key of a scope.
    pub(super) fn derive(secret: &SecretAccessKey, scope: &Scope) -> Self {
        let start = format!("AWS4{}", secret.expose());
        let date = hmac(start.as_bytes(), scope.date.as_bytes());
        let region = hmac(&date, scope.region.as_bytes());
        let service = hmac(&region, scope.service.as_bytes());
        Self(hmac(&service, scope.terminator.as_bytes()))
    }

    /// The signature of a string to sign.
    pub(super) fn sign(&self, string_to_sign: &[u8]) -> [u8; 32] {
        hmac(&self.0, string_to_sign)
    }
}

/// Derived keys by a hash of everything they depend on, the secret included: a changed secret never meets an old key.
pub(super) struct SigningKeys(Cache<[u8; 32], Arc<SigningKey>>);

impl SigningKeys {
    /// Remembers at most `capacity` keys.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Cache::new(capacity))
    }

    /// The key of a scope, derived at most once while it is remembered.
    pub(super) fn get(&self, secret: &SecretAccessKey, scope: &Scope) -> Arc<SigningKey> {
        let mut id = Sha256::new();
        for part in [secret.expose(), &scope.credential()] {
            id.update(part.as_bytes());
            // Neither a secret nor a credential holds a NUL, so parts cannot run into each other.
            id.update([0]);
        }
        self.0.get_with(id.finalize().into(), || Arc::new(SigningKey::derive(secret, scope)))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC pads or hashes a key of any length; only other MACs can refuse one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(date: &str) -> Scope {
        Scope::new("AKIDEXAMPLE", date.to_owned(), "us-east-1", "iam")
    }

    fn secret(text: &str) -> SecretAccessKey {
        SecretAccessKey::new(text).unwrap()
    }

    #[test]
    fn derivation_gives_the_key_of_the_aws_documentation() {
        let key = SigningKey::derive(&secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), &scope("20150830"));
        assert_eq!(hex::encode(key.0), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn a_remembered_key_is_never_used_for_another_secret_or_day() {
        let keys = SigningKeys::new(10);
        let first = keys.get(&secret("secret-number-one"), &scope("20150830"));
        assert!(Arc::ptr_eq(&first, &keys.get(&secret("secret-number-one"), &scope("20150830"))));
        assert_ne!(first.0, keys.get(&secret("secret-number-two"), &scope("20150830")).0);
        assert_ne!(first.0, keys.get(&secret("secret-number-one"), &scope("20150831")).0);
    }
}
