//! The repository layout (protocol reference 3.1): path ⇄ coordinate. What a path is gets decided by the file name, never
//! by its depth, and the directory's artifactId and version are the anchors in it.

use larder_core::error::Invalid;
use larder_core::model::{AssetName, HashAlgorithm, PackageKey, VersionText};

use crate::names::{self, SNAPSHOT};

/// The name of every metadata file.
pub(crate) const METADATA: &str = "maven-metadata.xml";

/// The suffixes of checksum files.
const ALGORITHMS: [(&str, HashAlgorithm); 4] = [
    (".sha1", HashAlgorithm::Sha1),
    (".md5", HashAlgorithm::Md5),
    (".sha256", HashAlgorithm::Sha256),
    (".sha512", HashAlgorithm::Sha512),
];

/// Extensions of two parts, and the signatures that follow any extension.
const COMPOUND: [&str; 6] = ["tar.gz", "tar.bz2", "tar.xz", "tar.zst", "tar.Z", "cpio.gz"];
const SIGNATURES: [&str; 3] = [".asc", ".sigstore.json", ".sigstore"];

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<'a> {
    pub(crate) file: File<'a>,
    /// Its checksum is meant, not the file.
    pub(crate) checksum: Option<HashAlgorithm>,
}

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum File<'a> {
    /// `maven-metadata.xml` in this directory.
    Metadata { directory: &'a [&'a str] },
    /// A file of a version.
    Asset(AssetPath),
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetPath {
    pub(crate) key: PackageKey,
    /// The version that the file belongs to: of a timestamped snapshot its build.
    pub(crate) version: VersionText,
    /// The directory, where it is not the version: `1.0-SNAPSHOT`.
    pub(crate) base: VersionText,
    pub(crate) name: AssetName,
    /// What follows artifactId and version in the name: `-sources.jar`.
    pub(crate) rest: String,
}

impl AssetPath {
    /// Whether it is named after the snapshot, not after one of its builds.
    pub(crate) fn is_unique(&self) -> bool {
        !names::is_snapshot(self.version.as_str())
    }

    /// Whether it is the version's POM.
    pub(crate) fn is_pom(&self) -> bool {
        self.rest == ".pom"
    }
}

/// Takes the suffix of a checksum off a file name.
pub(crate) fn split_checksum(name: &str) -> (&str, Option<HashAlgorithm>) {
    for (suffix, algorithm) in ALGORITHMS {
        if let Some(of) = name.strip_suffix(suffix)
            && !of.is_empty()
        {
            return (of, Some(algorithm));
        }
    }
    (name, None)
}

/// The suffix of an algorithm's files without dot, which is also the end of its header's name.
pub(crate) fn algorithm_name(algorithm: HashAlgorithm) -> &'static str {
    ALGORITHMS.iter().find(|(_, known)| *known == algorithm).map_or("", |(suffix, _)| &suffix[1..])
}

/// Reads a path.
///
/// # Errors
/// [`Invalid`] saying why it is nothing that a Maven repository has.
pub(crate) fn parse<'a>(segments: &'a [&'a str]) -> Result<Located<'a>, Invalid> {
    let Some((name, directory)) = segments.split_last() else {
        return Err(Invalid::new("the path is empty; a file is at group/artifact/version/file"));
    };
    let (name, checksum) = split_checksum(name);
    if name == METADATA {
        if directory.is_empty() {
            return Err(Invalid::new("a repository has no maven-metadata.xml at its root"));
        }
        return Ok(Located { file: File::Metadata { directory }, checksum });
    }
    if split_checksum(name).1.is_some() {
        return Err(Invalid::new("a checksum has no checksum"));
    }
    Ok(Located { file: File::Asset(asset(directory, name)?), checksum })
}

fn asset(directory: &[&str], name: &str) -> Result<AssetPath, Invalid> {
    let [group @ .., artifact, base] = directory else {
        return Err(Invalid::new("a file is at group/artifact/version/file; this path is too short"));
    };
    if group.is_empty() {
        return Err(Invalid::new("a file is at group/artifact/version/file; this path is too short"));
    }
    if group.iter().any(|part| part.contains('.')) {
        return Err(Invalid::new("a directory of a groupId has no dot; the dots of a groupId are the slashes"));
    }
    let key = names::package_key(&group.join("."), artifact)?;
    let base_version = names::version(base)?;
    let unlike = || Invalid::new(format!("the file's name must start with '{artifact}-{base}'"));
    // Ivy puts its own descriptor beside the POM.
    let is_ivy = name.strip_prefix("ivy-").and_then(|rest| rest.strip_suffix(".xml")).is_some_and(|rest| rest == *base);
    let stem = if is_ivy { "ivy" } else { artifact };
    let after = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-')).ok_or_else(unlike)?;
    let (version, rest) = version_in(after, base).ok_or_else(unlike)?;
    let is_named = |rest: &str| rest.starts_with(['-', '.']) && rest.len() > 1 && !rest.ends_with('.');
    if !is_named(rest) {
        return Err(Invalid::new("the file's name must go on with '-classifier.extension' or '.extension'"));
    }
    Ok(AssetPath {
        key,
        version: names::version(&version)?,
        base: base_version,
        name: AssetName::new(name)?,
        rest: rest.to_owned(),
    })
}

/// The version at the start of what follows the artifactId, and what follows that.
fn version_in<'a>(after: &'a str, base: &str) -> Option<(String, &'a str)> {
    if let Some(rest) = after.strip_prefix(base) {
        return Some((base.to_owned(), rest));
    }
    // `1.0-SNAPSHOT` holds `1.0-20261122.192108-1`.
    let stem = base.strip_suffix(SNAPSHOT)?;
    let rest = after.strip_prefix(stem)?.strip_prefix('-')?;
    let timestamp = rest.get(..15)?;
    let number = rest.get(15..)?.strip_prefix('-')?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    let version = format!("{stem}-{timestamp}-{}", &number[..digits]);
    names::parse_build(&version).filter(|(found, _)| *found == stem)?;
    Some((version, &number[digits..]))
}

/// Classifier and extension of what follows the version in a name; the classifier may be empty. Where the name alone
/// does not say it (`-a.b.c`), the extension is the last part, or one of the known longer ones.
pub(crate) fn classify(rest: &str) -> (&str, &str) {
    let Some(classified) = rest.strip_prefix('-') else { return ("", rest.strip_prefix('.').unwrap_or(rest)) };
    let mut end = classified.len();
    for signature in SIGNATURES {
        if let Some(of) = classified.strip_suffix(signature) {
            end = of.len();
            break;
        }
    }
    let body = &classified[..end];
    let dot = COMPOUND
        .iter()
        .find_map(|extension| body.strip_suffix(extension)?.strip_suffix('.').map(str::len))
        .or_else(|| body.rfind('.'));
    match dot {
        Some(dot) => (&classified[..dot], &classified[dot + 1..]),
        None => (classified, ""),
    }
}

/// The name of a file.
pub(crate) fn file_name(artifact: &str, version: &str, classifier: &str, extension: &str) -> String {
    if classifier.is_empty() {
        format!("{artifact}-{version}.{extension}")
    } else {
        format!("{artifact}-{version}-{classifier}.{extension}")
    }
}

/// The path of a directory or file of a package: `com/acme/lib`, and what follows.
pub(crate) fn path(key: &PackageKey, below: &[&str]) -> String {
    let mut path = key.namespace().unwrap_or_default().replace('.', "/");
    for part in std::iter::once(&key.name()).chain(below) {
        path.push('/');
        path.push_str(part);
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(path: &str) -> Result<(File<'static>, Option<HashAlgorithm>), Invalid> {
        let segments: &'static [&'static str] = path.to_owned().leak().split('/').collect::<Vec<_>>().leak();
        parse(segments).map(|located| (located.file, located.checksum))
    }

    fn asset_of(path: &str) -> AssetPath {
        match read(path) {
            Ok((File::Asset(asset), _)) => asset,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn directory_and_name_give_the_coordinate() {
        for (path, key, version, rest) in [
            ("com/acme/lib/1.0/lib-1.0.jar", "com.acme:lib", "1.0", ".jar"),
            ("com/acme/lib/1.0-rc-1/lib-1.0-rc-1-a.b-c.tar.gz", "com.acme:lib", "1.0-rc-1", "-a.b-c.tar.gz"),
            ("g/a-b/1/a-b-1.module", "g:a-b", "1", ".module"),
            ("g/a/1-SNAPSHOT/a-1-20261122.192108-3-sources.jar", "g:a", "1-20261122.192108-3", "-sources.jar"),
            ("g/a/1-SNAPSHOT/a-1-SNAPSHOT.jar", "g:a", "1-SNAPSHOT", ".jar"),
            ("g/a/1-20261122.192108-3/a-1-20261122.192108-3.pom", "g:a", "1-20261122.192108-3", ".pom"),
            ("g/a/1.0/ivy-1.0.xml", "g:a", "1.0", ".xml"),
            // A directory that is artifact and group at once.
            ("g/a/b/1/b-1.jar", "g.a:b", "1", ".jar"),
        ] {
            let asset = asset_of(path);
            assert_eq!(
                (names::display_name(&asset.key).as_str(), asset.version.as_str(), asset.rest.as_str()),
                (key, version, rest)
            );
        }
    }

    #[test]
    fn checksums_and_metadata_are_told_by_the_name() {
        assert!(matches!(read("g/a/1/a-1.jar.sha512"), Ok((File::Asset(_), Some(HashAlgorithm::Sha512)))));
        assert!(matches!(read("g/a/1/a-1.jar.asc.md5"), Ok((File::Asset(_), Some(HashAlgorithm::Md5)))));
        for (path, length) in [("g/maven-metadata.xml", 1), ("g/a/1-SNAPSHOT/maven-metadata.xml.sha1", 3)] {
            let Ok((File::Metadata { directory }, _)) = read(path) else { panic!("{path}") };
            assert_eq!(directory.len(), length);
        }
    }

    #[test]
    fn what_is_not_in_the_layout_is_refused() {
        for path in [
            "",
            "a",
            "a/1/a-1.jar",
            "g/a/1/b-1.jar",
            "g/a/1/a-2.jar",
            "g/a/1/a-1",
            "g/a/1/a-1.",
            "g/a/1/a-1x.jar",
            "g/a/1/a.jar",
            "maven-metadata.xml",
            "g/a/1/a-1.jar.sha1.md5",
            "g.h/a/1/a-1.jar",
            "g/a/1-SNAPSHOT/a-1.jar",
            "g/a/1-SNAPSHOT/a-2-20261122.192108-3.jar",
            "g/a/1-SNAPSHOT/a-1-2026.192108-3.jar",
            ".meta/prefixes.txt",
            "g/a/1/index.html",
        ] {
            assert!(read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn classifier_and_extension_are_split() {
        for (rest, classifier, extension) in [
            (".jar", "", "jar"),
            (".tar.gz", "", "tar.gz"),
            ("-sources.jar", "sources", "jar"),
            ("-bin.tar.gz", "bin", "tar.gz"),
            ("-jdk1.8-x.zip", "jdk1.8-x", "zip"),
            ("-a.jar.asc", "a", "jar.asc"),
            (".pom.sigstore.json", "", "pom.sigstore.json"),
            ("-x", "x", ""),
        ] {
            assert_eq!(classify(rest), (classifier, extension), "{rest}");
        }
    }

    proptest! {
        #[test]
        fn a_coordinate_goes_to_a_path_and_back(
            group in "[a-z][a-z0-9_-]{0,5}(\\.[a-z0-9_-]{1,5}){0,3}",
            artifact in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,8}",
            version in "[0-9a-z][0-9a-z.+_-]{0,8}",
            classifier in "([a-z0-9][a-z0-9-]{0,5})?",
            extension in "(jar|tar\\.gz|module|pom\\.asc)",
        ) {
            let key = names::package_key(&group, &artifact).unwrap();
            let name = file_name(&artifact, &version, &classifier, &extension);
            let path = path(&key, &[&version, &name]);
            let segments: Vec<&str> = path.split('/').collect();
            let located = parse(&segments).unwrap();
            let File::Asset(asset) = located.file else { panic!("{path}") };
            prop_assert_eq!((&asset.key, asset.version.as_str(), asset.name.as_str()), (&key, version.as_str(), name.as_str()));
            prop_assert_eq!(classify(&asset.rest), (classifier.as_str(), extension.as_str()));
        }

        #[test]
        fn no_path_makes_the_reader_panic(path in "\\PC{0,60}") {
            let segments: Vec<&str> = path.split('/').collect();
            let _ = parse(&segments);
            let _ = classify(&path);
        }
    }
}
