//! groupId, artifactId and version (protocol reference 3.5). All are case-sensitive and never normalized.

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, PackageKey, VersionText};

/// The suffix of a version that stands for its newest build.
pub(crate) const SNAPSHOT: &str = "-SNAPSHOT";

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Checks groupId and artifactId.
///
/// # Errors
/// [`Invalid`] with the rule that was broken.
pub(crate) fn package_key(group: &str, artifact: &str) -> Result<PackageKey, Invalid> {
    if !is_id(group) || group.split('.').any(str::is_empty) {
        return Err(Invalid::new("a groupId has letters, digits, '_', '-' and single dots between them"));
    }
    if !is_id(artifact) || artifact.bytes().all(|b| b == b'.') {
        return Err(Invalid::new("an artifactId has letters, digits, '_', '-' and '.'"));
    }
    PackageKey::new(PackageFormat::Maven, Some(group), artifact)
}

/// Checks a version.
///
/// # Errors
/// [`Invalid`] with the rule that was broken.
pub(crate) fn version(text: &str) -> Result<VersionText, Invalid> {
    let forbidden = |c: char| matches!(c, '/' | '\\' | ':' | '"' | '<' | '>' | '|' | '?' | '*' | ';' | '%');
    if text.contains(forbidden) || text.starts_with("maven-metadata") || text.bytes().all(|b| b == b'.') {
        return Err(Invalid::new("a version has none of / \\ : \" < > | ? * ; % and is no name of a metadata file"));
    }
    VersionText::new(text)
}

/// `group:artifact`, as Maven's users write it.
pub(crate) fn display_name(key: &PackageKey) -> String {
    format!("{}:{}", key.namespace().unwrap_or_default(), key.name())
}

/// Whether a version stands for the newest build of a snapshot.
pub(crate) fn is_snapshot(version: &str) -> bool {
    version.ends_with(SNAPSHOT)
}

/// The base of a snapshot's build and which build it is: `1.0-20261122.192108-1` is (`1.0`, (`20261122.192108`, 1)).
pub(crate) fn parse_build(version: &str) -> Option<(&str, Build<'_>)> {
    let (rest, number) = version.rsplit_once('-')?;
    let (base, timestamp) = rest.rsplit_once('-')?;
    let (date, time) = timestamp.split_once('.')?;
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if base.is_empty() || !digits(date, 8) || !digits(time, 6) || !digits(number, number.len()) || number.len() > 9 {
        return None;
    }
    Some((base, Build { timestamp, number: number.parse().ok()? }))
}

/// Which build of a snapshot: later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Build<'a> {
    /// `yyyyMMdd.HHmmss`, UTC.
    pub(crate) timestamp: &'a str,
    pub(crate) number: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_and_never_normalized() {
        let key = package_key("com.Acme_x", "Lib.core-2").unwrap();
        assert_eq!((key.namespace(), key.name()), (Some("com.Acme_x"), "Lib.core-2"));
        assert_eq!(display_name(&key), "com.Acme_x:Lib.core-2");
        for (group, artifact) in
            [("", "a"), ("a..b", "a"), (".a", "a"), ("a", ""), ("a", ".."), ("a b", "a"), ("ä", "a")]
        {
            assert!(package_key(group, artifact).is_err(), "{group}:{artifact}");
        }
    }

    #[test]
    fn versions_are_any_text_that_is_safe_in_a_path() {
        for good in ["1", "1.0-rc_1+x", "1.0-SNAPSHOT", "v~2", "Finchley.SR2"] {
            assert!(version(good).is_ok(), "{good}");
        }
        for bad in ["", "a/b", "1:2", "..", "maven-metadata.xml", "1*", "a b", "1%2f"] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn builds_of_snapshots_are_told_from_releases() {
        let (base, build) = parse_build("1.0-rc-1-20261122.192108-12").unwrap();
        assert_eq!((base, build.timestamp, build.number), ("1.0-rc-1", "20261122.192108", 12));
        for other in [
            "1.0",
            "1.0-SNAPSHOT",
            "1.0-20261122.192108",
            "20261122.192108-1",
            "1-2026112.192108-1",
            "-20261122.192108-1",
        ] {
            assert!(parse_build(other).is_none(), "{other}");
        }
        let later = parse_build("1-20261122.192109-1").unwrap().1;
        assert!(later > parse_build("1-20261122.192108-7").unwrap().1);
    }
}
