//! Packages and the coordinates that name them.

use std::fmt;
use std::str::FromStr;

use super::names::check_coordinate;
use super::{OriginRestrictions, Timestamp};
use crate::error::Invalid;

/// The eight formats, as the API spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PackageFormat {
    Npm,
    Pypi,
    Maven,
    Nuget,
    Generic,
    Ruby,
    Swift,
    Cargo,
}

impl PackageFormat {
    /// All formats.
    pub const ALL: [Self; 8] =
        [Self::Npm, Self::Pypi, Self::Maven, Self::Nuget, Self::Generic, Self::Ruby, Self::Swift, Self::Cargo];

    /// The API's spelling, also the path segment of its endpoint.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Maven => "maven",
            Self::Nuget => "nuget",
            Self::Generic => "generic",
            Self::Ruby => "ruby",
            Self::Swift => "swift",
            Self::Cargo => "cargo",
        }
    }

    /// Whether its packages have a namespace (reference 2.1).
    #[must_use]
    pub fn namespace_rule(self) -> NamespaceRule {
        match self {
            Self::Npm => NamespaceRule::Optional,
            Self::Maven | Self::Swift | Self::Generic => NamespaceRule::Required,
            Self::Pypi | Self::Nuget | Self::Ruby | Self::Cargo => NamespaceRule::None,
        }
    }
}

/// Whether a format's packages have a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceRule {
    None,
    Optional,
    Required,
}

impl fmt::Display for PackageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PackageFormat {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| Invalid::new("format must be one of npm, pypi, maven, nuget, generic, ruby, swift, cargo"))
    }
}

/// The namespace of [`PackageKey::document`]. A slash is allowed in no coordinate.
const DOCUMENTS: &str = "/";

/// Format, namespace and name of a package, in the format's normalized form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageKey {
    format: PackageFormat,
    /// Empty when there is none.
    namespace: Box<str>,
    name: Box<str>,
}

impl PackageKey {
    /// Checks the general rules of reference 1.2 and 2.1. Normalizing is the format's work and comes first.
    ///
    /// # Errors
    /// [`Invalid`] with the rule that was broken.
    pub fn new(format: PackageFormat, namespace: Option<&str>, name: &str) -> Result<Self, Invalid> {
        check_coordinate(name).map_err(|error| Invalid::new(format!("package {error}")))?;
        match (format.namespace_rule(), namespace) {
            (NamespaceRule::None, Some(_)) => {
                return Err(Invalid::new(format!("packages of format {format} have no namespace")));
            }
            (NamespaceRule::Required, None) => {
                return Err(Invalid::new(format!("packages of format {format} need a namespace")));
            }
            (_, Some(namespace)) => {
                check_coordinate(namespace).map_err(|error| Invalid::new(format!("namespace {error}")))?;
            }
            (_, None) => {}
        }
        Ok(Self { format, namespace: namespace.unwrap_or("").into(), name: name.into() })
    }

    /// No package, but another document of a public registry, kept beside the packages' indexes: RubyGems' `versions`,
    /// the `.sha1` beside a Maven file. Its namespace is one that nobody can name.
    #[must_use]
    pub fn document(format: PackageFormat, name: &str) -> Self {
        Self { format, namespace: DOCUMENTS.into(), name: name.into() }
    }

    /// The name of the document, if this is one.
    #[must_use]
    pub fn as_document(&self) -> Option<&str> {
        (&*self.namespace == DOCUMENTS).then_some(&*self.name)
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> PackageFormat {
        self.format
    }

    /// The namespace, if the package has one (npm: the scope without `@`).
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(&*self.namespace)
    }

    /// The name, without namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace() {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.format, self.name),
            None => write!(f, "{}//{}", self.format, self.name),
        }
    }
}

/// A package's row in one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub i64);

/// A package in one repository.
#[derive(Debug, Clone)]
pub struct Package {
    pub id: PackageId,
    pub key: PackageKey,
    /// As its publisher spells it.
    pub display_name: String,
    pub restrictions: OriginRestrictions,
    /// npm dist-tags, name to version, in name order; empty for other formats.
    pub tags: Vec<(String, String)>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Rises with every change to the package or its versions in this repository.
    pub revision: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_name_a_document_of_a_registry() {
        let document = PackageKey::document(PackageFormat::Maven, "g/a/1/a-1.jar.sha1");
        assert_eq!(document.as_document(), Some("g/a/1/a-1.jar.sha1"));
        for format in PackageFormat::ALL {
            assert!(PackageKey::new(format, Some(DOCUMENTS), "versions").is_err());
        }
        assert_eq!(PackageKey::new(PackageFormat::Maven, Some("g"), "a").unwrap().as_document(), None);
    }
}
