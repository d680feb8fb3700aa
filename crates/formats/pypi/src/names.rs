//! Project names (PEP 503), versions (PEP 440) and the files named after them. Pure.

use std::cmp::Ordering;
use std::str::FromStr;

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, PackageKey, VersionText};
use pep440_rs::Version;

mod filename;

pub(crate) use filename::{Distribution, DistributionKind, version_of_upstream_file};

/// The normalized form of a project name: lower case, runs of `-`, `_` and `.` as one `-`.
#[must_use]
pub(crate) fn normalize(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    let mut in_run = false;
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !in_run {
                normalized.push('-');
            }
            in_run = true;
        } else {
            normalized.push(c.to_ascii_lowercase());
            in_run = false;
        }
    }
    normalized
}

/// Checks a project name: ASCII letters, digits, `.`, `_` and `-`, with a letter or digit at both ends.
///
/// # Errors
/// [`Invalid`] quoting the rule.
pub(crate) fn check_project(name: &str) -> Result<(), Invalid> {
    let bytes = name.as_bytes();
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    if ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        return Ok(());
    }
    Err(Invalid::new(
        "a project name has ASCII letters, digits, '.', '_' and '-' only and starts and ends with a letter or digit",
    ))
}

/// The key of a project in any spelling.
///
/// # Errors
/// [`Invalid`] when it is no project name.
pub(crate) fn project_key(name: &str) -> Result<PackageKey, Invalid> {
    check_project(name)?;
    PackageKey::new(PackageFormat::Pypi, None, &normalize(name))
}

/// At most this many look-alikes of a name are looked up.
const CONFUSABLE_LIMIT: usize = 256;

/// Other names that a reader would take for this normalized one, those with the fewest differences first: `l`, `1` and
/// `i` look alike, and so do `0` and `o` (protocol reference 2.12). Bounded, so that each can be looked up.
#[must_use]
pub(crate) fn confusable_names(normalized: &str) -> Vec<String> {
    let mut names = vec![normalized.to_owned()];
    let mut next = 0;
    while next < names.len() && names.len() <= CONFUSABLE_LIMIT {
        let name = names[next].clone();
        next += 1;
        for (at, c) in name.char_indices() {
            let twins = match c {
                'l' => "1i",
                '1' => "li",
                'i' => "l1",
                '0' => "o",
                'o' => "0",
                _ => continue,
            };
            for twin in twins.chars() {
                let other = format!("{}{twin}{}", &name[..at], &name[at + 1..]);
                if names.len() <= CONFUSABLE_LIMIT && !names.contains(&other) {
                    names.push(other);
                }
            }
        }
    }
    names.split_off(1)
}

/// Reads a PEP 440 version in any spelling.
///
/// # Errors
/// [`Invalid`] when it is none.
pub(crate) fn parse_version(text: &str) -> Result<Version, Invalid> {
    Version::from_str(text).map_err(|_| Invalid::new(format!("'{}' is not a PEP 440 version", printable(text))))
}

/// The normalized spelling of a PEP 440 version (`v1.0-1` is `1.0.post1`); trailing zeros stay as they are.
///
/// # Errors
/// [`Invalid`] when it is none.
pub(crate) fn normalize_version(text: &str) -> Result<VersionText, Invalid> {
    VersionText::new(parse_version(text)?.to_string())
}

/// The spellings under which an equal version may have been stored: as given, without trailing zeros, and with up to
/// four numbers in its release part.
#[must_use]
pub(crate) fn spellings(version: &VersionText) -> Vec<VersionText> {
    let mut spellings = vec![version.clone()];
    if let Ok(parsed) = Version::from_str(version.as_str()) {
        let significant = parsed.release().iter().rposition(|number| *number != 0).map_or(1, |last| last + 1);
        for length in significant..=significant.max(4) {
            let numbers = parsed.release().iter().copied().chain(std::iter::repeat(0)).take(length);
            let spelled = VersionText::new(parsed.clone().with_release(numbers).to_string());
            spellings.extend(spelled.ok().filter(|spelled| spelled != version));
        }
    }
    spellings
}

/// What makes two versions the same release: PEP 440 equality (`1.0` is `1.0.0`), or the text for versions from before
/// PEP 440. Orders as PEP 440 does; what does not parse comes first, by text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Release {
    Legacy(String),
    Pep440(Version),
}

impl Release {
    /// Never fails: what is not PEP 440 is its own text.
    #[must_use]
    pub(crate) fn of(version: &str) -> Self {
        Version::from_str(version).map_or_else(|_| Self::Legacy(version.to_owned()), Self::Pep440)
    }

    /// A final or post release.
    #[must_use]
    pub(crate) fn is_stable(&self) -> bool {
        matches!(self, Self::Pep440(version) if version.is_stable())
    }
}

/// The order of two versions.
#[must_use]
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    // Equal releases in other spellings are told apart by text, so that sorting is total.
    Release::of(a).cmp(&Release::of(b)).then_with(|| a.cmp(b))
}

/// The text with everything that could move a cursor or forge a log line replaced.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
