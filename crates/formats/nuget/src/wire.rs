//! What is kept of a version, and the documents that clients read (protocol reference 4.1 to 4.4).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A version's metadata column: what registrations and searches say of it, as its manifest or its registry has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PackageMetadata {
    /// As its publisher spells it.
    pub(crate) id: String,
    /// As its publisher spells it, with build metadata.
    pub(crate) version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owners: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) icon_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) license_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) license_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_client_version: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) require_license_acceptance: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependency_groups: Vec<DependencyGroup>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) package_types: Vec<PackageType>,
    /// Whether the package holds a README.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_readme: bool,
    /// What its registry said when it was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deprecation: Option<Deprecation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) vulnerabilities: Vec<Vulnerability>,
}

impl PackageMetadata {
    /// Reads the column; what cannot be read is as good as nothing.
    #[must_use]
    pub(crate) fn read(column: &[u8]) -> Self {
        serde_json::from_slice(column).unwrap_or_default()
    }

    /// The column.
    #[must_use]
    pub(crate) fn bytes(&self) -> Bytes {
        // Strings, lists and flags only: this does not fail.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Whether its dependencies cannot be read by clients from before SemVer 2.
    #[must_use]
    pub(crate) fn needs_semver2(&self) -> bool {
        let ranges = self.dependency_groups.iter().flat_map(|group| &group.dependencies);
        ranges
            .filter_map(|dependency| crate::names::VersionRange::parse(&dependency.range).ok())
            .any(|range| range.is_semver2())
    }
}

/// Dependencies for one target framework, or for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DependencyGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_framework: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependencies: Vec<DependencyRange>,
}

/// A dependency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DependencyRange {
    pub(crate) id: String,
    /// In interval notation.
    pub(crate) range: String,
}

/// What a package is for: `Dependency` if it says nothing, `DotnetTool`, `Template`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PackageType {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// Why a version should not be used any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Deprecation {
    pub(crate) reasons: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alternate_package: Option<DependencyRange>,
}

/// A known vulnerability of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Vulnerability {
    pub(crate) advisory_url: String,
    /// `0` (low) to `3` (critical).
    pub(crate) severity: String,
}

/// What is kept about a symbol package: its debug files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SymbolMetadata {
    pub(crate) files: Vec<SymbolFile>,
}

impl SymbolMetadata {
    /// Reads an asset's metadata column.
    #[must_use]
    pub(crate) fn read(column: &[u8]) -> Self {
        serde_json::from_slice(column).unwrap_or_default()
    }

    /// The column.
    #[must_use]
    pub(crate) fn bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// A portable PDB in a symbol package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SymbolFile {
    /// Its path in the archive.
    pub(crate) path: String,
    /// The id that debuggers ask for: 32 hexadecimal digits.
    pub(crate) id: String,
    /// Lower-case hexadecimal, with the id in the file set to zero: what compilers put into the assembly.
    pub(crate) sha256: String,
}

/// `v3/index.json`.
#[derive(Debug, Serialize)]
pub(crate) struct ServiceIndex {
    pub(crate) version: &'static str,
    pub(crate) resources: Vec<Resource>,
}

/// A resource of it.
#[derive(Debug, Serialize)]
pub(crate) struct Resource {
    #[serde(rename = "@id")]
    pub(crate) id: String,
    #[serde(rename = "@type")]
    pub(crate) kind: &'static str,
    pub(crate) comment: &'static str,
    #[serde(rename = "clientVersion", skip_serializing_if = "Option::is_none")]
    pub(crate) client_version: Option<&'static str>,
}

/// The flat container's `index.json`.
#[derive(Debug, Serialize)]
pub(crate) struct VersionList<'a> {
    pub(crate) versions: Vec<&'a str>,
}

/// A registration's `index.json`.
#[derive(Debug, Serialize)]
pub(crate) struct RegistrationIndex<'a> {
    #[serde(rename = "@id")]
    pub(crate) id: String,
    #[serde(rename = "@type")]
    pub(crate) kind: [&'static str; 3],
    pub(crate) count: usize,
    pub(crate) items: Vec<RegistrationPage<'a>>,
}

/// A page of versions: inside the index, or a document of its own.
#[derive(Debug, Serialize)]
pub(crate) struct RegistrationPage<'a> {
    #[serde(rename = "@id")]
    pub(crate) id: String,
    #[serde(rename = "@type")]
    pub(crate) kind: &'static str,
    pub(crate) count: usize,
    pub(crate) lower: &'a str,
    pub(crate) upper: &'a str,
    pub(crate) parent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Vec<RegistrationItem<'a>>>,
}

/// A version on a page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationItem<'a> {
    #[serde(rename = "@id")]
    pub(crate) id: String,
    #[serde(rename = "@type")]
    pub(crate) kind: &'static str,
    pub(crate) catalog_entry: CatalogEntry<'a>,
    pub(crate) package_content: String,
    pub(crate) registration: String,
}

/// A version's own registration document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationLeaf<'a> {
    #[serde(rename = "@id")]
    pub(crate) id: String,
    #[serde(rename = "@type")]
    pub(crate) kind: [&'static str; 2],
    pub(crate) listed: bool,
    pub(crate) published: String,
    pub(crate) catalog_entry: CatalogEntry<'a>,
    pub(crate) package_content: String,
    pub(crate) registration: String,
}

/// What a registration says of a version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CatalogEntry<'a> {
    #[serde(rename = "@id")]
    pub(crate) at: String,
    #[serde(rename = "@type")]
    pub(crate) kind: &'static str,
    pub(crate) id: &'a str,
    pub(crate) version: String,
    pub(crate) authors: &'a str,
    pub(crate) description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<&'a str>,
    pub(crate) icon_url: &'a str,
    pub(crate) license_url: &'a str,
    pub(crate) license_expression: &'a str,
    pub(crate) project_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readme_url: Option<String>,
    pub(crate) require_license_acceptance: bool,
    pub(crate) tags: &'a [String],
    pub(crate) language: &'a str,
    pub(crate) min_client_version: &'a str,
    pub(crate) listed: bool,
    pub(crate) published: String,
    pub(crate) package_content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) package_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) package_hash_algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) package_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deprecation: Option<&'a Deprecation>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) vulnerabilities: &'a [Vulnerability],
    pub(crate) dependency_groups: Vec<RegisteredGroup<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) package_types: &'a [PackageType],
}

/// A dependency group with addresses.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisteredGroup<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_framework: Option<&'a str>,
    pub(crate) dependencies: Vec<RegisteredDependency<'a>>,
}

/// A dependency with the address of its registration.
#[derive(Debug, Serialize)]
pub(crate) struct RegisteredDependency<'a> {
    pub(crate) id: &'a str,
    pub(crate) range: &'a str,
    pub(crate) registration: String,
}
