//! Documents as they are served: bytes in both encodings and what identifies them.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::model::Timestamp;

/// Below this many bytes compression gains nothing.
const SMALLEST_GZIP_BYTES: usize = 256;

/// What a format renders.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub content_type: &'static str,
    pub body: Bytes,
    pub last_modified: Option<Timestamp>,
    /// Further headers, names in lower case. An `etag`, strong and with its quotes, is the document's tag in place of one
    /// of ours, for clients that know what it is the hash of; the gzip form then has it as a weak one.
    pub headers: Vec<(&'static str, String)>,
}

/// A rendered document, ready to be sent many times.
#[derive(Debug, Clone)]
pub struct Document {
    pub content_type: &'static str,
    pub body: Bytes,
    /// The same bytes in gzip, where that is smaller.
    pub gzip: Option<Bytes>,
    /// Strong, with its quotes, and derived from the bytes, so that nodes agree and a restart changes nothing.
    pub etag: String,
    /// The tag of the gzip form.
    pub etag_gzip: String,
    pub last_modified: Option<Timestamp>,
    pub headers: Vec<(&'static str, String)>,
    /// A public registry had a say: it is asked again then.
    pub fresh_until: Option<Timestamp>,
}

impl Document {
    /// Compresses and tags. Takes milliseconds per megabyte: call it on a blocking thread for large documents.
    #[must_use]
    pub fn build(rendered: Rendered) -> Self {
        let Rendered { content_type, body, last_modified, headers } = rendered;
        let digest = Sha256::digest(&body);
        // 128 bits of it: no two documents of one URL will ever share them, and every answer carries them.
        let tag = hex::encode(&digest[..16]);
        // A document that is encoded already is not encoded twice.
        let is_encoded = headers.iter().any(|(name, _)| *name == "content-encoding");
        let own = headers.iter().find(|(name, _)| *name == "etag").map(|(_, value)| value.clone());
        let (etag, etag_gzip) = match own {
            Some(own) => (own.clone(), format!("W/{own}")),
            None => (format!("\"{tag}\""), format!("\"{tag}-gz\"")),
        };
        let headers = headers.into_iter().filter(|(name, _)| *name != "etag").collect();
        let gzip = if is_encoded { None } else { gzip(&body) };
        Self { content_type, gzip, body, etag, etag_gzip, last_modified, headers, fresh_until: None }
    }

    /// What keeping it costs.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(_, value)| value.len()).sum();
        self.body.len() + self.gzip.as_ref().map_or(0, Bytes::len) + headers + 256
    }
}

fn gzip(body: &Bytes) -> Option<Bytes> {
    if body.len() < SMALLEST_GZIP_BYTES {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(6));
    // Writing to memory does not fail; if it did, the identity form would still be right.
    encoder.write_all(body).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < body.len()).then(|| compressed.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn build(body: impl Into<Bytes>) -> Document {
        Document::build(Rendered {
            content_type: "text/plain",
            body: body.into(),
            last_modified: None,
            headers: Vec::new(),
        })
    }

    #[test]
    fn both_encodings_hold_the_same_bytes_and_nothing_after_the_trailer() {
        let document = build("larder ".repeat(500));
        let gzip = document.gzip.unwrap();
        assert!(gzip.len() < document.body.len());
        let mut decoder = flate2::bufread::GzDecoder::new(&gzip[..]);
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).unwrap();
        assert_eq!(text, document.body);
        assert!(decoder.into_inner().is_empty(), "clients refuse trailing bytes");
    }

    #[test]
    fn a_document_that_is_encoded_already_has_no_second_coding() {
        let rendered = Rendered {
            content_type: "text/plain",
            body: "larder ".repeat(500).into(),
            last_modified: None,
            headers: vec![("content-encoding", "gzip".to_owned())],
        };
        assert!(Document::build(rendered).gzip.is_none());
    }

    #[test]
    fn tags_depend_on_the_bytes_and_differ_by_encoding() {
        let (one, same, other) = (build("a".repeat(300)), build("a".repeat(300)), build("b".repeat(300)));
        assert_eq!((&one.etag, &one.etag_gzip), (&same.etag, &same.etag_gzip));
        assert_ne!(one.etag, other.etag);
        assert_ne!(one.etag, one.etag_gzip);
        assert!(one.etag.starts_with('"') && one.etag.ends_with('"'));
    }

    #[test]
    fn small_and_incompressible_documents_have_no_gzip_form() {
        assert!(build("a".repeat(SMALLEST_GZIP_BYTES - 1)).gzip.is_none());
        let noise: Vec<u8> = (0_u32..40).flat_map(|i| Sha256::digest(i.to_be_bytes()).to_vec()).collect();
        assert!(build(noise).gzip.is_none());
    }
}
