//! `POST /v1/package/versions/dispose`: DisposePackageVersions.

use larder_core::error::Result;
use larder_http::Response;

use super::address::PackageAddress;
use super::batch::BatchBody;
use super::body;
use super::call::{Call, answer};
use super::shapes::BatchOutput;

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageAddress::parse(&call.query)?;
    let body: BatchBody = body::parse(&call.body)?;
    let selection = body.selection(|version| call.version(address.package.format, version))?;
    let allowed = call.authorize_package(&address).await?;
    let outcome = call.services.versions.dispose(&allowed, selection).await?;
    Ok(answer(&BatchOutput::new(outcome)))
}
