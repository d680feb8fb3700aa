//! The order of versions: semantic versions, read generously (`v1.2`, `2024.11.23-rc.1`), after everything else.

use std::cmp::Ordering;

/// A version that reads as numbers with dots between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Numbered<'a> {
    /// Without zeros at the end: `1.0` is `1`.
    numbers: Vec<u64>,
    /// What follows the first hyphen, identifier by identifier.
    before: Vec<&'a str>,
}

impl<'a> Numbered<'a> {
    /// `[v]NUMBER(.NUMBER)*[-PRE][+BUILD]`
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, before) = match text.split_once('-') {
            Some((numbers, before)) => (numbers, before.split('.').collect()),
            None => (text, Vec::new()),
        };
        if before.iter().any(|identifier| identifier.is_empty()) {
            return None;
        }
        let mut parsed = Vec::new();
        for number in numbers.split('.') {
            if !number.bytes().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            parsed.push(number.parse().ok()?);
        }
        while parsed.last() == Some(&0) {
            parsed.pop();
        }
        Some(Self { numbers: parsed, before })
    }

    /// A release, and not something before one.
    pub(crate) fn is_release(&self) -> bool {
        self.before.is_empty()
    }

    /// The precedence of semantic versioning.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let before = |other: &Self| match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_identifiers(&self.before, &other.before),
        };
        // No zeros at the end: the shorter of two that begin alike is the smaller.
        self.numbers.cmp(&other.numbers).then_with(|| before(other))
    }
}

fn compare_identifiers(a: &[&str], b: &[&str]) -> Ordering {
    let different = a.iter().zip(b).map(|(a, b)| compare_identifier(a, b)).find(|order| order.is_ne());
    different.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Numbers by value and before words.
fn compare_identifier(a: &str, b: &str) -> Ordering {
    let number =
        |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.trim_start_matches('0').len());
    match (number(a), number(b)) {
        (Some(long), Some(other)) => {
            long.cmp(&other).then_with(|| a.trim_start_matches('0').cmp(b.trim_start_matches('0')))
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Those that do not read as numbers come first, by text; the same precedence is ordered by text.
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    let order = match (Numbered::parse(a), Numbered::parse(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => Ordering::Equal,
    };
    order.then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers_where_they_are_numbers() {
        let ordered = [
            "nightly",
            "release-2",
            "0.9",
            "v1.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0-rc.1",
            "1.0",
            "1.0.1",
            "1.2",
            "1.10",
            "v2",
            "2024.11.23",
            "2024.11.23.1",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn the_number_of_zeros_and_the_build_do_not_count() {
        for (a, b) in [("1", "1.0.0"), ("v1.0", "1.0.0"), ("1.0.0+a", "1.0.0+b")] {
            let (a, b) = (Numbered::parse(a).unwrap(), Numbered::parse(b).unwrap());
            assert_eq!(a.compare(&b), Ordering::Equal);
        }
        for bad in ["", "v", "1..2", "1.", "a.1", "1.0-", "1.0-a..b", "99999999999999999999"] {
            assert!(Numbered::parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(mut versions in proptest::collection::vec("v?[0-2](\\.[0-2]){0,2}(-[a01]\\.?[b1])?|[ab.+-]{1,3}", 3)) {
            versions.sort_by(|a, b| compare_versions(a, b));
            for pair in versions.windows(2) {
                prop_assert!(compare_versions(&pair[0], &pair[1]).is_le());
                prop_assert_eq!(compare_versions(&pair[0], &pair[1]), compare_versions(&pair[1], &pair[0]).reverse());
            }
            prop_assert!(compare_versions(&versions[0], &versions[2]).is_le());
        }
    }
}
