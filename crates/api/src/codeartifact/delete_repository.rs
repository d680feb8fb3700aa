//! `DELETE /v1/repository`: DeleteRepository. Deleting what is not there succeeds (reference 2.3).

use larder_core::access::NewRepositoryTarget;
use larder_core::error::{Error, Result};
use larder_http::Response;
use serde::Serialize;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::shapes::{RepositoryOutput, RepositoryShape};

/// The answer when there was nothing to delete.
#[derive(Serialize)]
struct NothingDeleted {}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let domain = call.domain(&address.domain).await?;
    let allowed = match call.authorize_repository(&address).await {
        Err(Error::ResourceNotFound { .. }) => {
            let missing = NewRepositoryTarget { domain, name: address.name };
            call.authorize_also(call.operation.action, missing).await?;
            return Ok(answer(&NothingDeleted {}));
        }
        allowed => allowed?,
    };
    let last = call.services.repositories.delete(&allowed).await?;
    Ok(answer(&RepositoryOutput { repository: RepositoryShape::new(call.services.access.region(), &last) }))
}
