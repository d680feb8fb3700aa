//! The manifest of a package: `{id}.nuspec`.

use larder_core::error::Invalid;
use larder_core::model::{Dependency, License, VersionDetails, VersionText};

use crate::names::{self, Version, VersionRange, printable};
use crate::wire::{DependencyGroup, DependencyRange, PackageMetadata, PackageType};
use crate::xml::{self, Element};

/// A larger manifest is refused.
pub(crate) const MANIFEST_LIMIT_BYTES: u64 = 10 << 20;

/// What a manifest says.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Under which the version is stored.
    pub(crate) version: VersionText,
    pub(crate) metadata: PackageMetadata,
    /// Paths in the package that the manifest refers to: README, icon, licence.
    pub(crate) readme: Option<String>,
    pub(crate) icon: Option<String>,
    pub(crate) license_file: Option<String>,
    repository: Option<String>,
}

impl Manifest {
    /// Reads a manifest of whatever schema version.
    ///
    /// # Errors
    /// [`Invalid`] if it is no manifest, or its id, version or dependencies are none.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let in_manifest = |error: Invalid| Invalid::new(format!("the manifest (.nuspec) is {error}"));
        let root = xml::parse(bytes).map_err(in_manifest)?;
        let metadata = (root.name == "package").then(|| root.child("metadata")).flatten();
        let metadata = metadata.ok_or_else(|| Invalid::new("the manifest (.nuspec) has no <metadata> in <package>"))?;
        let text = |name: &str| metadata.child(name).and_then(Element::text).map(str::to_owned);
        let required = |name: &str| {
            text(name).ok_or_else(|| Invalid::new(format!("the manifest (.nuspec) has no <{name}> in <metadata>")))
        };
        let (id, spelled) = (required("id")?, required("version")?);
        names::check_id(&id)?;
        let version = Version::parse(&spelled)?;
        let license = metadata.child("license");
        let license_of = |kind: &str| {
            let license = license.filter(|license| license.attribute("type") == Some(kind))?;
            license.text().map(str::to_owned)
        };
        let readme = text("readme").map(|path| entry_path(&path));
        Ok(Self {
            version: VersionText::new(version.key())?,
            metadata: PackageMetadata {
                id,
                version: version.full(),
                authors: text("authors"),
                owners: text("owners"),
                title: text("title"),
                summary: text("summary"),
                description: text("description"),
                language: text("language"),
                icon_url: text("iconUrl").filter(is_web_address),
                license_url: text("licenseUrl").filter(is_web_address),
                license_expression: license_of("expression"),
                project_url: text("projectUrl").filter(is_web_address),
                min_client_version: metadata.attribute("minClientVersion").map(str::to_owned),
                require_license_acceptance: text("requireLicenseAcceptance")
                    .is_some_and(|text| text.eq_ignore_ascii_case("true")),
                tags: tags(&text("tags").unwrap_or_default()),
                dependency_groups: dependency_groups(metadata.child("dependencies"))?,
                package_types: package_types(metadata.child("packageTypes")),
                has_readme: readme.is_some(),
                ..PackageMetadata::default()
            },
            readme,
            icon: text("icon").map(|path| entry_path(&path)),
            license_file: license_of("file").map(|path| entry_path(&path)),
            repository: metadata
                .child("repository")
                .and_then(|repository| repository.attribute("url"))
                .map(str::to_owned)
                .filter(is_web_address),
        })
    }

    /// What the API tells of the version; the README's text comes from the package.
    #[must_use]
    pub(crate) fn details(&self, readme: Option<String>) -> VersionDetails {
        VersionDetails { source_code_repository: self.repository.clone(), readme, ..details(&self.metadata) }
    }
}

/// What the API tells of a version whose manifest or registration says this.
#[must_use]
pub(crate) fn details(metadata: &PackageMetadata) -> VersionDetails {
    let license = match (&metadata.license_expression, &metadata.license_url) {
        (Some(expression), url) => Some(License { name: expression.clone(), url: url.clone() }),
        (None, Some(url)) => Some(License { name: url.clone(), url: Some(url.clone()) }),
        (None, None) => None,
    };
    // One dependency may stand in several groups, with the same range or another.
    let mut dependencies: Vec<Dependency> = Vec::new();
    for stated in metadata.dependency_groups.iter().flat_map(|group| &group.dependencies) {
        let dependency = Dependency {
            namespace: None,
            package: stated.id.to_ascii_lowercase(),
            dependency_type: None,
            version_requirement: Some(stated.range.clone()),
        };
        if !dependencies.contains(&dependency) {
            dependencies.push(dependency);
        }
    }
    VersionDetails {
        display_name: Some(metadata.id.clone()),
        summary: metadata.summary.clone().or_else(|| metadata.description.clone()),
        home_page: metadata.project_url.clone(),
        source_code_repository: None,
        licenses: license.into_iter().collect(),
        dependencies,
        readme: None,
    }
}

/// Paths are written with either slash.
fn entry_path(path: &str) -> String {
    path.replace('\\', "/").trim_start_matches("./").trim_start_matches('/').to_owned()
}

#[expect(clippy::ptr_arg, reason = "a predicate for Option<String>::filter")]
fn is_web_address(url: &String) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Tags are separated by blanks, and by commas in practice.
pub(crate) fn tags(text: &str) -> Vec<String> {
    text.split([' ', ',', ';', '\t', '\n', '\r']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn dependency_groups(dependencies: Option<&Element>) -> Result<Vec<DependencyGroup>, Invalid> {
    let Some(dependencies) = dependencies else { return Ok(Vec::new()) };
    let mut groups = Vec::new();
    // The old form has no groups.
    let plain: Vec<_> = dependencies.all("dependency").map(dependency).collect::<Result<_, _>>()?;
    if !plain.is_empty() {
        groups.push(DependencyGroup { target_framework: None, dependencies: plain });
    }
    for group in dependencies.all("group") {
        groups.push(DependencyGroup {
            target_framework: group.attribute("targetFramework").filter(|name| !name.is_empty()).map(str::to_owned),
            dependencies: group.all("dependency").map(dependency).collect::<Result<_, _>>()?,
        });
    }
    Ok(groups)
}

fn dependency(element: &Element) -> Result<DependencyRange, Invalid> {
    let id = element.attribute("id").unwrap_or_default();
    names::check_id(id)?;
    let range = VersionRange::parse(element.attribute("version").unwrap_or_default())
        .map_err(|error| Invalid::new(format!("dependency '{}': {error}", printable(id))))?;
    Ok(DependencyRange { id: id.to_owned(), range: range.to_string() })
}

fn package_types(types: Option<&Element>) -> Vec<PackageType> {
    let types = types.into_iter().flat_map(|types| types.all("packageType"));
    let read = |kind: &Element| {
        let name = kind.attribute("name").filter(|name| !name.is_empty())?.to_owned();
        Some(PackageType { name, version: kind.attribute("version").map(str::to_owned) })
    };
    types.filter_map(read).collect()
}

#[cfg(test)]
pub(crate) mod tests;
