//! `POST /v1/package-groups`: ListPackageGroups.

use larder_core::error::{Invalid, Result};
use larder_http::Response;

use super::address::DomainAddress;
use super::call::{Call, answer};
use super::characters::is_other;
use super::operations::param;
use super::query::next_token;
use super::shapes::{PackageGroupShape, PackageGroupsOutput};

/// The documentation names none.
pub(super) const DEFAULT_PAGE: usize = 100;

fn parse_prefix(text: &str) -> Result<String, Invalid> {
    if text.chars().count() <= 520 && !text.chars().any(is_other) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("Member must have at most 520 characters and no control characters"))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = DomainAddress::parse(&call.query)?;
    let prefix = call.query.get_optional(param::PREFIX, parse_prefix)?.unwrap_or_default();
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_domain(&address).await?;
    let found = call.services.package_groups.list(&allowed, &prefix, &page).await?;
    let (region, domain) = (call.services.access.region(), &allowed.target().domain);
    Ok(answer(&PackageGroupsOutput {
        package_groups: found.items.iter().map(|group| PackageGroupShape::new(region, domain, group)).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_any_text_without_control_characters() {
        assert!(parse_prefix("").is_ok() && parse_prefix("/npm/a b").is_ok());
        assert!(parse_prefix("a\u{0}").is_err() && parse_prefix(&"a".repeat(521)).is_err());
    }
}
