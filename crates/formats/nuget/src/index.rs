//! A merged package → the documents that clients resolve with: the flat container's list of versions and the
//! registrations (protocol reference 4.2, 4.3).

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use larder_core::error::ResourceType;
use larder_core::model::{Timestamp, VersionText};
use larder_core::services::Rendered;
use larder_core::{Error, Result};
use serde::Serialize;

use crate::names::Version;
use crate::package::{MergedPackage, MergedVersion};
use crate::urls::{Hive, Urls};
use crate::wire::{
    CatalogEntry, RegisteredDependency, RegisteredGroup, RegistrationIndex, RegistrationItem, RegistrationLeaf,
    RegistrationPage, VersionList,
};

/// Versions on a page.
pub(crate) const PAGE: usize = 64;
/// The largest page that is answered to somebody who asks by bounds of long ago.
const PAGE_LIMIT: usize = 4 * PAGE;
/// From this many versions on, pages are documents of their own.
const INLINED_BELOW: usize = 128;
/// What registrations of unlisted versions give as their date, for clients that look at nothing else.
const UNLISTED_AT: &str = "1900-01-01T00:00:00+00:00";

/// `index.json` of the flat container: every version that can be downloaded, listed or not.
///
/// # Errors
/// [`Error::ResourceNotFound`] if there is none.
pub(crate) fn render_versions(package: &MergedPackage) -> Result<Rendered> {
    if package.versions.is_empty() {
        return Err(no_package(package));
    }
    let versions = package.versions.iter().map(|version| version.key.as_str()).collect();
    json(&VersionList { versions })
}

/// A registration's index, with its pages in it if they are few.
///
/// # Errors
/// [`Error::ResourceNotFound`] if the hive shows no version.
pub(crate) fn render_registration(package: &MergedPackage, hive: Hive, urls: Urls<'_>) -> Result<Rendered> {
    let documents = Documents { package, hive, urls };
    let shown = documents.shown();
    if shown.is_empty() {
        return Err(no_package(package));
    }
    let inlined = shown.len() < INLINED_BELOW;
    let items: Vec<_> = shown.chunks(PAGE).map(|versions| documents.page(versions, inlined)).collect();
    documents.answer(&RegistrationIndex {
        id: urls.registration(hive, package.key.name()),
        kind: ["catalog:CatalogRoot", "PackageRegistration", "catalog:Permalink"],
        count: items.len(),
        items,
    })
}

/// A page that is a document of its own.
///
/// # Errors
/// [`Error::ResourceNotFound`] if there is no such page any more.
pub(crate) fn render_page(
    package: &MergedPackage,
    hive: Hive,
    urls: Urls<'_>,
    (lower, upper): (&str, &str),
) -> Result<Rendered> {
    let documents = Documents { package, hive, urls };
    // A client may have read the index before the last publish: what it asks for is what lies between two versions,
    // wherever pages begin now.
    let bounds = Version::parse(lower).and_then(|lower| Ok(lower..=Version::parse(upper)?));
    let mut versions = documents.shown();
    versions.retain(|version| bounds.as_ref().is_ok_and(|bounds| bounds.contains(&version.version)));
    if versions.is_empty() || versions.len() > PAGE_LIMIT {
        let message = "the registration has no such page; read its index again";
        return Err(Error::not_found(ResourceType::Package, package.key.to_string(), message));
    }
    documents.answer(&documents.page(&versions, true))
}

/// A version's own registration.
///
/// # Errors
/// [`Error::ResourceNotFound`] if the hive does not show it.
pub(crate) fn render_leaf(
    package: &MergedPackage,
    hive: Hive,
    urls: Urls<'_>,
    version: &VersionText,
) -> Result<Rendered> {
    let documents = Documents { package, hive, urls };
    let found = package.find(version).filter(|found| hive.shows_semver2() || !found.needs_semver2());
    let found = found.ok_or_else(|| {
        let message = format!("package '{}' has no version '{version}' here", package.id);
        Error::not_found(ResourceType::PackageVersion, version.as_str(), message)
    })?;
    documents.answer(&RegistrationLeaf {
        id: urls.leaf(hive, package.key.name(), version),
        kind: ["Package", "catalog:Permalink"],
        listed: found.is_listed,
        published: published(found),
        catalog_entry: documents.entry(found),
        package_content: urls.content(&package.key, version),
        registration: urls.registration(hive, package.key.name()),
    })
}

/// The documents of one package in one hive.
struct Documents<'a> {
    package: &'a MergedPackage,
    hive: Hive,
    urls: Urls<'a>,
}

impl<'a> Documents<'a> {
    fn shown(&self) -> Vec<&'a MergedVersion> {
        let versions = self.package.versions.iter();
        versions.filter(|version| self.hive.shows_semver2() || !version.needs_semver2()).collect()
    }

    fn page(&self, versions: &[&'a MergedVersion], with_items: bool) -> RegistrationPage<'a> {
        let id = self.package.key.name();
        let bound = |version: Option<&&'a MergedVersion>| version.map_or("", |version| version.key.as_str());
        let (lower, upper) = (bound(versions.first()), bound(versions.last()));
        RegistrationPage {
            id: self.urls.page(self.hive, id, lower, upper),
            kind: "catalog:CatalogPage",
            count: versions.len(),
            lower,
            upper,
            parent: self.urls.registration(self.hive, id),
            items: with_items.then(|| versions.iter().map(|version| self.item(version)).collect()),
        }
    }

    fn item(&self, version: &'a MergedVersion) -> RegistrationItem<'a> {
        let id = self.package.key.name();
        RegistrationItem {
            id: self.urls.leaf(self.hive, id, &version.key),
            kind: "Package",
            catalog_entry: self.entry(version),
            package_content: self.urls.content(&self.package.key, &version.key),
            registration: self.urls.registration(self.hive, id),
        }
    }

    fn entry(&self, version: &'a MergedVersion) -> CatalogEntry<'a> {
        let metadata = &version.metadata;
        let text = |field: &'a Option<String>| field.as_deref().unwrap_or_default();
        let key = &self.package.key;
        CatalogEntry {
            at: self.urls.leaf(self.hive, key.name(), &version.key),
            kind: "PackageDetails",
            id: if metadata.id.is_empty() { &self.package.id } else { &metadata.id },
            version: if metadata.version.is_empty() { version.version.full() } else { metadata.version.clone() },
            authors: text(&metadata.authors),
            description: text(&metadata.description),
            title: metadata.title.as_deref(),
            summary: metadata.summary.as_deref(),
            icon_url: text(&metadata.icon_url),
            license_url: text(&metadata.license_url),
            license_expression: text(&metadata.license_expression),
            project_url: text(&metadata.project_url),
            readme_url: metadata.has_readme.then(|| self.urls.readme(key, &version.key)),
            require_license_acceptance: metadata.require_license_acceptance,
            tags: &metadata.tags,
            language: text(&metadata.language),
            min_client_version: text(&metadata.min_client_version),
            listed: version.is_listed,
            published: published(version),
            package_content: self.urls.content(key, &version.key),
            package_hash: version.sha512.as_deref(),
            package_hash_algorithm: version.sha512.as_ref().map(|_| "SHA512"),
            package_size: version.size_bytes,
            deprecation: metadata.deprecation.as_ref(),
            vulnerabilities: &metadata.vulnerabilities,
            dependency_groups: self.groups(version),
            package_types: &metadata.package_types,
        }
    }

    fn groups(&self, version: &'a MergedVersion) -> Vec<RegisteredGroup<'a>> {
        let groups = version.metadata.dependency_groups.iter();
        let dependency = |stated: &'a crate::wire::DependencyRange| RegisteredDependency {
            id: &stated.id,
            range: &stated.range,
            registration: self.urls.registration(self.hive, &stated.id.to_lowercase()),
        };
        groups
            .map(|group| RegisteredGroup {
                target_framework: group.target_framework.as_deref(),
                dependencies: group.dependencies.iter().map(dependency).collect(),
            })
            .collect()
    }

    /// A hive that is in gzip is so for everybody.
    fn answer(&self, document: &impl Serialize) -> Result<Rendered> {
        let plain = json(document)?;
        if !self.hive.is_gzip() {
            return Ok(plain);
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(plain.body.len() / 4), Compression::new(6));
        encoder.write_all(&plain.body).map_err(Error::internal)?;
        let body = encoder.finish().map_err(Error::internal)?.into();
        Ok(Rendered { body, headers: vec![("content-encoding", "gzip".to_owned())], ..plain })
    }
}

fn published(version: &MergedVersion) -> String {
    if version.is_listed { version.published_at.unwrap_or(Timestamp(0)).rfc3339() } else { UNLISTED_AT.to_owned() }
}

fn json(document: &impl Serialize) -> Result<Rendered> {
    let body = serde_json::to_vec(document).map_err(Error::internal)?.into();
    Ok(Rendered { content_type: "application/json", body, last_modified: None, headers: Vec::new() })
}

fn no_package(package: &MergedPackage) -> Error {
    let message = format!("package '{}' has no versions here", package.id);
    Error::not_found(ResourceType::Package, package.key.to_string(), message)
}

#[cfg(test)]
mod tests;
