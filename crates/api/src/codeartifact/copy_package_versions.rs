//! `POST /v1/package/versions/copy`: CopyPackageVersions.

use larder_core::access::{Action, PackageTarget};
use larder_core::error::Result;
use larder_core::services::CopyRequest;
use larder_http::Response;
use serde::Deserialize;

use super::address::{PackageName, RepositoryAddress};
use super::batch::BatchBody;
use super::body;
use super::call::{Call, answer};
use super::operations::{ResourceKind, param};
use super::query::Query;
use super::shapes::BatchOutput;

#[derive(Debug)]
pub(super) struct Input {
    source: RepositoryAddress,
    destination: RepositoryAddress,
    package: PackageName,
    body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(flatten)]
    batch: BatchBody,
    allow_overwrite: Option<bool>,
    include_from_upstream: Option<bool>,
}

impl Input {
    pub(super) fn parse(query: &Query, body: &[u8]) -> Result<Self> {
        Ok(Self {
            source: RepositoryAddress::parse_named(query, param::SOURCE_REPOSITORY)?,
            destination: RepositoryAddress::parse_named(query, param::DESTINATION_REPOSITORY)?,
            package: PackageName::parse(query)?,
            body: body::parse(body)?,
        })
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let Input { source, destination, package, body } = Input::parse(&call.query, &call.body)?;
    let request = CopyRequest {
        versions: body.batch.either(|version| call.version(package.format, version))?,
        allow_overwrite: body.allow_overwrite.unwrap_or(false),
        include_from_upstream: body.include_from_upstream.unwrap_or(false),
    };
    let destination = PackageTarget::new(&call.repository(&destination).await?, call.package_key(&package)?);
    let destination = call.authorize(ResourceKind::Package, destination).await?;
    let source = call.repository(&source).await?;
    let source = call.authorize_also(Action::ReadFromRepository, source).await?;
    let outcome = call.services.versions.copy(&source, &destination, request).await?;
    Ok(answer(&BatchOutput::new(outcome)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str =
        "domain=my-domain&source-repository=from&destination-repository=to&format=npm&package=left-pad";

    #[test]
    fn both_repositories_are_named_in_the_query() {
        let query = Query::parse(Some(ADDRESS)).unwrap();
        let body = br#"{"versions":["1.0.0"],"allowOverwrite":true,"includeFromUpstream":false}"#;
        let input = Input::parse(&query, body).unwrap();
        assert_eq!((input.source.name.as_str(), input.destination.name.as_str()), ("from", "to"));
        assert_eq!(input.package.name, "left-pad");
        assert_eq!((input.body.allow_overwrite, input.body.include_from_upstream), (Some(true), Some(false)));
        assert_eq!(input.body.batch.versions.unwrap(), ["1.0.0"]);
    }

    #[test]
    fn bad_members_are_refused() {
        let query = Query::parse(Some(ADDRESS)).unwrap();
        for body in [r#"{"allowOverwrite":"true"}"#, r#"{"versions":"1.0.0"}"#, r#"{"versionRevisions":["a"]}"#] {
            assert!(Input::parse(&query, body.as_bytes()).is_err(), "{body}");
        }
        assert!(Input::parse(&Query::parse(Some(&ADDRESS.replace("=to", "=-"))).unwrap(), b"").is_err());
    }
}
