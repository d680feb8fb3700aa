//! `NuGetVersion`: SemVer 2 with a fourth number, leading zeros and missing parts.

use std::cmp::Ordering;

use larder_core::error::Invalid;

use super::printable;

/// The longest version that is read, in bytes; the reference allows 255 characters for what is stored.
const LENGTH_LIMIT: usize = 200;

/// A version. Two are equal if they are one coordinate: `1.0`, `1.0.0.0` and `1.0.0+build` are.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    numbers: [u32; 4],
    /// As written, without `-`.
    labels: Vec<String>,
    /// As written, without `+`.
    build: Option<String>,
}

impl Version {
    /// Reads a version as NuGet's clients do: one to four numbers, each at most 2147483647, with leading zeros if need
    /// be, then `-` and dotted labels, then `+` and build metadata; blanks around it are ignored.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        Self::read(text.trim()).ok_or_else(|| Invalid::new(format!("'{}' is not a NuGet version", printable(text))))
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > LENGTH_LIMIT {
            return None;
        }
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (numbers, labels) = match rest.split_once('-') {
            Some((numbers, labels)) => (numbers, Some(labels)),
            None => (rest, None),
        };
        let mut read = [0; 4];
        for (count, part) in numbers.split('.').enumerate() {
            *read.get_mut(count)? = number(part)?;
        }
        let is_dotted = |text: &str| text.split('.').all(is_label);
        if labels.is_some_and(|labels| !is_dotted(labels)) || build.is_some_and(|build| !is_dotted(build)) {
            return None;
        }
        let labels = labels.map(|labels| labels.split('.').map(str::to_owned).collect()).unwrap_or_default();
        Some(Self { numbers: read, labels, build: build.map(str::to_owned) })
    }

    /// The normalized form: three numbers, a fourth if it is not 0, and the labels as written.
    #[must_use]
    pub(crate) fn normalized(&self) -> String {
        let [major, minor, patch, revision] = self.numbers;
        let mut text = format!("{major}.{minor}.{patch}");
        if revision != 0 {
            text.push_str(&format!(".{revision}"));
        }
        if !self.labels.is_empty() {
            text.push('-');
            text.push_str(&self.labels.join("."));
        }
        text
    }

    /// The normalized form in lower case: what a version is stored and addressed under.
    #[must_use]
    pub(crate) fn key(&self) -> String {
        self.normalized().to_ascii_lowercase()
    }

    /// The normalized form with build metadata: what documents show.
    #[must_use]
    pub(crate) fn full(&self) -> String {
        let mut text = self.normalized();
        if let Some(build) = &self.build {
            text.push('+');
            text.push_str(build);
        }
        text
    }

    #[must_use]
    pub(crate) fn is_prerelease(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Whether clients from before SemVer 2 cannot read it.
    #[must_use]
    pub(crate) fn is_semver2(&self) -> bool {
        self.labels.len() > 1 || self.build.is_some()
    }
}

/// At most `i32::MAX`, as .NET's version numbers are.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = text.trim_start_matches('0');
    let number = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    (number <= i32::MAX as u32).then_some(number)
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.labels.is_empty(), other.labels.is_empty()) {
            (true, true) => Ordering::Equal,
            // A release comes after its pre-releases.
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_labels(&self.labels, &other.labels),
        })
    }
}

fn compare_labels(left: &[String], right: &[String]) -> Ordering {
    let pairs = left.iter().zip(right).map(|(a, b)| compare_label(a, b));
    pairs.fold(Ordering::Equal, Ordering::then).then_with(|| left.len().cmp(&right.len()))
}

/// Numbers by value and before words; words without regard to case. A number that no `int` holds is a word to NuGet.
fn compare_label(a: &str, b: &str) -> Ordering {
    match (number(a), number(b)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase()),
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}
