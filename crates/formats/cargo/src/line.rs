//! Lines of index files: one JSON object per version (protocols 7.1). Lines of public registries are kept and relayed as
//! the bytes that they are; only what is published here is written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use larder_core::error::Invalid;
use larder_core::model::{Dependency, Timestamp};
use serde::{Deserialize, Serialize};

use crate::names;

/// The format of lines whose features need it, and of all others.
pub(crate) const WITH_FEATURES2: u32 = 2;
const PLAIN: u32 = 1;

/// What is read of every line.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) vers: Cow<'a, str>,
    /// SHA-256 of the `.crate` file, in hexadecimal.
    #[serde(borrow)]
    pub(crate) cksum: Cow<'a, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default)]
    pubtime: Option<Cow<'a, str>>,
}

impl<'a> Head<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Invalid`] if it is no JSON object with a name, a version and a checksum.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, Invalid> {
        serde_json::from_slice(line).map_err(|error| {
            let shown = String::from_utf8_lossy(&line[..line.len().min(80)]);
            Invalid::new(format!("'{}' is no line of an index file: {error}", names::printable(&shown)))
        })
    }

    /// What versions are told apart by.
    pub(crate) fn version_key(&self) -> &str {
        names::without_build(&self.vers)
    }

    pub(crate) fn is_yanked(&self) -> bool {
        self.yanked == Some(true)
    }

    /// When the registry says it was published.
    pub(crate) fn published_at(&self) -> Option<Timestamp> {
        self.pubtime.as_deref().and_then(Timestamp::parse_rfc3339)
    }

    pub(crate) fn sha256(&self) -> Result<[u8; 32], Invalid> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&*self.cksum, &mut bytes)
            .map_err(|_| Invalid::new(format!("the checksum of version '{}' is no SHA-256", self.vers)))?;
        Ok(bytes)
    }
}

/// The lines of an index file that are not empty.
pub(crate) fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// A whole line, as it is written for what is published here and read for the web API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) vers: String,
    #[serde(default)]
    pub(crate) deps: Vec<LineDependency>,
    pub(crate) cksum: String,
    #[serde(default)]
    pub(crate) features: Features,
    /// Features in the syntax of cargo 1.60 and later, which older ones do not read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) features2: Features,
    #[serde(default)]
    pub(crate) yanked: bool,
    #[serde(default)]
    pub(crate) links: Option<String>,
    #[serde(default = "plain")]
    pub(crate) v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rust_version: Option<String>,
    /// `2026-01-02T03:04:05Z`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pubtime: Option<String>,
}

/// Feature to what it enables.
pub(crate) type Features = BTreeMap<String, Vec<String>>;

fn plain() -> u32 {
    PLAIN
}

/// A dependency in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LineDependency {
    /// What the crate calls it, which may not be what it is called.
    pub(crate) name: String,
    pub(crate) req: String,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) default_features: bool,
    #[serde(default)]
    pub(crate) target: Option<String>,
    #[serde(default)]
    pub(crate) kind: Option<Kind>,
    /// The index of another registry; `None` is the one that the line is in.
    #[serde(default)]
    pub(crate) registry: Option<String>,
    /// What it is called, if `name` is something else.
    #[serde(default)]
    pub(crate) package: Option<String>,
}

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Dev => "dev",
            Self::Build => "build",
        }
    }
}

impl LineDependency {
    /// The crate's own name.
    pub(crate) fn crate_name(&self) -> &str {
        self.package.as_deref().unwrap_or(&self.name)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Normal)
    }
}

impl Line {
    /// Reads a whole line; `None` for one in a form that is not known yet.
    #[must_use]
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// As it is stored and served, without line end.
    ///
    /// # Errors
    /// None that is known: all members can be written as JSON.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// Sets the features, each in the member whose readers understand it.
    pub(crate) fn set_features(&mut self, features: Features) {
        let (new, old): (Features, Features) =
            features.into_iter().partition(|(_, values)| values.iter().any(|value| needs_features2(value)));
        self.v = if new.is_empty() { PLAIN } else { WITH_FEATURES2 };
        (self.features, self.features2) = (old, new);
    }

    /// All features, wherever they are.
    pub(crate) fn all_features(&self) -> Features {
        self.features.iter().chain(&self.features2).map(|(name, values)| (name.clone(), values.clone())).collect()
    }

    /// The dependencies as the API lists them.
    pub(crate) fn dependencies(&self) -> Vec<Dependency> {
        let dependency = |dependency: &LineDependency| Dependency {
            namespace: None,
            package: dependency.crate_name().to_owned(),
            dependency_type: Some(dependency.kind().as_str().to_owned()),
            version_requirement: Some(dependency.req.clone()),
        };
        self.deps.iter().map(dependency).collect()
    }
}

/// `dep:name` and `name?/feature` came with cargo 1.60; an older one fails on them.
fn needs_features2(value: &str) -> bool {
    value.starts_with("dep:") || value.contains("?/")
}

/// The line with another `yanked`, all else as it was.
///
/// # Errors
/// [`Invalid`] if it is no JSON object.
pub(crate) fn with_yanked(line: &[u8], yanked: bool) -> Result<Vec<u8>, Invalid> {
    let unreadable = |error: serde_json::Error| Invalid::new(format!("the stored index line cannot be read: {error}"));
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).map_err(unreadable)?;
    members.insert("yanked".to_owned(), yanked.into());
    serde_json::to_vec(&members).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = br#"{"name":"Foo","vers":"0.1.0+b","deps":[{"name":"b","req":"^1","features":[],"optional":false,"default_features":true,"target":null}],"cksum":"00","features":{},"yanked":false,"x":[1]}"#;

    fn features(of: &[(&str, &[&str])]) -> Features {
        of.iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
            .collect()
    }

    #[test]
    fn features_go_where_their_readers_look() {
        let mut line = Line::parse(OLD).unwrap();
        line.set_features(features(&[("std", &[]), ("a", &["dep:b"]), ("c", &["std", "b?/x"]), ("d", &["b/x"])]));
        assert_eq!(line.v, 2);
        assert_eq!(line.features.keys().collect::<Vec<_>>(), ["d", "std"]);
        assert_eq!(line.features2.keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(line.all_features().len(), 4);
        line.set_features(features(&[("std", &[])]));
        assert!(line.v == 1 && !String::from_utf8(line.to_bytes().unwrap()).unwrap().contains("features2"));
    }

    #[test]
    fn yanking_changes_one_member_and_keeps_the_others_in_order() {
        let yanked = with_yanked(OLD, true).unwrap();
        let text = String::from_utf8(yanked.clone()).unwrap();
        assert_eq!(text, String::from_utf8_lossy(OLD).replace("\"yanked\":false", "\"yanked\":true"));
        assert_eq!(with_yanked(&yanked, false).unwrap(), OLD);
        assert!(with_yanked(b"[]", true).is_err());
    }

    #[test]
    fn old_and_foreign_lines_are_read() {
        let head = Head::parse(OLD).unwrap();
        assert_eq!((&*head.name, head.version_key(), head.is_yanked()), ("Foo", "0.1.0", false));
        assert!(head.sha256().is_err());
        let line = Line::parse(OLD).unwrap();
        assert_eq!(line.dependencies()[0].dependency_type.as_deref(), Some("normal"));
        for bad in [&b"<html>"[..], b"{}", b"{\"name\":\"a\",\"vers\":\"1.0.0\"}", b"{\"name\":\"a\"", b"null"] {
            assert!(Head::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_file_is_its_lines_whatever_ends_them() {
        let found: Vec<_> = lines(b"a\nb\r\n\n  \nc").collect();
        assert_eq!(found, [b"a", b"b", b"c"]);
    }
}
