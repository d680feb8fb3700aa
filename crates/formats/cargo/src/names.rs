//! Names of crates, where their index files are, and the order of versions. Pure.

use std::cmp::Ordering;

use larder_core::error::Invalid;
use larder_core::model::{PackageFormat, PackageKey, VersionText};
use semver::Version;

/// The longest name, in bytes.
const NAME_LIMIT_BYTES: usize = 64;

/// File names that Windows keeps for devices, whatever their extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Crates that come with the compiler.
const STANDARD: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];

/// More spellings of a name than this are not looked at one by one.
const SPELLED_OUT: usize = 16;

/// The key of a crate: its name in lower case.
///
/// # Errors
/// [`Invalid`] if no crate can be called that.
pub(crate) fn crate_key(name: &str) -> Result<PackageKey, Invalid> {
    check_name(name)?;
    PackageKey::new(PackageFormat::Cargo, None, &name.to_ascii_lowercase())
}

/// A letter, then letters, digits, `-` and `_`, at most 64 characters (protocols 7.4).
///
/// # Errors
/// [`Invalid`] if it is something else.
pub(crate) fn check_name(name: &str) -> Result<(), Invalid> {
    let starts_well = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    if starts_well && name.len() <= NAME_LIMIT_BYTES && name.bytes().all(is_name_byte) {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "'{}' is no name for a crate: it has to be a letter followed by letters, digits, '-' and '_', at most \
         {NAME_LIMIT_BYTES} characters",
        printable(name)
    )))
}

/// A name that is about to be taken: none that files on Windows or the compiler's own crates have.
///
/// # Errors
/// [`Invalid`] if it is one of them.
pub(crate) fn check_new_name(name: &str) -> Result<(), Invalid> {
    check_name(name)?;
    let folded = name.to_ascii_lowercase().replace('-', "_");
    if DEVICES.contains(&&*folded) {
        return Err(Invalid::new(format!("'{name}' is reserved: Windows has no files of that name")));
    }
    if STANDARD.contains(&&*folded) {
        return Err(Invalid::new(format!("'{name}' is reserved: a crate of that name comes with the compiler")));
    }
    Ok(())
}

/// What a dependency may be called in a manifest: as a crate, or starting with `_`.
#[must_use]
pub(crate) fn is_dependency_name(name: &str) -> bool {
    let starts_well = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    starts_well && name.len() <= NAME_LIMIT_BYTES && name.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The folder of a crate's index file: `1`, `2`, `3/f` or `fo/ob`. The name keeps its case, `{lowerprefix}` is made of the
/// name in lower case. Names are ASCII.
#[must_use]
pub(crate) fn prefix(name: &str) -> String {
    let part = |from: usize, to: usize| name.get(from..to).unwrap_or_default();
    match name.len() {
        0 => String::new(),
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", part(0, 1)),
        _ => format!("{}/{}", part(0, 2), part(2, 4)),
    }
}

/// The path of a crate's index file, in lower case.
#[must_use]
pub(crate) fn index_path(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    format!("{}/{name}", prefix(&name))
}

/// The crate whose index file lies at a path, in whatever case; `None` if none does.
#[must_use]
pub(crate) fn of_index_path<'a>(segments: &[&'a str]) -> Option<&'a str> {
    let (&name, folder) = segments.split_last()?;
    check_name(name).ok()?;
    folder.join("/").eq_ignore_ascii_case(&prefix(name)).then_some(name)
}

/// The other spellings of a crate's name that nobody could tell from it, in lower case: `-` for `_` and the reverse.
/// All of them if they are few, else the two that use only one of the signs.
#[must_use]
pub(crate) fn twins(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let mut spellings = vec![String::new()];
    for c in name.chars() {
        let signs: &[char] = if matches!(c, '-' | '_') { &['-', '_'] } else { &[c] };
        if spellings.len() * signs.len() > SPELLED_OUT {
            spellings = vec![name.replace('_', "-"), name.replace('-', "_")];
            break;
        }
        spellings = spellings.iter().flat_map(|start| signs.iter().map(move |sign| format!("{start}{sign}"))).collect();
    }
    spellings.retain(|spelling| *spelling != name);
    spellings
}

/// Whether two names in lower case differ in `-` and `_` at most.
#[must_use]
pub(crate) fn is_twin(a: &str, b: &str) -> bool {
    a.replace('-', "_") == b.replace('-', "_")
}

/// The version as it is stored: without build metadata, of which there is one per version (protocols 7.1).
///
/// # Errors
/// [`Invalid`] if it is not a semantic version.
pub(crate) fn version_key(text: &str) -> Result<VersionText, Invalid> {
    parse_version(text)?;
    VersionText::new(without_build(text))
}

/// A semantic version.
///
/// # Errors
/// [`Invalid`] if it is none.
pub(crate) fn parse_version(text: &str) -> Result<Version, Invalid> {
    Version::parse(text)
        .map_err(|error| Invalid::new(format!("'{}' is not a semantic version: {error}", printable(text))))
}

/// The text before the build metadata.
#[must_use]
pub(crate) fn without_build(version: &str) -> &str {
    version.split_once('+').map_or(version, |(version, _build)| version)
}

/// Precedence as semantic versioning has it, build metadata apart; what does not parse comes first, by text.
#[must_use]
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp_precedence(&b),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// Text from outside, as a sentence may show it: short and on one line.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
