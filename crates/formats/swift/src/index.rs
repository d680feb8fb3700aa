//! The two JSON documents: the list of a package's releases, and one release.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use larder_core::error::{Error, ResourceType, Result};
use larder_core::model::{PackageVersion, Timestamp, VersionText};
use larder_core::services::{Rendered, View};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Problem;
use crate::links::Links;
use crate::names::split_display;
use crate::releases::{Releases, is_removed};
use crate::scm_url::is_linkable;
use crate::wire::{
    InOrder, ListedRelease, Release, ReleaseFiles, ReleaseList, Resource, Signing, SourceRepositories, VersionMetadata,
};

/// Releases on one page of the list.
pub(crate) const PAGE: usize = 100;
/// Source repositories that a list names.
const REPOSITORIES: usize = 10;
const REMOVED: &str = "this release was removed from the registry";

/// The address of a package below the repository's.
pub(crate) fn package_url(base: &str, display_name: &str) -> String {
    let (scope, name) = split_display(display_name);
    format!("{base}/{scope}/{name}")
}

/// The list's page of this number, from 1.
///
/// # Errors
/// [`Error::ResourceNotFound`] beyond the last page.
pub(crate) fn list(view: &View, base: &str, page: usize) -> Result<Rendered> {
    let releases = Releases::of(view);
    let url = package_url(base, releases.display_name);
    let listed: Vec<&PackageVersion> = releases.listed().collect();
    let pages = listed.len().div_ceil(PAGE).max(1);
    if page > pages {
        let message = format!("the list of '{}' has {pages} pages", releases.display_name);
        return Err(Error::not_found(ResourceType::Package, view.key.to_string(), message));
    }
    let shown = listed.iter().skip((page - 1) * PAGE).take(PAGE).map(|version| {
        let problem = is_removed(version).then(|| Problem::of(StatusCode::GONE, REMOVED));
        (version.version.to_string(), ListedRelease { url: format!("{url}/{}", version.version), problem })
    });
    let body = ReleaseList { releases: InOrder(shown.collect()) };
    let mut links = Links::default();
    if let Some(latest) = releases.latest() {
        links.add(&format!("{url}/{}", latest.version), "latest-version");
        let repositories = SourceRepositories::of(&VersionMetadata::read(&latest.metadata)?);
        for (at, repository) in repositories.iter().filter(|url| is_linkable(url)).take(REPOSITORIES).enumerate() {
            links.add(repository, if at == 0 { "canonical" } else { "alternate" });
        }
    }
    if pages > 1 {
        let at = |page: usize| format!("{url}?page={page}");
        links.add(&at(1), "first");
        if page > 1 {
            links.add(&at(page - 1), "prev");
        }
        if page < pages {
            links.add(&at(page + 1), "next");
        }
        links.add(&at(pages), "last");
    }
    rendered(&body, links)
}

/// One release.
///
/// # Errors
/// [`Error::ResourceNotFound`] if there is none of this version.
pub(crate) fn release(view: &View, base: &str, version: &VersionText) -> Result<Rendered> {
    let releases = Releases::of(view);
    let found = releases.get(version)?;
    let stored = VersionMetadata::read(&found.metadata)?;
    let nothing;
    let metadata = match &stored.metadata {
        Some(metadata) => metadata,
        None => {
            nothing = RawValue::from_string("{}".to_owned()).map_err(Error::internal)?;
            &nothing
        }
    };
    let body = Release {
        id: releases.display_name,
        version: found.version.as_str(),
        resources: [Resource {
            name: "source-archive",
            media_type: "application/zip",
            checksum: archive(found, &stored)?.sha256.hex(),
            signing: stored.signature.as_ref().map(|signature| Signing {
                signature_base64_encoded: &signature.archive,
                signature_format: &signature.format,
            }),
        }],
        metadata,
        published_at: seconds(found.source_published_at.unwrap_or(found.published_at)),
    };
    let url = package_url(base, releases.display_name);
    let mut links = Links::default();
    let mut link = |version: Option<&PackageVersion>, relation| {
        if let Some(version) = version {
            links.add(&format!("{url}/{}", version.version), relation);
        }
    };
    link(releases.latest(), "latest-version");
    let published: Vec<&PackageVersion> = releases.published().collect();
    if let Some(at) = published.iter().position(|other| other.version == *version) {
        link(at.checked_sub(1).map(|newer| published[newer]), "successor-version");
        link(published.get(at + 1).copied(), "predecessor-version");
    }
    rendered(&body, links)
}

/// What serving a release's files takes.
///
/// # Errors
/// As [`release`].
pub(crate) fn files(view: &View, version: &VersionText) -> Result<Rendered> {
    let releases = Releases::of(view);
    let found = releases.get(version)?;
    let stored = VersionMetadata::read(&found.metadata)?;
    let digest = STANDARD.encode(archive(found, &stored)?.sha256.0);
    let files = ReleaseFiles {
        display_name: releases.display_name.to_owned(),
        archive: stored.archive,
        digest,
        manifests: stored.manifests,
        signature: stored.signature,
    };
    rendered(&files, Links::default())
}

fn archive<'a>(version: &'a PackageVersion, stored: &VersionMetadata) -> Result<&'a larder_core::model::Digests> {
    let asset = version.assets.iter().find(|asset| asset.name.as_str() == stored.archive);
    asset
        .map(|asset| &asset.digests)
        .ok_or_else(|| Error::internal(format!("{} has no source archive", version.version)))
}

/// ISO 8601 without fractions of seconds, which not every client reads.
fn seconds(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.split_once('.').map_or(text.clone(), |(whole, _)| format!("{whole}Z"))
}

fn rendered(body: &impl Serialize, links: Links) -> Result<Rendered> {
    let body = serde_json::to_vec(body).map(Bytes::from).map_err(Error::internal)?;
    let mut headers = vec![("content-version", "1".to_owned())];
    headers.extend(links.value().map(|value| ("link", value)));
    Ok(Rendered { content_type: "application/json", body, last_modified: None, headers })
}
