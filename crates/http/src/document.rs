//! Serving rendered documents: packuments, simple indexes, service indexes.

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use larder_core::services::Document;

use crate::Body;
use crate::conditional::{Requested, Validators, not_modified, requested_range};
use crate::response::{Response, content_range, http_date, range_not_satisfiable};

/// Clients keep a document and ask each time whether it changed: after a publish every later read sees it.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const VARY_BY: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// Answers GET and HEAD of a document: 304 if the client has it, else gzip or plain as it accepts, or one range of the
/// plain form. A header of the document itself replaces the one given here.
#[must_use]
pub fn serve_document(method: &Method, headers: &HeaderMap, document: &Document) -> Response {
    serve_with_fields(method, headers, document, &DocumentFields::of(document))
}

/// A document's headers as they are sent.
#[derive(Debug, Clone)]
pub(crate) struct DocumentFields {
    /// What 200, 206 and 304 carry alike, but for the tag.
    common: Vec<(HeaderName, HeaderValue)>,
    etag: HeaderValue,
    etag_gzip: HeaderValue,
}

impl DocumentFields {
    pub(crate) fn of(document: &Document) -> Self {
        let mut common = vec![(CACHE_CONTROL, REVALIDATE), (VARY, VARY_BY)];
        common.extend(document.last_modified.map(|modified| (LAST_MODIFIED, http_date(modified))));
        for (name, value) in &document.headers {
            match HeaderValue::from_str(value) {
                Ok(value) => common.push((HeaderName::from_static(name), value)),
                Err(error) => tracing::error!(%error, header = name, "a document's header cannot be sent"),
            }
        }
        // Tags are quotes and hexadecimal digits.
        let tag = |tag: &str| HeaderValue::from_str(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
        Self { common, etag: tag(&document.etag), etag_gzip: tag(&document.etag_gzip) }
    }
}

/// As [`serve_document`], with the headers made beforehand.
pub(crate) fn serve_with_fields(
    method: &Method,
    headers: &HeaderMap,
    document: &Document,
    fields: &DocumentFields,
) -> Response {
    // Ranges are of the plain form, so asking for one asks for that form.
    let (body, etag, field, gzipped) = match &document.gzip {
        Some(gzip) if !headers.contains_key(RANGE) && accepts_gzip(headers) => {
            (gzip, &document.etag_gzip, &fields.etag_gzip, true)
        }
        _ => (&document.body, &document.etag, &fields.etag, false),
    };
    let validators = Validators { etag: Some(etag), last_modified: document.last_modified };
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    // All there will be, with the date and id that the server adds.
    out.reserve(12);
    out.insert(ETAG, field.clone());
    for (name, value) in &fields.common {
        out.insert(name, value.clone());
    }
    if not_modified(headers, validators) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let size = body.len() as u64;
    let (status, body) = match requested_range(headers, validators, size) {
        Requested::Whole => (StatusCode::OK, body.clone()),
        Requested::Unsatisfiable => return range_not_satisfiable(size),
        Requested::Part(part) => {
            out.insert(CONTENT_RANGE, content_range(part, size));
            let at = |offset: u64| usize::try_from(offset).unwrap_or(body.len());
            (StatusCode::PARTIAL_CONTENT, body.slice(at(part.start)..at(part.start + part.length)))
        }
    };
    if gzipped {
        out.insert(CONTENT_ENCODING, GZIP);
    } else {
        out.insert(ACCEPT_RANGES, BYTES);
    }
    out.insert(CONTENT_TYPE, HeaderValue::from_static(document.content_type));
    out.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if method == Method::HEAD {
        out.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    } else {
        *response.body_mut() = Body::full(body);
    }
    *response.status_mut() = status;
    response
}

/// Whether gzip is at least as welcome as the plain form (RFC 9110 section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    for value in headers.get_all(ACCEPT_ENCODING) {
        let Ok(value) = value.to_str() else { continue };
        for coding in value.split(',') {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let slot = match name.trim() {
                name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => &mut gzip,
                name if name.eq_ignore_ascii_case("identity") => &mut identity,
                "*" => &mut any,
                _ => continue,
            };
            *slot = Some(thousandths(parameters));
        }
    }
    // Plain that was not named is allowed, but never preferred to a coding that was.
    match gzip.or(any) {
        None | Some(0) => false,
        Some(gzip) => identity.is_none_or(|identity| gzip >= identity),
    }
}

/// The weight in `;q=0.5`, times a thousand; one without a weight or with an unreadable one weighs 1.
fn thousandths(parameters: &str) -> u32 {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("q") {
            return None;
        }
        let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
        if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match whole {
            "0" => format!("{decimals:0<3}").parse().ok(),
            "1" => Some(1000),
            _ => None,
        }
    });
    weight.unwrap_or(1000)
}

#[cfg(test)]
mod tests;
