//! `GET identifiers?url=`: which packages name a source repository as theirs. SwiftPM asks this for every git address of
//! a package graph, so it is answered from memory: what the packages of a repository say is read once, and again of those
//! that changed.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderValue;
use http::header::CACHE_CONTROL;
use larder_core::Error;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey, PageRequest, RepositoryId, VersionStatus};
use larder_core::ports::{HostedPackage, PackageFilter};
use larder_core::services::{Document, Rendered, Services};
use larder_http::{RepositoryRequest, serve_document};
use moka::sync::Cache;
use tokio::sync::Mutex;

use crate::error::SwiftError;
use crate::routes::{Answer, Routes, parameter};
use crate::scm_url::normalize;
use crate::wire::{Identifiers as Found, SourceRepositories, VersionMetadata};

/// Packages looked at with one query.
const PAGE: usize = 1000;
/// Packages remembered, of all repositories together; one takes some 300 bytes.
const PACKAGES_KEPT: u64 = 100_000;
/// A client may believe for so long that nobody names a repository.
const ABSENCE_KEPT: &str = "private, max-age=60";

impl Routes {
    /// Answers with the identifiers of all packages that name the address.
    pub(crate) async fn get_identifiers(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let url = parameter(request.query.as_deref(), "url")?
            .filter(|url| !url.is_empty())
            .ok_or_else(|| SwiftError::bad_request("the query needs a 'url': the address of a source repository"))?;
        let identifiers = match normalize(&url) {
            Some(url) => self.identifiers.find(&allowed, &url).await?,
            None => Vec::new(),
        };
        if identifiers.is_empty() {
            let absent = SwiftError::not_found("no package names this source repository");
            return Err(absent.with(CACHE_CONTROL, HeaderValue::from_static(ABSENCE_KEPT)));
        }
        let body = serde_json::to_vec(&Found { identifiers }).map_err(Error::internal)?;
        let document = Document::build(Rendered {
            content_type: "application/json",
            body: body.into(),
            last_modified: None,
            headers: vec![("content-version", "1".to_owned())],
        });
        Ok(serve_document(&request.method, &request.headers, &document))
    }
}

/// What packages say of their source repositories.
pub(crate) struct Identifiers {
    services: Arc<Services>,
    repositories: Cache<RepositoryId, Arc<Mutex<Arc<Known>>>>,
}

/// One repository's packages, as of an epoch.
#[derive(Default)]
struct Known {
    epoch: Option<u64>,
    packages: HashMap<PackageKey, Arc<Package>>,
    by_url: HashMap<String, Vec<PackageKey>>,
}

struct Package {
    revision: i64,
    /// `Scope.Name`.
    display_name: String,
    /// One without versions stands in nobody's way.
    has_versions: bool,
    /// Normalized.
    urls: Vec<String>,
}

impl Identifiers {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        Self { services, repositories: Cache::new(PACKAGES_KEPT / PAGE as u64) }
    }

    /// The packages of what the repository can see that name this address, each as its nearest repository has it.
    async fn find(&self, allowed: &Allowed<RepositoryTarget>, url: &str) -> Result<Vec<String>, Error> {
        let mut nearer: Vec<Arc<Known>> = Vec::new();
        let mut found = Vec::new();
        for repository in self.services.index.visible_repositories(allowed).await? {
            let known = self.known(repository.id).await?;
            for key in known.by_url.get(url).into_iter().flatten() {
                let is_shadowed =
                    nearer.iter().any(|known| known.packages.get(key).is_some_and(|package| package.has_versions));
                if !is_shadowed && let Some(package) = known.packages.get(key) {
                    found.push(package.display_name.clone());
                }
            }
            nearer.push(known);
        }
        Ok(found)
    }

    /// What a repository's packages say now.
    async fn known(&self, repository: RepositoryId) -> Result<Arc<Known>, Error> {
        let slot = self.repositories.get_with(repository, Arc::default);
        // One request at a time reads what changed; the others find it done.
        let mut slot = slot.lock().await;
        let epoch = self.services.store.epoch().await?;
        if slot.epoch != Some(epoch) {
            *slot = Arc::new(self.read(repository, epoch, &slot).await?);
        }
        Ok(Arc::clone(&slot))
    }

    async fn read(&self, repository: RepositoryId, epoch: u64, before: &Known) -> Result<Known, Error> {
        let store = &self.services.store;
        let filter = PackageFilter { format: Some(PackageFormat::Swift), ..PackageFilter::default() };
        let mut known = Known { epoch: Some(epoch), ..Known::default() };
        let mut page = PageRequest::first(PAGE);
        loop {
            let listed = store.list_packages(repository, &filter, &page).await?;
            for package in listed.items {
                let unchanged = before.packages.get(&package.key).filter(|known| known.revision == package.revision);
                let read = match unchanged {
                    Some(unchanged) => Arc::clone(unchanged),
                    None => match store.load_package(repository, &package.key).await? {
                        Some(loaded) => Arc::new(Package::of(&loaded)?),
                        None => continue,
                    },
                };
                for url in &read.urls {
                    known.by_url.entry(url.clone()).or_default().push(package.key.clone());
                }
                known.packages.insert(package.key, read);
            }
            match listed.next {
                Some(next) => page.after = Some(next),
                None => return Ok(known),
            }
        }
    }
}

impl Package {
    fn of(loaded: &HostedPackage) -> Result<Self, Error> {
        let mut urls = Vec::new();
        for version in loaded.versions.iter().filter(|version| version.status == VersionStatus::Published) {
            let named = SourceRepositories::of(&VersionMetadata::read(&version.metadata)?);
            urls.extend(named.iter().filter_map(|url| normalize(url)));
        }
        urls.sort_unstable();
        urls.dedup();
        Ok(Self {
            revision: loaded.package.revision,
            display_name: loaded.package.display_name.clone(),
            has_versions: !loaded.versions.is_empty(),
            urls,
        })
    }
}
