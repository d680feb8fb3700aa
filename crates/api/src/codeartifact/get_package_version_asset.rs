//! `GET /v1/package/version/asset`: GetPackageVersionAsset. Answers the bytes, and three facts as headers.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use larder_core::error::{Error, Result};
use larder_core::model::{AssetName, Revision};
use larder_core::ports::ByteRange;
use larder_http::{Body, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::address::VersionAddress;
use super::batch::parse_revision;
use super::call::Call;
use super::operations::param;
use super::query::Query;

const ASSET_NAME: HeaderName = HeaderName::from_static("x-assetname");
const VERSION: HeaderName = HeaderName::from_static("x-packageversion");
const REVISION: HeaderName = HeaderName::from_static("x-packageversionrevision");
/// Headers hold printable ASCII; anything else in a name is escaped, and so is the escape itself.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

#[derive(Debug)]
pub(super) struct Input {
    address: VersionAddress,
    asset: AssetName,
    revision: Option<Revision>,
}

impl Input {
    pub(super) fn parse(query: &Query) -> Result<Self> {
        Ok(Self {
            address: VersionAddress::parse(query)?,
            asset: query.get(param::ASSET, str::parse::<AssetName>)?,
            revision: query.get_optional(param::REVISION, parse_revision)?,
        })
    }
}

pub(super) async fn handle(call: &Call<'_>) -> Result<Response> {
    let Input { address: VersionAddress { package, version }, asset, revision } = Input::parse(&call.query)?;
    let version = call.version(package.package.format, &version)?;
    let allowed = call.authorize_package(&package).await?;
    let opened = call.services.versions.open_asset(&allowed, &version, &asset, revision.as_ref()).await?;
    let (stored, blob) = opened.content;
    let whole = ByteRange { start: 0, length: stored.digests.size_bytes };
    let mut response = Response::new(Body::blob(blob, whole));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ASSET_NAME, header_value(stored.name.as_str())?);
    headers.insert(VERSION, header_value(version.as_str())?);
    headers.insert(REVISION, header_value(opened.revision.as_str())?);
    Ok(response)
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(utf8_percent_encode(text, ESCAPED).to_string()).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "domain=my-domain&repository=my-repo&format=npm&package=ui&version=1.0.0";

    #[test]
    fn the_asset_and_a_pinned_revision_are_read() {
        let raw = format!("{ADDRESS}&asset=ui-1.0.0.tgz&revision=Ciqe5%2F9yicvkJT13b5%2FLdLpCyE6fqA7poa9qp%2BFilPs%3D");
        let input = Input::parse(&Query::parse(Some(&raw)).unwrap()).unwrap();
        assert_eq!(input.asset.as_str(), "ui-1.0.0.tgz");
        assert_eq!(input.revision.unwrap().as_str(), "Ciqe5/9yicvkJT13b5/LdLpCyE6fqA7poa9qp+FilPs=");
        for bad in ["asset=", "asset=a%00b", "asset=a&revision=", "asset=a&revision=a%20b"] {
            assert!(Input::parse(&Query::parse(Some(&format!("{ADDRESS}&{bad}"))).unwrap()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_no_header_can_hold_are_escaped() {
        assert_eq!(header_value("a b-1.0.tgz").unwrap(), "a b-1.0.tgz");
        assert_eq!(header_value("ä%").unwrap(), "%C3%A4%25");
    }
}
