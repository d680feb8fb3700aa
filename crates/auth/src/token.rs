//! Making authorization tokens, access keys and user ids.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use larder_core::model::{AccessKeyId, SecretAccessKey};
use larder_core::ports::Secrets;
use sha2::{Digest, Sha256};

/// What every authorization token begins with, so that people and secret scanners recognize one.
pub const TOKEN_PREFIX: &str = "larder_";
/// Random bytes in a token: 192 characters of base64 after the prefix.
const TOKEN_BYTES: usize = 144;
/// Random bytes in a token's public id: 32 hexadecimal digits.
const TOKEN_ID_BYTES: usize = 16;
/// Random bytes in a secret access key: 40 characters of base64, as AWS has them.
const SECRET_BYTES: usize = 30;
/// What follows `AKIA` and `AIDA` is made of these.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Secrets from the operating system's generator.
///
/// Its methods panic when the operating system gives no randomness: there is nothing safe to hand out then.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomSecrets;

impl Secrets for RandomSecrets {
    /// Opaque, of characters that need no escape in a URL, a header, an INI file or a shell.
    fn token(&self) -> (String, String) {
        let text = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<TOKEN_BYTES>()));
        (text, hex::encode(random::<TOKEN_ID_BYTES>()))
    }

    fn token_sha256(&self, token: &str) -> [u8; 32] {
        Sha256::digest(token.as_bytes()).into()
    }

    /// An id of 20 characters and a secret of 40.
    fn access_key(&self) -> (AccessKeyId, SecretAccessKey) {
        let id = AccessKeyId::new(format!("AKIA{}", base32::<16>()));
        let secret = SecretAccessKey::new(STANDARD.encode(random::<SECRET_BYTES>()));
        match (id, secret) {
            (Ok(id), Ok(secret)) => (id, secret),
            _ => unreachable!("base32 and base64 are what ids and secrets are made of"),
        }
    }

    /// 21 characters.
    fn user_id(&self) -> String {
        format!("AIDA{}", base32::<17>())
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no randomness: {error}");
    }
    bytes
}

/// `N` characters of base32, each from five random bits.
fn base32<const N: usize>() -> String {
    random::<N>().iter().map(|byte| char::from(BASE32[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tokens_are_recognizable_long_and_need_no_escaping() {
        let (text, id) = RandomSecrets.token();
        assert!(text.starts_with(TOKEN_PREFIX));
        assert_eq!(text.len(), 199);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
        assert_eq!(id.len(), 32);
        assert!(!text.contains(&id));
    }

    #[test]
    fn a_token_is_stored_by_its_sha256() {
        let sha256 = hex::encode(RandomSecrets.token_sha256("abc"));
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn access_keys_look_like_those_of_aws() {
        let (id, secret) = RandomSecrets.access_key();
        let (prefix, rest) = id.as_str().split_at(4);
        assert_eq!((prefix, rest.len()), ("AKIA", 16));
        assert!(rest.bytes().all(|byte| BASE32.contains(&byte)), "{id}");
        let secret = secret.expose();
        assert_eq!(secret.len(), 40);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)));
    }

    #[test]
    fn user_ids_look_like_those_of_aws() {
        let id = RandomSecrets.user_id();
        assert!(id.starts_with("AIDA"));
        assert_eq!(id.len(), 21);
    }

    #[test]
    fn nothing_comes_twice_and_every_character_of_the_alphabet_comes() {
        let mut seen = HashSet::new();
        let mut characters = HashSet::new();
        for _ in 0..1000 {
            let (token, token_id) = RandomSecrets.token();
            let (key, secret) = RandomSecrets.access_key();
            characters.extend(key.as_str()[4..].bytes());
            for text in [token, token_id, key.to_string(), secret.expose().to_owned(), RandomSecrets.user_id()] {
                assert!(seen.insert(text));
            }
        }
        assert_eq!(characters.len(), 32);
    }
}
