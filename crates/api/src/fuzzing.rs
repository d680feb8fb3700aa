//! Entry points for fuzzers: none of them may panic, whatever the bytes.

#[cfg(test)]
mod tests;

use http::Method;

use crate::codeartifact::fuzzing::read_call;
use crate::query_protocol::Form;

/// Reads a CodeArtifact request by every operation's rules: the first line is the query, the rest the body.
pub fn fuzz_call(data: &[u8]) {
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (query, body) = data.split_at(end);
    read_call(&String::from_utf8_lossy(query), body);
}

/// Reads the form of a Query-protocol request.
pub fn fuzz_form(data: &[u8]) {
    if let Ok(form) = Form::parse(&Method::POST, None, data) {
        let _ = (form.find("Action"), form.find("Version"));
    }
}
