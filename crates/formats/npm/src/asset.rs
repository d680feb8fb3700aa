//! File name ⇄ coordinate, and the download (protocols 1.3).

use std::sync::Arc;

use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::error::Error;
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::services::OpenedAsset;
use larder_http::{RepositoryRequest, answer_asset};

use crate::error::NpmError;
use crate::external::TARBALL;
use crate::routes::{Answer, Routes};
use crate::{index, names};

impl Routes {
    /// `GET /{package}/-/{file}`
    pub(crate) async fn get_tarball(&self, request: &RepositoryRequest, key: PackageKey, file: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let named = names::version_of_file(&key, file).and_then(|version| names::coordinate(version).ok());
        let opened = match named {
            Some(version) => match self.open(&allowed, &key, &version).await {
                Err(error @ Error::ResourceNotFound { .. }) => {
                    match self.open_by_file(&allowed, &key, file).await {
                        // A rule says more than that there is no such file.
                        Err(_) if error.refusal().is_some() => return Err(error.into()),
                        opened => opened?,
                    }
                }
                opened => opened?,
            },
            None => self.open_by_file(&allowed, &key, file).await?,
        };
        Ok(answer_asset(&allowed, &request.method, &request.headers, opened, "application/octet-stream").await?)
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
