//! File name ⇄ coordinate, and the download (protocols 1.3).

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::error::Error;
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::ports::Blob;
use larder_core::services::OpenedAsset;
use larder_http::asset::sha256_etag;
use larder_http::conditional::range_to_open;
use larder_http::{AssetHeaders, Opened, serve_asset};

use crate::error::NpmError;
use crate::external::TARBALL;
use crate::routes::{Answer, NpmRoutes, Request};
use crate::{index, names};

impl NpmRoutes {
    /// `GET /{package}/-/{file}`
    pub(crate) async fn get_tarball(&self, request: &Request, key: PackageKey, file: &str) -> Answer {
        let allowed = self.may_read(request).await?;
        let named = names::version_of_file(&key, file).and_then(|version| names::coordinate(version).ok());
        let opened = match named {
            Some(version) => match self.open(&allowed, &key, &version).await {
                Err(Error::ResourceNotFound { .. }) => self.open_by_file(&allowed, &key, file).await?,
                opened => opened?,
            },
            None => self.open_by_file(&allowed, &key, file).await?,
        };
        let asset = AssetHeaders {
            content_type: "application/octet-stream",
            etag: opened.sha256.as_ref().map(sha256_etag),
            size: opened.size_bytes,
            last_modified: opened.published_at,
            disposition: None,
        };
        let range = match opened.size_bytes {
            Some(size) if opened.is_seekable() => range_to_open(&request.headers, size),
            _ => None,
        };
        // The answer to HEAD has a size and no content.
        let content = match (&request.method, opened.size_bytes) {
            (&Method::HEAD, Some(_)) => Blob::Memory(Bytes::new()),
            _ => opened.read(range).await?,
        };
        Ok(serve_asset(&request.method, &request.headers, &asset, Opened { content, range }))
    }

    async fn open(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: &VersionText,
    ) -> Result<OpenedAsset, Error> {
        let asset = AssetName::new(TARBALL).map_err(Error::internal)?;
        self.services.downloads.open(allowed, key, version, &asset).await
    }

    /// Old packages have files whose names do not follow from their versions; only their documents know them.
    async fn open_by_file(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        file: &str,
    ) -> Result<OpenedAsset, NpmError> {
        let view = self.services.index.view(allowed, key).await?;
        let wanted: Arc<str> = file.into();
        let name = Arc::clone(&wanted);
        let version = tokio::task::spawn_blocking(move || index::version_with_file(&view.layers, &name))
            .await
            .map_err(Error::internal)?
            .and_then(|version| VersionText::new(version).ok());
        let Some(version) = version else {
            let name = names::display_name(key);
            return Err(NpmError::not_found(format!("package '{name}' has no file '{wanted}'")));
        };
        Ok(self.open(allowed, key, &version).await?)
    }
}
