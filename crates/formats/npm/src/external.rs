//! Reading the public registry: its documents and the hashes they promise (protocols 1.2, 1.11; reference 6.1).

use std::cmp::Ordering;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use larder_core::error::Invalid;
use larder_core::model::{
    AssetName, ExpectedDigests, PackageFormat, PackageKey, Timestamp, VersionDetails, VersionText,
};
use larder_core::ports::{Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset, StoredIndex};

use crate::json::Members;
use crate::packument::Packument;
use crate::withhold::Rest;
use crate::{archive, details, names, withhold};

/// A document of a public registry is refused beyond this. The largest in the wild have some 40 MB.
const INDEX_LIMIT_BYTES: usize = 64 << 20;

/// The name of a version's one asset in the API, whatever its file is called in URLs.
pub(crate) const TARBALL: &str = "package.tgz";

/// npm, as core sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Npm;

impl Format for Npm {
    fn format(&self) -> PackageFormat {
        PackageFormat::Npm
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        match namespace {
            Some(namespace) => names::package_key(&format!("@{namespace}/{name}")),
            None => names::package_key(name),
        }
    }

    fn display_name(&self, key: &PackageKey) -> String {
        names::display_name(key)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::coordinate(version)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        names::compare_versions(a, b)
    }

    fn default_version_tag(&self) -> Option<&'static str> {
        Some("latest")
    }

    fn index_request(&self, package: &PackageKey) -> Option<IndexRequest> {
        // As npm writes it: the slash of a scoped name is escaped, its `@` is not.
        let path = names::display_name(package).replace('/', "%2f");
        Some(IndexRequest { path, accept: "application/json", limit_bytes: INDEX_LIMIT_BYTES })
    }

    fn check_index(&self, package: &PackageKey, index: &StoredIndex) -> Result<(), Invalid> {
        let Some(body) = &index.body else { return Ok(()) };
        let packument = Packument::parse(body)?;
        let wanted = names::display_name(package);
        match packument.name() {
            Some(name) if name == wanted => Ok(()),
            Some(name) => Err(Invalid::new(format!("asked for package '{wanted}', got '{name}'"))),
            None => Err(Invalid::new("the document has no package name")),
        }
    }

    fn index_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let Some(body) = &index.body else { return Ok(Vec::new()) };
        let packument = Packument::parse(body)?;
        Ok(packument.versions.iter().filter_map(|(version, _)| names::coordinate(version).ok()).collect())
    }

    fn withhold(
        &self,
        _package: &PackageKey,
        index: &StoredIndex,
        gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        let Some(body) = &index.body else { return Ok(None) };
        Ok(match withhold::without(body, gate)? {
            Rest::All => None,
            Rest::Some(body) => Some(index.with_body(Some(body))),
            Rest::Nothing => Some(index.with_body(None)),
        })
    }

    fn promise(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        let Some(body) = &index.body else { return Ok(None) };
        let packument = Packument::parse(body)?;
        let Some((key, raw)) = packument.find(version.as_str()) else { return Ok(None) };
        let Some(manifest) = Members::of(raw) else { return Ok(None) };
        let Some(dist) = manifest.get("dist").and_then(Members::of) else { return Ok(None) };
        let Some(url) = dist.text("tarball") else { return Ok(None) };
        let display_name = names::display_name(package);
        Ok(Some(Promise {
            version: version.clone(),
            metadata: Bytes::copy_from_slice(raw.get().as_bytes()),
            details: details::details(&manifest, display_name.clone()),
            display_name,
            published_at: packument.time.text(key).and_then(|text| Timestamp::parse_rfc3339(&text)),
            assets: vec![PromisedAsset {
                name: AssetName::new(TARBALL)?,
                url: url.into_owned(),
                digests: promised_digests(&dist)?,
                metadata: Bytes::new(),
            }],
            // The registry's tags are read from its document, which goes on changing after the version is stored.
            tags: Vec::new(),
        }))
    }

    fn inspect(&self, _asset: &AssetName, archive: &Path) -> Inspected {
        let details = VersionDetails { readme: archive::find_readme(archive), ..VersionDetails::default() };
        Inspected { details, sidecars: Vec::new() }
    }
}

/// `integrity` and `shasum` of a `dist` object.
///
/// # Errors
/// [`Invalid`] when one of them is there but cannot be read: what cannot be checked must not pass as unpromised.
pub(crate) fn promised_digests(dist: &Members<'_>) -> Result<ExpectedDigests, Invalid> {
    let mut digests = ExpectedDigests::default();
    if let Some(shasum) = dist.text("shasum").filter(|text| !text.is_empty()) {
        let mut sha1 = [0; 20];
        hex::decode_to_slice(&*shasum, &mut sha1)
            .map_err(|_| Invalid::new("dist.shasum is not a SHA-1 in hexadecimal"))?;
        digests.sha1 = Some(sha1);
    }
    let integrity = dist.text("integrity").unwrap_or_default();
    for part in integrity.split_ascii_whitespace() {
        let (algorithm, value) = part.split_once('-').ok_or_else(unreadable_integrity)?;
        let value = value.split_once('?').map_or(value, |(value, _options)| value);
        let bytes = STANDARD.decode(value).map_err(|_| unreadable_integrity())?;
        match algorithm {
            "sha512" if digests.sha512.is_none() => digests.sha512 = Some(exact(bytes)?),
            "sha256" if digests.sha256.is_none() => digests.sha256 = Some(exact(bytes)?),
            "sha1" if digests.sha1.is_none() => digests.sha1 = Some(exact(bytes)?),
            _ => {}
        }
    }
    Ok(digests)
}

fn exact<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], Invalid> {
    bytes.try_into().map_err(|_| unreadable_integrity())
}

fn unreadable_integrity() -> Invalid {
    Invalid::new("dist.integrity is not in the form of subresource integrity")
}

#[cfg(test)]
mod tests;
