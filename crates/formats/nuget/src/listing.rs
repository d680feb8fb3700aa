//! `DELETE` and `POST v3/publish/{id}/{version}`: what clients call deleting takes a version out of lists and searches;
//! who has its number downloads it all the same. It is the status Unlisted of the API.

use http::StatusCode;
use larder_core::access::Action;
use larder_core::model::{PackageKey, VersionFailureCode, VersionStatus, VersionText};
use larder_core::ports::{BatchSelection, VersionSelector};
use larder_http::{RepositoryRequest, response};

use crate::error::NugetError;
use crate::routes::{Answer, Routes};

impl Routes {
    /// Unlists a version that was published here.
    pub(crate) async fn unlist(&self, request: &RepositoryRequest, key: PackageKey, version: VersionText) -> Answer {
        self.set_listed(request, key, version, VersionStatus::Unlisted).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    }

    /// Lists it again.
    pub(crate) async fn relist(&self, request: &RepositoryRequest, key: PackageKey, version: VersionText) -> Answer {
        self.set_listed(request, key, version, VersionStatus::Published).await?;
        Ok(response::empty(StatusCode::OK))
    }

    async fn set_listed(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        version: VersionText,
        wanted: VersionStatus,
    ) -> Result<(), NugetError> {
        let allowed = request.may(&self.services.access, Action::UpdatePackageVersionsStatus, key.clone()).await?;
        let missing = || {
            let repository = &request.target.repository.name;
            NugetError::not_found(format!(
                "package '{}' has no version {version} in repository '{repository}'",
                key.name()
            ))
        };
        let found = self.services.store.find_version(request.target.repository.id, &key, &version).await?;
        let status = found.ok_or_else(missing)?.status;
        // An archived version is not there for package managers, and does not come back by being listed.
        if !status.is_downloadable() {
            return Err(missing());
        }
        let selection = BatchSelection {
            versions: vec![VersionSelector { version: version.clone(), revision: None }],
            expected_status: Some(status),
        };
        let outcome = self.services.versions.update_status(&allowed, selection, wanted).await?;
        match outcome.into_iter().next() {
            Some((_, Err(failure))) if failure.code == VersionFailureCode::NotFound => Err(missing()),
            Some((_, Err(failure))) if failure.code != VersionFailureCode::Skipped => {
                Err(NugetError::new(StatusCode::CONFLICT, failure.message))
            }
            _ => Ok(()),
        }
    }
}
