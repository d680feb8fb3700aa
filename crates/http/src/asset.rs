//! Serving assets: archives and the files beside them, always as the bytes they are.

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use larder_core::model::{Sha256, Timestamp};
use larder_core::ports::{Blob, ByteRange};

use crate::Body;
use crate::conditional::{Requested, Validators, not_modified, requested_range};
use crate::response::{Response, content_range, http_date, range_not_satisfiable};

/// A version's bytes never change under one URL.
const FOREVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");
/// What somebody uploaded must not run as a page of this host.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
/// Media types that a browser would run.
const ACTIVE_TYPES: [&str; 5] = ["text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"];

/// What is known of an asset.
#[derive(Debug, Clone)]
pub struct AssetHeaders<'a> {
    pub content_type: &'a str,
    /// Strong, with its quotes; `None` while the bytes are still coming in and their hash is not known.
    pub etag: Option<String>,
    /// `None` when a public registry did not say.
    pub size: Option<u64>,
    pub last_modified: Option<Timestamp>,
    /// The file name to store under, where a client or browser should not show the asset.
    pub disposition: Option<&'a str>,
}

/// An opened asset: its bytes, and the range they were opened for. Only a stream begins at the range; a file and bytes
/// in memory are whole and cut here.
pub struct Opened {
    pub content: Blob,
    pub range: Option<ByteRange>,
}

/// The tag of an asset: its SHA-256.
#[must_use]
pub fn sha256_etag(sha256: &Sha256) -> String {
    format!("\"{sha256}\"")
}

/// Answers GET and HEAD of an asset: 304 if the client has it, one range, or all.
#[must_use]
pub fn serve_asset(method: &Method, headers: &HeaderMap, asset: &AssetHeaders<'_>, opened: Opened) -> Response {
    let validators = Validators { etag: asset.etag.as_deref(), last_modified: asset.last_modified };
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    out.reserve(12);
    put_common(out, asset);
    if not_modified(headers, validators) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    put_type(out, asset);
    let Some(size) = asset.size.or_else(|| stored_size(&opened.content)) else {
        if let Blob::Stream(stream) = opened.content
            && method != Method::HEAD
        {
            *response.body_mut() = Body::stream(stream, None);
        }
        return response;
    };
    out.insert(ACCEPT_RANGES, BYTES);
    let part = match (requested_range(headers, validators, size), &opened) {
        // Whoever opened it has cut it already.
        (_, Opened { content: Blob::Stream(_), range }) => *range,
        (Requested::Whole, _) => None,
        (Requested::Part(part), _) => Some(part),
        (Requested::Unsatisfiable, _) => return range_not_satisfiable(size),
    };
    let mut status = StatusCode::OK;
    if let Some(part) = part {
        out.insert(CONTENT_RANGE, content_range(part, size));
        status = StatusCode::PARTIAL_CONTENT;
    }
    let part = part.unwrap_or(ByteRange { start: 0, length: size });
    if method == Method::HEAD {
        out.insert(CONTENT_LENGTH, HeaderValue::from(part.length));
    } else {
        *response.body_mut() = Body::blob(opened.content, part);
    }
    *response.status_mut() = status;
    response
}

fn stored_size(content: &Blob) -> Option<u64> {
    match content {
        Blob::Memory(bytes) => Some(bytes.len() as u64),
        Blob::File(file) => file.metadata().ok().map(|metadata| metadata.len()),
        Blob::Stream(_) => None,
    }
}

/// What 200, 206 and 304 carry alike.
fn put_common(out: &mut HeaderMap, asset: &AssetHeaders<'_>) {
    out.insert(CACHE_CONTROL, FOREVER);
    if let Some(etag) = asset.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()) {
        out.insert(ETAG, etag);
    }
    if let Some(modified) = asset.last_modified {
        out.insert(LAST_MODIFIED, http_date(modified));
    }
}

fn put_type(out: &mut HeaderMap, asset: &AssetHeaders<'_>) {
    let content_type = HeaderValue::from_str(asset.content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    out.insert(CONTENT_TYPE, content_type);
    out.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    let media_type = asset.content_type.split(';').next().unwrap_or_default().trim();
    let active = ACTIVE_TYPES.iter().any(|active| media_type.eq_ignore_ascii_case(active));
    if active {
        out.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    }
    if active || asset.disposition.is_some() {
        out.insert(CONTENT_DISPOSITION, attachment(asset.disposition));
    }
}

/// `attachment`, with the name in the plain and, where needed, the extended form (RFC 6266).
fn attachment(name: Option<&str>) -> HeaderValue {
    let Some(name) = name else { return HeaderValue::from_static("attachment") };
    let plain: String =
        name.chars().map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%') { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => value.push(char::from(byte)),
                _ => value.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests;
