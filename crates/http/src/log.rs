//! The access log: one event per request, written when its answer has been sent or given up.
//!
//! It never holds credentials: no header, no query (presigned URLs and logins carry secrets there), no token that
//! stands in a path.

use std::net::IpAddr;
use std::time::Instant;

use http::{Method, StatusCode};
use larder_core::Error;
use larder_core::model::Principal;

use crate::Response;
use crate::path::{PathRules, RequestPath};
use crate::request_id::RequestId;

/// The target of the events, for log directives.
const TARGET: &str = "larder_http::access";
/// A path that is refused is shown as far as this, in bytes.
const REFUSED_PATH_BYTES: usize = 200;
/// Longer segments are tokens.
const LONGEST_NAME_BYTES: usize = 255;

/// Whether anybody reads the log; everything about it is skipped otherwise.
#[inline]
pub(crate) fn is_on() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::INFO)
}

/// Who asked, as far as it became known; travels in the answer's extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker {
    address: Option<IpAddr>,
    /// The ARN.
    principal: Option<String>,
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
        response.extensions_mut().get_or_insert_default::<Asker>().principal = Some(principal.arn().to_string());
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
    principal: Option<String>,
    /// `None` until there is an answer.
    status: Option<StatusCode>,
    bytes: u64,
}

impl Entry {
    /// A request that has just come in from `peer`.
    pub(crate) fn begin(method: &Method, raw_path: &str, id: RequestId, peer: IpAddr) -> Self {
        Self {
            started: Instant::now(),
            method: method.clone(),
            path: shown_path(raw_path),
            id,
            peer,
            principal: None,
            status: None,
            bytes: 0,
        }
    }

    /// The head of the answer is known.
    pub(crate) fn answered(&mut self, status: StatusCode, asker: Option<Asker>) {
        self.status = Some(status);
        if let Some(asker) = asker {
            self.peer = asker.address.unwrap_or(self.peer);
            self.principal = asker.principal;
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
            principal = self.principal,
            request_id = self.id.as_str(),
            peer = %self.peer,
            "request"
        );
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
