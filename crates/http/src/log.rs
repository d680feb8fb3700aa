//! The access log: one event per request, written when its answer has been sent or given up, and told to whoever keeps
//! an audit log ([`Auditor`]).
//!
//! It never holds credentials: no header, no query (presigned URLs and logins carry secrets there), no token that
//! stands in a path.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use larder_core::Error;
use larder_core::access::{Asked, RequestClient, RequestNotes};
use larder_core::model::{Principal, Timestamp};
use larder_core::services::audit::AuditCall;

use crate::Response;
use crate::path::{PathRules, RequestPath};
use crate::request_id::RequestId;

/// The target of the events, for log directives.
const TARGET: &str = "larder_http::access";
/// A path that is refused is shown as far as this, in bytes.
const REFUSED_PATH_BYTES: usize = 200;
/// Longer segments are tokens.
const LONGEST_NAME_BYTES: usize = 255;

/// Keeps records of requests. It must not make anybody wait.
pub trait Auditor: Send + Sync + 'static {
    /// Whether a request that a journal record tells of, or that read, is to be told.
    fn wants_reads(&self) -> bool;
    /// Takes the record of a request that no journal record tells of.
    fn record(&self, call: AuditCall);
}

/// Whether a server of this process has an auditor.
static AUDITED: AtomicBool = AtomicBool::new(false);

/// From now on, what an auditor must know is noted, also while nobody reads the log.
pub(crate) fn note_for_auditor() {
    AUDITED.store(true, Ordering::Relaxed);
}

/// Whether anybody reads the log; everything about it is skipped otherwise.
#[inline]
pub(crate) fn is_on() -> bool {
    AUDITED.load(Ordering::Relaxed) || tracing::enabled!(target: TARGET, tracing::Level::INFO)
}

/// Who asked for what, as far as it became known; travels in the answer's extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker {
    address: Option<IpAddr>,
    /// The ARN.
    principal: Option<Arc<str>>,
    asked: Option<Arc<Asked>>,
    /// A journal record tells of it.
    is_written: bool,
}

/// The notes of a request that has come in.
pub(crate) fn notes(request: &Parts) -> RequestNotes {
    let writes = !matches!(request.method, Method::GET | Method::HEAD);
    let client = writes.then(|| RequestClient {
        method: request.method.as_str().to_owned(),
        uri: shown_path(request.uri.path()),
        user_agent: request.headers.get(USER_AGENT).and_then(shown_agent),
    });
    RequestNotes::new(client, AUDITED.load(Ordering::Relaxed))
}

/// A client's name for itself, shortened.
fn shown_agent(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    Some(text[..text.floor_char_boundary(LONGEST_NAME_BYTES)].to_owned())
}

/// Notes for the log which client asked, where a proxy stands between.
pub(crate) fn note_address(response: &mut Response, address: IpAddr) {
    if is_on() {
        response.extensions_mut().get_or_insert_default::<Asker>().address = Some(address);
    }
}

/// Notes for the log whom the request was made by.
pub fn note_principal(response: &mut Response, principal: &Principal) {
    if is_on() {
        let asker = response.extensions_mut().get_or_insert_default::<Asker>();
        asker.principal = Some(principal.arn().as_str().into());
        asker.asked = RequestNotes::asked();
        asker.is_written = RequestNotes::is_written();
    }
}

/// Who made the request that is answered, if that was noted.
pub(crate) fn asker(response: &Response) -> Option<Asker> {
    response.extensions().get::<Asker>().cloned()
}

/// Notes for the log what was noted of an earlier answer.
pub(crate) fn note_asker(response: &mut Response, asker: Option<&Asker>) {
    if let Some(asker) = asker.filter(|_| is_on()) {
        response.extensions_mut().insert(asker.clone());
    }
}

/// Writes down the cause of a failure that is Larder's own or its surroundings' fault, under the id that the answer
/// names. Whoever turns the failure into an answer calls it, once; the caller's mistakes are not logged.
pub fn log_failure(error: &Error) {
    if let Error::Internal { source } | Error::Unavailable { source, .. } = error {
        let request_id = RequestId::current();
        let request_id = request_id.as_ref().map(RequestId::as_str);
        tracing::error!(request_id, error = source.as_ref() as &dyn std::error::Error, "a request failed: {error}");
    }
}

/// An event in the making. It is written when this is dropped, also if the client went away.
pub(crate) struct Entry {
    started: Instant,
    method: Method,
    path: String,
    id: RequestId,
    peer: IpAddr,
    /// `None` until there is an answer.
    status: Option<StatusCode>,
    asker: Asker,
    bytes: u64,
    audit: Option<Audit>,
}

/// What the audit log needs beside.
struct Audit {
    auditor: Arc<dyn Auditor>,
    user_agent: Option<HeaderValue>,
    error_code: Option<String>,
    denial: Option<String>,
}

impl Entry {
    /// A request that has just come in from `peer`.
    pub(crate) fn begin<B>(
        request: &Request<B>,
        id: RequestId,
        peer: IpAddr,
        auditor: Option<&Arc<dyn Auditor>>,
    ) -> Self {
        let audit = auditor.map(|auditor| Audit {
            auditor: Arc::clone(auditor),
            user_agent: request.headers().get(USER_AGENT).cloned(),
            error_code: None,
            denial: None,
        });
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            path: shown_path(request.uri().path()),
            id,
            peer,
            status: None,
            asker: Asker::default(),
            bytes: 0,
            audit,
        }
    }

    /// The head of the answer is known.
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap, asker: Option<Asker>) {
        self.status = Some(status);
        if let Some(asker) = asker {
            self.peer = asker.address.unwrap_or(self.peer);
            self.asker = asker;
        }
        if let Some(audit) = self.audit.as_mut().filter(|_| status.is_client_error() || status.is_server_error()) {
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            audit.error_code = Some(text("x-amzn-errortype").unwrap_or_else(|| error_code(status).to_owned()));
            audit.denial = text("x-larder-denial");
        }
    }

    /// Bytes of the body were handed over.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        // 499 is what other servers write for a client that did not wait.
        let status = self.status.map_or(499, |status| status.as_u16());
        tracing::info!(
            target: TARGET,
            method = self.method.as_str(),
            path = self.path,
            status,
            bytes = self.bytes,
            duration_us,
            principal = self.asker.principal.as_deref(),
            request_id = self.id.as_str(),
            peer = %self.peer,
            "request"
        );
        if let Some(audit) = self.audit.take() {
            self.tell(audit, status);
        }
    }
}

impl Entry {
    /// Tells the auditor, unless a journal record tells of the request, or it is one of the server's own.
    fn tell(&mut self, audit: Audit, status: u16) {
        let asked = self.asker.asked.take();
        let reads = match &asked {
            Some(asked) => asked.reads,
            None => matches!(self.method, Method::GET | Method::HEAD),
        };
        let unwanted = status < 400 && reads && !audit.auditor.wants_reads();
        if self.asker.is_written && !reads && status < 400 || unwanted || self.path.starts_with("/-/") {
            return;
        }
        let elapsed = self.started.elapsed();
        let began =
            SystemTime::now().checked_sub(elapsed).and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        audit.auditor.record(AuditCall {
            at: Timestamp(began.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)),
            request_id: self.id.as_str().to_owned(),
            method: self.method.as_str().to_owned(),
            uri: std::mem::take(&mut self.path),
            status,
            principal: self.asker.principal.as_deref().map(str::to_owned),
            address: self.peer.to_string(),
            user_agent: audit.user_agent.as_ref().and_then(shown_agent),
            action: asked.as_ref().map(|asked| asked.action),
            resource: asked.map(|asked| asked.resource.clone()),
            error_code: audit.error_code,
            denial: audit.denial,
        });
    }
}

/// What the API would call the failure that a package manager was told with this status.
fn error_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UnrecognizedClientException",
        402 => "ServiceQuotaExceededException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        409 => "ConflictException",
        429 => "ThrottlingException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    }
}

/// The decoded path without tokens. One that is refused is shown as it came, escaped and shortened.
fn shown_path(raw: &str) -> String {
    let Ok(path) = RequestPath::parse(raw, PathRules { scoped_slash: true, long_last_segment: true }) else {
        let before_token = raw.find("token/").map_or(raw, |at| &raw[..at + "token/".len()]);
        let end = before_token.floor_char_boundary(REFUSED_PATH_BYTES);
        return before_token[..end].escape_debug().to_string();
    };
    let mut shown = String::with_capacity(raw.len());
    let segments = path.as_strs();
    for (index, segment) in segments.iter().enumerate() {
        shown.push('/');
        let secret = segment.len() > LONGEST_NAME_BYTES || follows_token(&segments[..index]);
        shown.push_str(if secret { "***" } else { segment });
    }
    if path.trailing_slash() {
        shown.push('/');
    }
    shown
}

/// Whether a token follows: npm logout (`/-/user/token/{token}`) and token revocation (`/-/npm/v1/tokens/token/{token}`).
fn follows_token(before: &[&str]) -> bool {
    matches!(before, [.., "-", "user", "token"] | [.., "tokens", "token"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_decoded_and_without_tokens() {
        for (raw, shown) in [
            ("/d/dom-123456789012/npm/repo/@a%2fb", "/d/dom-123456789012/npm/repo/@a/b"),
            ("/a%20b/", "/a b/"),
            ("/d/x/npm/r/-/user/token/secret", "/d/x/npm/r/-/user/token/***"),
            ("/d/x/npm/r/-/npm/v1/tokens/token/secret", "/d/x/npm/r/-/npm/v1/tokens/token/***"),
            ("/-/%75ser/token/secret", "/-/user/token/***"),
        ] {
            assert_eq!(shown_path(raw), shown);
        }
        assert_eq!(shown_path(&format!("/a/{}", "t".repeat(256))), "/a/***");
    }

    #[test]
    fn a_refused_path_is_shown_escaped_and_short() {
        assert_eq!(shown_path("/a/../\u{202e}\n"), "/a/../\\u{202e}\\n");
        assert_eq!(shown_path("/-/user/token/secret/.."), "/-/user/token/");
        assert!(shown_path(&"/é".repeat(9000)).len() <= 2 * REFUSED_PATH_BYTES);
    }
}
