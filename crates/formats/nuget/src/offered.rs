//! What a public registry offers, as it is stored: one document made of its flat container and its registrations. Its
//! addresses are kept, but never shown to a client (protocol reference 4.8).

use larder_core::error::Invalid;
use larder_core::model::{PackageKey, ReleaseTime, Timestamp};
use larder_core::ports::StoredIndex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::{self, Version, VersionRange};
use crate::nuspec;
use crate::wire::{DependencyGroup, DependencyRange, Deprecation, PackageMetadata, PackageType, Vulnerability};

/// Everything about one package, or about one of its versions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Offered {
    /// The documents that it was made of, to ask whether they are still the same.
    pub(crate) sources: Vec<SourceDocument>,
    /// In NuGet's order.
    pub(crate) versions: Vec<OfferedVersion>,
}

/// A document of the registry and its validators.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SourceDocument {
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<String>,
}

/// A version that the registry offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OfferedVersion {
    /// Under which it is stored.
    pub(crate) key: String,
    pub(crate) metadata: PackageMetadata,
    pub(crate) is_unlisted: bool,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) published: Option<String>,
    /// When the registry last wrote about it, RFC 3339: it was published then at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) committed: Option<String>,
    /// Where the package is.
    pub(crate) url: String,
    /// The promised SHA-512 in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha512: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_bytes: Option<u64>,
}

impl Offered {
    /// Reads the stored document; nothing if the registry has no such package.
    ///
    /// # Errors
    /// [`Invalid`] if it is none of ours.
    pub(crate) fn read(index: &StoredIndex) -> Result<Self, Invalid> {
        let Some(body) = &index.body else { return Ok(Self::default()) };
        serde_json::from_slice(body).map_err(|error| Invalid::new(format!("not a stored index: {error}")))
    }

    /// Puts the versions into NuGet's order, each once.
    pub(crate) fn sort(&mut self) {
        self.versions.sort_by(|a, b| names::compare_versions(&a.key, &b.key).then_with(|| a.key.cmp(&b.key)));
        self.versions.dedup_by(|later, first| later.key == first.key);
    }
}

impl OfferedVersion {
    /// What is known of when it was published.
    pub(crate) fn released(&self) -> ReleaseTime {
        let instant = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse_rfc3339);
        ReleaseTime::of(instant(&self.published)).or_known_since(instant(&self.committed))
    }

    /// A version of which only its number is known.
    #[must_use]
    pub(crate) fn bare(package: &PackageKey, version: &Version, url: String) -> Self {
        let metadata =
            PackageMetadata { id: package.name().to_owned(), version: version.full(), ..PackageMetadata::default() };
        Self { key: version.key(), metadata, url, ..Self::default() }
    }

    /// Reads a registration leaf, inlined in a page or on its own. `None` for one of another package or without a
    /// version: an upstream does not get to speak for other packages.
    #[must_use]
    pub(crate) fn from_leaf(package: &PackageKey, leaf: &Value) -> Option<Self> {
        let entry = &leaf["catalogEntry"];
        let entry = if entry.is_object() { entry } else { leaf };
        let mut version = Self::from_entry(package, entry)?;
        if let Some(url) = text(leaf, "packageContent").or_else(|| text(entry, "packageContent")) {
            version.url = url;
        }
        version.committed = text(leaf, "commitTimeStamp").filter(|at| Timestamp::parse_rfc3339(at).is_some());
        if leaf["listed"] == Value::Bool(false) {
            version.is_unlisted = true;
        }
        Some(version)
    }

    /// Reads what a registration or the catalog says of a version.
    #[must_use]
    pub(crate) fn from_entry(package: &PackageKey, entry: &Value) -> Option<Self> {
        let id = text(entry, "id")?;
        let version = Version::parse(&text(entry, "version")?).ok()?;
        if !id.eq_ignore_ascii_case(package.name()) {
            return None;
        }
        let published = text(entry, "published").filter(|at| Timestamp::parse_rfc3339(at).is_some());
        // Old registries say so by the year only.
        let is_hidden_by_year = published.as_ref().is_some_and(|at| at.starts_with("1900-"));
        let is_sha512 = text(entry, "packageHashAlgorithm").is_none_or(|name| name.eq_ignore_ascii_case("SHA512"));
        Some(Self {
            key: version.key(),
            is_unlisted: entry["listed"] == Value::Bool(false) || is_hidden_by_year,
            published: published.filter(|_| !is_hidden_by_year),
            committed: None,
            url: String::new(),
            sha512: text(entry, "packageHash").filter(|_| is_sha512),
            size_bytes: entry["packageSize"].as_u64(),
            metadata: metadata(id, &version, entry),
        })
    }
}

fn metadata(id: String, version: &Version, entry: &Value) -> PackageMetadata {
    let url = |name: &str| text(entry, name).filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    PackageMetadata {
        id,
        version: version.full(),
        authors: joined(&entry["authors"]),
        owners: None,
        title: text(entry, "title"),
        summary: text(entry, "summary"),
        description: text(entry, "description"),
        language: text(entry, "language"),
        icon_url: url("iconUrl"),
        license_url: url("licenseUrl"),
        license_expression: text(entry, "licenseExpression"),
        project_url: url("projectUrl"),
        min_client_version: text(entry, "minClientVersion"),
        require_license_acceptance: entry["requireLicenseAcceptance"] == Value::Bool(true),
        tags: tags(&entry["tags"]),
        dependency_groups: items(&entry["dependencyGroups"]).map(dependency_group).collect(),
        package_types: items(&entry["packageTypes"]).filter_map(package_type).collect(),
        has_readme: text(entry, "readmeUrl").is_some(),
        deprecation: deprecation(&entry["deprecation"]),
        vulnerabilities: items(&entry["vulnerabilities"]).filter_map(vulnerability).collect(),
    }
}

/// A text that is there and not empty.
fn text(object: &Value, name: &str) -> Option<String> {
    object[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A list's items; servers write a single item without its list, too.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
    .iter()
}

fn joined(value: &Value) -> Option<String> {
    let names: Vec<_> = items(value).filter_map(Value::as_str).filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn tags(value: &Value) -> Vec<String> {
    items(value).filter_map(Value::as_str).flat_map(nuspec::tags).collect()
}

fn dependency_group(group: &Value) -> DependencyGroup {
    let dependency = |stated: &Value| {
        let id = text(stated, "id").filter(|id| names::check_id(id).is_ok())?;
        let range = stated["range"].as_str().unwrap_or_default();
        let range = VersionRange::parse(range).map_or_else(|_| range.to_owned(), |range| range.to_string());
        Some(DependencyRange { id, range })
    };
    DependencyGroup {
        target_framework: text(group, "targetFramework"),
        dependencies: items(&group["dependencies"]).filter_map(dependency).collect(),
    }
}

fn package_type(value: &Value) -> Option<PackageType> {
    Some(PackageType { name: text(value, "name")?, version: text(value, "version") })
}

fn deprecation(value: &Value) -> Option<Deprecation> {
    let alternate = &value["alternatePackage"];
    let alternate_package = text(alternate, "id")
        .map(|id| DependencyRange { id, range: alternate["range"].as_str().unwrap_or("*").to_owned() });
    let reasons = items(&value["reasons"]).filter_map(Value::as_str).map(str::to_owned).collect();
    value.is_object().then(|| Deprecation { reasons, message: text(value, "message"), alternate_package })
}

fn vulnerability(value: &Value) -> Option<Vulnerability> {
    // The severity is a text in the documents of the public gallery and a number in those of others.
    let severity = value["severity"].as_u64().map(|number| number.to_string()).or_else(|| text(value, "severity"))?;
    Some(Vulnerability { advisory_url: text(value, "advisoryUrl")?, severity })
}

#[cfg(test)]
mod tests;
