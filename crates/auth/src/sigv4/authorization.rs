//! The `Authorization` header: `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{ALGORITHM, SignatureError};

/// The three parts, as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) credential: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header's value.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`] naming every part that is missing.
    pub(super) fn parse(value: &'a str) -> Result<Self, SignatureError> {
        let (algorithm, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
        if algorithm != ALGORITHM {
            return Err(refused(value, "Authorization header requires the algorithm 'AWS4-HMAC-SHA256'."));
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, text)) = part.split_once('=') else {
                return Err(refused(value, "A part is not a valid key=value pair (missing equal-sign)."));
            };
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    let reason = "Authorization header takes 'Credential', 'SignedHeaders' and 'Signature' only.";
                    return Err(refused(value, reason));
                }
            };
            if slot.replace(text).is_some() {
                return Err(refused(value, &format!("Authorization header has '{name}' more than once.")));
            }
        }
        match (credential, signed_headers, signature) {
            (Some(credential), Some(signed_headers), Some(signature)) => {
                Ok(Self { credential, signed_headers, signature })
            }
            (credential, signed_headers, signature) => {
                let missing: Vec<String> =
                    [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
                        .into_iter()
                        .filter(|(_, found)| found.is_none())
                        .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
                        .collect();
                Err(refused(value, &missing.join(" ")))
            }
        }
    }
}

/// The header may hold another scheme's password, so it is named by its hash, as AWS does it.
fn refused(value: &str, reason: &str) -> SignatureError {
    let hash = STANDARD.encode(Sha256::digest(value.as_bytes()));
    SignatureError::Incomplete(format!("{reason} (Hashed with SHA-256 and encoded with Base64) Authorization={hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_may_stand_in_any_order_with_or_without_spaces() {
        let expected = Authorization { credential: "k/d/r/s/t", signed_headers: "host", signature: "00" };
        for value in [
            "AWS4-HMAC-SHA256 Credential=k/d/r/s/t, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=k/d/r/s/t,SignedHeaders=host,Signature=00",
            "AWS4-HMAC-SHA256  Signature=00 ,  Credential=k/d/r/s/t, SignedHeaders=host",
        ] {
            assert_eq!(Authorization::parse(value).as_ref(), Ok(&expected), "{value}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (value, word) in [
            ("AWS4-HMAC-SHA256", "requires 'Credential' parameter"),
            ("AWS4-HMAC-SHA256 Credential=x, Signature=00", "requires 'SignedHeaders' parameter"),
            ("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host", "requires 'Signature' parameter"),
            ("AWS4-HMAC-SHA256 Credential", "missing equal-sign"),
            ("AWS4-HMAC-SHA256 Credential=x, Credential=y", "more than once"),
            ("AWS4-HMAC-SHA256 Credential=x, Extra=y", "only"),
            ("AWS4-ECDSA-P256-SHA256 Credential=x", "requires the algorithm"),
            ("Basic dXNlcjpwYXNzd29yZA==", "requires the algorithm"),
            ("", "requires the algorithm"),
        ] {
            let error = Authorization::parse(value).unwrap_err();
            assert_eq!(error.code(), "IncompleteSignature");
            assert!(error.message().contains(word), "{value}: {}", error.message());
        }
    }

    #[test]
    fn a_foreign_credential_is_not_repeated() {
        let error = Authorization::parse("Basic dXNlcjpwYXNzd29yZA==").unwrap_err();
        assert!(!error.message().contains("dXNlcjpwYXNzd29yZA"));
    }
}
