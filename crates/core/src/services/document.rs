//! A document ready to send.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::model::{Sha256, Timestamp};

/// What a format rendered.
#[derive(Debug)]
pub struct Rendered {
    pub content_type: &'static str,
    pub body: Bytes,
    pub last_modified: Option<Timestamp>,
    /// More headers of the document, lower-case names.
    pub headers: Vec<(&'static str, String)>,
}

/// A rendered document with both of its encodings and their validators.
#[derive(Debug)]
pub struct Document {
    pub content_type: &'static str,
    pub body: Bytes,
    /// Absent where compression would not pay.
    pub gzip: Option<Bytes>,
    /// Strong, quoted, from the content: equal on every node.
    pub etag: String,
    pub etag_gzip: String,
    pub last_modified: Option<Timestamp>,
    pub headers: Vec<(&'static str, String)>,
}

impl Document {
    /// Below this many bytes compression does not pay.
    const GZIP_FROM_BYTES: usize = 256;

    /// Compresses once and computes the validators.
    #[must_use]
    pub fn build(rendered: Rendered) -> Self {
        use sha2::Digest as _;
        let hash = Sha256(sha2::Sha256::digest(&rendered.body).into()).hex();
        let gzip = (rendered.body.len() >= Self::GZIP_FROM_BYTES).then(|| gzip(&rendered.body)).flatten();
        Self {
            content_type: rendered.content_type,
            etag: format!("\"{}\"", &hash[..40]),
            etag_gzip: format!("\"{}-gzip\"", &hash[..40]),
            body: rendered.body,
            gzip,
            last_modified: rendered.last_modified,
            headers: rendered.headers,
        }
    }

    /// What keeping it costs.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.body.len() + self.gzip.as_ref().map_or(0, Bytes::len) + 512
    }
}

/// Compresses; `None` if that makes it no smaller.
fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(6));
    encoder.write_all(body).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < body.len()).then(|| Bytes::from(compressed))
}
