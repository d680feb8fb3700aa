//! AWS signatures, version 4: the header form and the presigned query form, for every service but S3 (whose paths are
//! not normalized and whose bodies may be signed in chunks).
//!
//! Verification has two phases, because the secret is found by what the request says of itself, and because a body is
//! only held in memory when its hash was not declared:
//!
//! 1. [`parse`] reads a [`SignedRequest`] out of method, path, query and headers. The caller looks up
//!    [`SignedRequest::access_key_id`] (an unknown or inactive key is [`SignatureError::UnrecognizedClient`]) and looks
//!    at [`SignedRequest::payload`] to learn whether it must hash the body first.
//! 2. [`Verifier::verify`] checks scope, time and signature.
//!
//! Canonicalization follows what SDKs send: the path as it stands on the wire loses dot segments and repeated slashes
//! and is encoded once more; query pairs are decoded (`+` is a space), encoded by RFC 3986 and sorted; header values
//! are trimmed and inner runs of white space become one space.

mod authorization;
mod canonical;
mod error;
mod instant;
mod key;
mod parse;
mod presigned;
mod scope;
mod sign;
mod verify;

pub use error::SignatureError;
pub use parse::{PayloadHash, RequestParts, SignedRequest, parse};
pub use sign::{Payload, Signer};
pub use verify::Verifier;

#[cfg(test)]
mod tests;

/// The only algorithm spoken here.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last element of a credential scope.
const TERMINATOR: &str = "aws4_request";
/// What stands for the body's hash when the body is not signed.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
