//! Unpublishing (protocols 1.4). A version that was published once is never published again, so its record stays: the
//! version is disposed, and only CodeArtifact's own DeletePackageVersions makes the number free.

use std::collections::HashSet;

use http::StatusCode;
use larder_core::access::{Action, Allowed, PackageTarget};
use larder_core::error::{ConflictKind, Error, ResourceType};
use larder_core::model::{PackageKey, VersionStatus, VersionText};
use larder_core::ports::{BatchSelection, HostedPackage, VersionSelector};
use larder_core::services::View;
use larder_http::{RepositoryRequest, RequestBody, Response, response};
use serde_json::json;

use crate::error::NpmError;
use crate::index::{self, Sources, document_revision};
use crate::json;
use crate::names;
use crate::publish::TEXT_LIMIT_BYTES;
use crate::routes::{Answer, Routes, not_offered};
use crate::wire::PackageBody;

impl Routes {
    /// `PUT /{package}/-rev/{revision}`: the document without the versions that are to go, and with the tags that the
    /// client chose instead.
    pub(crate) async fn put_revision(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        revision: &str,
        body: RequestBody,
    ) -> Answer {
        let allowed = request.may(&self.services.access, Action::DisposePackageVersions, key.clone()).await?;
        let text = body.collect_decoded(&request.headers, TEXT_LIMIT_BYTES as u64).await?;
        let view = self.services.index.view(&request.may_read(&self.services.access).await?, &key).await?;
        let (expected, upstream_tags_win) = (revision.to_owned(), self.upstream_tags_win);
        let removal = tokio::task::spawn_blocking(move || removal(&view, &text, &expected, upstream_tags_win))
            .await
            .map_err(Error::internal)??;
        // Tags first: they can only point to versions that are there.
        for (tag, version) in &removal.tags {
            self.services.publishing.put_tag(&allowed, tag, version.as_ref()).await?;
        }
        self.dispose(&allowed, removal.versions).await?;
        Ok(done(&key))
    }

    /// `DELETE /{package}/-rev/{revision}`: every version that this repository has.
    pub(crate) async fn delete_package(&self, request: &RepositoryRequest, key: PackageKey, revision: &str) -> Answer {
        let allowed = request.may(&self.services.access, Action::DisposePackageVersions, key.clone()).await?;
        let own = self.load_own(request, &key).await?;
        check_revision(&own, revision)?;
        for (tag, _) in &own.package.tags {
            self.services.publishing.put_tag(&allowed, tag, None).await?;
        }
        let there = own.versions.into_iter().filter(|version| version.status != VersionStatus::Disposed);
        self.dispose(&allowed, there.map(|version| version.version).collect()).await?;
        Ok(done(&key))
    }

    /// `DELETE /{package}/-/{file}/-rev/{revision}`: what npm sends after it has put the document without the version.
    /// Usually the version is gone by then.
    pub(crate) async fn delete_tarball(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        file: &str,
        revision: &str,
    ) -> Answer {
        let allowed = request.may(&self.services.access, Action::DisposePackageVersions, key.clone()).await?;
        let version = names::version_of_file(&key, file).and_then(|version| names::coordinate(version).ok());
        let Some(version) = version else {
            return Err(NpmError::not_found(format!("'{file}' is not a file of '{}'", names::display_name(&key))));
        };
        let own = self.load_own(request, &key).await?;
        let is_there =
            own.versions.iter().any(|stored| stored.version == version && stored.status != VersionStatus::Disposed);
        if is_there {
            check_revision(&own, revision)?;
            let tags = own.package.tags.iter().filter(|(_, target)| target == version.as_str());
            for (tag, _) in tags {
                self.services.publishing.put_tag(&allowed, tag, None).await?;
            }
            self.dispose(&allowed, vec![version]).await?;
        }
        Ok(done(&key))
    }

    async fn load_own(&self, request: &RepositoryRequest, key: &PackageKey) -> Result<HostedPackage, NpmError> {
        self.services.store.load_package(request.target.repository.id, key).await?.ok_or_else(|| {
            let name = names::display_name(key);
            NpmError::not_found(format!("package '{name}' is not stored in this repository"))
        })
    }

    async fn dispose(&self, allowed: &Allowed<PackageTarget>, versions: Vec<VersionText>) -> Result<(), NpmError> {
        if versions.is_empty() {
            return Ok(());
        }
        let versions = versions.into_iter().map(|version| VersionSelector { version, revision: None }).collect();
        let selection = BatchSelection { versions, expected_status: None };
        for (version, outcome) in self.services.versions.dispose(allowed, selection).await? {
            if let Err(failure) = outcome {
                let message = format!("version '{version}' cannot be unpublished: {}", failure.message);
                return Err(NpmError::new(StatusCode::CONFLICT, message));
            }
        }
        Ok(())
    }
}

/// What a document without some of its versions asks for.
struct Removal {
    versions: Vec<VersionText>,
    tags: Vec<(String, Option<VersionText>)>,
}

fn removal(view: &View, text: &[u8], revision: &str, upstream_tags_win: bool) -> Result<Removal, NpmError> {
    let sources = Sources { repository: view.repository, key: &view.key, layers: &view.layers, upstream_tags_win };
    let name = names::display_name(&view.key);
    let own = sources
        .own()
        .ok_or_else(|| NpmError::not_found(format!("package '{name}' is not stored in this repository")))?;
    check_revision(own, revision)?;
    let body: PackageBody<'_> = serde_json::from_slice(text)
        .map_err(|error| NpmError::bad_request(format!("the body is not a package document: {error}")))?;
    let Some(kept) = &body.versions else {
        return Err(not_offered("who may publish is managed with IAM policies"));
    };
    let kept: HashSet<&str> = kept.iter().map(|(number, _)| names::without_build(number)).collect();
    let stored: HashSet<&str> = own.versions.iter().map(|version| version.version.as_str()).collect();
    let shown = index::shown(&sources)?;
    let mut versions = Vec::new();
    for coordinate in shown.versions.keys().filter(|coordinate| !kept.contains(coordinate.as_str())) {
        if !stored.contains(coordinate.as_str()) {
            let message = format!("version '{coordinate}' of '{name}' is not stored in this repository");
            return Err(NpmError::new(StatusCode::FORBIDDEN, message));
        }
        versions.push(VersionText::new(coordinate.as_str()).map_err(Error::internal)?);
    }
    // Only tags of versions that go are looked at; the client's choice counts if it is a version stored here.
    let chosen = |tag: &str| {
        let number = body.tags.as_ref()?.get(tag).and_then(json::text)?;
        let coordinate = names::without_build(&number);
        (kept.contains(coordinate) && stored.contains(coordinate)).then(|| VersionText::new(coordinate).ok()).flatten()
    };
    let stale = own.package.tags.iter().filter(|(_, target)| versions.iter().any(|gone| gone.as_str() == target));
    let tags = stale.map(|(tag, _)| (tag.clone(), chosen(tag))).collect();
    Ok(Removal { versions, tags })
}

fn check_revision(own: &HostedPackage, revision: &str) -> Result<(), Error> {
    let current = document_revision(Some(&own.package));
    if current == revision {
        return Ok(());
    }
    Err(Error::conflict(
        ConflictKind::Revision,
        ResourceType::Package,
        own.package.key.to_string(),
        format!("the package was changed meanwhile: its revision is {current}, not {revision}; try again"),
    ))
}

fn done(key: &PackageKey) -> Response {
    response::json(StatusCode::OK, &json!({"ok": true, "id": names::display_name(key)}))
}
