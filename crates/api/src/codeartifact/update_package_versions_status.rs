//! `POST /v1/package/versions/update_status`: UpdatePackageVersionsStatus.

use larder_core::error::Result;
use larder_core::model::VersionStatus;
use larder_http::Response;
use serde::Deserialize;

use super::address::PackageAddress;
use super::batch::{BatchBody, parse_status};
use super::body;
use super::call::{Call, answer};
use super::query::missing;
use super::shapes::BatchOutput;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(flatten)]
    batch: BatchBody,
    target_status: Option<String>,
}

pub(super) fn parse(body: &[u8]) -> Result<(BatchBody, VersionStatus)> {
    let Body { batch, target_status } = body::parse(body)?;
    let target = target_status.ok_or_else(|| missing("targetStatus"))?;
    Ok((batch, parse_status("targetStatus", &target)?))
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let address = PackageAddress::parse(&call.query)?;
    let (batch, target) = parse(&call.body)?;
    let selection = batch.selection(|version| call.version(address.package.format, version))?;
    let allowed = call.authorize_package(&address).await?;
    let outcome = call.services.versions.update_status(&allowed, selection, target).await?;
    Ok(answer(&BatchOutput::new(outcome)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_must_be_a_status() {
        let (batch, target) = parse(br#"{"versions":["1"],"targetStatus":"Archived"}"#).unwrap();
        assert_eq!(target, VersionStatus::Archived);
        assert_eq!(batch.versions.unwrap(), ["1"]);
        for bad in [r#"{"versions":["1"]}"#, r#"{"versions":["1"],"targetStatus":"archived"}"#] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
