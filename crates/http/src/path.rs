//! The one decoder of request paths (protocols 0.5).
//!
//! A raw path is split into segments first and each segment is decoded once. Routing, authorization, look-up and the
//! log all use those segments, so that no two of them can read one path differently.

use std::borrow::Cow;

/// The longest raw path, in bytes.
const MAX_PATH_BYTES: usize = 8 * 1024;
/// The longest decoded segment, in bytes.
const MAX_SEGMENT_BYTES: usize = 255;

/// What a format needs beyond the common rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathRules {
    /// A segment that starts with `@` may hold one `/`: npm sends scoped names as `@scope%2fname`.
    pub scoped_slash: bool,
    /// The last segment may be as long as the path: npm logout carries the whole token there.
    pub long_last_segment: bool,
}

/// Why a path is refused, as a sentence for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    #[error("the path must start with '/'")]
    NotAbsolute,
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    #[error("a path segment is longer than {MAX_SEGMENT_BYTES} bytes")]
    SegmentTooLong,
    #[error("the path has an empty segment")]
    EmptySegment,
    #[error("the path has a '.' or '..' segment")]
    DotSegment,
    #[error("the path holds a control character")]
    Control,
    #[error("the path holds a backslash")]
    Backslash,
    #[error("the path holds an encoded '/' inside a segment")]
    EncodedSlash,
    #[error("the path holds a doubly encoded dot or slash")]
    DoubleEncoded,
    #[error("the path has parameters (';')")]
    Parameters,
    #[error("the path has a '%' that is not followed by two hexadecimal digits")]
    BadEscape,
    #[error("the path is not UTF-8")]
    NotUtf8,
}

/// A path as decoded segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath {
    segments: Vec<String>,
    trailing_slash: bool,
}

impl RequestPath {
    /// Splits and decodes a raw path, which starts with `/` or is empty.
    ///
    /// # Errors
    /// [`BadPath`] for what protocols 0.5 refuses.
    pub fn parse(raw: &str, rules: PathRules) -> Result<Self, BadPath> {
        RawPath::new(raw)?.finish(rules)
    }

    /// The segments, each decoded once; none is empty.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The segments for a `match` on slices.
    #[must_use]
    pub fn as_strs(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Whether the path ended with `/`.
    #[must_use]
    pub fn trailing_slash(&self) -> bool {
        self.trailing_slash
    }
}

/// A raw path that is decoded from the front, one segment at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawPath<'a> {
    /// Starts with `/` or is empty.
    rest: &'a str,
}

impl<'a> RawPath<'a> {
    /// Checks what concerns the path as a whole.
    pub(crate) fn new(raw: &'a str) -> Result<Self, BadPath> {
        if raw.len() > MAX_PATH_BYTES {
            return Err(BadPath::TooLong);
        }
        if !raw.is_empty() && !raw.starts_with('/') {
            return Err(BadPath::NotAbsolute);
        }
        Ok(Self { rest: raw })
    }

    /// Takes and decodes the next segment by the common rules; `None` at the end of the path.
    pub(crate) fn next_segment(&mut self) -> Result<Option<Cow<'a, str>>, BadPath> {
        let Some((segment, rest)) = split_first(self.rest) else { return Ok(None) };
        self.rest = rest;
        decode(segment, PathRules::default(), rest.is_empty()).map(Some)
    }

    /// Decodes what is left.
    pub(crate) fn finish(self, rules: PathRules) -> Result<RequestPath, BadPath> {
        let mut rest = self.rest;
        let mut segments = Vec::new();
        while let Some((segment, after)) = split_first(rest) {
            let is_last = after.is_empty() || after == "/";
            segments.push(decode(segment, rules, is_last)?.into_owned());
            rest = after;
        }
        Ok(RequestPath { segments, trailing_slash: rest == "/" })
    }
}

/// `/a/b` becomes (`a`, `/b`); `None` for what has no further segment: an empty rest or a trailing `/`.
fn split_first(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return None;
    }
    Some(match path.find('/') {
        Some(end) => path.split_at(end),
        None => (path, ""),
    })
}

/// Decodes one segment once and refuses what no route may see.
fn decode(raw: &str, rules: PathRules, is_last: bool) -> Result<Cow<'_, str>, BadPath> {
    if raw.is_empty() {
        return Err(BadPath::EmptySegment);
    }
    if raw.contains(';') {
        return Err(BadPath::Parameters);
    }
    let decoded = if raw.contains('%') { Cow::Owned(unescape(raw)?) } else { Cow::Borrowed(raw) };
    if decoded.len() > MAX_SEGMENT_BYTES && !(is_last && rules.long_last_segment) {
        return Err(BadPath::SegmentTooLong);
    }
    if decoded.chars().any(char::is_control) {
        return Err(BadPath::Control);
    }
    if decoded.contains('\\') {
        return Err(BadPath::Backslash);
    }
    // A `%` that is left over came as `%25`: a second decoder behind this one would see a dot or a slash.
    if decoded.contains('%') {
        let lower = decoded.to_ascii_lowercase();
        if ["%2e", "%2f", "%5c"].iter().any(|twice| lower.contains(twice)) {
            return Err(BadPath::DoubleEncoded);
        }
    }
    match decoded.split_once('/') {
        None => check_dots(&decoded)?,
        Some((scope, name)) => {
            if !rules.scoped_slash || !scope.starts_with('@') || scope.len() == 1 || name.contains('/') {
                return Err(BadPath::EncodedSlash);
            }
            if name.is_empty() {
                return Err(BadPath::EmptySegment);
            }
            check_dots(name)?;
        }
    }
    Ok(decoded)
}

fn check_dots(segment: &str) -> Result<(), BadPath> {
    if segment == "." || segment == ".." { Err(BadPath::DotSegment) } else { Ok(()) }
}

fn unescape(raw: &str) -> Result<String, BadPath> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let [high, low, after @ ..] = after else { return Err(BadPath::BadEscape) };
        let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) else { return Err(BadPath::BadEscape) };
        bytes.push(high << 4 | low);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| BadPath::NotUtf8)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
