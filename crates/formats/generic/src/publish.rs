//! `PUT …/{version}/{asset}`, and what uploads in pieces share with it.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use larder_core::Error;
use larder_core::access::{Action, Allowed, PackageTarget};
use larder_core::model::{
    Asset, AssetKind, ExpectedDigests, PackageVersion, PublishMode, VersionDetails, VersionStatus,
};
use larder_core::ports::{BatchSelection, StagedBlob, Staging, VersionSelector};
use larder_core::services::{Upload, UploadedAsset};
use larder_http::asset::sha256_etag;
use larder_http::{BodyError, RepositoryRequest, RequestBody, response};

use crate::address::{AssetAddress, VersionAddress};
use crate::digests;
use crate::error::GenericError;
use crate::parameters::Parameters;
use crate::routes::{Answer, Routes};
use crate::wire::{AssetShape, Uploaded, VersionShape};

impl Routes {
    /// An upload in one piece.
    pub(crate) async fn put_asset(
        &self,
        mut request: RepositoryRequest,
        address: &AssetAddress,
        parameters: &Parameters,
    ) -> Answer {
        let expected = digests::declared(&request.headers)?;
        check_plain(&request.headers)?;
        let allowed = self.may_publish(&request, &address.of).await?;
        self.check_upload(&allowed, address, &request.headers).await?;
        let content = request.take_body();
        let mut staging = self.services.blobs.stage().await?;
        receive(&mut *staging, content, self.services.limits.asset_size_bytes).await?;
        let staged = staging.finish().await?;
        self.store(&request.base, &allowed, address, staged, &expected, parameters).await
    }

    /// Proof that the caller may publish versions of the package.
    pub(crate) async fn may_publish(
        &self,
        request: &RepositoryRequest,
        address: &VersionAddress,
    ) -> Result<Allowed<PackageTarget>, GenericError> {
        let key = address.package.key.clone();
        Ok(request.may(&self.services.access, Action::PublishPackageVersion, key).await?)
    }

    /// What can be refused before a large body is read.
    pub(crate) async fn check_upload(
        &self,
        allowed: &Allowed<PackageTarget>,
        address: &AssetAddress,
        headers: &HeaderMap,
    ) -> Result<(), GenericError> {
        let services = &self.services;
        let (repository, key) = (allowed.target().repository.id, allowed.package());
        let package = services.store.find_package(repository, key).await?;
        services.publishing.check_origin(allowed, package.as_ref(), &address.of.version).await?;
        if package.is_none()
            && let Some(twin) = services.store.find_package_twin(repository, key).await?
            && twin.name().to_lowercase() == key.name().to_lowercase()
        {
            return Err(GenericError::conflict(format!(
                "package '{}' differs from '{}', which is here, in case only",
                key.name(),
                twin.name()
            )));
        }
        let Some(version) = services.store.find_version(repository, key, &address.of.version).await? else {
            return Ok(());
        };
        let stored = find_asset(&version, address);
        if stored.is_some() && wants_new(headers) {
            return Err(GenericError::new(
                StatusCode::PRECONDITION_FAILED,
                format!("asset '{}' is here already", address.asset),
            ));
        }
        if stored.is_none() && version.status != VersionStatus::Unfinished {
            return Err(sealed(address, version.status));
        }
        Ok(())
    }

    /// Compares the digests and stores the asset.
    pub(crate) async fn store(
        &self,
        base: &str,
        allowed: &Allowed<PackageTarget>,
        address: &AssetAddress,
        staged: StagedBlob,
        expected: &ExpectedDigests,
        parameters: &Parameters,
    ) -> Answer {
        expected.check(&staged.digests)?;
        let (of, digests) = (&address.of, staged.digests.clone());
        let found = self.services.store.find_version(allowed.target().repository.id, allowed.package(), &of.version);
        let found = found.await?;
        let stored = found.as_ref().and_then(|version| find_asset(version, address));
        let is_repeated = stored.is_some_and(|stored| stored.digests.sha256 == digests.sha256);
        let (revision, status) = match &found {
            // What is there already is no change, also to a version that takes no more.
            Some(version) if is_repeated && version.status.is_downloadable() => {
                (version.revision.clone(), version.status)
            }
            _ => {
                let upload = Upload {
                    display_name: allowed.package().name().to_owned(),
                    version: of.version.clone(),
                    assets: vec![UploadedAsset {
                        name: address.asset.clone(),
                        kind: AssetKind::Asset,
                        staged,
                        metadata: Bytes::new(),
                    }],
                    metadata: Bytes::new(),
                    details: VersionDetails::default(),
                    mode: PublishMode::WhileUnfinished,
                    unfinished: parameters.unfinished.unwrap_or(!self.final_uploads),
                    tags: Vec::new(),
                };
                let published = self.services.publishing.publish(allowed, upload).await?;
                (published.revision, published.status)
            }
        };
        let body = Uploaded {
            version: VersionShape::new(of, revision.as_str(), status.as_str()),
            asset: AssetShape::new(&format!("{base}/{}", of.path()), address.asset.as_str(), &digests),
        };
        let mut answer = response::json(if is_repeated { StatusCode::OK } else { StatusCode::CREATED }, &body);
        let headers = answer.headers_mut();
        headers.insert(ETAG, header(&sha256_etag(&digests.sha256))?);
        headers.insert(LOCATION, header(&format!("{base}/{}", address.path()))?);
        Ok(answer)
    }

    /// `POST …/{version}/?finish`: the version takes no more assets. Finishing again changes nothing.
    pub(crate) async fn finish(&self, request: &RepositoryRequest, address: &VersionAddress) -> Answer {
        let allowed = self.may_publish(request, address).await?;
        let versions = &self.services.versions;
        let described = versions.describe(&allowed, &address.version).await?;
        if described.version.status == VersionStatus::Unfinished {
            let selection = BatchSelection {
                versions: vec![VersionSelector { version: address.version.clone(), revision: None }],
                expected_status: Some(VersionStatus::Unfinished),
            };
            let outcome = versions.update_status(&allowed, selection, VersionStatus::Published).await?;
            if let Some((_, Err(failure))) = outcome.into_iter().next() {
                return Err(GenericError::conflict(failure.message));
            }
        } else if described.version.status != VersionStatus::Published {
            let (version, status) = (&address.version, described.version.status);
            return Err(GenericError::conflict(format!("version '{version}' is {status} and cannot be finished")));
        }
        let (revision, status) = (described.version.revision, VersionStatus::Published);
        Ok(response::json(StatusCode::OK, &VersionShape::new(address, revision.as_str(), status.as_str())))
    }
}

/// Appends a body to a staging file, which may grow to `limit_bytes`.
pub(crate) async fn receive(
    staging: &mut dyn Staging,
    content: RequestBody,
    limit_bytes: u64,
) -> Result<(), GenericError> {
    let mut body = content.with_limit(limit_bytes.saturating_sub(staging.len())).into_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| match BodyError::of(&error) {
            Some(BodyError::TooLarge { .. }) => {
                Error::TooLarge { message: format!("an asset has at most {limit_bytes} bytes") }
            }
            Some(other) => other.into(),
            None => Error::internal(error),
        })?;
        staging.write(chunk).await?;
    }
    Ok(())
}

/// A body that would be stored as something else than it is, or a part of one.
fn check_plain(headers: &HeaderMap) -> Result<(), GenericError> {
    let encoding = headers.get(CONTENT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes).trim_ascii();
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity") {
        return Err(GenericError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "assets are stored as they are sent; send the file without Content-Encoding",
        ));
    }
    if headers.contains_key(CONTENT_RANGE) {
        return Err(GenericError::bad_request(
            "PUT stores a whole asset; begin an upload in pieces with POST and ?uploads",
        ));
    }
    Ok(())
}

/// `If-None-Match: *`
fn wants_new(headers: &HeaderMap) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().any(|value| value.as_bytes().trim_ascii() == b"*")
}

fn find_asset<'a>(version: &'a PackageVersion, address: &AssetAddress) -> Option<&'a Asset> {
    version.assets.iter().find(|asset| asset.name == address.asset)
}

fn sealed(address: &AssetAddress, status: VersionStatus) -> GenericError {
    GenericError::conflict(format!(
        "version '{}' is {status} and takes no more assets; publish another version",
        address.of.version
    ))
}

/// A header of what addresses and digests are made of.
pub(crate) fn header(text: &str) -> Result<HeaderValue, GenericError> {
    HeaderValue::from_str(text).map_err(|error| Error::internal(error).into())
}
