//! What core has to know of Maven: names, versions, and how public registries are read.
//!
//! A connection's configured address is the root of the tree. A package's index is its artifact-level metadata, which
//! lists versions but no files; what a file's bytes must be is said by the checksum beside it ([`registry_file`]).

use std::cmp::Ordering;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::error::{Invalid, Result as CoreResult};
use larder_core::model::{AssetName, PackageFormat, PackageKey, ReleaseTime, Timestamp, VersionDetails, VersionText};
use larder_core::ports::{
    Format, Gate, IndexRequest, Inspected, Promise, PromisedAsset, RegistryAnswer, RegistryDocuments, StoredIndex,
};

use crate::layout::{self, METADATA};
use crate::maven_metadata::{self, LIMIT_BYTES, MavenMetadata};
use crate::names;
use crate::pom::{self, Pom};
use crate::registry_file;
use crate::version_order;

/// The Maven format.
#[derive(Debug, Clone, Copy, Default)]
pub struct MavenFormat;

#[async_trait]
impl Format for MavenFormat {
    fn format(&self) -> PackageFormat {
        PackageFormat::Maven
    }

    fn package_key(&self, namespace: Option<&str>, name: &str) -> Result<PackageKey, Invalid> {
        // Checks the general rules first: a missing namespace is refused in AWS's words.
        PackageKey::new(PackageFormat::Maven, namespace, name)?;
        names::package_key(namespace.unwrap_or_default(), name)
    }

    fn display_name(&self, key: &PackageKey) -> String {
        names::display_name(key)
    }

    fn version(&self, version: &str) -> Result<VersionText, Invalid> {
        names::version(version)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        version_order::compare(a, b)
    }

    fn index_request(&self, key: &PackageKey) -> Option<IndexRequest> {
        let path = match key.as_document() {
            Some(document) if is_metadata(document) => document.to_owned(),
            Some(file) => format!("{file}.sha1"),
            None => layout::path(key, &[METADATA]),
        };
        Some(IndexRequest {
            path: registry_file::encode(&path),
            accept: "application/xml, text/xml, */*",
            limit_bytes: LIMIT_BYTES,
        })
    }

    async fn fetch_index(
        &self,
        registry: &dyn RegistryDocuments,
        key: &PackageKey,
        held: Option<&StoredIndex>,
    ) -> CoreResult<RegistryAnswer> {
        if let Some(file) = key.as_document().filter(|document| !is_metadata(document)) {
            return registry_file::fetch(registry, file, held).await;
        }
        let Some(wanted) = self.index_request(key) else { return Ok(RegistryAnswer::NotFound) };
        registry.get(&wanted.unless_held(held), wanted.limit_bytes).await
    }

    fn check_index(&self, key: &PackageKey, index: &StoredIndex) -> Result<(), Invalid> {
        let Some(body) = &index.body else { return Ok(()) };
        match key.as_document() {
            Some(document) if !is_metadata(document) => registry_file::parse(body).map(drop),
            _ => MavenMetadata::parse(body).map(drop),
        }
    }

    fn index_versions(&self, _package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        let Some(body) = &index.body else { return Ok(Vec::new()) };
        let metadata = MavenMetadata::parse(body)?;
        Ok(registry_versions(&metadata).filter_map(|version| names::version(version).ok()).collect())
    }

    fn withhold(
        &self,
        _package: &PackageKey,
        index: &StoredIndex,
        gate: &mut Gate<'_>,
    ) -> Result<Option<StoredIndex>, Invalid> {
        let Some(body) = &index.body else { return Ok(None) };
        if is_promise(body) {
            let file = registry_file::parse(body)?;
            let published_at = index.last_modified.as_deref().and_then(Timestamp::parse_http_date);
            let passes = gate(&file.version, ReleaseTime::of(published_at));
            return Ok((!passes).then(|| index.with_body(None)));
        }
        let mut metadata = MavenMetadata::parse(body)?;
        if metadata.versions.is_empty() {
            return Ok(None);
        }
        // All that it lists were there when it was last updated.
        let updated = metadata.last_updated.as_deref().and_then(maven_metadata::parse_time);
        let known = ReleaseTime::Unknown.or_known_since(updated);
        let all = metadata.versions.len();
        metadata.versions.retain(|version| gate(version, known));
        if metadata.versions.len() == all {
            return Ok(None);
        }
        if metadata.versions.is_empty() {
            return Ok(Some(index.with_body(None)));
        }
        let (group, artifact) = (metadata.group.unwrap_or_default(), metadata.artifact.unwrap_or_default());
        let updated = metadata.last_updated.unwrap_or_default();
        let rest = maven_metadata::write_artifact(&group, &artifact, &metadata.versions, &updated);
        Ok(Some(index.with_body(Some(rest.into()))))
    }

    fn undated_versions(&self, package: &PackageKey, index: &StoredIndex) -> Result<Vec<VersionText>, Invalid> {
        if package.as_document().is_some() { Ok(Vec::new()) } else { self.index_versions(package, index) }
    }

    fn dating_document(&self, package: &PackageKey, version: &VersionText) -> Option<PackageKey> {
        let file = format!("{}-{version}.pom", package.name());
        let path = layout::path(package, &[version.as_str(), &file]);
        Some(PackageKey::document(PackageFormat::Maven, &path))
    }

    fn promising_document(&self, package: &PackageKey, version: &VersionText, asset: &AssetName) -> PackageKey {
        PackageKey::document(PackageFormat::Maven, &layout::path(package, &[version.as_str(), asset.as_str()]))
    }

    fn promise(
        &self,
        package: &PackageKey,
        index: &StoredIndex,
        version: &VersionText,
    ) -> Result<Option<Promise>, Invalid> {
        let Some(body) = &index.body else { return Ok(None) };
        let promise = |assets| Promise {
            version: version.clone(),
            display_name: names::display_name(package),
            metadata: Bytes::new(),
            details: VersionDetails::default(),
            published_at: index.last_modified.as_deref().and_then(Timestamp::parse_http_date),
            assets,
            tags: Vec::new(),
        };
        if is_promise(body) {
            let file = registry_file::parse(body)?;
            let url = registry_file::address(&file.name);
            let asset = PromisedAsset { name: file.name, url, digests: file.digests, metadata: Bytes::new() };
            return Ok(Some(promise(vec![asset])));
        }
        // The package's own index: it tells that there is such a version, and nothing of its files.
        let metadata = MavenMetadata::parse(body)?;
        let is_there = registry_versions(&metadata).any(|listed| listed == version.as_str());
        Ok(is_there.then(|| promise(Vec::new())))
    }

    fn inspect(&self, asset: &AssetName, archive: &Path) -> Inspected {
        if !asset.as_str().ends_with(".pom") || asset.as_str().ends_with("-build.pom") {
            return Inspected::default();
        }
        let details = read_pom(archive).and_then(|pom| Pom::parse(&pom).ok()).map(|pom| pom.details());
        Inspected { details: details.unwrap_or_default(), sidecars: Vec::new() }
    }
}

/// The releases that a registry's metadata lists: snapshots are never taken from there.
pub(crate) fn registry_versions(metadata: &MavenMetadata) -> impl Iterator<Item = &str> {
    let versions = metadata.versions.iter().map(String::as_str);
    versions.filter(|version| !names::is_snapshot(version) && names::parse_build(version).is_none())
}

fn is_metadata(document: &str) -> bool {
    document.rsplit('/').next() == Some(METADATA)
}

/// The bytes of a POM, if it is not too large to be one.
pub(crate) fn read_pom(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(pom::LIMIT_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= pom::LIMIT_BYTES).then_some(bytes)
}

/// Whether a document is the promise of a file.
fn is_promise(body: &[u8]) -> bool {
    body.starts_with(b"sha1 ") || body.starts_with(b"md5 ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(body: &str) -> StoredIndex {
        StoredIndex {
            body: Some(Bytes::from(body.to_owned())),
            content_type: String::new(),
            etag: None,
            last_modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            checked_at: Timestamp(0),
            revision: 0,
        }
    }

    #[test]
    fn metadata_tells_versions_and_a_checksum_tells_of_its_file() {
        let key = names::package_key("g.h", "a").unwrap();
        let index = stored(
            "<metadata><versioning><versions><version>1.0</version><version>2-SNAPSHOT</version></versions></versioning></metadata>",
        );
        let (one, snapshot) = (VersionText::new("1.0").unwrap(), VersionText::new("2-SNAPSHOT").unwrap());
        assert_eq!(MavenFormat.index_versions(&key, &index).unwrap(), std::slice::from_ref(&one));
        assert!(MavenFormat.promise(&key, &index, &snapshot).unwrap().is_none());
        assert!(MavenFormat.promise(&key, &index, &one).unwrap().unwrap().assets.is_empty());

        let document = MavenFormat.promising_document(&key, &one, &AssetName::new("a-1.0.jar").unwrap());
        assert_eq!(document.as_document(), Some("g/h/a/1.0/a-1.0.jar"));
        assert_eq!(MavenFormat.index_request(&document).unwrap().path, "g/h/a/1.0/a-1.0.jar.sha1");
        let checksum = stored(&format!("sha1 {} g/h/a/1.0/a-1.0.jar", "00".repeat(20)));
        assert!(MavenFormat.check_index(&document, &checksum).is_ok());
        let promise = MavenFormat.promise(&key, &checksum, &one).unwrap().unwrap();
        assert_eq!((promise.assets[0].url.as_str(), promise.assets[0].digests.sha1), ("a-1.0.jar", Some([0; 20])));
        assert_eq!(promise.published_at, Some(Timestamp(784_111_777_000)));
    }

    #[test]
    fn young_versions_leave_the_metadata_and_their_files_have_no_promise() {
        let key = names::package_key("g", "a").unwrap();
        let index = stored(
            "<metadata><groupId>g</groupId><artifactId>a</artifactId><versioning><versions><version>1.0</version>\
             <version>2.0</version></versions><lastUpdated>20260102030405</lastUpdated></versioning></metadata>",
        );
        let mut gate = |version: &str, released: ReleaseTime| {
            assert_eq!(released.instant(), Timestamp::parse_rfc3339("2026-01-02T03:04:05Z"));
            version == "1.0"
        };
        let rest = MavenFormat.withhold(&key, &index, &mut gate).unwrap().unwrap();
        assert_eq!(MavenFormat.index_versions(&key, &rest).unwrap(), [VersionText::new("1.0").unwrap()]);
        assert!(MavenFormat.withhold(&key, &index, &mut |_, _| true).unwrap().is_none());
        assert_eq!(MavenFormat.withhold(&key, &index, &mut |_, _| false).unwrap().unwrap().body, None);

        let file = stored(&format!("sha1 {} g/a/2.0/a-2.0.jar", "00".repeat(20)));
        let mut gate = |version: &str, released: ReleaseTime| {
            assert_eq!((version, released), ("2.0", ReleaseTime::PublishedAt(Timestamp(784_111_777_000))));
            false
        };
        assert_eq!(MavenFormat.withhold(&key, &file, &mut gate).unwrap().unwrap().body, None);
    }

    #[test]
    fn an_error_page_is_no_index_and_no_checksum() {
        let page = stored("<html><h1>Log in</h1></html>");
        let key = names::package_key("g", "a").unwrap();
        assert!(MavenFormat.check_index(&key, &page).is_err());
        let file = PackageKey::document(PackageFormat::Maven, "g/a/1/a-1.jar");
        assert!(MavenFormat.check_index(&file, &page).is_err());
    }
}
