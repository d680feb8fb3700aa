//! Digests that a client declares of what it uploads, and those that are told of what it downloads.
//!
//! `X-Checksum-*` as Artifactory and its clients have them (hexadecimal), `Content-Digest` and `Repr-Digest` (RFC 9530,
//! base64 between colons), `Digest` (RFC 3230, base64) and `Content-MD5` (RFC 1864, base64).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use larder_core::model::{ExpectedDigests, HashAlgorithm};

use crate::error::GenericError;

const SIMPLE: [(&str, HashAlgorithm); 4] = [
    ("x-checksum-md5", HashAlgorithm::Md5),
    ("x-checksum-sha1", HashAlgorithm::Sha1),
    ("x-checksum-sha256", HashAlgorithm::Sha256),
    ("x-checksum-sha512", HashAlgorithm::Sha512),
];

/// Everything that the headers say of the body. What is said twice must be the same both times.
pub(crate) fn declared(headers: &HeaderMap) -> Result<ExpectedDigests, GenericError> {
    let mut expected = ExpectedDigests::default();
    for (name, algorithm) in SIMPLE {
        for value in headers.get_all(name) {
            let bytes = hex::decode(value.as_bytes().trim_ascii()).map_err(|_| malformed(name))?;
            put(&mut expected, name, algorithm, &bytes)?;
        }
    }
    for value in headers.get_all("content-md5") {
        let bytes = STANDARD.decode(value.as_bytes().trim_ascii()).map_err(|_| malformed("content-md5"))?;
        put(&mut expected, "content-md5", HashAlgorithm::Md5, &bytes)?;
    }
    for name in ["digest", "content-digest", "repr-digest"] {
        for value in headers.get_all(name) {
            let list = value.to_str().map_err(|_| malformed(name))?;
            for member in list.split(',').map(str::trim).filter(|member| !member.is_empty()) {
                let (algorithm, value) = member.split_once('=').ok_or_else(|| malformed(name))?;
                // Other algorithms say nothing that could be checked here.
                let Some(algorithm) = named(algorithm.trim()) else { continue };
                let value = value.split(';').next().unwrap_or_default().trim();
                let value = if name == "digest" {
                    value
                } else {
                    let inner = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
                    inner.ok_or_else(|| malformed(name))?
                };
                let bytes = STANDARD.decode(value).map_err(|_| malformed(name))?;
                put(&mut expected, name, algorithm, &bytes)?;
            }
        }
    }
    Ok(expected)
}

/// Reads `sha256:…` of an upload in pieces, as container registries spell it.
pub(crate) fn of_parameter(text: &str) -> Result<ExpectedDigests, GenericError> {
    let wrong = || GenericError::bad_request("digest is 'sha256:' or 'sha512:' and hexadecimal digits");
    let (algorithm, digits) = text.split_once(':').ok_or_else(wrong)?;
    let algorithm = match algorithm {
        "sha256" => HashAlgorithm::Sha256,
        "sha512" => HashAlgorithm::Sha512,
        _ => return Err(wrong()),
    };
    let mut expected = ExpectedDigests::default();
    put(&mut expected, "digest", algorithm, &hex::decode(digits).map_err(|_| wrong())?)?;
    Ok(expected)
}

fn named(algorithm: &str) -> Option<HashAlgorithm> {
    match algorithm.to_ascii_lowercase().as_str() {
        "md5" => Some(HashAlgorithm::Md5),
        "sha" | "sha-1" => Some(HashAlgorithm::Sha1),
        "sha-256" => Some(HashAlgorithm::Sha256),
        "sha-512" => Some(HashAlgorithm::Sha512),
        _ => None,
    }
}

fn put(expected: &mut ExpectedDigests, name: &str, algorithm: HashAlgorithm, bytes: &[u8]) -> Result<(), GenericError> {
    fn set<const N: usize>(place: &mut Option<[u8; N]>, name: &str, bytes: &[u8]) -> Result<(), GenericError> {
        let value = bytes.try_into().map_err(|_| malformed(name))?;
        if place.replace(value).is_some_and(|other| other != value) {
            return Err(GenericError::bad_request("two headers declare different digests of the body"));
        }
        Ok(())
    }
    match algorithm {
        HashAlgorithm::Md5 => set(&mut expected.md5, name, bytes),
        HashAlgorithm::Sha1 => set(&mut expected.sha1, name, bytes),
        HashAlgorithm::Sha256 => set(&mut expected.sha256, name, bytes),
        HashAlgorithm::Sha512 => set(&mut expected.sha512, name, bytes),
    }
}

fn malformed(name: &str) -> GenericError {
    GenericError::bad_request(format!("{name} is not a digest of its kind"))
}

/// What downloads carry: every digest as `X-Checksum-*`, SHA-256 as `Repr-Digest` also where a part is sent.
pub(crate) fn told(digests: &ExpectedDigests) -> Vec<(HeaderName, HeaderValue)> {
    let simple = SIMPLE.into_iter().map(|(name, algorithm)| (name, digests.hex(algorithm)));
    let repr = digests.sha256.map(|sha256| format!("sha-256=:{}:", STANDARD.encode(sha256)));
    simple
        .chain([("repr-digest", repr)])
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::try_from(value?).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declares(headers: &[(&'static str, &str)]) -> Result<ExpectedDigests, u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        declared(&map).map_err(|error| error.status.as_u16())
    }

    #[test]
    fn every_spelling_of_a_digest_is_read() {
        let md5 = "1B2M2Y8AsgTpgAmY7PhCfg==";
        let sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let hex256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let both = ExpectedDigests {
            md5: Some(hex::decode("d41d8cd98f00b204e9800998ecf8427e").unwrap().try_into().unwrap()),
            sha256: Some(hex::decode(hex256).unwrap().try_into().unwrap()),
            ..ExpectedDigests::default()
        };
        let quoted = format!("crc32c=:AAAAAA==:, sha-256=:{sha256}:;q=1");
        let old = format!("SHA-256={sha256},md5={md5}");
        for headers in [
            &[("x-checksum-sha256", hex256), ("content-md5", md5)][..],
            &[("x-checksum-sha256", &*hex256.to_uppercase()), ("x-checksum-md5", "d41d8cd98f00b204e9800998ecf8427e")],
            &[("digest", &*old)],
            &[("content-digest", &*quoted), ("repr-digest", &*quoted), ("content-md5", md5)],
        ] {
            assert_eq!(declares(headers), Ok(both.clone()), "{headers:?}");
        }
        assert_eq!(declares(&[("digest", "unixsum=30637")]), Ok(ExpectedDigests::default()));
        for bad in [
            ("x-checksum-sha256", "abc"),
            ("x-checksum-sha1", hex256),
            ("content-md5", sha256),
            ("content-digest", "sha-256=abc"),
            ("repr-digest", "sha-256"),
            ("digest", "md5=!"),
        ] {
            assert_eq!(declares(&[bad]), Err(400), "{bad:?}");
        }
        assert_eq!(declares(&[("x-checksum-sha256", hex256), ("x-checksum-sha256", &"0".repeat(64))]), Err(400));
    }

    #[test]
    fn an_upload_in_pieces_ends_with_a_named_digest() {
        assert!(of_parameter(&format!("sha256:{}", "ab".repeat(32))).unwrap().sha256.is_some());
        assert!(of_parameter(&format!("sha512:{}", "ab".repeat(64))).unwrap().sha512.is_some());
        for bad in ["", "sha256", "sha256:ab", "md5:ab", "sha256:zz"] {
            assert!(of_parameter(bad).is_err(), "{bad}");
        }
    }
}
