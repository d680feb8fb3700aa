//! Names of distribution files: `{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl` and
//! `{name}-{version}.tar.gz`.

use larder_core::error::Invalid;
use larder_core::model::VersionText;

use super::{Release, check_project, normalize, parse_version, printable};

/// What a distribution file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DistributionKind {
    Wheel,
    /// `.tar.gz`
    Sdist,
    /// A `.zip` source distribution, from before PEP 625.
    ZipSdist,
}

impl DistributionKind {
    /// The value of the form's `filetype` and of the JSON API's `packagetype`.
    #[must_use]
    pub(crate) fn file_type(self) -> &'static str {
        match self {
            Self::Wheel => "bdist_wheel",
            Self::Sdist | Self::ZipSdist => "sdist",
        }
    }

    /// By extension; `None` for kinds that are not accepted (eggs, installers).
    #[must_use]
    pub(crate) fn of(file_name: &str) -> Option<Self> {
        [(".whl", Self::Wheel), (".tar.gz", Self::Sdist), (".zip", Self::ZipSdist)]
            .into_iter()
            .find_map(|(extension, kind)| file_name.ends_with(extension).then_some(kind))
    }
}

/// A file name that says which release it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distribution {
    pub kind: DistributionKind,
    /// As spelled in the file name.
    pub name: String,
    /// As spelled in the file name.
    pub version: String,
    /// `py3` and so on; `source` for sdists.
    pub python_tag: String,
}

impl Distribution {
    /// Reads an uploaded file's name for a project whose name the form gives.
    ///
    /// # Errors
    /// [`Invalid`] when the extension is not accepted, the name is malformed or belongs to another project.
    pub(crate) fn parse(file_name: &str, project: &str) -> Result<Self, Invalid> {
        check_file_name(file_name)?;
        let Some(kind) = DistributionKind::of(file_name) else {
            return Err(Invalid::new(format!(
                "'{}' is not accepted: upload .whl, .tar.gz or .zip files",
                printable(file_name)
            )));
        };
        let distribution = match kind {
            DistributionKind::Wheel => parse_wheel(file_name)?,
            DistributionKind::Sdist | DistributionKind::ZipSdist => parse_sdist(file_name, kind, project)?,
        };
        if normalize(&distribution.name) != normalize(project) {
            return Err(Invalid::new(format!(
                "file name '{file_name}' belongs to project '{}', not to '{}'",
                distribution.name,
                printable(project)
            )));
        }
        Ok(distribution)
    }
}

/// Checks that a file name is one plain ASCII path segment without anything that prints as something else.
///
/// # Errors
/// [`Invalid`] quoting the rule.
pub(crate) fn check_file_name(file_name: &str) -> Result<(), Invalid> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.+!~".contains(&b);
    if (1..=255).contains(&file_name.len()) && !file_name.starts_with('.') && file_name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "file name '{}' may hold ASCII letters, digits and any of -_.+!~ only and not start with a dot",
        printable(file_name)
    )))
}

fn parse_wheel(file_name: &str) -> Result<Distribution, Invalid> {
    let malformed = |why: &str| Invalid::new(format!("wheel file name '{file_name}' {why}"));
    let stem = file_name.strip_suffix(".whl").unwrap_or(file_name);
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, python_tag) = match parts.as_slice() {
        [name, version, python, _, _] => (*name, *version, *python),
        [name, version, build, python, _, _] if build.starts_with(|c: char| c.is_ascii_digit()) => {
            (*name, *version, *python)
        }
        [_, _, _, _, _, _] => return Err(malformed("has a build tag that does not start with a digit")),
        _ => return Err(malformed("does not read {name}-{version}(-{build})-{python}-{abi}-{platform}.whl")),
    };
    if parts.iter().any(|part| part.is_empty()) || check_project(name).is_err() {
        return Err(malformed("has an empty or malformed part"));
    }
    parse_version(version).map_err(|_| malformed("has a version that is not PEP 440"))?;
    Ok(Distribution {
        kind: DistributionKind::Wheel,
        name: name.to_owned(),
        version: version.to_owned(),
        python_tag: python_tag.to_owned(),
    })
}

fn parse_sdist(file_name: &str, kind: DistributionKind, project: &str) -> Result<Distribution, Invalid> {
    let malformed = |why: &str| Invalid::new(format!("source distribution file name '{file_name}' {why}"));
    let extension = if kind == DistributionKind::Sdist { ".tar.gz" } else { ".zip" };
    let stem = file_name.strip_suffix(extension).unwrap_or(file_name);
    // PEP 625 has one hyphen; older names may have more, and then the project's name tells where the version starts.
    let (name, version) = split_after_project(stem, project)
        .or_else(|| stem.rsplit_once('-'))
        .ok_or_else(|| malformed("does not read {name}-{version}"))?;
    parse_version(version).map_err(|_| malformed("has a version that is not PEP 440"))?;
    Ok(Distribution { kind, name: name.to_owned(), version: version.to_owned(), python_tag: "source".to_owned() })
}

/// Splits `stem` at the hyphen before which it is a spelling of `project`.
fn split_after_project<'a>(stem: &'a str, project: &str) -> Option<(&'a str, &'a str)> {
    let project = normalize(project);
    stem.match_indices('-')
        .map(|(at, _)| (&stem[..at], &stem[at + 1..]))
        .find(|(name, version)| normalize(name) == project && !version.is_empty())
}

/// Extensions that public registries still list, longest first.
const UPSTREAM_EXTENSIONS: [&str; 14] = [
    ".tar.bz2",
    ".tar.lzma",
    ".tar.gz",
    ".tar.xz",
    ".tar.Z",
    ".whl",
    ".zip",
    ".egg",
    ".exe",
    ".msi",
    ".rpm",
    ".deb",
    ".tgz",
    ".dmg",
];

/// The version that a file of a public registry's project belongs to, normalized where it is PEP 440 and as it stands
/// where it is older; `None` if the name does not say (clients skip such files too).
#[must_use]
pub(crate) fn version_of_upstream_file(project: &str, file_name: &str) -> Option<VersionText> {
    let extension = UPSTREAM_EXTENSIONS.iter().find(|extension| file_name.ends_with(**extension))?;
    let stem = &file_name[..file_name.len() - extension.len()];
    let (_, rest) = split_after_project(stem, project)?;
    let version = match *extension {
        ".whl" => rest.split('-').next()?,
        ".egg" => rest.split_once("-py").map_or(rest, |(version, _)| version),
        ".exe" | ".msi" | ".rpm" | ".deb" | ".dmg" => without_platform(rest),
        _ => rest,
    };
    match Release::of(version) {
        Release::Pep440(version) => VersionText::new(version.to_string()).ok(),
        Release::Legacy(text) => VersionText::new(text).ok(),
    }
}

/// `1.0.win32-py2.7` → `1.0`.
fn without_platform(rest: &str) -> &str {
    let markers = [".win", "-win", ".linux", ".macosx", "-macosx", ".darwin", ".noarch", ".src", "-py", "-cp"];
    let end = markers.iter().filter_map(|marker| rest.find(marker)).min().unwrap_or(rest.len());
    &rest[..end]
}
