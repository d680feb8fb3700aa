//! `DELETE /v1/domain`: DeleteDomain. Deleting what is not there succeeds (reference 2.2).

use larder_core::access::NewDomainTarget;
use larder_core::error::{Error, Result};
use larder_http::Response;
use serde::Serialize;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::shapes::{DomainOutput, DomainShape};

/// The answer when there was nothing to delete.
#[derive(Serialize)]
struct NothingDeleted {}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let allowed = match call.authorize_domain(&address).await {
        Err(Error::ResourceNotFound { .. }) => {
            let owner = address.owner.unwrap_or_else(|| call.account().clone());
            call.authorize_also(call.operation.action, NewDomainTarget { owner, name: address.name }).await?;
            return Ok(answer(&NothingDeleted {}));
        }
        allowed => allowed?,
    };
    let last = call.services.domains.delete(&allowed).await?;
    Ok(answer(&DomainOutput { domain: DomainShape::new(call.services.access.region(), &last) }))
}
