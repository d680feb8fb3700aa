//! The first phase: what a request says of its own signature.

use std::fmt;

use http::header::{AUTHORIZATION, DATE};
use http::{HeaderMap, HeaderName};

use super::authorization::Authorization;
use super::instant::Instant;
use super::presigned::{Lifetime, Presigned};
use super::scope::Scope;
use super::{SignatureError, UNSIGNED_PAYLOAD, canonical};

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// The one `x-amz-*` header that need not be signed: the PHP SDK sends it and leaves it out.
const X_AMZ_USER_AGENT: HeaderName = HeaderName::from_static("x-amz-user-agent");

/// The parts of a request that a signature covers, as they arrived.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    pub method: &'a str,
    /// Before any decoding.
    pub path: &'a str,
    /// Before any decoding, without `?`.
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
}

impl<'a> From<&'a http::request::Parts> for RequestParts<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query(),
            headers: &parts.headers,
        }
    }
}

/// How the body takes part in the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadHash {
    /// `x-amz-content-sha256` promises this SHA-256. The signature can be verified before the body is read; whoever
    /// reads the body must compare.
    Declared([u8; 32]),
    /// Nothing is declared: the body must be hashed before the signature can be verified.
    OfBody,
    /// `UNSIGNED-PAYLOAD`: the body is not covered.
    Unsigned,
}

/// A signed request, read but not verified. It owns what verification needs; the request may go on its way.
pub struct SignedRequest {
    /// The key that is said to have signed.
    pub access_key_id: String,
    /// The service it is meant for, by which one listener tells its services apart.
    pub service: String,
    /// The region it is meant for.
    pub region: String,
    pub payload: PayloadHash,
    /// Present when a temporary key is said to have signed.
    pub session_token: Option<String>,
    pub(super) scope: Scope,
    pub(super) signed_at: Instant,
    pub(super) lifetime: Lifetime,
    pub(super) signature: [u8; 32],
    /// The canonical request but for its last line.
    pub(super) canonical_head: Vec<u8>,
    /// Its last line, unless that is the hash of the body.
    pub(super) payload_line: Option<String>,
}

impl fmt::Debug for SignedRequest {
    /// Leaves out headers, token and signature, which do not belong into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("credential", &self.scope.credential())
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

/// Reads the signature of a request in either form.
///
/// # Errors
/// [`SignatureError::MissingAuthenticationToken`] when there is none, [`SignatureError::Incomplete`] when a part is
/// missing or unreadable, [`SignatureError::Invalid`] when a header that must be signed is not.
pub fn parse(request: &RequestParts<'_>) -> Result<SignedRequest, SignatureError> {
    let presigned = Presigned::find(request.query.unwrap_or(""))?;
    let header = single_header(request.headers, &AUTHORIZATION)?;
    match (header, presigned) {
        (None, None) => Err(SignatureError::MissingAuthenticationToken),
        (Some(_), Some(_)) => Err(SignatureError::Incomplete(
            "A request is signed either by its Authorization header or by its query, not by both.".to_owned(),
        )),
        (Some(header), None) => parse_header_form(request, header),
        (None, Some(presigned)) => parse_presigned_form(request, &presigned),
    }
}

fn parse_header_form(request: &RequestParts<'_>, header: &str) -> Result<SignedRequest, SignatureError> {
    let authorization = Authorization::parse(header)?;
    let signed_at = match single_header(request.headers, &X_AMZ_DATE)? {
        Some(text) => Instant::parse_basic(text)?,
        None => match single_header(request.headers, &DATE)? {
            Some(text) => Instant::parse_date_header(text)?,
            None => {
                return Err(SignatureError::Incomplete(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
                ));
            }
        },
    };
    let session_token = single_header(request.headers, &X_AMZ_SECURITY_TOKEN)?.map(str::to_owned);
    let payload = single_header(request.headers, &X_AMZ_CONTENT_SHA256)?;
    assemble(
        request,
        Claims {
            credential: authorization.credential,
            signed_headers: authorization.signed_headers,
            signature: authorization.signature,
            signed_at,
            lifetime: Lifetime::Skew,
            session_token,
            payload,
        },
    )
}

fn parse_presigned_form(request: &RequestParts<'_>, presigned: &Presigned) -> Result<SignedRequest, SignatureError> {
    let declared = single_header(request.headers, &X_AMZ_CONTENT_SHA256)?;
    assemble(
        request,
        Claims {
            credential: &presigned.credential,
            signed_headers: &presigned.signed_headers,
            signature: &presigned.signature,
            signed_at: presigned.signed_at,
            lifetime: presigned.lifetime,
            session_token: presigned.session_token.clone(),
            payload: declared.or(presigned.payload.as_deref()),
        },
    )
}

/// What both forms say, each in its own place.
struct Claims<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    signed_at: Instant,
    lifetime: Lifetime,
    session_token: Option<String>,
    payload: Option<&'a str>,
}

fn assemble(request: &RequestParts<'_>, claims: Claims<'_>) -> Result<SignedRequest, SignatureError> {
    let scope = Scope::parse(claims.credential)?;
    check_signed_headers(claims.signed_headers, request.headers)?;
    Ok(SignedRequest {
        access_key_id: scope.access_key_id.clone(),
        service: scope.service.clone(),
        region: scope.region.clone(),
        payload: payload_hash(claims.payload)?,
        session_token: claims.session_token,
        signed_at: claims.signed_at,
        lifetime: claims.lifetime,
        signature: signature(claims.signature)?,
        canonical_head: canonical::head(
            request.method,
            request.path,
            request.query,
            request.headers,
            claims.signed_headers,
        ),
        payload_line: claims.payload.map(str::to_owned),
        scope,
    })
}

/// `host` and every `x-amz-*` header that was sent must be signed (but for the agent's name), and what is signed must have been sent.
fn check_signed_headers(signed: &str, headers: &HeaderMap) -> Result<(), SignatureError> {
    let names: Vec<&str> = signed.split(';').collect();
    let lower_case = |name: &&str| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if !names.iter().all(lower_case) || !names.is_sorted_by(|a, b| a < b) {
        return Err(SignatureError::Incomplete(format!(
            "SignedHeaders must name headers in lower case, each once, sorted and separated by ';', got '{signed}'"
        )));
    }
    if !names.contains(&"host") {
        return Err(SignatureError::Invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
        ));
    }
    if let Some(absent) = names.iter().find(|name| !headers.contains_key(**name)) {
        return Err(SignatureError::Invalid(format!(
            "'{absent}' is a 'SignedHeader' in the AWS Authorization but the request has no such header."
        )));
    }
    let unsigned = |name: &&HeaderName| {
        name.as_str().starts_with("x-amz-") && *name != X_AMZ_USER_AGENT && !names.contains(&name.as_str())
    };
    match headers.keys().find(unsigned) {
        Some(name) => {
            Err(SignatureError::Invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
        }
        None => Ok(()),
    }
}

fn payload_hash(declared: Option<&str>) -> Result<PayloadHash, SignatureError> {
    match declared {
        None => Ok(PayloadHash::OfBody),
        Some(UNSIGNED_PAYLOAD) => Ok(PayloadHash::Unsigned),
        Some(text) => {
            let mut sha256 = [0; 32];
            hex::decode_to_slice(text, &mut sha256).map_err(|_| {
                SignatureError::Invalid(format!(
                    "x-amz-content-sha256 must be the SHA-256 of the body in 64 hexadecimal digits or {UNSIGNED_PAYLOAD}, got '{text}'"
                ))
            })?;
            Ok(PayloadHash::Declared(sha256))
        }
    }
}

fn signature(text: &str) -> Result<[u8; 32], SignatureError> {
    let mut bytes = [0; 32];
    let one_spelling = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if one_spelling => Ok(bytes),
        _ => Err(SignatureError::Incomplete("Signature must be 64 lower-case hexadecimal digits.".to_owned())),
    }
}

/// The value of a header that may stand once only, because two readers could each believe another one.
fn single_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SignatureError::Incomplete(format!("The header '{name}' is there more than once.")));
    }
    let text = value
        .to_str()
        .map_err(|_| SignatureError::Incomplete(format!("The header '{name}' must be printable ASCII.")))?;
    Ok(Some(text.trim()))
}
