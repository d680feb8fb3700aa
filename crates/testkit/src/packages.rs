//! Small packages made by the tests, byte for byte the same each time.

mod npm;
mod python;
mod swift;

pub use npm::{NpmPackage, tarball_of};
pub use python::{PythonFile, PythonPackage, multipart, zip_of};
pub use swift::SwiftPackage;

use sha1::Digest;

/// Lower-case hexadecimal SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(bytes))
}

/// Lower-case hexadecimal SHA-1.
#[must_use]
pub fn sha1(bytes: &[u8]) -> String {
    hex::encode(sha1::Sha1::digest(bytes))
}

/// Lower-case hexadecimal MD5.
#[must_use]
pub fn md5(bytes: &[u8]) -> String {
    hex::encode(md5::Md5::digest(bytes))
}

/// npm's subresource integrity: `sha512-` and base64.
#[must_use]
pub fn integrity(bytes: &[u8]) -> String {
    use base64::Engine;
    format!("sha512-{}", base64::engine::general_purpose::STANDARD.encode(sha2::Sha512::digest(bytes)))
}
