//! `DELETE api/v1/crates/{crate}/{version}/yank` and `PUT …/unyank` (protocols 7.3): the flag in the index line of what
//! was published here.

use bytes::Bytes;
use http::StatusCode;
use larder_core::Error;
use larder_core::access::Action;
use larder_core::error::ConflictKind;
use larder_core::model::{EntryPoint, PackageVersion};
use larder_http::{RepositoryRequest, response};

use crate::error::CargoError;
use crate::line::{self, Head};
use crate::names;
use crate::routes::{Answer, Routes, known};
use crate::wire::Done;

/// How often a change is tried again when somebody else changes the version at the same time.
const ATTEMPTS: usize = 5;

impl Routes {
    /// Sets or takes away the flag.
    pub(crate) async fn set_yanked(
        &self,
        request: &RepositoryRequest,
        name: &str,
        version: &str,
        yanked: bool,
    ) -> Answer {
        let allowed = request.may(&self.services.access, Action::PutPackageMetadata, known(name)?).await?;
        for _ in 0..ATTEMPTS {
            let stored = self.find_own(request, name, version).await?;
            if Head::parse(&stored.metadata)?.is_yanked() == yanked {
                return Ok(done());
            }
            let metadata = Bytes::from(line::with_yanked(&stored.metadata, yanked)?);
            let publishing = &self.services.publishing;
            match publishing.put_version_metadata(&allowed, &stored.version, metadata, stored.revision).await {
                Err(Error::Conflict { kind: ConflictKind::Revision, .. }) => {}
                changed => {
                    changed?;
                    return Ok(done());
                }
            }
        }
        Err(CargoError::conflict("the version is being changed by others; try again"))
    }

    /// A version that was published to this repository.
    async fn find_own(
        &self,
        request: &RepositoryRequest,
        name: &str,
        version: &str,
    ) -> Result<PackageVersion, CargoError> {
        let repository = &request.target.repository;
        let missing = || {
            let version = names::printable(version);
            CargoError::not_found(format!(
                "crate '{name}' has no version '{version}' in repository '{}'",
                repository.name
            ))
        };
        let wanted = names::version_key(version).map_err(|_| missing())?;
        let found =
            self.services.store.find_version(repository.id, &known(name)?, &wanted).await?.ok_or_else(missing)?;
        match &found.origin.entry_point {
            EntryPoint::Repository(from) if *from == repository.name => Ok(found),
            EntryPoint::Repository(from) => Err(CargoError::conflict(format!(
                "version '{version}' of crate '{name}' was published to repository '{from}'; yank it there"
            ))),
            EntryPoint::ExternalConnection(_) => Err(CargoError::conflict(format!(
                "version '{version}' of crate '{name}' came from a public registry, whose own yanks are shown"
            ))),
        }
    }
}

fn done() -> larder_http::Response {
    response::json(StatusCode::OK, &Done { ok: true, msg: None })
}
