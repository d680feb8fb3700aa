//! `VulnerabilityInfo/6.7.0` (protocol reference 4.1, 4.8): what the public registry knows of vulnerable packages, for
//! `NuGetAudit` and `dotnet list package --vulnerable`. Larder knows nothing itself: the registry's pages are passed on, and
//! the service index names them only where there is a registry that has them, because an empty answer would be taken for
//! "nothing wrong". Nobody is told which packages a client uses: all pages go to the client, which looks for itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{ExternalConnection, PackageFormat};
use larder_core::ports::{PublicRegistries, RegistryAnswer, RegistryRequest};
use larder_core::services::Document;
use larder_core::services::Rendered;
use larder_core::{Error, Result};
use larder_http::{RepositoryRequest, answer_document};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::error::NugetError;
use crate::resources::{Resources, parse, upstream};
use crate::routes::{Answer, Routes};
use crate::urls::Urls;

/// The folder below `v3/`.
pub(crate) const FOLDER: &str = "vulnerabilities";
/// The gallery changes a page every few hours.
pub(crate) const FRESH_FOR: Duration = Duration::from_secs(600);
/// How long it is believed that a registry has none, or is away.
pub(crate) const ABSENT_FOR: Duration = Duration::from_secs(60);
/// A service index waits no longer than this to know whether there are pages.
const PATIENCE: Duration = Duration::from_secs(3);
const INDEX_LIMIT_BYTES: usize = 1 << 20;
/// The gallery's has two megabytes.
const PAGE_LIMIT_BYTES: usize = 32 << 20;
const PAGES_LIMIT: usize = 100;
/// Memory for pages.
const KEPT_BYTES: u64 = 64 << 20;
const JSON: &str = "application/json";

/// What is remembered of the public registry's pages.
pub(crate) struct Vulnerabilities {
    pages: Cache<ExternalConnection, Arc<Vec<Page>>>,
    absent: Cache<ExternalConnection, ()>,
    documents: Cache<String, Arc<Document>>,
}

/// A page, as the index lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    #[serde(rename = "@name")]
    name: String,
    /// Where it is.
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@updated")]
    updated: String,
    #[serde(default)]
    comment: String,
}

impl Default for Vulnerabilities {
    fn default() -> Self {
        let weigh = |_: &String, document: &Arc<Document>| u32::try_from(document.memory_bytes()).unwrap_or(u32::MAX);
        Self {
            pages: Cache::builder().max_capacity(10).time_to_live(FRESH_FOR).build(),
            absent: Cache::builder().max_capacity(10).time_to_live(ABSENT_FOR).build(),
            documents: Cache::builder().max_capacity(KEPT_BYTES).weigher(weigh).time_to_live(FRESH_FOR).build(),
        }
    }
}

impl Routes {
    /// The registry behind a repository that may have pages; `None` if nothing is to be asked.
    pub(crate) async fn gallery(&self, allowed: &Allowed<RepositoryTarget>) -> Result<Option<ExternalConnection>> {
        let repositories = self.services.index.visible_repositories(allowed).await?;
        let connections = repositories.iter().filter_map(|repository| repository.external_connection);
        let mut connections = connections.filter(|connection| connection.format() == PackageFormat::Nuget);
        Ok(connections.find(|connection| self.services.registries.is_configured(*connection)))
    }

    /// Whether the registry has pages, as far as that can be found out at once.
    pub(crate) async fn has_vulnerabilities(&self, gallery: ExternalConnection) -> bool {
        if self.vulnerabilities.absent.contains_key(&gallery) {
            return false;
        }
        let found = tokio::time::timeout(PATIENCE, self.vulnerability_pages(gallery)).await;
        let has_pages = matches!(found, Ok(Ok(_)));
        if !has_pages {
            self.vulnerabilities.absent.insert(gallery, ());
        }
        has_pages
    }

    /// `GET v3/vulnerabilities/index.json`
    pub(crate) async fn get_vulnerability_index(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let gallery = self.gallery(&allowed).await?.ok_or_else(none)?;
        let pages = self.vulnerability_pages(gallery).await?;
        let urls = Urls { base: &request.base };
        let own: Vec<Page> = pages
            .iter()
            .map(|page| Page { id: urls.resource(&format!("{FOLDER}/{}.json", page.name)), ..page.clone() })
            .collect();
        let body = serde_json::to_vec(&own).map_err(Error::internal)?.into();
        let document = self.fresh(Document::build(rendered(body)));
        Ok(answer_document(&allowed, &request.method, &request.headers, &Arc::new(document)))
    }

    /// `GET v3/vulnerabilities/{page}.json`: the registry's own bytes.
    pub(crate) async fn get_vulnerability_page(&self, request: &RepositoryRequest, file: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let gallery = self.gallery(&allowed).await?.ok_or_else(none)?;
        let pages = self.vulnerability_pages(gallery).await?;
        let page = pages.iter().find(|page| file.strip_suffix(".json") == Some(&page.name));
        let page = page.ok_or_else(|| NugetError::not_found("the public registry has no such page"))?;
        let document = match self.vulnerabilities.documents.get(&page.id) {
            Some(document) => document,
            None => {
                let body = ask(&*self.services.registries, gallery, &page.id, PAGE_LIMIT_BYTES).await?;
                let body = body.ok_or_else(|| upstream("the public registry has lost a page of vulnerabilities"))?;
                let document = tokio::task::spawn_blocking(move || {
                    // A page of errors in disguise is not passed on.
                    if parse(&body)?.is_object() {
                        Ok(Document::build(rendered(body)))
                    } else {
                        Err(upstream("the public registry did not answer with a page of vulnerabilities"))
                    }
                });
                let document = Arc::new(self.fresh(document.await.map_err(Error::internal)??));
                self.vulnerabilities.documents.insert(page.id.clone(), Arc::clone(&document));
                document
            }
        };
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }

    fn fresh(&self, mut document: Document) -> Document {
        document.fresh_until = Some(self.services.clock.now().plus(FRESH_FOR));
        document
    }

    /// The registry's list of pages.
    async fn vulnerability_pages(&self, gallery: ExternalConnection) -> Result<Arc<Vec<Page>>> {
        if let Some(pages) = self.vulnerabilities.pages.get(&gallery) {
            return Ok(pages);
        }
        let registries = &*self.services.registries;
        let request = RegistryRequest { path: "index.json".to_owned(), accept: JSON, ..RegistryRequest::default() };
        let answer = registries.fetch_document(gallery, &request, INDEX_LIMIT_BYTES).await?;
        let RegistryAnswer::Found { body, .. } = answer else {
            return Err(upstream("the public registry has no service index (index.json) at its address"));
        };
        let address = Resources::address(&parse(&body)?, &["VulnerabilityInfo/6.7.0"]).ok_or_else(missing)?;
        let body = ask(registries, gallery, &address, INDEX_LIMIT_BYTES).await?.ok_or_else(missing)?;
        let mut pages: Vec<Page> = serde_json::from_slice(&body)
            .map_err(|error| upstream(&format!("the public registry's list of vulnerabilities is none: {error}")))?;
        pages.retain(|page| is_name(&page.name));
        if pages.is_empty() || pages.len() > PAGES_LIMIT {
            return Err(upstream("the public registry's list of vulnerabilities has no pages, or too many"));
        }
        let pages = Arc::new(pages);
        self.vulnerabilities.pages.insert(gallery, Arc::clone(&pages));
        Ok(pages)
    }
}

async fn ask(
    registries: &dyn PublicRegistries,
    gallery: ExternalConnection,
    address: &str,
    limit_bytes: usize,
) -> Result<Option<Bytes>> {
    let request = RegistryRequest { reference: Some(address.to_owned()), accept: JSON, ..RegistryRequest::default() };
    Ok(match registries.fetch_document(gallery, &request, limit_bytes).await? {
        RegistryAnswer::Found { body, .. } => Some(body),
        RegistryAnswer::NotModified | RegistryAnswer::NotFound => None,
    })
}

/// What can stand in an address as it is.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 64 && name != "index" && !name.starts_with('.') && name.bytes().all(plain)
}

fn rendered(body: Bytes) -> Rendered {
    Rendered { content_type: JSON, body, last_modified: None, headers: Vec::new() }
}

fn none() -> NugetError {
    NugetError::not_found("there is no public registry to ask for vulnerabilities")
}

fn missing() -> Error {
    Error::not_found(
        larder_core::error::ResourceType::Other,
        FOLDER,
        "the public registry says nothing of vulnerabilities",
    )
}

#[cfg(test)]
mod tests;
