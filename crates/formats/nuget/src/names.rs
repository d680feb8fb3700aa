//! Ids, versions and version ranges (protocol reference 4.7). Pure.

use std::cmp::Ordering;

use larder_core::error::Invalid;
use larder_core::model::{AssetName, PackageFormat, PackageKey, VersionText};

mod range;
mod version;

pub(crate) use larder_archive::printable;
pub(crate) use range::VersionRange;
pub(crate) use version::Version;

/// The longest id.
const ID_LIMIT: usize = 100;

/// Checks an id: words of ASCII letters, digits and `_`, joined by single `.` or `-`. NuGet itself allows letters of
/// every script; here they are refused, because ids that look alike are a way to be taken for somebody else.
///
/// # Errors
/// [`Invalid`] quoting the rule.
pub(crate) fn check_id(id: &str) -> Result<(), Invalid> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if id.len() <= ID_LIMIT && id.split(['.', '-']).all(is_word) {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "'{}' is not a package id: it has at most {ID_LIMIT} ASCII letters, digits and '_', in words that are joined by \
         single '.' or '-'",
        printable(id)
    )))
}

/// The key of the package with this id in any case.
///
/// # Errors
/// [`Invalid`] when it is no id.
pub(crate) fn package_key(id: &str) -> Result<PackageKey, Invalid> {
    check_id(id)?;
    PackageKey::new(PackageFormat::Nuget, None, &id.to_ascii_lowercase())
}

/// The form of a version under which it is stored, compared and addressed.
///
/// # Errors
/// [`Invalid`] when it is no version.
pub(crate) fn normalize_version(text: &str) -> Result<VersionText, Invalid> {
    VersionText::new(Version::parse(text)?.key())
}

/// NuGet's precedence; texts that are no versions come first.
#[must_use]
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// The package file of a version, as CodeArtifact names its asset.
///
/// # Errors
/// [`Invalid`] if the name is too long for an asset.
pub(crate) fn package_file(key: &PackageKey, version: &VersionText) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{}.{version}.nupkg", key.name()))
}

/// The symbol package of a version.
///
/// # Errors
/// As [`package_file`].
pub(crate) fn symbol_file(key: &PackageKey, version: &VersionText) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{}.{version}.snupkg", key.name()))
}

/// The manifest that is kept beside a package.
///
/// # Errors
/// As [`package_file`].
pub(crate) fn manifest_file(key: &PackageKey) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{}.nuspec", key.name()))
}

#[cfg(test)]
mod tests;
