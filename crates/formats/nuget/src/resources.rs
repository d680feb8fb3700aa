//! Reading a public registry through its own service index (protocol reference 4.8): which document is where is never
//! guessed.

use futures_util::{StreamExt as _, TryStreamExt as _};
use larder_core::model::PackageKey;
use larder_core::ports::{RegistryAnswer, RegistryDocuments, RegistryRequest, StoredIndex};
use larder_core::{Error, Result};
use serde_json::Value;

use crate::names::{self, Version};
use crate::offered::{Offered, OfferedVersion, SourceDocument};

const JSON: &str = "application/json";
/// Some registrations have more than 30 MiB.
pub(crate) const DOCUMENT_LIMIT_BYTES: usize = 64 << 20;
const SERVICE_INDEX_LIMIT_BYTES: usize = 1 << 20;
/// 64 versions each.
const PAGES_LIMIT: usize = 1000;
const PAGES_AT_ONCE: usize = 4;

/// Best first: what a hive shows, then how old its clients are. Gzip is undone on the way.
const REGISTRATIONS: [&str; 6] = [
    "RegistrationsBaseUrl/3.6.0",
    "RegistrationsBaseUrl/Versioned",
    "RegistrationsBaseUrl/3.4.0",
    "RegistrationsBaseUrl/3.0.0-rc",
    "RegistrationsBaseUrl/3.0.0-beta",
    "RegistrationsBaseUrl",
];
const FLAT_CONTAINERS: [&str; 1] = ["PackageBaseAddress/3.0.0"];

/// A public registry and where it has its resources. Addresses end with `/`.
pub(crate) struct Resources<'a> {
    registry: &'a dyn RegistryDocuments,
    flat_container: Option<String>,
    registrations: Option<String>,
}

/// What asking for a document again gave.
enum Asked {
    New(Value, SourceDocument),
    Unchanged,
    Missing,
}

impl<'a> Resources<'a> {
    /// Reads the service index.
    ///
    /// # Errors
    /// [`Error::Upstream`] if there is none or it names neither packages nor registrations.
    pub(crate) async fn find(registry: &'a dyn RegistryDocuments) -> Result<Self> {
        let request = RegistryRequest { path: "index.json".to_owned(), accept: JSON, ..RegistryRequest::default() };
        let RegistryAnswer::Found { body, .. } = registry.get(&request, SERVICE_INDEX_LIMIT_BYTES).await? else {
            return Err(upstream("the public registry has no service index (index.json) at its address"));
        };
        let index = parse(&body)?;
        let first = |types| Self::address(&index, types).map(|id| format!("{}/", id.trim_end_matches('/')));
        let (flat_container, registrations) = (first(&FLAT_CONTAINERS), first(&REGISTRATIONS));
        if flat_container.is_none() && registrations.is_none() {
            return Err(upstream("the public registry's service index names neither packages nor registrations"));
        }
        Ok(Self { registry, flat_container, registrations })
    }

    /// Where a service index says that the first of these resources is which it has.
    pub(crate) fn address(index: &Value, types: &[&str]) -> Option<String> {
        let listed = index["resources"].as_array()?;
        let find = |kind: &&str| listed.iter().find(|resource| is_type(&resource["@type"], kind));
        types.iter().find_map(find)?["@id"].as_str().map(str::to_owned)
    }

    /// All versions of a package.
    ///
    /// # Errors
    /// [`Error::Upstream`] if a document that should be there is not, or is something else.
    pub(crate) async fn package(&self, package: &PackageKey, held: Option<&StoredIndex>) -> Result<RegistryAnswer> {
        let held = held.filter(|held| held.body.is_some()).and_then(|held| Offered::read(held).ok());
        let held = held.unwrap_or_default();
        let document = |base: &Option<String>| base.as_ref().map(|base| format!("{base}{}/index.json", package.name()));
        let flat = self.ask_again(document(&self.flat_container), &held).await?;
        let registration = self.ask_again(document(&self.registrations), &held).await?;
        match (&flat, &registration) {
            (Asked::Missing, Asked::Missing) => return Ok(RegistryAnswer::NotFound),
            (Asked::Unchanged | Asked::Missing, Asked::Unchanged | Asked::Missing)
                if held.knows(&flat, &registration) =>
            {
                return Ok(RegistryAnswer::NotModified);
            }
            _ => {}
        }
        // One of the two has changed: both are needed.
        let flat = self.whole(flat, document(&self.flat_container)).await?;
        let registration = self.whole(registration, document(&self.registrations)).await?;
        let mut offered = Offered::default();
        if let Some((index, source)) = registration {
            offered.sources.push(source);
            offered.versions = self.registered(package, index).await?;
        }
        if let Some((list, source)) = flat {
            offered.sources.push(source);
            self.add_bare(package, &list, &mut offered.versions)?;
        }
        offered.versions.retain(|version| !version.url.is_empty());
        offered.sort();
        found(&offered)
    }

    /// One version, with the digest that the registry's catalog promises of its package.
    ///
    /// # Errors
    /// As [`Resources::package`].
    pub(crate) async fn version(&self, package: &PackageKey, version: &str) -> Result<RegistryAnswer> {
        let mut offered = None;
        if let Some(base) = &self.registrations {
            let url = format!("{base}{}/{version}.json", package.name());
            if let Some(leaf) = self.document(&url).await? {
                offered = self.with_catalog(package, &url, leaf).await?;
            }
        }
        let content = self.content(package, version);
        if offered.is_none()
            && let (Some(base), Some(content)) = (&self.flat_container, &content)
            && let Some(list) = self.document(&format!("{base}{}/index.json", package.name())).await?
        {
            let mut versions = Vec::new();
            self.add_bare(package, &list, &mut versions)?;
            offered = versions.into_iter().find(|found| found.key == version);
            if let Some(offered) = &mut offered {
                offered.url.clone_from(content);
            }
        }
        let Some(mut offered) = offered.filter(|offered| offered.key == version) else {
            return Ok(RegistryAnswer::NotFound);
        };
        if let Some(content) = content {
            offered.url = content;
        }
        found(&Offered { sources: Vec::new(), versions: vec![offered] })
    }

    /// A leaf's version; where its catalog entry is a document of its own on the same host, with what that says.
    async fn with_catalog(&self, package: &PackageKey, at: &str, leaf: Value) -> Result<Option<OfferedVersion>> {
        let entry = &leaf["catalogEntry"];
        let inlined = entry.as_object().is_some_and(|entry| entry.contains_key("packageHash"));
        let address = entry.as_str().or_else(|| entry["@id"].as_str()).filter(|address| same_origin(at, address));
        let catalog = match address.filter(|_| !inlined) {
            Some(address) => self.document(address).await?,
            None => None,
        };
        let offered = OfferedVersion::from_leaf(package, &leaf);
        let Some(catalog) = catalog.and_then(|entry| OfferedVersion::from_entry(package, &entry)) else {
            return Ok(offered);
        };
        let url = leaf["packageContent"].as_str().unwrap_or_default().to_owned();
        let is_unlisted = offered.as_ref().map_or(leaf["listed"] == Value::Bool(false), |offered| offered.is_unlisted);
        Ok(Some(OfferedVersion { url, is_unlisted: is_unlisted || catalog.is_unlisted, ..catalog }))
    }

    /// Where the flat container has a version's package.
    fn content(&self, package: &PackageKey, version: &str) -> Option<String> {
        let (base, id) = (self.flat_container.as_ref()?, package.name());
        Some(format!("{base}{id}/{version}/{id}.{version}.nupkg"))
    }

    /// The versions in a registration's pages.
    async fn registered(&self, package: &PackageKey, index: Value) -> Result<Vec<OfferedVersion>> {
        let pages =
            index["items"].as_array().ok_or_else(|| upstream("a registration of the public registry has no pages"))?;
        if pages.len() > PAGES_LIMIT {
            return Err(upstream("a registration of the public registry has too many pages"));
        }
        let pages = futures_util::stream::iter(pages.clone()).map(|page| self.page(page));
        let pages: Vec<Value> = pages.buffered(PAGES_AT_ONCE).try_collect().await?;
        let leaves = pages.iter().filter_map(|page| page["items"].as_array()).flatten();
        let versions = leaves.filter_map(|leaf| OfferedVersion::from_leaf(package, leaf)).map(|mut version| {
            if let Some(content) = self.content(package, &version.key) {
                version.url = content;
            }
            version
        });
        Ok(versions.collect())
    }

    /// A page with its items: as it stands in the index, or from its own address.
    async fn page(&self, page: Value) -> Result<Value> {
        if page["items"].is_array() {
            return Ok(page);
        }
        let address = page["@id"].as_str().ok_or_else(|| upstream("a page of a registration has no address"))?;
        let address = address.split('#').next().unwrap_or_default().to_owned();
        let page = self.document(&address).await?;
        let page = page.ok_or_else(|| upstream("the public registry has lost a page of a registration"))?;
        if page["items"].is_array() { Ok(page) } else { Err(upstream("a page of a registration has no items")) }
    }

    /// Adds what only the flat container lists.
    fn add_bare(&self, package: &PackageKey, list: &Value, versions: &mut Vec<OfferedVersion>) -> Result<()> {
        let listed = list["versions"].as_array();
        let listed = listed.ok_or_else(|| upstream("the public registry's list of versions is something else"))?;
        let known: std::collections::HashSet<String> = versions.iter().map(|version| version.key.clone()).collect();
        for version in listed.iter().filter_map(Value::as_str).filter_map(|text| Version::parse(text).ok()) {
            if !known.contains(&version.key()) {
                let content = self.content(package, &version.key()).unwrap_or_default();
                versions.push(OfferedVersion::bare(package, &version, content));
            }
        }
        Ok(())
    }

    /// Asks for a document unless it is still what `held` was made of. A resource that the registry does not have has
    /// no documents.
    async fn ask_again(&self, url: Option<String>, held: &Offered) -> Result<Asked> {
        let Some(url) = url else { return Ok(Asked::Missing) };
        let source = held.sources.iter().find(|source| source.url == url).cloned().unwrap_or_default();
        self.ask(url, source.etag, source.last_modified).await
    }

    async fn ask(&self, url: String, etag: Option<String>, last_modified: Option<String>) -> Result<Asked> {
        let request = RegistryRequest {
            reference: Some(url.clone()),
            accept: JSON,
            etag,
            last_modified,
            ..RegistryRequest::default()
        };
        Ok(match self.registry.get(&request, DOCUMENT_LIMIT_BYTES).await? {
            RegistryAnswer::Found { body, etag, last_modified, .. } => {
                let body = tokio::task::spawn_blocking(move || parse(&body)).await.map_err(Error::internal)??;
                Asked::New(body, SourceDocument { url, etag, last_modified })
            }
            RegistryAnswer::NotModified => Asked::Unchanged,
            RegistryAnswer::NotFound => Asked::Missing,
        })
    }

    /// The document itself, also where it has not changed.
    async fn whole(&self, asked: Asked, url: Option<String>) -> Result<Option<(Value, SourceDocument)>> {
        let asked = match (asked, url) {
            (Asked::Unchanged, Some(url)) => self.ask(url, None, None).await?,
            (asked, _) => asked,
        };
        Ok(match asked {
            Asked::New(body, source) => Some((body, source)),
            Asked::Unchanged | Asked::Missing => None,
        })
    }

    async fn document(&self, url: &str) -> Result<Option<Value>> {
        let asked = self.ask(url.to_owned(), None, None).await?;
        Ok(self.whole(asked, None).await?.map(|(body, _)| body))
    }
}

impl Offered {
    /// Whether nothing has changed: what is missing now was missing when this was made.
    fn knows(&self, flat: &Asked, registration: &Asked) -> bool {
        let unchanged = [flat, registration].into_iter().filter(|asked| matches!(asked, Asked::Unchanged)).count();
        unchanged == self.sources.len()
    }
}

fn found(offered: &Offered) -> Result<RegistryAnswer> {
    let body = serde_json::to_vec(offered).map_err(Error::internal)?.into();
    Ok(RegistryAnswer::Found {
        body,
        content_type: JSON.to_owned(),
        etag: Some("\"composed\"".to_owned()),
        last_modified: None,
    })
}

pub(crate) fn parse(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body)
        .map_err(|error| upstream(&format!("the public registry did not answer with JSON: {error}")))
}

/// `@type` is a text or a list of texts.
fn is_type(value: &Value, kind: &str) -> bool {
    match value {
        Value::String(text) => text == kind,
        Value::Array(kinds) => kinds.iter().any(|text| text == kind),
        _ => false,
    }
}

/// Whether two addresses have scheme, host and port in common.
fn same_origin(a: &str, b: &str) -> bool {
    let origin = |url: &str| {
        let rest = url.split_once("://")?;
        let host = rest.1.split(['/', '?', '#']).next()?;
        Some((rest.0.to_ascii_lowercase(), host.to_ascii_lowercase()))
    };
    origin(a).is_some() && origin(a) == origin(b)
}

pub(crate) fn upstream(message: &str) -> Error {
    Error::Upstream { message: message.to_owned(), retry_after_seconds: None }
}

/// The name of the document that holds one version with its digest.
#[must_use]
pub(crate) fn version_document(package: &PackageKey, version: &str) -> PackageKey {
    PackageKey::document(package.format(), &format!("{}/{version}", package.name()))
}

/// The package and version of such a document.
#[must_use]
pub(crate) fn read_version_document(document: &str) -> Option<(PackageKey, String)> {
    let (id, version) = document.split_once('/')?;
    Some((names::package_key(id).ok()?, version.to_owned()))
}
