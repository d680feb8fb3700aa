//! `POST /v1/packages`: ListPackages.

use larder_core::error::{Invalid, Result};
use larder_core::ports::PackageFilter;
use larder_http::Response;
use serde::Serialize;

use super::address::RepositoryAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::query::{Query, next_token, parse_enum};
use super::shapes::{ALLOW_PUBLISH, ALLOW_UPSTREAM, PackageSummaryShape};

/// Reference 1.7.
const DEFAULT_PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    packages: Vec<PackageSummaryShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn parse_filter(query: &Query) -> Result<PackageFilter> {
    Ok(PackageFilter {
        format: query.get_optional(param::FORMAT, str::parse)?,
        namespace: query.get_optional(param::NAMESPACE, parse_prefix)?,
        prefix: query.get_optional(param::PACKAGE_PREFIX, parse_prefix)?,
        publish: query.get_optional(param::PUBLISH, |text| parse_enum(ALLOW_PUBLISH, text))?,
        upstream: query.get_optional(param::UPSTREAM, |text| parse_enum(ALLOW_UPSTREAM, text))?,
    })
}

fn parse_prefix(text: &str) -> Result<String, Invalid> {
    let bad = |c: char| c == '#' || c == '/' || c.is_whitespace();
    if (1..=255).contains(&text.chars().count()) && !text.contains(bad) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("Member must have 1 to 255 characters and no '#', '/' or white space"))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = RepositoryAddress::parse(&call.query)?;
    let filter = parse_filter(&call.query)?;
    let page = call.query.page(call.operation, DEFAULT_PAGE)?;
    let allowed = call.authorize_repository(&address).await?;
    let found = call.services.packages.list(&allowed, &filter, &page).await?;
    Ok(answer(&Output {
        packages: found.items.iter().map(PackageSummaryShape::new).collect(),
        next_token: next_token(call.operation, found.next),
    }))
}

#[cfg(test)]
mod tests {
    use larder_core::model::{AllowPublish, AllowUpstream, PackageFormat};

    use super::*;

    fn parse(raw: &str) -> Result<PackageFilter> {
        parse_filter(&Query::parse(Some(raw)).unwrap())
    }

    #[test]
    fn filters_combine() {
        let filter = parse("format=npm&namespace=vu&package-prefix=u&publish=ALLOW&upstream=BLOCK").unwrap();
        assert_eq!(filter.format, Some(PackageFormat::Npm));
        assert_eq!((filter.namespace.as_deref(), filter.prefix.as_deref()), (Some("vu"), Some("u")));
        assert_eq!((filter.publish, filter.upstream), (Some(AllowPublish::Allow), Some(AllowUpstream::Block)));
        assert!(parse("").unwrap().format.is_none());
    }

    #[test]
    fn bad_filters_are_refused() {
        for bad in ["format=NPM", "namespace=", "package-prefix=a%2Fb", "publish=allow", "upstream=YES"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
