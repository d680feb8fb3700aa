//! Reading the project page of a public registry, in whichever form it was sent.

use std::collections::{BTreeMap, HashMap};

use larder_core::error::Invalid;
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::ports::StoredIndex;
use percent_encoding::percent_decode_str;

use crate::names::{Release, normalize, version_of_upstream_file};
use crate::wire::{CoreMetadataHash, FileEntry, ProjectPage, ProjectStatus, Yanked, is_sha256};

mod html;
mod withhold;

pub(crate) use withhold::without;

/// A page as read.
#[derive(Debug, Default)]
pub(crate) struct RegistryPage {
    pub status: Option<ProjectStatus>,
    /// In the page's order.
    pub releases: Vec<RegistryRelease>,
}

/// A release and its files.
#[derive(Debug)]
pub(crate) struct RegistryRelease {
    pub version: VersionText,
    pub release: Release,
    pub files: Vec<RegistryFile>,
}

/// A file that the registry offers.
#[derive(Debug, Clone)]
pub(crate) struct RegistryFile {
    pub name: AssetName,
    /// As in the page: relative to it, or absolute. Without fragment.
    pub url: String,
    /// Algorithm and lower-case hexadecimal digest.
    pub hashes: BTreeMap<String, String>,
    pub size_bytes: Option<u64>,
    pub requires_python: Option<String>,
    pub upload_time: Option<String>,
    pub yanked: Yanked,
    /// The SHA-256 of the `.metadata` sibling, if there is one with a known hash.
    pub core_metadata: Option<String>,
    pub gpg_sig: Option<bool>,
    pub provenance: Option<String>,
}

/// Digests that Python's `hashlib` knows; others are not passed on (protocol reference 2.3).
const KNOWN_HASHES: [&str; 6] = ["sha256", "sha512", "sha384", "sha224", "sha1", "md5"];

/// Reads a page.
///
/// # Errors
/// [`Invalid`] when it is not a simple index of this project: an error page, a login form, another project's page.
pub(crate) fn read(package: &PackageKey, index: &StoredIndex) -> Result<RegistryPage, Invalid> {
    let Some(body) = &index.body else { return Ok(RegistryPage::default()) };
    read_page(package.name(), &index.content_type, body)
}

pub(crate) fn read_page(project: &str, content_type: &str, body: &[u8]) -> Result<RegistryPage, Invalid> {
    if is_json(content_type) {
        return read_json(project, body);
    }
    match media_type(content_type).as_str() {
        "application/vnd.pypi.simple.v1+html" | "text/html" => html::read(project, body),
        other => Err(Invalid::new(format!("a simple index does not come as '{other}'"))),
    }
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(content_type: &str) -> bool {
    matches!(media_type(content_type).as_str(), "application/vnd.pypi.simple.v1+json" | "application/json")
}

fn read_json(project: &str, body: &[u8]) -> Result<RegistryPage, Invalid> {
    let page: ProjectPage =
        serde_json::from_slice(body).map_err(|error| Invalid::new(format!("not a simple index: {error}")))?;
    check_api_version(&page.meta.api_version)?;
    if normalize(&page.name) != project {
        return Err(Invalid::new(format!("the page is of project '{}'", page.name)));
    }
    Ok(assemble(project, page.project_status, &page.versions, page.files))
}

/// # Errors
/// [`Invalid`] for a major version other than 1.
fn check_api_version(version: &str) -> Result<(), Invalid> {
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(Invalid::new(format!("version '{version}' of the simple API is not known")))
}

/// Groups files by release. Files whose names do not say their version, and names that cannot be an asset's, are left
/// out: clients cannot use them either.
fn assemble(project: &str, status: Option<ProjectStatus>, versions: &[String], files: Vec<FileEntry>) -> RegistryPage {
    let spelled: HashMap<Release, &String> =
        versions.iter().rev().map(|version| (Release::of(version), version)).collect();
    let mut releases: Vec<RegistryRelease> = Vec::new();
    let mut positions: HashMap<Release, usize> = HashMap::new();
    for entry in files {
        let Some(of_name) = version_of_upstream_file(project, &entry.filename) else { continue };
        let Ok(name) = AssetName::new(entry.filename.clone()) else { continue };
        if entry.filename.contains(['/', '\\']) || entry.url.is_empty() {
            continue;
        }
        let release = Release::of(of_name.as_str());
        let position = *positions.entry(release.clone()).or_insert_with(|| {
            // The registry's own spelling, where it lists versions, does not depend on the order of files.
            let listed = spelled.get(&release).and_then(|version| normalized(version));
            releases.push(RegistryRelease { version: listed.unwrap_or(of_name), release, files: Vec::new() });
            releases.len() - 1
        });
        releases[position].files.push(file(name, entry));
    }
    RegistryPage { status, releases }
}

fn normalized(version: &str) -> Option<VersionText> {
    match Release::of(version) {
        Release::Pep440(version) => VersionText::new(version.to_string()).ok(),
        Release::Legacy(text) => VersionText::new(text).ok(),
    }
}

fn file(name: AssetName, entry: FileEntry) -> RegistryFile {
    let hashes = entry
        .hashes
        .into_iter()
        .map(|(algorithm, digest)| (algorithm.to_ascii_lowercase(), digest.to_ascii_lowercase()))
        .filter(|(algorithm, digest)| {
            KNOWN_HASHES.contains(&algorithm.as_str()) && !digest.is_empty() && hex::decode(digest).is_ok()
        })
        .collect();
    RegistryFile {
        name,
        url: entry.url.split('#').next().unwrap_or_default().to_owned(),
        hashes,
        size_bytes: entry.size,
        requires_python: entry.requires_python.filter(|text| !text.is_empty()),
        upload_time: entry.upload_time,
        yanked: entry.yanked.normalized(),
        core_metadata: entry.core_metadata.as_sha256().or_else(|| entry.dist_info_metadata.as_sha256()),
        gpg_sig: entry.gpg_sig,
        provenance: entry.provenance,
    }
}

/// `sha256=…` of a URL fragment or of a data attribute.
fn hash_pair(text: &str) -> Option<(String, String)> {
    let (algorithm, digest) = text.split_once('=')?;
    Some((algorithm.to_ascii_lowercase(), digest.to_owned()))
}

/// The value of `data-core-metadata`.
fn core_metadata_attribute(value: &str) -> CoreMetadataHash {
    match hash_pair(value) {
        Some((algorithm, digest)) if algorithm == "sha256" && is_sha256(&digest) => CoreMetadataHash::sha256(digest),
        _ => CoreMetadataHash::Flag(true),
    }
}

/// The last segment of a URL's path, decoded.
fn file_name_of_url(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let segment = path.rsplit('/').next()?;
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
