//! Why a signature was refused, in AWS's names and words.

use std::fmt;

/// A refused signature. Every one is answered with status 403 (reference 1.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureError {
    /// The request is not signed at all.
    MissingAuthenticationToken,
    /// The signature lacks a part or a part cannot be read.
    Incomplete(String),
    /// The access key or session token is unknown, deleted or inactive.
    UnrecognizedClient,
    /// The signature is readable and wrong: scope, time or the signature itself.
    Invalid(String),
    /// The session token's time is over.
    ExpiredToken,
}

impl SignatureError {
    /// The name REST-JSON services (CodeArtifact) use.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::Incomplete(_) => "IncompleteSignature",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::Invalid(_) => "InvalidSignatureException",
            Self::ExpiredToken => "ExpiredTokenException",
        }
    }

    /// The name query services (STS, IAM) use.
    #[must_use]
    pub fn query_code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::Incomplete(_) => "IncompleteSignature",
            Self::UnrecognizedClient => "InvalidClientTokenId",
            Self::Invalid(_) => "SignatureDoesNotMatch",
            Self::ExpiredToken => "ExpiredToken",
        }
    }

    /// The sentence clients print. It repeats parts of the request, never anything made from a secret key.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::MissingAuthenticationToken => "Missing Authentication Token",
            Self::Incomplete(message) | Self::Invalid(message) => message,
            Self::UnrecognizedClient => "The security token included in the request is invalid.",
            Self::ExpiredToken => "The security token included in the request is expired",
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl std::error::Error for SignatureError {}
