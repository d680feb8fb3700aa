//! Removing a version or one of its assets. Bytes that a client has seen under an address may come back as others
//! afterwards, so it takes the right to delete versions.

use http::StatusCode;
use larder_core::access::Action;
use larder_core::model::VersionFailureCode;
use larder_core::ports::{BatchSelection, VersionSelector};
use larder_http::{RepositoryRequest, response};

use crate::address::{AssetAddress, VersionAddress};
use crate::error::GenericError;
use crate::routes::{Answer, Routes};

impl Routes {
    /// `DELETE …/{version}/`
    pub(crate) async fn delete_version(&self, request: &RepositoryRequest, address: &VersionAddress) -> Answer {
        let allowed =
            request.may(&self.services.access, Action::DeletePackageVersions, address.package.key.clone()).await?;
        let selection = BatchSelection {
            versions: vec![VersionSelector { version: address.version.clone(), revision: None }],
            expected_status: None,
        };
        let outcome = self.services.versions.delete(&allowed, selection).await?;
        match outcome.into_iter().next() {
            Some((_, Err(failure))) if failure.code == VersionFailureCode::NotFound => {
                Err(GenericError::not_found(failure.message))
            }
            Some((_, Err(failure))) => Err(GenericError::conflict(failure.message)),
            _ => Ok(response::empty(StatusCode::NO_CONTENT)),
        }
    }

    /// `DELETE …/{version}/{asset}`
    pub(crate) async fn delete_asset(&self, request: &RepositoryRequest, address: &AssetAddress) -> Answer {
        let key = address.of.package.key.clone();
        let allowed = request.may(&self.services.access, Action::DeletePackageVersions, key).await?;
        self.services.versions.delete_asset(&allowed, &address.of.version, &address.asset).await?;
        Ok(response::empty(StatusCode::NO_CONTENT))
    }
}
