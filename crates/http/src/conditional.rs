//! Conditional and partial requests (RFC 9110 sections 13 and 14, protocols 0.4).

use std::time::UNIX_EPOCH;

use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName};
use larder_core::model::Timestamp;
use larder_core::ports::ByteRange;

/// What identifies the bytes that would be sent.
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// Strong, with its quotes; `None` when the bytes are not known yet.
    pub etag: Option<&'a str>,
    pub last_modified: Option<Timestamp>,
}

/// What a `Range` header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// All of it: no range, several ranges, or a range this server does not understand.
    Whole,
    Part(ByteRange),
    /// No byte of the range exists: 416.
    Unsatisfiable,
}

/// Whether the client has these bytes already, so that 304 is the answer. Without a validator in the request it never is.
#[must_use]
pub fn not_modified(headers: &HeaderMap, validators: Validators<'_>) -> bool {
    let mut lists = headers.get_all(IF_NONE_MATCH).iter().peekable();
    if lists.peek().is_some() {
        let Some(etag) = validators.etag else { return false };
        return lists.filter_map(|list| list.to_str().ok()).any(|list| list_matches(list, etag));
    }
    match (date(headers, &IF_MODIFIED_SINCE), validators.last_modified) {
        (Some(since), Some(modified)) => modified.seconds() <= since,
        _ => false,
    }
}

/// The part of `size` bytes that the request asks for. Several ranges are answered with everything.
#[must_use]
pub fn requested_range(headers: &HeaderMap, validators: Validators<'_>, size: u64) -> Requested {
    let Some(range) = single(headers, &RANGE) else { return Requested::Whole };
    if headers.contains_key(IF_RANGE) && !if_range_holds(headers, validators) {
        return Requested::Whole;
    }
    parse_range(range, size)
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Seconds since 1970.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let instant = httpdate::parse_http_date(single(headers, name)?).ok()?;
    i64::try_from(instant.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Weak comparison with every tag of the list; `*` is any.
fn list_matches(list: &str, etag: &str) -> bool {
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return false;
        }
        if rest.starts_with('*') {
            return true;
        }
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        if let Some(end) = tag.strip_prefix('"').and_then(|inner| inner.find('"')) {
            let (tag, after) = tag.split_at(end + 2);
            if tag == etag {
                return true;
            }
            rest = after;
        } else {
            // Some clients leave the quotes away.
            let (tag, after) = tag.split_once(',').unwrap_or((tag, ""));
            if etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')) == Some(tag.trim_end()) {
                return true;
            }
            rest = after;
        }
    }
}

/// Strong comparison; a date must be the very date.
fn if_range_holds(headers: &HeaderMap, validators: Validators<'_>) -> bool {
    let Some(condition) = single(headers, &IF_RANGE).map(str::trim) else { return false };
    if condition.starts_with('"') {
        return validators.etag == Some(condition);
    }
    match (date(headers, &IF_RANGE), validators.last_modified) {
        (Some(condition), Some(modified)) => condition == modified.seconds(),
        _ => false,
    }
}

fn parse_range(header: &str, size: u64) -> Requested {
    let Some((unit, set)) = header.split_once('=') else { return Requested::Whole };
    let Some((first, last)) = set.trim().split_once('-') else { return Requested::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Requested::Whole;
    }
    match (digits(first), digits(last)) {
        (Number::Value(first), last) => {
            let last = match last {
                Number::Value(last) if last < first => return Requested::Whole,
                Number::Value(last) => last,
                Number::Missing => u64::MAX,
                Number::Bad => return Requested::Whole,
            };
            if first >= size {
                return Requested::Unsatisfiable;
            }
            Requested::Part(ByteRange { start: first, length: last.min(size - 1) - first + 1 })
        }
        (Number::Missing, Number::Value(suffix)) => {
            let length = suffix.min(size);
            if length == 0 {
                return Requested::Unsatisfiable;
            }
            Requested::Part(ByteRange { start: size - length, length })
        }
        _ => Requested::Whole,
    }
}

enum Number {
    Missing,
    Value(u64),
    Bad,
}

/// Digits only; more than fit count as the largest number.
fn digits(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        return Number::Missing;
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Number::Bad;
    }
    Number::Value(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
