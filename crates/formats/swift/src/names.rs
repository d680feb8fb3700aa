//! Scopes, package names and versions (SE-0292 section 3.6; SemVer 2). Pure.

use std::cmp::Ordering;

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, PackageKey, VersionText};
use semver::Version;

const SCOPE_LENGTH: usize = 39;
const NAME_LENGTH: usize = 100;

/// Checks a scope: up to 39 ASCII letters, digits and hyphens, each hyphen between two others.
///
/// # Errors
/// [`Invalid`] quoting the rule.
pub(crate) fn check_scope(scope: &str) -> Result<(), Invalid> {
    if is_identifier(scope, SCOPE_LENGTH, b"-") {
        return Ok(());
    }
    Err(Invalid::new(
        "a package scope has 1 to 39 ASCII letters, digits and hyphens, with a letter or digit at both ends and none of \
         the hyphens beside another",
    ))
}

/// Checks a package name: up to 100 ASCII letters, digits, hyphens and underscores, each of the last two between two
/// letters or digits.
///
/// # Errors
/// [`Invalid`] quoting the rule.
pub(crate) fn check_name(name: &str) -> Result<(), Invalid> {
    if is_identifier(name, NAME_LENGTH, b"-_") {
        return Ok(());
    }
    Err(Invalid::new(
        "a package name has 1 to 100 ASCII letters, digits, hyphens and underscores, with a letter or digit at both ends \
         and none of the others beside another",
    ))
}

fn is_identifier(text: &str, longest: usize, separators: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let alphanumeric = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= longest
        && alphanumeric(0)
        && (0..bytes.len()).all(|at| alphanumeric(at) || (separators.contains(&bytes[at]) && alphanumeric(at + 1)))
}

/// The key of a package in any spelling.
///
/// # Errors
/// [`Invalid`] when it is no scope or no name.
pub(crate) fn package_key(scope: &str, name: &str) -> Result<PackageKey, Invalid> {
    check_scope(scope)?;
    check_name(name)?;
    PackageKey::new(PackageFormat::Swift, Some(&scope.to_ascii_lowercase()), &name.to_ascii_lowercase())
}

/// Scope and name of a display name, `Scope.Name`: neither holds a dot.
#[must_use]
pub(crate) fn split_display(display_name: &str) -> (&str, &str) {
    display_name.split_once('.').unwrap_or(("", display_name))
}

/// Reads a semantic version, kept as it is with pre-release and build.
///
/// # Errors
/// [`Invalid`] for anything else, such as `v1.0.0` and `1.0`.
pub(crate) fn parse_version(text: &str) -> Result<VersionText, Invalid> {
    Version::parse(text)
        .map_err(|_| Invalid::new(format!("'{}' is not a semantic version such as 1.0.0", printable(text))))?;
    VersionText::new(text)
}

/// SemVer precedence, then build and text; what does not parse comes first, by text.
#[must_use]
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    Version::parse(a).ok().cmp(&Version::parse(b).ok()).then_with(|| a.cmp(b))
}

/// Whether a version is no pre-release.
#[must_use]
pub(crate) fn is_stable(version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| version.pre.is_empty())
}

/// The text with everything that could move a cursor or forge a log line replaced.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scopes_and_names_keep_to_their_rules() {
        for good in ["a", "A1", "mona", "a-b-c", &"a".repeat(39)] {
            assert!(check_scope(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "a_b", "a.b", "é", "a b", &"a".repeat(40)] {
            assert!(check_scope(bad).is_err(), "{bad}");
        }
        for good in ["LinkedList", "a_b", "a-b_c", "1", &"a".repeat(100)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "_a", "a_", "a_-b", "a.b", "a+b", &"a".repeat(101)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_kept_whole_and_must_be_semantic() {
        for good in ["1.0.0", "1.1.0-rc.1", "1.1.0+5", "1.0.0-a.b+c.d", "0.0.0-g1234", "1.0.0+build.zip"] {
            assert_eq!(parse_version(good).unwrap().as_str(), good);
        }
        for bad in ["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0 ", "latest"] {
            assert!(parse_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn precedence_is_semantic() {
        let ascending =
            ["nonsense", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.1", "1.0.0", "1.0.0+5", "1.2.0", "1.10.0"];
        for pair in ascending.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert!(is_stable("1.0.0+5") && !is_stable("1.0.0-rc") && !is_stable("x"));
    }

    proptest! {
        #[test]
        fn every_spelling_has_the_same_key(scope in "[a-zA-Z0-9]{1,39}", name in "[a-zA-Z0-9](_?[a-zA-Z0-9]){0,30}") {
            let key = package_key(&scope, &name).unwrap();
            prop_assert_eq!(&key, &package_key(&scope.to_uppercase(), &name.to_lowercase()).unwrap());
            let display = format!("{scope}.{name}");
            prop_assert_eq!(split_display(&display), (scope.as_str(), name.as_str()));
        }

        #[test]
        fn the_order_is_total(a in "[0-9]{1,2}\\.[0-9]\\.0(-[a-c1]{1,2})?(\\+[0-9a])?", b in "[0-9]{1,2}\\.[0-9]\\.0(-[a-c1]{1,2})?") {
            prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
            prop_assert_eq!(compare_versions(&a, &b) == Ordering::Equal, a == b);
        }
    }
}
