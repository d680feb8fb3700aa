//! Serving assets: archives and the files beside them, always as the bytes they are.

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use larder_core::Error;
use larder_core::model::{Sha256, Timestamp};
use larder_core::ports::{Blob, ByteRange};
use larder_core::services::OpenedAsset;

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

/// What is known of an asset before it is read.
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
    /// Whether a part of it can be read.
    pub seekable: bool,
}

impl<'a> AssetHeaders<'a> {
    /// Those of an opened asset: its tag is its SHA-256.
    #[must_use]
    pub fn of(opened: &OpenedAsset, content_type: &'a str) -> Self {
        Self {
            content_type,
            etag: opened.sha256.as_ref().map(sha256_etag),
            size: opened.size_bytes,
            last_modified: opened.published_at,
            disposition: None,
            seekable: opened.is_seekable(),
        }
    }
}

/// The tag of an asset: its SHA-256.
#[must_use]
pub fn sha256_etag(sha256: &Sha256) -> String {
    format!("\"{sha256}\"")
}

/// Answers GET and HEAD of an asset: 304 if the client has it, one range, or all. `read` is called only when bytes are
/// sent, with the part that is wanted; a file or bytes in memory may be the whole asset all the same.
///
/// # Errors
/// Those of `read`.
pub async fn serve_asset<R, F>(
    method: &Method,
    headers: &HeaderMap,
    asset: &AssetHeaders<'_>,
    read: R,
) -> larder_core::Result<Response>
where
    R: FnOnce(Option<ByteRange>) -> F,
    F: Future<Output = larder_core::Result<Blob>>,
{
    serve_with_fields(method, headers, asset, &AssetFields::of(asset), read).await
}

/// An asset's headers as they are sent.
#[derive(Debug, Clone)]
pub(crate) struct AssetFields {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    content_type: HeaderValue,
    /// What somebody uploaded and a browser would run.
    active: bool,
    disposition: Option<HeaderValue>,
    /// The format's own.
    more: Vec<(HeaderName, HeaderValue)>,
}

impl AssetFields {
    pub(crate) fn of(asset: &AssetHeaders<'_>) -> Self {
        let media_type = asset.content_type.split(';').next().unwrap_or_default().trim();
        let active = ACTIVE_TYPES.iter().any(|active| media_type.eq_ignore_ascii_case(active));
        Self {
            etag: asset.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()),
            last_modified: asset.last_modified.map(http_date),
            content_type: HeaderValue::from_str(asset.content_type)
                .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
            active,
            disposition: (active || asset.disposition.is_some()).then(|| attachment(asset.disposition)),
            more: Vec::new(),
        }
    }

    /// Adds headers of the format, which every answer with this asset carries.
    pub(crate) fn with(self, more: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { more, ..self }
    }
}

/// As [`serve_asset`], with the headers made beforehand.
pub(crate) async fn serve_with_fields<R, F>(
    method: &Method,
    headers: &HeaderMap,
    asset: &AssetHeaders<'_>,
    fields: &AssetFields,
    read: R,
) -> larder_core::Result<Response>
where
    R: FnOnce(Option<ByteRange>) -> F,
    F: Future<Output = larder_core::Result<Blob>>,
{
    let validators = Validators { etag: asset.etag.as_deref(), last_modified: asset.last_modified };
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    // All there will be, with the date and id that the server adds.
    out.reserve(12 + fields.more.len());
    put_common(out, fields);
    if not_modified(headers, validators) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    put_type(out, fields);
    let part = match asset.size.filter(|_| asset.seekable) {
        None => None,
        Some(size) => {
            out.insert(ACCEPT_RANGES, BYTES);
            match requested_range(headers, validators, size) {
                Requested::Whole => None,
                Requested::Unsatisfiable => return Ok(range_not_satisfiable(size)),
                Requested::Part(part) => {
                    out.insert(CONTENT_RANGE, content_range(part, size));
                    Some(part)
                }
            }
        }
    };
    let status = if part.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let length = part.map(|part| part.length).or(asset.size);
    if method == Method::HEAD {
        if let Some(length) = length {
            out.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    } else {
        let content = read(part).await?;
        *response.body_mut() = match (content, length) {
            (Blob::Stream(stream), length) => Body::stream(stream, length),
            (Blob::Memory(bytes), None) => Body::full(bytes),
            (Blob::File(file), None) => {
                let length = file.metadata().map_err(Error::internal)?.len();
                Body::blob(Blob::File(file), ByteRange { start: 0, length })
            }
            (stored, Some(length)) => Body::blob(stored, part.unwrap_or(ByteRange { start: 0, length })),
        };
    }
    *response.status_mut() = status;
    Ok(response)
}

/// What 200, 206 and 304 carry alike.
fn put_common(out: &mut HeaderMap, fields: &AssetFields) {
    out.insert(CACHE_CONTROL, FOREVER);
    if let Some(etag) = &fields.etag {
        out.insert(ETAG, etag.clone());
    }
    if let Some(modified) = &fields.last_modified {
        out.insert(LAST_MODIFIED, modified.clone());
    }
    for (name, value) in &fields.more {
        out.insert(name, value.clone());
    }
}

fn put_type(out: &mut HeaderMap, fields: &AssetFields) {
    out.insert(CONTENT_TYPE, fields.content_type.clone());
    out.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if fields.active {
        out.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    }
    if let Some(disposition) = &fields.disposition {
        out.insert(CONTENT_DISPOSITION, disposition.clone());
    }
}

/// `attachment`, with the name in the plain and, where needed, the extended form (RFC 6266): the `Content-Disposition`
/// of what browsers store instead of showing it.
#[must_use]
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
