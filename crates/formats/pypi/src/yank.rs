//! Yanking (PEP 592) of what was published here. No client has a command for it, so this is Larder's own address:
//! `PUT /-/yank/{project}/{version}` with `{"reason": "…"}` (or no body), and `DELETE` to undo it.

use http::StatusCode;
use larder_core::Error;
use larder_core::access::Action;
use larder_core::error::ConflictKind;
use larder_core::model::{OriginType, PackageKey, PackageVersion, VersionText};
use larder_http::{RepositoryRequest, response};
use serde::Deserialize;

use crate::error::PypiError;
use crate::names::{normalize_version, spellings};
use crate::routes::{Answer, Routes};
use crate::wire::{VersionMetadata, Yanked};

/// How often a change is tried again when somebody else changes the version at the same time.
const ATTEMPTS: usize = 5;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Yank {
    #[serde(default)]
    reason: Option<String>,
}

impl Routes {
    /// Marks every file of a release.
    pub(crate) async fn yank(&self, mut request: RepositoryRequest, key: PackageKey, version: &str) -> Answer {
        let body = request.take_body().collect(64 << 10).await?;
        let yank: Yank = if body.is_empty() {
            Yank::default()
        } else {
            serde_json::from_slice(&body)
                .map_err(|error| PypiError::bad_request(format!("the body is not {{\"reason\": …}}: {error}")))?
        };
        let yanked = match yank.reason.filter(|reason| !reason.is_empty()) {
            Some(reason) => Yanked::Reason(reason),
            None => Yanked::Flag(true),
        };
        self.set_yanked(&request, key, version, Some(yanked)).await
    }

    /// Takes the mark away.
    pub(crate) async fn unyank(&self, request: &RepositoryRequest, key: PackageKey, version: &str) -> Answer {
        self.set_yanked(request, key, version, None).await
    }

    async fn set_yanked(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        version: &str,
        yanked: Option<Yanked>,
    ) -> Answer {
        let allowed = request.may(&self.services.access, Action::PutPackageMetadata, key).await?;
        let wanted = normalize_version(version)?;
        for _ in 0..ATTEMPTS {
            let stored = self.find_internal(request, &allowed.target().package, &wanted).await?;
            let mut metadata = VersionMetadata::read(&stored.metadata);
            metadata.yanked.clear();
            metadata.yanked.extend(yanked.clone().map(|yanked| (VersionMetadata::ALL_FILES.to_owned(), yanked)));
            let changed = self.services.publishing.put_version_metadata(
                &allowed,
                &stored.version,
                metadata.bytes(),
                stored.revision,
            );
            match changed.await {
                Err(Error::Conflict { kind: ConflictKind::Revision, .. }) => {}
                changed => {
                    changed?;
                    let done = if yanked.is_some() { "is yanked" } else { "is not yanked" };
                    return Ok(response::text(StatusCode::OK, &format!("OK: version {} {done}", stored.version)));
                }
            }
        }
        Err(PypiError::new(StatusCode::CONFLICT, "the version is being changed by others; try again"))
    }

    async fn find_internal(
        &self,
        request: &RepositoryRequest,
        key: &PackageKey,
        version: &VersionText,
    ) -> Result<PackageVersion, PypiError> {
        let repository = &request.target.repository;
        for spelling in spellings(version) {
            let Some(found) = self.services.store.find_version(repository.id, key, &spelling).await? else { continue };
            if found.origin.origin_type() != OriginType::Internal {
                let message = "the version came from a public registry, whose own yank flags are shown";
                return Err(PypiError::new(StatusCode::CONFLICT, message));
            }
            return Ok(found);
        }
        let message =
            format!("project '{}' has no version '{version}' in repository '{}'", key.name(), repository.name);
        Err(PypiError::not_found(message))
    }
}
