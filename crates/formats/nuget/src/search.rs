//! `GET v3/search` and `v3/autocomplete` (protocol reference 4.4): over what the repository and its upstreams hold. What
//! only a public registry has is not searched; its search is a service of its own, on hosts that nobody configured.

use std::sync::Arc;

use http::StatusCode;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey, PageRequest};
use larder_core::services::{Document, Rendered, Sources, View};
use larder_core::{Error, Result};
use larder_http::{RepositoryRequest, response};
use serde::Serialize;

use crate::package::{MergedPackage, MergedVersion};
use crate::routes::{Answer, Routes};
use crate::urls::{Hive, Urls};
use crate::wire::PackageType;

mod query;
mod summary;

use query::Query;
use summary::{Summary, SummaryVersion};

const PAGE: usize = 1000;
/// Packages that one search looks at; those after them, by name, are not found.
const EXAMINED_LIMIT: usize = 20_000;

/// A package and its version that a search answers with.
struct Hit {
    summary: Summary,
    /// Positions in the summary, oldest first.
    matching: Vec<usize>,
}

impl Routes {
    /// Answers a search, in order of id: those first whose id the text is.
    pub(crate) async fn search(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let query = Query::parse(request.query.as_deref())?;
        let (total_hits, hits) = self.hits(&allowed, &query).await?;
        let urls = Urls { base: &request.base };
        let data = hits.iter().filter_map(|hit| hit.render(urls, &query)).collect();
        Ok(response::json(StatusCode::OK, &Found { total_hits, data }))
    }

    /// Answers ids that fit a text, or the listed versions of one id.
    pub(crate) async fn autocomplete(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let query = Query::parse(request.query.as_deref())?;
        let (total_hits, data) = match &query.id {
            Some(id) => {
                let versions = match crate::names::package_key(id) {
                    Ok(key) => self.listed_versions(&allowed, &key, &query).await?,
                    Err(_) => Vec::new(),
                };
                (versions.len(), versions)
            }
            None => {
                let (total_hits, hits) = self.hits(&allowed, &query).await?;
                (total_hits, hits.into_iter().map(|hit| hit.summary.id).collect())
            }
        };
        Ok(response::json(StatusCode::OK, &Found { total_hits, data }))
    }

    /// The listed versions of a package, a public registry's too.
    async fn listed_versions(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        query: &Query,
    ) -> Result<Vec<String>> {
        let view = match self.services.index.view(allowed, key).await {
            Err(Error::ResourceNotFound { .. }) => return Ok(Vec::new()),
            view => view?,
        };
        let package = MergedPackage::gather(&view)?;
        let shown = |version: &&MergedVersion| {
            version.is_listed
                && (query.prerelease || !version.version.is_prerelease())
                && (query.semver2 || !version.needs_semver2())
        };
        Ok(package.versions.iter().filter(shown).map(|version| version.version.full()).collect())
    }

    /// How many packages fit, and those of them that were asked for.
    async fn hits(&self, allowed: &Allowed<RepositoryTarget>, query: &Query) -> Result<(usize, Vec<Hit>)> {
        let repositories = self.services.index.visible_repositories(allowed).await?;
        let ids: Vec<_> = repositories.iter().map(|repository| repository.id).collect();
        let mut page = PageRequest::first(PAGE);
        let mut examined = 0;
        // Names only: all results of a large repository do not fit into memory.
        let mut fitting = Vec::new();
        loop {
            let found = self.services.store.list_package_names(&ids, PackageFormat::Nuget, &page).await?;
            for (key, _) in found.items {
                examined += 1;
                if self.hit(allowed, &key, query).await?.is_some() {
                    fitting.push(key);
                }
            }
            match found.next {
                Some(next) if examined < EXAMINED_LIMIT => page.after = Some(next),
                _ => break,
            }
        }
        // Stable: the others stay in order.
        fitting.sort_by_key(|key| !query.is_exactly(key.name()));
        let mut hits = Vec::new();
        for key in fitting.iter().skip(query.skip).take(query.take) {
            hits.extend(self.hit(allowed, key, query).await?);
        }
        Ok((fitting.len(), hits))
    }

    async fn hit(&self, allowed: &Allowed<RepositoryTarget>, key: &PackageKey, query: &Query) -> Result<Option<Hit>> {
        let summary = match self.summary(allowed, key).await {
            Ok(document) => summary::read(&document)?,
            // Names are of every repository; what origin controls keep from this one is not there.
            Err(Error::ResourceNotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let fits = |version: &SummaryVersion| {
            (query.prerelease || !version.is_prerelease)
                && (query.semver2 || !version.needs_semver2)
                && query.package_type.as_ref().is_none_or(|wanted| version.is_of_type(wanted))
        };
        let matching: Vec<usize> =
            summary.versions.iter().enumerate().filter(|(_, version)| fits(version)).map(|(at, _)| at).collect();
        let latest = matching.last().and_then(|&at| summary.versions.get(at));
        Ok(latest.is_some_and(|latest| query.matches(&summary.id, latest)).then_some(Hit { summary, matching }))
    }

    /// What searches look at, kept like any other document of a package.
    async fn summary(&self, allowed: &Allowed<RepositoryTarget>, key: &PackageKey) -> Result<Arc<Document>> {
        let render = |view: &View| -> Result<Rendered> {
            let summary = Summary::of(&MergedPackage::gather(view)?);
            let body = serde_json::to_vec(&summary).map_err(Error::internal)?.into();
            Ok(Rendered { content_type: "application/json", body, last_modified: None, headers: Vec::new() })
        };
        self.services.index.document_of(allowed, key, Sources::Stored, "summary", render).await
    }
}

/// A search result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchResult<'a> {
    #[serde(rename = "@id")]
    at: String,
    #[serde(rename = "@type")]
    kind: &'static str,
    registration: String,
    id: &'a str,
    version: &'a str,
    description: &'a str,
    summary: &'a str,
    title: &'a str,
    icon_url: &'a str,
    license_url: &'a str,
    project_url: &'a str,
    tags: &'a [String],
    authors: Vec<&'a str>,
    owners: Vec<&'a str>,
    total_downloads: u64,
    verified: bool,
    package_types: Vec<PackageType>,
    versions: Vec<ResultVersion<'a>>,
}

/// A version of a search result.
#[derive(Serialize)]
struct ResultVersion<'a> {
    #[serde(rename = "@id")]
    at: String,
    version: &'a str,
    downloads: u64,
}

/// A page of search results.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<T> {
    total_hits: usize,
    data: Vec<T>,
}

impl Hit {
    /// The result; `None` if no version fits, which is no hit.
    fn render(&self, urls: Urls<'_>, query: &Query) -> Option<SearchResult<'_>> {
        let hive = if query.semver2 { Hive::GzipSemVer2 } else { Hive::Gzip };
        let lower = self.summary.id.to_ascii_lowercase();
        let registration = urls.registration(hive, &lower);
        let versions = || self.matching.iter().filter_map(|&at| self.summary.versions.get(at));
        let latest = versions().next_back()?;
        let metadata = &latest.metadata;
        Some(SearchResult {
            at: registration.clone(),
            kind: "Package",
            registration,
            id: &self.summary.id,
            version: &latest.version,
            description: text(&metadata.description),
            summary: text(&metadata.summary),
            title: metadata.title.as_deref().unwrap_or(&self.summary.id),
            icon_url: text(&metadata.icon_url),
            license_url: text(&metadata.license_url),
            project_url: text(&metadata.project_url),
            tags: &metadata.tags,
            authors: names_in(text(&metadata.authors)),
            owners: names_in(text(&metadata.owners)),
            total_downloads: 0,
            verified: false,
            package_types: latest.types(),
            versions: versions()
                .map(|version| ResultVersion {
                    at: version.leaf(urls, hive, &lower),
                    version: &version.version,
                    downloads: 0,
                })
                .collect(),
        })
    }
}

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

/// Names separated by commas.
fn names_in(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}
