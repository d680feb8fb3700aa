//! `POST /v1/domain/repositories`: ListRepositoriesInDomain.

use larder_core::error::Result;
use larder_core::model::AccountId;
use larder_core::services::RepositorySearch;
use larder_http::Response;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::list_repositories::{DEFAULT_PAGE, parse_prefix};
use super::operations::param;
use super::query::next_token;
use super::shapes::{RepositoriesOutput, RepositorySummaryShape};

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let search = RepositorySearch {
        administrator: call.query.get_optional(param::ADMINISTRATOR_ACCOUNT, str::parse::<AccountId>)?,
        prefix: call.query.get_optional(param::REPOSITORY_PREFIX, parse_prefix)?,
    };
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_domain(&address).await?;
    let found = call.services.repositories.list_in_domain(&allowed, search, &page).await?;
    let region = call.services.access.region();
    Ok(answer(&RepositoriesOutput {
        repositories: found.items.into_iter().map(|one| RepositorySummaryShape::new(region, one)).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}
