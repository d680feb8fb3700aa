//! The algorithms that are accepted (RFC 7518 3.1, RFC 8037).

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, VerificationAlgorithm,
};

/// How a token is signed.
#[derive(Clone, Copy)]
pub(super) struct Algorithm {
    /// Its `alg`.
    pub(super) name: &'static str,
    pub(super) proof: Proof,
}

/// The kind of key that an algorithm needs and how the key is used.
#[derive(Clone, Copy)]
pub(super) enum Proof {
    /// `kty` `RSA`, of 2048 to 8192 bits.
    Rsa(&'static RsaParameters),
    /// `kty` `EC` with this `crv` and coordinates of this many bytes.
    Ec { curve: &'static str, coordinate_bytes: usize, algorithm: &'static dyn VerificationAlgorithm },
    /// `kty` `OKP` with `crv` `Ed25519`.
    Ed25519(&'static dyn VerificationAlgorithm),
}

const P256: Proof = Proof::Ec { curve: "P-256", coordinate_bytes: 32, algorithm: &ECDSA_P256_SHA256_FIXED };
const P384: Proof = Proof::Ec { curve: "P-384", coordinate_bytes: 48, algorithm: &ECDSA_P384_SHA384_FIXED };

const ACCEPTED: [Algorithm; 9] = [
    Algorithm { name: "RS256", proof: Proof::Rsa(&RSA_PKCS1_2048_8192_SHA256) },
    Algorithm { name: "RS384", proof: Proof::Rsa(&RSA_PKCS1_2048_8192_SHA384) },
    Algorithm { name: "RS512", proof: Proof::Rsa(&RSA_PKCS1_2048_8192_SHA512) },
    Algorithm { name: "PS256", proof: Proof::Rsa(&RSA_PSS_2048_8192_SHA256) },
    Algorithm { name: "PS384", proof: Proof::Rsa(&RSA_PSS_2048_8192_SHA384) },
    Algorithm { name: "PS512", proof: Proof::Rsa(&RSA_PSS_2048_8192_SHA512) },
    Algorithm { name: "ES256", proof: P256 },
    Algorithm { name: "ES384", proof: P384 },
    Algorithm { name: "EdDSA", proof: Proof::Ed25519(&ED25519) },
];

impl Algorithm {
    /// The accepted algorithm of that name.
    pub(super) fn find(name: &str) -> Option<Self> {
        ACCEPTED.into_iter().find(|algorithm| algorithm.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_and_keyed_hash_tokens_are_not_accepted_however_they_are_spelled() {
        for name in ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "hs256", "rs256", "RS1", "RSA-OAEP"]
        {
            assert!(Algorithm::find(name).is_none(), "{name}");
        }
        for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
            assert_eq!(Algorithm::find(name).map(|found| found.name), Some(name));
        }
    }
}
