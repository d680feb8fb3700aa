//! The key that signs the checkpoints of the journal: Ed25519 (RFC 8032).

use larder_core::ports::Signer;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// A key pair. It has no `Debug`: it is a secret.
pub struct CheckpointKey(Ed25519KeyPair);

/// Bytes that are no key, or no randomness to make one.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not an Ed25519 key in PKCS #8")]
pub struct BadKey;

impl CheckpointKey {
    /// A new key as PKCS #8 (RFC 8410), to be kept by the caller.
    ///
    /// # Errors
    /// [`BadKey`] when the operating system gives no randomness.
    pub fn generate() -> Result<Vec<u8>, BadKey> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| BadKey)?;
        Ok(document.as_ref().to_vec())
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`BadKey`] for anything else.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, BadKey> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map(Self).map_err(|_| BadKey)
    }
}

impl Signer for CheckpointKey {
    fn public_key(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public_key()).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_verifies_its_own_signatures_only() {
        let key = CheckpointKey::from_pkcs8(&CheckpointKey::generate().unwrap()).unwrap();
        let other = CheckpointKey::from_pkcs8(&CheckpointKey::generate().unwrap()).unwrap();
        let signature = key.sign(b"text");
        assert!(key.verify(b"text", &signature));
        assert!(!key.verify(b"other text", &signature));
        assert!(!other.verify(b"text", &signature));
        assert!(!key.verify(b"text", &signature[1..]));
        assert!(CheckpointKey::from_pkcs8(b"no key").is_err());
    }
}
