//! Rules for the names of archive entries.

use std::collections::HashSet;

use crate::{Error, printable, refuse};

/// Longest entry name, in bytes.
const NAME_LIMIT: usize = 4096;

/// The names seen in one archive.
#[derive(Debug, Default)]
pub struct EntryNames {
    seen: HashSet<String>,
}

impl EntryNames {
    /// Checks a name and that it is new. A folder and a file of one name count as the same. Answers the name without
    /// trailing slash.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is no plain relative path, one that was there before, or one too many.
    pub fn admit(&mut self, name: &[u8], limit: usize) -> Result<String, Error> {
        let name = check(name)?;
        if !self.seen.insert(name.clone()) {
            return Err(refuse(format!("the archive has two entries named '{name}'")));
        }
        if self.seen.len() > limit {
            return Err(refuse(format!("the archive has more than {limit} entries")));
        }
        Ok(name)
    }
}

/// Checks that a name is a plain relative path and answers it without trailing slash.
fn check(name: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(name).map_err(|_| refuse("the archive has an entry whose name is not UTF-8"))?;
    let shown = || printable(text);
    if text.len() > NAME_LIMIT {
        return Err(refuse(format!("the archive has an entry name longer than {NAME_LIMIT} bytes")));
    }
    if text.contains('\\') || text.chars().any(char::is_control) {
        return Err(refuse(format!("entry name '{}' has a backslash or control character", shown())));
    }
    let path = text.strip_suffix('/').unwrap_or(text);
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with('/') || has_drive || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(refuse(format!("entry name '{}' is not a plain path inside the archive", shown())));
    }
    Ok(path.to_owned())
}

/// Whether a link at `from` stays inside the top folder of the archive.
#[must_use]
pub fn link_stays_inside(from: &str, target: &[u8]) -> bool {
    let Ok(target) = std::str::from_utf8(target) else { return false };
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0', ':']) {
        return false;
    }
    // How deep below the archive's root the link's folder is; the top folder itself may not be left.
    let mut depth = from.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth <= 1 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_names_are_admitted() {
        let mut names = EntryNames::default();
        assert_eq!(names.admit(b"a/b", 9).unwrap(), "a/b");
        assert_eq!(names.admit(b"a/", 9).unwrap(), "a");
        let long = vec![b'a'; 4097];
        let bad: [&[u8]; 13] = [
            b"", b"/", b"/a", b"../a", b"a/../b", b"a/./b", b"a//b", b"C:/a", b"a\\b", b"a\0", b"a\nb", b"\xff", &long,
        ];
        for name in bad {
            assert!(names.admit(name, 9).is_err(), "{name:?}");
        }
        assert!(names.admit(b"a", 9).is_err(), "the folder a/ exists");
        assert!(names.admit(b"c", 2).is_err(), "over the limit");
    }

    #[test]
    fn links_may_not_leave_the_top_folder() {
        for inside in ["b", "./b", "../top.txt", "../y/z"] {
            assert!(link_stays_inside("foo-1.0/x/link", inside.as_bytes()), "{inside}");
        }
        for outside in ["/etc/passwd", "../../b", "../../../b", "a\\b", "", "C:x", "../../foo-1.0/x"] {
            assert!(!link_stays_inside("foo-1.0/x/link", outside.as_bytes()), "{outside}");
        }
    }
}
