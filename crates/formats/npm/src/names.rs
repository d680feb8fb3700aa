//! Names and versions: how they are spelled in paths, which new ones are taken, and how versions order
//! (protocols 1.10). Pure.
//!
//! A name in use on a public registry may break today's rules (`JSONStream`), so reading takes what [`package_key`]
//! takes and only publishing asks [`check_new_name`].

use std::cmp::Ordering;

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, PackageKey, VersionText};
use semver::Version;

/// Longest name of a new package, scope included (protocols 1.10).
const NEW_NAME_LIMIT: usize = 214;

/// Decoded path segments with the name of the package that they are about as one of them: a scoped name arrives as one
/// segment (`@scope/name`, escaped on the wire) or as two, which `scoped` then holds.
#[must_use]
pub(crate) fn join_scope<'a>(segments: &[&'a str], scoped: &'a mut String) -> Vec<&'a str> {
    let at = if segments.starts_with(&["-", "package"]) { 2 } else { 0 };
    let (before, rest) = segments.split_at(at);
    match rest {
        [scope, name, rest @ ..] if scope.starts_with('@') && !scope.contains('/') => {
            *scoped = format!("{scope}/{name}");
            [before, &[scoped.as_str()], rest].concat()
        }
        _ => segments.to_vec(),
    }
}

/// Reads a name as npm writes it, `name` or `@scope/name`.
///
/// # Errors
/// [`Invalid`] for what no registry ever had: empty parts, more slashes, leading dots, characters that URLs escape.
pub(crate) fn package_key(text: &str) -> Result<PackageKey, Invalid> {
    let (scope, name) = match text.strip_prefix('@') {
        Some(rest) => {
            let (scope, name) = rest
                .split_once('/')
                .ok_or_else(|| Invalid::new(format!("the scoped name '{text}' has no '/' after its scope")))?;
            (Some(scope), name)
        }
        None => (None, text),
    };
    for part in scope.into_iter().chain([name]) {
        if !is_plain(part) {
            return Err(Invalid::new(format!(
                "'{text}' is not a package name: it has letters, digits and -._~!'()* after an optional @scope/"
            )));
        }
        if part.starts_with('.') {
            return Err(Invalid::new(format!("'{text}' is not a package name: no part of it starts with '.'")));
        }
    }
    PackageKey::new(PackageFormat::Npm, scope, name)
}

/// What `encodeURIComponent` leaves as it is.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!'()*".contains(&b))
}

/// Checks the rules for the name of a package that is not there yet.
///
/// # Errors
/// [`Invalid`] with the rule that was broken.
pub(crate) fn check_new_name(text: &str) -> Result<(), Invalid> {
    let refuse = |why: &str| Err(Invalid::new(format!("'{text}' cannot be published: {why}")));
    if text.len() > NEW_NAME_LIMIT {
        return refuse("a new name has at most 214 characters");
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return refuse("a new name has no capital letters");
    }
    if text.contains(['~', '\'', '!', '(', ')', '*']) {
        return refuse("a new name has none of ~'!()*");
    }
    let key = package_key(text)?;
    for part in key.namespace().into_iter().chain([key.name()]) {
        if part.starts_with(['.', '_', '-']) {
            return refuse("no part of a new name starts with '.', '_' or '-'");
        }
    }
    if key.namespace().is_none() && matches!(key.name(), "node_modules" | "favicon.ico") {
        return refuse("the name is reserved");
    }
    Ok(())
}

/// `name` or `@scope/name`.
#[must_use]
pub(crate) fn display_name(key: &PackageKey) -> String {
    match key.namespace() {
        Some(scope) => format!("@{scope}/{}", key.name()),
        None => key.name().to_owned(),
    }
}

/// The file name of a version's tarball in URLs. Build metadata is not part of it (protocols 1.3).
#[must_use]
pub(crate) fn tarball_file(key: &PackageKey, version: &str) -> String {
    format!("{}-{}.tgz", key.name(), without_build(version))
}

/// The version in a tarball's file name: what is left without the package's name, which may hold dashes and digits
/// itself. Takes `n-1.0.0.tgz` and, for scoped packages, `@s/n-1.0.0.tgz`.
#[must_use]
pub(crate) fn version_of_file<'a>(key: &PackageKey, file: &'a str) -> Option<&'a str> {
    let file = match (file.strip_prefix('@'), key.namespace()) {
        (Some(rest), Some(scope)) => rest.strip_prefix(scope)?.strip_prefix('/')?,
        (Some(_), None) => return None,
        (None, _) => file,
    };
    let version = file.strip_prefix(key.name())?.strip_prefix('-')?.strip_suffix(".tgz")?;
    (!version.is_empty()).then_some(version)
}

/// A version as `SemVer` 2 has it, strictly.
///
/// # Errors
/// [`Invalid`] saying that it is not one.
pub(crate) fn strict_version(text: &str) -> Result<Version, Invalid> {
    Version::parse(text).map_err(|error| Invalid::new(format!("'{text}' is not a semantic version: {error}")))
}

/// The coordinate of a version: `1.0.0`, `1.0.0+a` and `1.0.0+b` are one (protocols 1.10). Texts that are not semantic
/// versions, as old packages have them, stay as they are.
///
/// # Errors
/// [`Invalid`] when no version can have this text.
pub(crate) fn coordinate(text: &str) -> Result<VersionText, Invalid> {
    VersionText::new(without_build(text))
}

/// A version without its build metadata; what is not a semantic version stays as it is.
#[must_use]
pub(crate) fn without_build(version: &str) -> &str {
    match version.split_once('+') {
        Some((release, _)) if Version::parse(version).is_ok() => release,
        _ => version,
    }
}

/// `SemVer` precedence; texts that are not versions come first. Equal precedence is decided by text, so that the order is
/// total.
#[must_use]
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(left), Ok(right)) => left.cmp_precedence(&right).then_with(|| a.cmp(b)),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// The version that `latest` names when no tag does: the highest that is not a pre-release, else the highest.
#[must_use]
pub(crate) fn highest<'a>(versions: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rank = |text: &str| Version::parse(text).map_or(0, |version| if version.pre.is_empty() { 2 } else { 1 });
    versions.into_iter().max_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| compare_versions(a, b)))
}

/// Checks that a text can be a dist-tag: one that reads as a range of versions cannot, because `name@tag` would mean
/// the range.
///
/// # Errors
/// [`Invalid`] with the rule that was broken.
pub(crate) fn check_tag(tag: &str) -> Result<(), Invalid> {
    if tag.is_empty() || tag.len() > 255 || tag.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/') {
        return Err(Invalid::new("a dist-tag has 1 to 255 characters, none of them white space or '/'"));
    }
    if node_semver::Range::parse(tag).is_ok() {
        return Err(Invalid::new(format!("the dist-tag '{tag}' reads as a range of versions; choose a word")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
