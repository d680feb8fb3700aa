//! `POST /v1/package/versions/delete`: DeletePackageVersions. Takes no revisions.

use larder_core::error::Result;
use larder_http::Response;

use super::address::PackageAddress;
use super::batch::BatchBody;
use super::body;
use super::call::{Call, answer};
use super::shapes::BatchOutput;

pub(super) fn parse(body: &[u8]) -> Result<BatchBody> {
    let body: BatchBody = body::parse(body)?;
    // Not a member of this operation, so ignored as any other unknown one.
    Ok(BatchBody { version_revisions: None, ..body })
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageAddress::parse(&call.query)?;
    let selection = parse(&call.body)?.selection(|version| call.version(address.package.format, version))?;
    let allowed = call.authorize_package(&address).await?;
    let outcome = call.services.versions.delete(&allowed, selection).await?;
    Ok(answer(&BatchOutput::new(outcome)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_not_looked_at() {
        let body = parse(br#"{"versions":["1"],"versionRevisions":{"2":"b"},"expectedStatus":"Archived"}"#).unwrap();
        let selection = body.selection(|version| Ok(version.clone())).unwrap();
        assert_eq!(selection.versions.len(), 1);
        assert!(selection.versions[0].revision.is_none());
    }
}
