//! The failures that only STS has.

use std::fmt;

use crate::error::Error;

/// Why there are no credentials.
#[derive(Debug)]
pub enum StsError {
    /// As everywhere.
    Other(Error),
    /// A session policy is not one.
    MalformedPolicyDocument(String),
    /// Session policies and tags are larger than allowed.
    PackedPolicyTooLarge(String),
    /// The web identity token cannot be read, is forged, or is not meant for this.
    InvalidIdentityToken(String),
    /// The web identity token's time is over.
    ExpiredToken(String),
    /// The identity provider did not give its keys.
    ProviderUnreachable(String),
}

impl From<Error> for StsError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl fmt::Display for StsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(error) => error.fmt(f),
            Self::MalformedPolicyDocument(message)
            | Self::PackedPolicyTooLarge(message)
            | Self::InvalidIdentityToken(message)
            | Self::ExpiredToken(message)
            | Self::ProviderUnreachable(message) => f.write_str(message),
        }
    }
}
