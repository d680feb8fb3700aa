//! Failures as PyPI's clients print them: twine the reason phrase and the body, uv the `code` of a JSON body, pip the
//! status line. So one sentence goes into all of them.

use http::{HeaderMap, StatusCode};
use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_http::{Dialect, FormatError, Response, response};
use serde::Serialize;

/// A refusal.
pub(crate) type PypiError = FormatError<Clients>;

#[derive(Debug)]
pub(crate) struct Clients;

impl Dialect for Clients {
    fn rephrase(error: &Error) -> Option<(StatusCode, String)> {
        match error {
            // Old twine takes a 400 with these words for "skip it".
            Error::Conflict { kind: ConflictKind::Exists | ConflictKind::OtherBytes, message, .. } => {
                Some((StatusCode::BAD_REQUEST, format!("File already exists: {message}")))
            }
            _ => None,
        }
    }

    fn render(status: StatusCode, sentence: &str) -> Response {
        response::with_reason(response::text(status, sentence), sentence)
    }
}

/// The answer, as JSON for clients that ask for it.
pub(crate) fn answer(error: &PypiError, headers: &HeaderMap) -> Response {
    if !prefers_json(headers) {
        return error.response();
    }
    let body = JsonError { message: &error.sentence, code: &error.sentence, title: title(error.status) };
    error.dress(response::with_reason(response::json(error.status, &body), &error.sentence))
}

/// uv prints `code` where the status says too little.
#[derive(Serialize)]
struct JsonError<'a> {
    message: &'a str,
    code: &'a str,
    title: &'a str,
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// Whether `Accept` names plain JSON before plain text (uv does when it uploads; installers ask for index types).
fn prefers_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let position = |media_type: &str| accept.split(',').position(|range| range.trim_start().starts_with(media_type));
    match (position("application/json"), position("text/plain")) {
        (Some(json), Some(text)) => json < text,
        (json, _) => json.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::ACCEPT;
    use larder_core::error::ResourceType;
    use larder_http::Body;

    use super::*;

    fn body(accept: Option<&'static str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        match answer(&PypiError::bad_request("no such thing"), &headers).into_body() {
            Body::Full(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => panic!("a body in memory"),
        }
    }

    #[test]
    fn uv_gets_json_and_everybody_else_text() {
        let uv = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7";
        assert_eq!(body(Some(uv)), r#"{"message":"no such thing","code":"no such thing","title":"Bad Request"}"#);
        for other in [None, Some("*/*"), Some("text/html"), Some("application/vnd.pypi.simple.v1+json, text/html")] {
            assert_eq!(body(other), "no such thing\n");
        }
    }

    #[test]
    fn a_file_that_is_there_is_told_so_that_old_twine_skips_it() {
        let conflict =
            |kind| Error::conflict(kind, ResourceType::Asset, "foo-1.0.tar.gz", "foo-1.0.tar.gz has other bytes");
        let exists = PypiError::from(conflict(ConflictKind::OtherBytes));
        assert_eq!(exists.status, StatusCode::BAD_REQUEST);
        assert!(exists.sentence.starts_with("File already exists"));
        assert_eq!(PypiError::from(conflict(ConflictKind::ExistsUpstream)).status, StatusCode::CONFLICT);
    }
}
