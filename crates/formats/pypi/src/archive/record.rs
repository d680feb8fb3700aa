//! A wheel's `RECORD`: which files it holds, with hash and size.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Error, refuse};

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) path: String,
    /// SHA-256; `None` where the line gives none.
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) size_bytes: Option<u64>,
}

/// Reads the table.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Row>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("RECORD is not UTF-8"))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| row(line).ok_or_else(|| malformed(line))).collect()
}

fn malformed(line: &str) -> Error {
    refuse(format!("RECORD has a malformed line: {}", crate::names::printable(line)))
}

fn row(line: &str) -> Option<Row> {
    let [path, hash, size] = fields(line)?;
    let sha256 = match hash.split_once('=') {
        None if hash.is_empty() => None,
        Some(("sha256", digest)) => Some(URL_SAFE_NO_PAD.decode(digest.trim_end_matches('=')).ok()?.try_into().ok()?),
        // Stronger ones are allowed and rare; weaker ones are forbidden by the wheel's specification.
        Some(("sha384" | "sha512", _)) => None,
        _ => return None,
    };
    let size_bytes = if size.is_empty() { None } else { Some(size.parse().ok()?) };
    Some(Row { path, sha256, size_bytes })
}

/// Splits a CSV line of three fields; only the first may be quoted.
fn fields(line: &str) -> Option<[String; 3]> {
    let (path, rest) = if let Some(quoted) = line.strip_prefix('"') {
        let mut path = String::new();
        let mut chars = quoted.char_indices();
        let rest = loop {
            match chars.next()? {
                (_, '"') => match chars.next()? {
                    (_, '"') => path.push('"'),
                    (at, ',') => break &quoted[at + 1..],
                    _ => return None,
                },
                (_, other) => path.push(other),
            }
        };
        (path, rest)
    } else {
        let (path, rest) = line.split_once(',')?;
        (path.to_owned(), rest)
    };
    let (hash, size) = rest.split_once(',')?;
    Some([path, hash.trim_matches('"').to_owned(), size.trim().trim_matches('"').to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_paths_and_missing_fields_are_read() {
        let hash = URL_SAFE_NO_PAD.encode([7; 32]);
        let table = format!("a.py,sha256={hash},3\r\n\"b,\"\"c\"\".py\",sha256={hash},\nx.dist-info/RECORD,,\n\n");
        let rows = parse(table.as_bytes()).unwrap();
        assert_eq!(rows[0], Row { path: "a.py".to_owned(), sha256: Some([7; 32]), size_bytes: Some(3) });
        assert_eq!(rows[1].path, "b,\"c\".py");
        assert_eq!(rows[2], Row { path: "x.dist-info/RECORD".to_owned(), sha256: None, size_bytes: None });
    }

    #[test]
    fn malformed_lines_are_refused() {
        for bad in ["a.py", "a.py,md5=abc,1", "a.py,sha256=!,1", "a.py,sha256=AA,1", "a.py,,x", "\"a.py,,", "\"a\"b,,"]
        {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
