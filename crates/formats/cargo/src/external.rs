//! What core has to know of Cargo: names, versions, and how the public registry is read.
//!
//! A connection's address is the root of the registry's sparse index. Where its crates are stands in its `config.json`,
//! so what is stored of a crate is made of two documents: a first line with the download template, `{"dl":"…"}`, and
//! then the index file, byte for byte. Only the index file has validators; `config.json` is asked for once in a while
//! for all crates together, as it is never asked conditionally by cargo either.

use std::cmp::Ordering;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use larder_core::Result as CoreResult;
use larder_core::error::{Error, Invalid};
use larder_core::model::{
    AssetName, ExpectedDigests, PackageFormat, PackageKey, ReleaseTime, VersionDetails, VersionText,
};
use larder_core::ports::{
    Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset, RegistryAnswer, RegistryDocuments, RegistryRequest,
    StoredIndex,
};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::line::{self, Head, Line};
use crate::wire::Config;
use crate::{archive, asset, names};

/// The largest index files of the public registry have a few megabytes.
const FILE_LIMIT_BYTES: usize = 32 << 20;
const CONFIG_LIMIT_BYTES: usize = 64 << 10;
/// How long a registry's download template is believed. A resolve asks for hundreds of crates within that time.
const CONFIG_FRESH_FOR: Duration = Duration::from_secs(60);
/// How long a failure to read it is remembered: all crates wait for it, one after the other.
const CONFIG_FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// What the stored document is, since it is not what the registry sent.
const CONTENT_TYPE: &str = "application/x-larder-cargo-index";

/// The Cargo format.
pub struct CargoFormat {
    /// The download template of the one registry that there is.
    template: Cache<(), String>,
    /// Why there was none lately.
    failure: Cache<(), String>,
    /// One asks, the others wait.
    asking: Mutex<()>,
}

impl Default for CargoFormat {
    fn default() -> Self {
        let remember = |time| Cache::builder().max_capacity(1).time_to_live(time).build();
        Self { template: remember(CONFIG_FRESH_FOR), failure: remember(CONFIG_FAILURE_PAUSE), asking: Mutex::default() }
    }
}

impl CargoFormat {
    /// The registry's download template.
    async fn template(&self, registry: &dyn RegistryDocuments) -> CoreResult<String> {
        if let Some(template) = self.template.get(&()) {
            return Ok(template);
        }
        let _asking = self.asking.lock().await;
        if let Some(template) = self.template.get(&()) {
            return Ok(template);
        }
        if let Some(message) = self.failure.get(&()) {
            return Err(Error::Upstream { message, retry_after_seconds: None });
        }
        let read = read_template(registry).await;
        match &read {
            Ok(template) => self.template.insert((), template.clone()),
            Err(error) => self.failure.insert((), error.to_string()),
        }
        read
    }
}

async fn read_template(registry: &dyn RegistryDocuments) -> CoreResult<String> {
    let request =
        RegistryRequest { path: "config.json".to_owned(), accept: "application/json", ..RegistryRequest::default() };
    match registry.get(&request, CONFIG_LIMIT_BYTES).await? {
        RegistryAnswer::Found { body, .. } => read_config(&body).map_err(|error| upstream(&error.to_string())),
        RegistryAnswer::NotModified | RegistryAnswer::NotFound => {
            Err(upstream("there is none; the connection's address has to be the root of a sparse index"))
        }
    }
}

fn upstream(why: &str) -> Error {
    Error::Upstream {
        message: format!("the config.json of the public crates registry cannot be used: {why}"),
        retry_after_seconds: None,
    }
}

/// The download template in a `config.json`.
///
/// # Errors
/// [`Invalid`] if the body is something else, or names no address.
pub(crate) fn read_config(body: &[u8]) -> Result<String, Invalid> {
    let config: Config =
        serde_json::from_slice(body).map_err(|error| Invalid::new(format!("it is not JSON with a 'dl': {error}")))?;
    check_template(&config.dl)?;
    Ok(config.dl)
}

fn check_template(template: &str) -> Result<(), Invalid> {
    let is_address = ["https://", "http://"].iter().any(|scheme| template.starts_with(scheme));
    if is_address && !template.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Ok(());
    }
    Err(Invalid::new(format!("its 'dl' is no address: '{}'", names::printable(template))))
}

/// What is stored of a crate, taken apart.
#[derive(Debug)]
pub(crate) struct StoredFile<'a> {
    template: String,
    /// The index file.
    pub(crate) lines: &'a [u8],
}

/// The first line of what is stored.
#[derive(Serialize, Deserialize)]
struct Header {
    dl: String,
}

impl<'a> StoredFile<'a> {
    /// Reads what [`StoredFile::compose`] made.
    ///
    /// # Errors
    /// [`Invalid`] if it is something else.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Invalid> {
        let end = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
        let Header { dl } = serde_json::from_slice(&body[..end])
            .map_err(|error| Invalid::new(format!("the stored index does not begin with an address: {error}")))?;
        check_template(&dl)?;
        Ok(Self { template: dl, lines: body.get(end + 1..).unwrap_or_default() })
    }

    fn compose(template: &str, lines: &[u8]) -> CoreResult<Bytes> {
        let header = serde_json::to_vec(&Header { dl: template.to_owned() }).map_err(Error::internal)?;
        let mut body = BytesMut::with_capacity(header.len() + 1 + lines.len());
        for part in [&header[..], b"\n", lines] {
            body.extend_from_slice(part);
        }
        Ok(body.freeze())
    }

    /// Where a version's file is.
    fn url(&self, head: &Head<'_>) -> String {
        file_url(&self.template, &head.name, &head.vers, &head.cksum)
    }
}

/// Fills a download template as cargo does: all markers, or the default address behind it if it has none.
#[must_use]
pub(crate) fn file_url(template: &str, name: &str, version: &str, cksum: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let (prefix, lower_prefix) = (names::prefix(name), names::prefix(&lower));
    let markers = [
        ("{crate}", name),
        ("{version}", version),
        ("{prefix}", &prefix),
        ("{lowerprefix}", &lower_prefix),
        ("{sha256-checksum}", cksum),
    ];
    if !markers.iter().any(|(marker, _)| template.contains(marker)) {
        return format!("{}/{name}/{version}/download", template.trim_end_matches('/'));
    }
    // Values hold no braces, so that none of them is taken for a marker.
    markers.iter().fold(template.to_owned(), |url, (marker, value)| url.replace(marker, value))
}

#[async_trait]
impl Format for CargoFormat {
    fn format(&self) -> PackageFormat {
        PackageFormat::Cargo
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        // Checks the general rules first: a namespace is refused in AWS's words.
        PackageKey::new(PackageFormat::Cargo, namespace, name)?;
        names::crate_key(name)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::version_key(version)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        names::compare_versions(a, b)
    }

    fn index_request(&self, package: &PackageKey) -> Option<IndexRequest> {
        Some(IndexRequest {
            path: names::index_path(package.name()),
            accept: "text/plain",
            limit_bytes: FILE_LIMIT_BYTES,
        })
    }

    async fn fetch_index(
        &self,
        registry: &dyn RegistryDocuments,
        key: &PackageKey,
        held: Option<&StoredIndex>,
    ) -> CoreResult<RegistryAnswer> {
        let Some(wanted) = self.index_request(key) else { return Ok(RegistryAnswer::NotFound) };
        let answer = registry.get(&wanted.unless_held(held), wanted.limit_bytes).await?;
        let compose = |template: &str, lines: &[u8], etag, last_modified| {
            let body = StoredFile::compose(template, lines)?;
            Ok(RegistryAnswer::Found { body, content_type: CONTENT_TYPE.to_owned(), etag, last_modified })
        };
        match answer {
            RegistryAnswer::NotFound => Ok(RegistryAnswer::NotFound),
            RegistryAnswer::Found { body, etag, last_modified, .. } => {
                compose(&self.template(registry).await?, &body, etag, last_modified)
            }
            RegistryAnswer::NotModified => {
                let template = self.template(registry).await?;
                match held.and_then(|index| Some((index, StoredFile::parse(index.body.as_ref()?).ok()?))) {
                    Some((index, file)) if file.template != template => {
                        compose(&template, file.lines, index.etag.clone(), index.last_modified.clone())
                    }
                    _ => Ok(RegistryAnswer::NotModified),
                }
            }
        }
    }

    fn check_index(&self, package: &PackageKey, index: &StoredIndex) -> Result<(), Invalid> {
        let Some(body) = &index.body else { return Ok(()) };
        check_file(package.name(), StoredFile::parse(body)?.lines)
    }

    fn index_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let Some(body) = &index.body else { return Ok(Vec::new()) };
        let mut versions = Vec::new();
        for raw in line::lines(StoredFile::parse(body)?.lines) {
            versions.extend(VersionText::new(Head::parse(raw)?.version_key()).ok());
        }
        Ok(versions)
    }

    fn withhold(
        &self,
        _package: &PackageKey,
        index: &StoredIndex,
        gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        let Some(body) = &index.body else { return Ok(None) };
        let file = StoredFile::parse(body)?;
        let (mut rest, mut all_pass) = (Vec::with_capacity(body.len()), true);
        for raw in line::lines(file.lines) {
            let head = Head::parse(raw)?;
            if gate(head.version_key(), ReleaseTime::of(head.published_at())) {
                rest.extend_from_slice(raw);
                rest.push(b'\n');
            } else {
                all_pass = false;
            }
        }
        if all_pass {
            return Ok(None);
        }
        let body = if rest.is_empty() { None } else { Some(StoredFile::compose(&file.template, &rest)) };
        let body = body.transpose().map_err(|error| Invalid::new(error.to_string()))?;
        Ok(Some(index.with_body(body)))
    }

    fn undated_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let Some(body) = &index.body else { return Ok(Vec::new()) };
        let mut undated = Vec::new();
        for raw in line::lines(StoredFile::parse(body)?.lines) {
            let head = Head::parse(raw)?;
            if head.published_at().is_none() {
                undated.extend(VersionText::new(head.version_key()).ok());
            }
        }
        Ok(undated)
    }

    fn promise(
        &self,
        _package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        let Some(body) = &index.body else { return Ok(None) };
        let file = StoredFile::parse(body)?;
        for raw in line::lines(file.lines) {
            let head = Head::parse(raw)?;
            if head.version_key() == version.as_str() {
                return promise(&file, &head, raw, version).map(Some);
            }
        }
        Ok(None)
    }

    fn inspect(&self, _asset: &AssetName, archive: &Path) -> Inspected {
        Inspected { details: archive::inspect(archive), sidecars: Vec::new() }
    }
}

/// Checks that a file is an index file of this crate and no other page.
///
/// # Errors
/// [`Invalid`] naming the first line that is none.
pub(crate) fn check_file(name: &str, file: &[u8]) -> Result<(), Invalid> {
    let mut is_empty = true;
    for raw in line::lines(file) {
        is_empty = false;
        let head = Head::parse(raw)?;
        if !head.name.eq_ignore_ascii_case(name) {
            let found = names::printable(&head.name);
            return Err(Invalid::new(format!("asked for crate '{name}', got a line of '{found}'")));
        }
    }
    // A crate without versions has no file.
    if is_empty { Err(Invalid::new("the index file is empty")) } else { Ok(()) }
}

fn promise(file: &StoredFile<'_>, head: &Head<'_>, raw: &[u8], version: &VersionText) -> Result<Promise, Invalid> {
    let dependencies = Line::parse(raw).map(|line| line.dependencies()).unwrap_or_default();
    Ok(Promise {
        version: version.clone(),
        display_name: head.name.clone().into_owned(),
        metadata: Bytes::copy_from_slice(raw),
        details: VersionDetails {
            display_name: Some(head.name.clone().into_owned()),
            dependencies,
            ..VersionDetails::default()
        },
        published_at: head.published_at(),
        assets: vec![PromisedAsset {
            name: asset::file_name(&head.name, &head.vers)?,
            url: file.url(head),
            digests: ExpectedDigests { sha256: Some(head.sha256()?), ..ExpectedDigests::default() },
            metadata: Bytes::new(),
        }],
        tags: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
