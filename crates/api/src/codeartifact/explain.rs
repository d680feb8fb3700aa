//! `GET /v1/larder/explain`: why a version is served or refused. Larder's own; AWS has no such operation.

use larder_core::access::{Action, PackageTarget};
use larder_core::error::{Invalid, Result};
use larder_core::services::{Asking, Request};
use larder_http::Response;

use super::address::VersionAddress;
use super::call::{Call, answer};
use super::operations::param;

fn parse_action(text: &str) -> Result<Request, Invalid> {
    match text {
        "read" => Ok(Request::Read),
        "publish" => Ok(Request::Publish),
        _ => Err(Invalid::new("action is 'read' or 'publish'")),
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = VersionAddress::parse(&call.query)?;
    let request = call.query.get_optional(param::ACTION, parse_action)?.unwrap_or(Request::Read);
    let target = call.repository(&address.package.repository).await?;
    let package = call.package_key(&address.package.package)?;
    let version = call.version(package.format(), &address.version)?;
    // Who may neither read nor describe is told that, and nothing of the package.
    if let Err(refusal) = call.authorize_also(Action::ReadFromRepository, target.clone()).await {
        let package = PackageTarget::new(&target, package.clone());
        call.authorize_also(Action::DescribePackageVersion, package).await.map_err(|_| refusal)?;
    }
    let explain = &call.services.explain;
    let others = call.query.find(param::PRINCIPAL).filter(|arn| *arn != call.caller.principal.arn().as_str());
    let asking = match others {
        None => Asking::itself(call.caller),
        Some(principal) => {
            // What others may do is for those who say what others may do.
            call.authorize_also(Action::PutRepositoryPermissionsPolicy, target.clone()).await?;
            explain.principal(principal, call.caller).await?
        }
    };
    let explanation = explain.explain(&asking, &target, &package, &version, request).await?;
    Ok(answer(&explanation.to_json()))
}
