//! What a public registry promises of one file: the checksum that lies beside it (protocol reference 3.6). The registry's
//! metadata lists no files, so this is all there is to check a download against.
//!
//! The document that is kept is one line: algorithm, digest, path of the file.

use bytes::Bytes;
use larder_core::error::{Error, Invalid, Result};
use larder_core::model::{AssetName, ExpectedDigests};
use larder_core::ports::{IndexRequest, RegistryAnswer, RegistryDocuments, StoredIndex};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::{Digest as _, Sha1};

use crate::layout::METADATA;
use crate::names;

/// Digest and perhaps a file name.
const CHECKSUM_LIMIT_BYTES: usize = 4 << 10;
/// A signature; the largest are bundles with certificates and proofs.
const SIGNATURE_LIMIT_BYTES: usize = 1 << 20;
/// Files that registries keep without a checksum.
const SIGNATURES: [&str; 3] = [".asc", ".sigstore.json", ".sigstore"];
/// What is escaped in a path beside what has to be: nothing that a file of Maven's has.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+');

/// Algorithms that registries have, the one that all have first.
const ALGORITHMS: [&str; 2] = ["sha1", "md5"];

/// A path as it is asked for.
pub(crate) fn encode(path: &str) -> String {
    let segments: Vec<String> =
        path.split('/').map(|segment| utf8_percent_encode(segment, &ESCAPED).to_string()).collect();
    segments.join("/")
}

/// The relative address of a file beside the document that promises it.
pub(crate) fn address(name: &AssetName) -> String {
    encode(name.as_str())
}

/// Asks for the checksum of a file; for a signature without one, reads the signature.
///
/// # Errors
/// Those of asking, and [`Error::Upstream`] for an answer that is no checksum.
pub(crate) async fn fetch(
    registry: &dyn RegistryDocuments,
    path: &str,
    held: Option<&StoredIndex>,
) -> Result<RegistryAnswer> {
    let mut parts = path.rsplit('/');
    let (name, directory) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // Snapshots are never taken from public registries (reference 6.3).
    if names::is_snapshot(directory) || names::parse_build(directory).is_some() || name == METADATA {
        return Ok(RegistryAnswer::NotFound);
    }
    for algorithm in ALGORITHMS {
        let request = IndexRequest {
            path: format!("{}.{algorithm}", encode(path)),
            accept: "text/plain, */*",
            limit_bytes: CHECKSUM_LIMIT_BYTES,
        };
        let held = held.filter(|held| held.body.as_ref().is_some_and(|body| body.starts_with(algorithm.as_bytes())));
        match registry.get(&request.unless_held(held), CHECKSUM_LIMIT_BYTES).await? {
            RegistryAnswer::Found { body, etag, last_modified, .. } => {
                let digest = digest_in(&body, algorithm)
                    .ok_or_else(|| refused(format!("the file beside '{path}' is no {algorithm} checksum")))?;
                return Ok(found(algorithm, digest, path, etag, last_modified));
            }
            RegistryAnswer::NotModified => return Ok(RegistryAnswer::NotModified),
            RegistryAnswer::NotFound => {}
        }
    }
    if !SIGNATURES.iter().any(|suffix| name.ends_with(suffix)) {
        return Ok(RegistryAnswer::NotFound);
    }
    let request = IndexRequest { path: encode(path), accept: "*/*", limit_bytes: SIGNATURE_LIMIT_BYTES };
    match registry.get(&request.unless_held(None), SIGNATURE_LIMIT_BYTES).await? {
        RegistryAnswer::Found { body, last_modified, .. } => {
            let digest = hex::encode(Sha1::digest(&body));
            Ok(found("sha1", &digest, path, None, last_modified))
        }
        answer => Ok(answer),
    }
}

fn found(
    algorithm: &str,
    digest: &str,
    path: &str,
    etag: Option<String>,
    last_modified: Option<String>,
) -> RegistryAnswer {
    let body = format!("{algorithm} {} {path}", digest.to_ascii_lowercase());
    RegistryAnswer::Found { body: Bytes::from(body), content_type: "text/plain".to_owned(), etag, last_modified }
}

/// The digest in a checksum file: its first word that is one. Some have the file's name before or behind it.
pub(crate) fn digest_in<'a>(body: &'a [u8], algorithm: &str) -> Option<&'a str> {
    let length = match algorithm {
        "md5" => 32,
        "sha1" => 40,
        "sha256" => 64,
        "sha512" => 128,
        _ => return None,
    };
    let text = std::str::from_utf8(body).ok()?;
    text.split_whitespace().find(|word| word.len() == length && word.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A promise as it is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FilePromise {
    pub(crate) name: AssetName,
    /// The directory that it lies in.
    pub(crate) version: String,
    pub(crate) digests: ExpectedDigests,
}

/// Reads the kept line.
///
/// # Errors
/// [`Invalid`] if it is none.
pub(crate) fn parse(body: &[u8]) -> Result<FilePromise, Invalid> {
    let wrong = || Invalid::new("it is no checksum of a file");
    let text = std::str::from_utf8(body).map_err(|_| wrong())?;
    let mut words = text.splitn(3, ' ');
    let (Some(algorithm), Some(digest), Some(path)) = (words.next(), words.next(), words.next()) else {
        return Err(wrong());
    };
    let mut digests = ExpectedDigests::default();
    match algorithm {
        "sha1" => digests.sha1 = Some(bytes_of(digest).ok_or_else(wrong)?),
        "md5" => digests.md5 = Some(bytes_of(digest).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    }
    let mut parts = path.rsplit('/');
    let name = AssetName::new(parts.next().unwrap_or_default())?;
    Ok(FilePromise { name, version: parts.next().unwrap_or_default().to_owned(), digests })
}

fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn refused(message: String) -> Error {
    Error::Upstream { message, retry_after_seconds: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_found_beside_a_file_name() {
        let sha1 = "0123456789abcdef0123456789ABCDEF01234567";
        for body in [sha1.to_owned(), format!("{sha1}\n"), format!("{sha1}  a-1.jar\n"), format!("SHA1(a)= {sha1}")] {
            assert_eq!(digest_in(body.as_bytes(), "sha1"), Some(sha1));
        }
        for body in ["", "<html>", "abc", &sha1[1..]] {
            assert_eq!(digest_in(body.as_bytes(), "sha1"), None, "{body}");
        }
    }

    #[test]
    fn a_promise_is_read_as_it_was_kept() {
        let RegistryAnswer::Found { body, .. } = found("sha1", &"AB".repeat(20), "g/a/1/a-1.jar", None, None) else {
            panic!("found");
        };
        let promise = parse(&body).unwrap();
        assert_eq!((promise.name.as_str(), promise.digests.sha1), ("a-1.jar", Some([0xab; 20])));
        for bad in ["", "sha1", "sha1 00 x", "crc 00 x", "<metadata/>"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_escaped_segment_by_segment() {
        assert_eq!(encode("g/a/1.0+b/a-1.0+b~x:y.jar"), "g/a/1.0+b/a-1.0+b~x%3Ay.jar");
    }
}
