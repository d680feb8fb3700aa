//! `POST /v1/repository/external-connection`: AssociateExternalConnection.

use larder_core::error::Result;
use larder_core::model::ExternalConnection;
use larder_http::Response;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::shapes::{RepositoryOutput, RepositoryShape};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let connection = call.query.get(param::EXTERNAL_CONNECTION, ExternalConnection::parse)?;
    let allowed = call.authorize_repository(&address).await?;
    let updated = call.services.repositories.associate_external_connection(&allowed, connection).await?;
    Ok(answer(&RepositoryOutput { repository: RepositoryShape::new(call.services.access.region(), &updated) }))
}
