//! `PUT …/maven-metadata.xml`: what ends a deployment (CodeArtifact reference 6.3). The file itself is not stored: it is
//! checked, taken as the word that a version is complete, and what is served is made anew.

use bytes::Bytes;
use larder_core::access::{Action, Allowed, PackageTarget};
use larder_core::error::{ConflictKind, Error};
use larder_core::model::{ExpectedDigests, PackageVersion, PageRequest, VersionStatus, VersionText};
use larder_core::ports::{BatchSelection, VersionFilter, VersionSelector};
use larder_http::RepositoryRequest;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::error::MavenError;
use crate::held;
use crate::maven_metadata::{LIMIT_BYTES, MavenMetadata};
use crate::names::{self, SNAPSHOT};
use crate::publish::path_of;
use crate::routes::{Answer, Routes, created};
use crate::wire::{SnapshotRecord, VersionMetadata};

/// Unfinished versions of a package that one file can finish.
const UNFINISHED: usize = 1_000;
/// How often a snapshot is published anew while others publish it.
const TRIES: usize = 32;
/// Kinds of files that a snapshot's record describes.
const SNAPSHOT_FILES: usize = 1_000;

impl Routes {
    /// Takes a metadata file of any level.
    ///
    /// # Errors
    /// 400 if it cannot be read, is of another directory, or a checksum of the version was wrong.
    pub(crate) async fn put_metadata(&self, mut request: RepositoryRequest, directory: &[&str]) -> Answer {
        let body = request.take_body();
        self.may_begin(&request, directory).await?;
        let bytes = body.collect(LIMIT_BYTES as u64).await?;
        let (metadata, bytes) = tokio::task::spawn_blocking(move || (MavenMetadata::parse(&bytes), bytes))
            .await
            .map_err(Error::internal)?;
        let metadata =
            metadata.map_err(|invalid| MavenError::bad_request(format!("the metadata is refused: {invalid}")))?;
        match directory {
            [group @ .., artifact, base] if !group.is_empty() && names::is_snapshot(base) => {
                self.finish_snapshot(&request, (&group.join("."), artifact, base), &metadata).await?;
            }
            _ => {
                let is_group = metadata.artifact.is_none() && metadata.versions.is_empty();
                if !is_group {
                    self.finish_releases(&request, directory, &metadata).await?;
                }
                self.put_plugins(&request, &directory.join("."), &metadata.plugins).await?;
            }
        }
        let name = format!("{} {}", request.target.repository.id.0, path_of(&request));
        self.sent.insert(name, digests(&bytes));
        Ok(created())
    }

    /// Whether the caller's body is read at all: what it is about, and with it which right is needed, is seen from that.
    ///
    /// # Errors
    /// 403 for a caller who may neither publish the artifact of that name nor read.
    pub(crate) async fn may_begin(&self, request: &RepositoryRequest, directory: &[&str]) -> Result<(), MavenError> {
        let package = match directory {
            [group @ .., artifact, base] if names::is_snapshot(base) => names::package_key(&group.join("."), artifact),
            [group @ .., artifact] => names::package_key(&group.join("."), artifact),
            [] => return Ok(()),
        };
        if let Ok(key) = package
            && request.may(&self.services.access, Action::PutPackageMetadata, key).await.is_ok()
        {
            return Ok(());
        }
        request.may_read(&self.services.access).await?;
        Ok(())
    }

    /// Publishes the Unfinished versions that the file lists, all or none.
    async fn finish_releases(
        &self,
        request: &RepositoryRequest,
        directory: &[&str],
        metadata: &MavenMetadata,
    ) -> Result<(), MavenError> {
        let Some((artifact, group)) = directory.split_last().filter(|(_, group)| !group.is_empty()) else {
            return Err(MavenError::bad_request("the metadata of an artifact is at group/artifact/maven-metadata.xml"));
        };
        let group = group.join(".");
        check_same("groupId", metadata.group.as_deref(), &group)?;
        check_same("artifactId", metadata.artifact.as_deref(), artifact)?;
        let key = names::package_key(&group, artifact)?;
        let allowed = request.may(&self.services.access, Action::PutPackageMetadata, key.clone()).await?;
        let repository = request.target.repository.id;
        let store = &self.services.store;
        let Some(package) = store.find_package(repository, &key).await? else {
            return Err(MavenError::not_found(format!("'{group}:{artifact}' has no files here; put them before")));
        };
        let filter = VersionFilter { status: Some(VersionStatus::Unfinished), ..VersionFilter::default() };
        let mut page = PageRequest::first(UNFINISHED);
        let mut versions = Vec::new();
        loop {
            let found = store.list_versions(&package, &filter, &page).await?;
            let listed = found.items.into_iter().map(|version| version.version).filter(|version| {
                names::parse_build(version.as_str()).is_none()
                    && metadata.versions.iter().any(|listed| listed == version.as_str())
            });
            versions.extend(listed);
            match found.next {
                Some(next) if versions.len() < UNFINISHED => page.after = Some(next),
                _ => break,
            }
        }
        let mut selection = BatchSelection::default();
        for version in versions {
            let Some(found) = store.find_version(repository, &key, &version).await? else { continue };
            if found.assets.is_empty() {
                continue;
            }
            held::compare_all(&found)?;
            selection.versions.push(VersionSelector { version, revision: None });
        }
        if !selection.versions.is_empty() {
            let outcome = self.services.versions.update_status(&allowed, selection, VersionStatus::Published).await?;
            if let Some((version, Err(failure))) = outcome.into_iter().find(|(_, result)| result.is_err()) {
                let message = format!("version {version} could not be published: {}", failure.message);
                return Err(MavenError::new(http::StatusCode::CONFLICT, message));
            }
        }
        Ok(())
    }

    /// Publishes a build as its snapshot; the build itself becomes Unlisted.
    async fn finish_snapshot(
        &self,
        request: &RepositoryRequest,
        (group, artifact, base): (&str, &str, &str),
        metadata: &MavenMetadata,
    ) -> Result<(), MavenError> {
        check_same("groupId", metadata.group.as_deref(), group)?;
        check_same("artifactId", metadata.artifact.as_deref(), artifact)?;
        check_same("version", metadata.version.as_deref(), base)?;
        let key = names::package_key(group, artifact)?;
        let allowed = request.may(&self.services.access, Action::PutPackageMetadata, key).await?;
        let name = names::version(base)?;
        let build = build_of(base, metadata)?;
        let record = record(build.as_str(), metadata);
        if !record.files.is_empty() && !record.files.iter().any(|file| file.value == build.as_str()) {
            return Err(MavenError::bad_request(format!("the metadata lists no file of its own build {build}")));
        }
        let package =
            self.services.store.find_package(allowed.target().repository.id, &allowed.target().package).await?;
        self.services.publishing.check_origin(&allowed, package.as_ref(), &build).await?;
        for _ in 0..TRIES {
            match self.publish_build(&allowed, &name, &build, &record).await {
                Err(Error::Conflict { kind: ConflictKind::Revision, .. }) => {}
                Err(Error::ResourceNotFound { message, .. }) => return Err(MavenError::bad_request(message)),
                Err(error) => return Err(error.into()),
                Ok(checked) => return checked,
            }
        }
        Err(Error::Throttled { retry_after_seconds: 1 }.into())
    }

    async fn publish_build(
        &self,
        allowed: &Allowed<PackageTarget>,
        name: &VersionText,
        build: &VersionText,
        record: &SnapshotRecord,
    ) -> Result<Result<(), MavenError>, Error> {
        let target = allowed.target();
        let (repository, key, store) = (target.repository.id, &target.package, &self.services.store);
        let source = store.find_version(repository, key, build).await?.filter(|source| !source.assets.is_empty());
        let Some(source) = source else {
            let message = format!("build {build} has no files here; put them before the metadata");
            return Ok(Err(MavenError::bad_request(message)));
        };
        if let Err(error) = held::compare_all(&source) {
            return Ok(Err(error));
        }
        let current = store.find_version(repository, key, name).await?;
        let record = merged(record, current.as_ref());
        let order =
            |version: &str| names::parse_build(version).map(|(_, build)| (build.timestamp.to_owned(), build.number));
        let known = current.as_ref().and_then(|current| VersionMetadata::read(&current.metadata).snapshot);
        let is_newer = known.as_ref().is_none_or(|known| order(&known.build) <= order(build.as_str()));
        let is_published = current.as_ref().is_some_and(|current| current.status == VersionStatus::Published);
        if !is_newer && is_published {
            // A slower client: its build is kept, the newest one stays the snapshot.
            let versions = vec![VersionSelector { version: build.clone(), revision: None }];
            let selection = BatchSelection { versions, expected_status: None };
            self.services.versions.update_status(allowed, selection, VersionStatus::Unlisted).await?;
            return Ok(Ok(()));
        }
        let metadata = VersionMetadata { snapshot: Some(record), ..VersionMetadata::default() };
        let is_same = current.as_ref().is_some_and(|current| {
            current.assets == source.assets && VersionMetadata::read(&current.metadata) == metadata
        });
        if is_same && is_published && source.status == VersionStatus::Unlisted {
            return Ok(Ok(()));
        }
        let (expected, source) = (current.map(|current| current.revision), (build, VersionStatus::Unlisted));
        self.services.publishing.publish_as(allowed, source, name, expected, metadata.bytes()).await.map(Ok)
    }
}

/// The build that the file is about.
fn build_of(base: &str, metadata: &MavenMetadata) -> Result<VersionText, MavenError> {
    let stem = base.strip_suffix(SNAPSHOT).unwrap_or(base);
    let build = metadata.snapshot.as_ref().and_then(|snapshot| {
        let version = format!("{stem}-{}-{}", snapshot.timestamp.as_deref()?, snapshot.number?);
        names::parse_build(&version).is_some_and(|(found, _)| found == stem).then_some(version)
    });
    let build = build.ok_or_else(|| {
        MavenError::bad_request(
            "the metadata names no build by timestamp and build number; other snapshots are not supported",
        )
    })?;
    Ok(names::version(&build)?)
}

fn record(build: &str, metadata: &MavenMetadata) -> SnapshotRecord {
    let updated = names::parse_build(build).map(|(_, build)| build.timestamp.replace('.', "")).unwrap_or_default();
    let is_safe = |text: &str| text.len() <= 255 && !text.contains('/');
    SnapshotRecord {
        build: build.to_owned(),
        last_updated: metadata.last_updated.clone().unwrap_or(updated),
        files: metadata
            .snapshot_versions
            .iter()
            .filter(|file| is_safe(&file.classifier) && is_safe(&file.extension) && is_safe(&file.value))
            .take(SNAPSHOT_FILES)
            .cloned()
            .collect(),
    }
}

/// With the files of older builds that this client did not know of; a build without description is read from its names.
fn merged(record: &SnapshotRecord, current: Option<&PackageVersion>) -> SnapshotRecord {
    let mut merged = record.clone();
    if merged.files.is_empty() {
        return merged;
    }
    let known = current.and_then(|current| VersionMetadata::read(&current.metadata).snapshot).unwrap_or_default();
    for file in known.files {
        let is_known = merged.files.iter().any(|other| {
            (other.classifier.as_str(), other.extension.as_str()) == (file.classifier.as_str(), file.extension.as_str())
        });
        if !is_known && merged.files.len() < SNAPSHOT_FILES {
            merged.files.push(file);
        }
    }
    merged
}

fn check_same(what: &str, found: Option<&str>, expected: &str) -> Result<(), MavenError> {
    match found {
        Some(found) if found != expected => {
            let found: String = found.chars().take(80).collect();
            Err(MavenError::bad_request(format!("the metadata's {what} is '{found}', the path's is '{expected}'")))
        }
        _ => Ok(()),
    }
}

fn digests(bytes: &Bytes) -> ExpectedDigests {
    ExpectedDigests {
        md5: Some(Md5::digest(bytes).into()),
        sha1: Some(Sha1::digest(bytes).into()),
        sha256: Some(Sha256::digest(bytes).into()),
        sha512: Some(Sha512::digest(bytes).into()),
        size_bytes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> MavenMetadata {
        MavenMetadata::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_build_is_named_by_its_timestamp_and_number() {
        let metadata = parse(
            "<metadata><versioning><snapshot><timestamp>20261122.192112</timestamp><buildNumber>2</buildNumber></snapshot></versioning></metadata>",
        );
        let build = build_of("1.0-SNAPSHOT", &metadata).unwrap();
        assert_eq!(build.as_str(), "1.0-20261122.192112-2");
        assert_eq!(record(build.as_str(), &metadata).last_updated, "20261122192112");
        for bad in [
            "<metadata/>",
            "<metadata><versioning><snapshot><localCopy>true</localCopy></snapshot></versioning></metadata>",
            "<metadata><versioning><snapshot><timestamp>today</timestamp><buildNumber>2</buildNumber></snapshot></versioning></metadata>",
        ] {
            assert!(build_of("1.0-SNAPSHOT", &parse(bad)).is_err(), "{bad}");
        }
    }
}
