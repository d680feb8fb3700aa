//! `POST /v1/repositories`: ListRepositories.

use larder_core::error::{Invalid, Result};
use larder_core::model::RepositoryName;
use larder_http::Response;

use super::call::{Call, answer};
use super::operations::param;
use super::query::next_token;
use super::shapes::{RepositoriesOutput, RepositorySummaryShape};

/// Rows of a page unless the caller says otherwise (reference 1.7), of both lists of repositories.
pub(super) const DEFAULT_PAGE: usize = 50;

/// A prefix follows the rule of the names themselves.
pub(super) fn parse_prefix(text: &str) -> Result<String, Invalid> {
    RepositoryName::new(text).map(|name| name.to_string())
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let prefix = call.query.get_optional(param::REPOSITORY_PREFIX, parse_prefix)?;
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_account().await?;
    let found = call.services.repositories.list(&allowed, prefix, &page).await?;
    let region = call.services.access.region();
    Ok(answer(&RepositoriesOutput {
        repositories: found.items.into_iter().map(|one| RepositorySummaryShape::new(region, one)).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_two_characters_at_least() {
        assert_eq!(parse_prefix("np").as_deref(), Ok("np"));
        for bad in ["", "n", "-n", "a/b"] {
            assert!(parse_prefix(bad).is_err(), "{bad}");
        }
    }
}
