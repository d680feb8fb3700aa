//! Names of gems, their versions and the order of those. Pure.
//!
//! A gem that is built for several platforms has several files under one number. Each of them is a version of its own
//! here, because each has its own dependencies, checksum and yank: its text is `NUMBER` for the platform `ruby` and
//! `NUMBER-PLATFORM` for others, as the compact index writes it. Numbers have no `-`: rubygems writes `.pre.` for it.

use std::cmp::Ordering;

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, PackageKey, VersionText};

/// The longest name, number and platform, in bytes each.
const LIMIT_BYTES: usize = 100;
/// The platform of gems that run everywhere.
pub(crate) const ANY_PLATFORM: &str = "ruby";
/// Endings that addresses of the web API have.
const ENDINGS: [&str; 4] = [".gem", ".json", ".html", ".gemspec"];

/// The key of a gem: its name, in the case that it has (protocols 6.6).
///
/// # Errors
/// [`Invalid`] if no gem can be called that.
pub(crate) fn gem_key(name: &str) -> Result<PackageKey, Invalid> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    let sign = |byte: Option<u8>| matches!(byte, Some(b'.' | b'_' | b'-'));
    if !plain
        || !name.bytes().any(|byte| byte.is_ascii_alphabetic())
        || name.len() > LIMIT_BYTES
        || sign(name.bytes().next())
        || sign(name.bytes().next_back())
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
    {
        return Err(Invalid::new(format!(
            "'{}' is no name for a gem: it has to be letters, digits, '.', '-' and '_' with at least one letter, no sign at \
             either end, and at most {LIMIT_BYTES} characters",
            printable(name)
        )));
    }
    PackageKey::new(PackageFormat::Ruby, None, name)
}

/// The text of a version: its number, and its platform unless that is `ruby`.
///
/// # Errors
/// [`Invalid`] if one of them is none.
pub(crate) fn version_text(number: &str, platform: &str) -> Result<VersionText, Invalid> {
    if !is_number(number) {
        return Err(Invalid::new(format!("'{}' is no version number of a gem", printable(number))));
    }
    if platform == ANY_PLATFORM {
        return VersionText::new(number);
    }
    if !is_platform(platform) {
        return Err(Invalid::new(format!("'{}' is no platform", printable(platform))));
    }
    VersionText::new(format!("{number}-{platform}"))
}

/// A version as the compact index writes it, checked.
///
/// # Errors
/// [`Invalid`] if it is none.
pub(crate) fn version_key(text: &str) -> Result<VersionText, Invalid> {
    let (number, platform) = split(text);
    version_text(number, platform)
}

/// Number and platform of a version's text.
pub(crate) fn split(text: &str) -> (&str, &str) {
    text.split_once('-').unwrap_or((text, ANY_PLATFORM))
}

fn is_number(number: &str) -> bool {
    let mut segments = number.split('.');
    let starts = segments.next().is_some_and(|first| !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()));
    starts
        && number.len() <= LIMIT_BYTES
        && segments.all(|segment| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Begins with a letter, so that no file name is read as two different versions.
fn is_platform(platform: &str) -> bool {
    platform.len() <= LIMIT_BYTES
        && platform.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && platform.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether only those who ask for prereleases get it: there is a letter in the number.
#[must_use]
pub(crate) fn is_prerelease(number: &str) -> bool {
    number.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// All ways to read `NAME-NUMBER[-PLATFORM]`, longest name first. There is no telling them apart without knowing which
/// gems there are (protocols 6.6).
pub(crate) fn readings(full_name: &str) -> Vec<(PackageKey, VersionText)> {
    let dashes = full_name.rmatch_indices('-').map(|(at, _)| at);
    dashes
        .filter_map(|at| Some((gem_key(full_name.get(..at)?).ok()?, version_key(full_name.get(at + 1..)?).ok()?)))
        .collect()
}

/// The order of rubygems: segment by segment, numbers above letters, zeros at the end do not count. Of one number, the
/// platform `ruby` comes first. What is no version comes before all, by text.
#[must_use]
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    let ((number_a, platform_a), (number_b, platform_b)) = (split(a), split(b));
    match (is_number(number_a), is_number(number_b)) {
        (true, true) => compare_numbers(number_a, number_b)
            .then_with(|| (platform_a != ANY_PLATFORM).cmp(&(platform_b != ANY_PLATFORM)))
            .then_with(|| platform_a.cmp(platform_b))
            .then_with(|| number_a.cmp(number_b)),
        (valid_a, valid_b) => valid_a.cmp(&valid_b).then_with(|| a.cmp(b)),
    }
}

/// The spelling that all texts of one version share (protocols 6.6): `1-java` for `1.0-java` and `1.0.0-java`. Two have
/// the same when number and platform are equal to every client, and only then.
#[must_use]
pub(crate) fn canonical_version(text: &str) -> String {
    let (number, platform) = split(text);
    let segments: Vec<&str> = canonical(number).iter().map(Segment::text).collect();
    let number = segments.join(".");
    if platform == ANY_PLATFORM { number } else { format!("{number}-{platform}") }
}

/// The order of numbers; equal for `1` and `1.0`.
#[must_use]
pub(crate) fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (canonical(a), canonical(b));
    let longest = a.len().max(b.len());
    let zero = Segment::Number("");
    (0..longest)
        .map(|at| a.get(at).unwrap_or(&zero).cmp(b.get(at).unwrap_or(&zero)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A part of a number; digits without zeros in front.
#[derive(Debug, PartialEq, Eq)]
enum Segment<'a> {
    Letters(&'a str),
    Number(&'a str),
}

impl<'a> Segment<'a> {
    fn text(&self) -> &'a str {
        match *self {
            Self::Letters(text) | Self::Number(text) => text,
        }
    }
}

impl Ord for Segment<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Letters(a), Self::Letters(b)) => a.cmp(b),
            (Self::Letters(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), Self::Letters(_)) => Ordering::Greater,
            (Self::Number(a), Self::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        }
    }
}

impl PartialOrd for Segment<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The segments that are compared: `1.0.a10.0` is `1`, `a`, `10`. Zeros at the end, and before the first letters, go.
fn canonical(number: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    for part in number.split('.') {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (segment, behind) = rest.split_at(end);
            if digits {
                segments.push(Segment::Number(segment.trim_start_matches('0')));
            } else {
                let is_first = !segments.iter().any(|segment| matches!(segment, Segment::Letters(_)));
                trim(&mut segments, is_first);
                segments.push(Segment::Letters(segment));
            }
            rest = behind;
        }
    }
    trim(&mut segments, true);
    segments
}

fn trim(segments: &mut Vec<Segment<'_>>, wanted: bool) {
    while wanted && matches!(segments.last(), Some(Segment::Number(""))) {
        segments.pop();
    }
}

/// Text from outside, as a sentence may show it: short and on one line.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
