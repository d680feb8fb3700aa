//! The canonical request: what both sides hash.

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// RFC 3986's unreserved characters stay as they are.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// The query parameter that holds a presigned request's signature and so is not part of what is signed.
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// The path without dot segments and repeated slashes, encoded once more than it is on the wire.
pub(super) fn path(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut normalized = format!("/{}", segments.join("/"));
    // botocore keeps a slash at the end but not what a dot segment leaves there: `/a/..` and `/a/.` end bare.
    if raw.ends_with('/') && !segments.is_empty() {
        normalized.push('/');
    }
    percent_encode(normalized.as_bytes(), PATH).to_string()
}

/// The name and value of each pair of a query, decoded. `+` is a space; a name without `=` has an empty value.
pub(super) fn query_pairs(raw: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

/// The query, each part encoded, sorted by name and then value, without the signature.
pub(super) fn query(raw: Option<&str>) -> String {
    let encode = |part: Vec<u8>| percent_encode(&part, QUERY).to_string();
    let mut pairs: Vec<(String, String)> =
        query_pairs(raw.unwrap_or("")).map(|(name, value)| (encode(name), encode(value))).collect();
    pairs.retain(|(name, _)| name != SIGNATURE_PARAMETER);
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Encodes one part of a query.
pub(super) fn encode_query_part(text: &str) -> String {
    percent_encode(text.as_bytes(), QUERY).to_string()
}

/// Everything of the canonical request but its last line, the payload hash.
pub(super) fn head(
    method: &str,
    raw_path: &str,
    raw_query: Option<&str>,
    headers: &HeaderMap,
    signed: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    for line in [method, &path(raw_path), &query(raw_query)] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    for name in signed.split(';') {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        for (index, value) in headers.get_all(name).iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_trimmed(&mut out, value.as_bytes());
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed.as_bytes());
    out.push(b'\n');
    out
}

/// Appends a header's value without white space at its ends and with inner runs of it as one space.
fn push_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    for (index, word) in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_dots_and_doubled_slashes_and_are_encoded_once_more() {
        for (raw, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/..", "/"),
            ("/a/../..", "/"),
            ("/a//b/", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/v1/package", "/v1/package"),
            ("/a%20b", "/a%2520b"),
            ("/%E1%88%B4", "/%25E1%2588%25B4"),
            ("/a:b+c~d", "/a%3Ab%2Bc~d"),
            ("/tags/arn%3Aaws%3Acodeartifact", "/tags/arn%253Aaws%253Acodeartifact"),
        ] {
            assert_eq!(path(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn queries_are_encoded_and_sorted_by_name_and_value() {
        for (raw, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&A=3", "A=3&a=1&a=2"),
            ("a", "a="),
            ("a=&a", "a=&a="),
            ("a=b=c", "a=b%3Dc"),
            ("a=x+y", "a=x%20y"),
            ("a=x%20y", "a=x%20y"),
            ("a=x%2By", "a=x%2By"),
            ("a=x%2by", "a=x%2By"),
            ("a=%zz", "a=%25zz"),
            ("a=~-._", "a=~-._"),
            ("a=/:@", "a=%2F%3A%40"),
            ("a=1&&b=2&", "a=1&b=2"),
            // Sorted as encoded: `%3A` stands before the letters, though `:` stands behind the digits.
            ("a0=1&a:=2&aa=3", "a%3A=2&a0=1&aa=3"),
            ("a=1&X-Amz-Signature=abc", "a=1"),
        ] {
            assert_eq!(query(Some(raw)), canonical, "{raw}");
        }
        assert_eq!(query(None), "");
    }

    #[test]
    fn header_values_are_trimmed_and_repeated_ones_joined() {
        let mut headers = HeaderMap::new();
        headers.append("b", "  x   y\t z ".parse().unwrap());
        headers.append("a", "2".parse().unwrap());
        headers.append("a", " 1 ".parse().unwrap());
        let head = head("GET", "/", None, &headers, "a;b");
        assert_eq!(String::from_utf8(head).unwrap(), "GET\n/\n\na:2,1\nb:x y z\n\na;b\n");
    }
}
