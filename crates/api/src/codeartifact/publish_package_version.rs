//! `POST /v1/package/version/publish`: PublishPackageVersion, for generic packages (reference 2.6, 6.8). The body is the
//! asset itself; its SHA-256 in `x-amz-content-sha256` is a member and part of the signature at once.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::HeaderMap;
use larder_core::Error;
use larder_core::error::{Invalid, ResourceType, Result};
use larder_core::model::{AssetKind, AssetName, PackageFormat, PublishMode, Sha256, VersionDetails};
use larder_core::ports::StagedBlob;
use larder_core::services::{Upload, UploadedAsset};
use larder_http::{BodyError, RequestBody, Response};
use serde::Serialize;

use super::address::VersionAddress;
use super::call::{Call, answer};
use super::operations::param;
use super::query::{Query, checked, missing, parse_boolean};
use super::shapes::{AssetShape, VersionCoordinate};

#[derive(Debug)]
pub(super) struct Input {
    address: VersionAddress,
    asset: AssetName,
    /// More assets follow.
    unfinished: bool,
}

#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    coordinate: VersionCoordinate,
    status: &'static str,
    asset: AssetShape,
}

impl Input {
    pub(super) fn parse(query: &Query) -> Result<Self> {
        let address = VersionAddress::parse(query)?;
        if address.package.package.format != PackageFormat::Generic {
            return Err(Error::validation(
                param::FORMAT.member,
                "only generic packages are published by this operation; other formats are published with their own \
                 package managers",
            ));
        }
        Ok(Self {
            address,
            asset: query.get(param::ASSET_NAME, |name| AssetName::new(name))?,
            unfinished: query.get_optional(param::UNFINISHED, parse_boolean)?.unwrap_or(false),
        })
    }
}

/// The SHA-256 that the client declares.
///
/// # Errors
/// [`Error::Validation`] unless it is there, in lower-case digits.
pub(super) fn declared_sha256(headers: &HeaderMap) -> Result<Sha256> {
    let text = headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| missing("assetSHA256"))?;
    checked("assetSHA256", text, |text| {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Invalid::new("Member must satisfy regular expression pattern: [0-9a-f]+"));
        }
        Sha256::from_hex(text)
    })
}

pub(super) async fn handle(call: &Call<'_>, declared: Sha256, content: RequestBody) -> Result<Response> {
    let Input { address: VersionAddress { package, version }, asset, unfinished } = Input::parse(&call.query)?;
    // Narrower than other formats' (reference 6.8).
    let format = package.package.format;
    let asset =
        checked(param::ASSET_NAME.member, asset.as_str(), |name| call.services.formats.asset_name(format, name))?;
    let allowed = call.authorize_package(&package).await?;
    // A large body is not read only to be refused.
    let known = call.services.store.find_package(allowed.target().repository.id, allowed.package()).await?;
    call.services.publishing.check_origin(&allowed, known.as_ref(), &version).await?;
    let staged = stage(call, &asset, content).await?;
    if staged.digests.sha256 != declared {
        return Err(Error::validation(
            "assetSHA256",
            format!("the body's SHA-256 is {}, x-amz-content-sha256 says {declared}", staged.digests.sha256),
        ));
    }
    let shape = AssetShape::new(asset.as_str(), &staged.digests);
    let upload = Upload {
        display_name: package.package.name,
        version: version.clone(),
        assets: vec![UploadedAsset { name: asset, kind: AssetKind::Asset, staged, metadata: Bytes::new() }],
        metadata: Bytes::new(),
        details: VersionDetails::default(),
        mode: PublishMode::WhileUnfinished,
        unfinished,
        tags: Vec::new(),
    };
    let published = call.services.publishing.publish(&allowed, upload).await?;
    Ok(answer(&Output {
        coordinate: VersionCoordinate::new(allowed.package(), &version, published.revision),
        status: published.status.as_str(),
        asset: shape,
    }))
}

/// Streams the body into staging, hashing as it goes. What is refused there is gone when this returns.
async fn stage(call: &Call<'_>, asset: &AssetName, content: RequestBody) -> Result<StagedBlob> {
    let limit = call.services.limits.asset_size_bytes;
    let mut staging = call.services.blobs.stage().await?;
    let mut body = content.with_limit(limit).into_stream();
    while let Some(chunk) = body.next().await {
        staging.write(chunk.map_err(|error| refused(&error, asset))?).await?;
    }
    staging.finish().await
}

fn refused(error: &std::io::Error, asset: &AssetName) -> Error {
    match BodyError::of(error) {
        Some(BodyError::TooLarge { limit }) => Error::QuotaExceeded {
            resource_type: ResourceType::Asset,
            resource_id: asset.to_string(),
            message: format!("an asset has at most {limit} bytes"),
        },
        Some(other) => other.into(),
        None => Error::validation("body", "the body could not be read"),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ADDRESS: &str = "domain=my-domain&repository=my-repo&format=generic&namespace=team&package=tool&version=1.0";

    fn parse(raw: &str) -> Result<Input> {
        Input::parse(&Query::parse(Some(raw)).unwrap())
    }

    #[test]
    fn a_version_is_finished_unless_it_says_otherwise() {
        let unfinished = |more: &str| parse(&format!("{ADDRESS}&asset=tool.tgz{more}")).map(|input| input.unfinished);
        assert!(!unfinished("").unwrap());
        assert!(!unfinished("&unfinished=false").unwrap());
        assert!(unfinished("&unfinished=true").unwrap());
        assert!(unfinished("&unfinished=unfinished").is_err());
    }

    #[test]
    fn only_generic_packages_with_a_namespace_are_published_here() {
        let raw = format!("{ADDRESS}&asset=tool.tgz");
        assert!(parse(&raw.replace("format=generic", "format=npm")).is_err());
        assert!(parse(&raw.replace("&namespace=team", "")).is_err());
    }

    #[test]
    fn the_hash_is_64_lower_case_digits() {
        let declared = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-amz-content-sha256", HeaderValue::from_str(text).unwrap());
            declared_sha256(&headers)
        };
        assert_eq!(declared(&"ab".repeat(32)).unwrap(), Sha256([0xAB; 32]));
        for bad in ["", "ab", &"AB".repeat(32), &"zz".repeat(32), "UNSIGNED-PAYLOAD"] {
            assert!(declared(bad).is_err(), "{bad}");
        }
        assert!(declared_sha256(&HeaderMap::new()).is_err());
    }
}
