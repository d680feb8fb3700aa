//! Downloads: packages, and the manifest and README in them.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, StatusCode};
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::ports::{Blob, StagedBlob};
use larder_core::services::OpenedAsset;
use larder_core::{Error, Result};
use larder_http::{Body, RepositoryRequest, Response, answer_asset, response};

use crate::archive;
use crate::error::NugetError;
use crate::names;
use crate::routes::{Answer, Routes};

const PACKAGE_TYPE: &str = "application/octet-stream";
const MANIFEST_TYPE: &str = "application/xml";
const README_TYPE: &str = "text/markdown; charset=utf-8";

impl Routes {
    /// `GET v3/flatcontainer/{id}/{version}/{file}`, in whatever case.
    pub(crate) async fn get_content(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        version: VersionText,
        file: &str,
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let package = names::package_file(&key, &version)?;
        let manifest = names::manifest_file(&key)?;
        if file.eq_ignore_ascii_case(package.as_str()) {
            let opened = self.services.downloads.open(&allowed, &key, &version, &package).await?;
            return Ok(answer_asset(&allowed, &request.method, &request.headers, opened, PACKAGE_TYPE).await?);
        }
        if file.eq_ignore_ascii_case(manifest.as_str()) {
            return self.get_manifest(request, &allowed, (&key, &version), &package, &manifest).await;
        }
        if file == "readme" {
            let staged = self.stage_package(&allowed, &key, &version, &package).await?;
            let readme = read_blocking(staged, |path| archive::read_sent(path).and_then(|contents| contents.readme));
            let missing = || NugetError::not_found(format!("version {version} of '{}' has no README", key.name()));
            return Ok(small(request, README_TYPE, readme.await?.ok_or_else(missing)?.into()));
        }
        let known = format!("'{package}', '{manifest}' and 'readme'");
        Err(NugetError::not_found(format!("version {version} of '{}' has {known}, not that file", key.name())))
    }

    /// The manifest: as it was put beside the package when that was stored, else from the package.
    async fn get_manifest(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        (key, version): (&PackageKey, &VersionText),
        package: &AssetName,
        manifest: &AssetName,
    ) -> Answer {
        match self.services.downloads.open(allowed, key, version, manifest).await {
            Ok(opened) => Ok(answer_asset(allowed, &request.method, &request.headers, opened, MANIFEST_TYPE).await?),
            Err(Error::ResourceNotFound { .. }) => {
                let staged = self.stage_package(allowed, key, version, package).await?;
                let bytes = read_blocking(staged, archive::sent_manifest).await?;
                let unreadable =
                    |_| NugetError::not_found(format!("the package '{package}' holds no readable manifest"));
                Ok(small(request, MANIFEST_TYPE, bytes.map_err(unreadable)?.into()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A copy of a package to look into, fetched if need be.
    async fn stage_package(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: &VersionText,
        package: &AssetName,
    ) -> Result<StagedBlob> {
        let opened = self.services.downloads.open(allowed, key, version, package).await?;
        self.stage(opened).await
    }

    /// A copy of an asset to look into: archives are read from files, and a blob may lie elsewhere.
    pub(crate) async fn stage(&self, opened: OpenedAsset) -> Result<StagedBlob> {
        let mut staging = self.services.blobs.stage().await?;
        match opened.read(None).await? {
            Blob::Memory(bytes) => staging.write(bytes).await?,
            Blob::Stream(mut stream) => {
                while let Some(chunk) = stream.next().await {
                    let chunk = chunk.map_err(|error| Error::Upstream {
                        message: format!("the package broke off: {error}"),
                        retry_after_seconds: None,
                    })?;
                    staging.write(chunk).await?;
                }
            }
            Blob::File(file) => {
                let mut offset = 0;
                loop {
                    let file = file.try_clone().map_err(Error::internal)?;
                    let piece = tokio::task::spawn_blocking(move || read_piece(&file, offset));
                    let piece = piece.await.map_err(Error::internal)?.map_err(Error::internal)?;
                    if piece.is_empty() {
                        break;
                    }
                    offset += piece.len() as u64;
                    staging.write(piece).await?;
                }
            }
        }
        staging.finish().await
    }
}

/// The next piece of a file; empty at its end.
fn read_piece(file: &std::fs::File, offset: u64) -> std::io::Result<Bytes> {
    use std::os::unix::fs::FileExt as _;
    const PIECE: usize = 256 * 1024;
    let mut buffer = vec![0; PIECE];
    let count = file.read_at(&mut buffer, offset)?;
    buffer.truncate(count);
    Ok(buffer.into())
}

/// Looks into a staged file away from the request threads.
pub(crate) async fn read_blocking<T: Send + 'static>(
    staged: StagedBlob,
    read: impl FnOnce(&std::path::Path) -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(move || read(staged.path())).await.map_err(Error::internal)
}

/// A small file in memory.
pub(crate) fn small(request: &RepositoryRequest, content_type: &'static str, bytes: Bytes) -> Response {
    let length = bytes.len();
    let mut answer = response::content(StatusCode::OK, content_type, bytes);
    if request.method == Method::HEAD {
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        *answer.body_mut() = Body::empty();
    }
    answer
}
