//! `.gem` files and what is kept beside them: `GET gems/{full_name}.gem`, `GET quick/Marshal.4.8/{full_name}.gemspec.rz`.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use larder_core::Error;
use larder_core::error::{Invalid, ResourceType};
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::ports::Blob;
use larder_core::services::OpenedAsset;
use larder_http::{RepositoryRequest, answer_asset, response};

use crate::error::RubyError;
use crate::routes::{Answer, Routes};
use crate::{archive, marshal, names};

/// Never compressed on the way: it is.
const CONTENT_TYPE: &str = "application/octet-stream";

/// The name of a version's gem.
///
/// # Errors
/// [`Invalid`] if that is too long for an asset.
pub(crate) fn file_name(name: &str, version: &str) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{name}-{version}.gem"))
}

/// The name of the gemspec beside it, in Marshal's form, compressed.
///
/// # Errors
/// [`Invalid`] if that is too long for an asset.
pub(crate) fn quick_name(name: &str, version: &str) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{name}-{version}.gemspec.rz"))
}

/// The name of the attestations beside it, if it was pushed with any.
///
/// # Errors
/// [`Invalid`] if that is too long for an asset.
pub(crate) fn attestations_name(name: &str, version: &str) -> Result<AssetName, Invalid> {
    AssetName::new(format!("{name}-{version}.gem.attestations.json"))
}

impl Routes {
    /// Answers a download. The file's name is read in every way that it can be, since it does not say where the gem's
    /// name ends (protocols 6.6).
    pub(crate) async fn download(&self, request: &RepositoryRequest, full_name: &str) -> Answer {
        self.open(request, full_name, file_name).await
    }

    /// Answers a gemspec in Marshal's form, which is written when a gem is published or fetched: asking for one of a
    /// public registry's fetches the gem.
    pub(crate) async fn quick(&self, request: &RepositoryRequest, full_name: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        for (key, version) in names::readings(full_name) {
            let gem = file_name(key.name(), version.as_str())?;
            match self.services.downloads.open(&allowed, &key, &version, &gem).await {
                Ok(opened) if !opened.is_seekable() => {
                    let quick = self.quick_of(opened).await?;
                    return Ok(response::content(StatusCode::OK, CONTENT_TYPE, quick));
                }
                Ok(_) | Err(Error::ResourceNotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.open(request, full_name, quick_name).await
    }

    async fn open(
        &self,
        request: &RepositoryRequest,
        full_name: &str,
        file: fn(&str, &str) -> Result<AssetName, Invalid>,
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let readings: Vec<(PackageKey, VersionText)> = names::readings(full_name);
        let mut refusal = None;
        for (key, version) in readings {
            let file = file(key.name(), version.as_str())?;
            match self.services.downloads.open(&allowed, &key, &version, &file).await {
                Err(error @ Error::ResourceNotFound { .. }) => {
                    refusal = refusal.or(Some(error).filter(|error| error.refusal().is_some()));
                }
                Err(error) => return Err(error.into()),
                Ok(opened) => {
                    return Ok(answer_asset(&allowed, &request.method, &request.headers, opened, CONTENT_TYPE).await?);
                }
            }
        }
        if let Some(error) = refusal {
            return Err(error.into());
        }
        let repository = &request.target.repository.name;
        let message = format!("there is no gem '{}' in repository '{repository}'", names::printable(full_name));
        Err(Error::not_found(ResourceType::Asset, full_name, message).into())
    }

    /// The gemspec of a gem that is coming in from a public registry. The stream fails if the gem is not what the registry
    /// promised.
    async fn quick_of(&self, opened: OpenedAsset) -> Result<Bytes, RubyError> {
        let mut staging = self.services.blobs.stage().await?;
        match opened.read(None).await? {
            Blob::Stream(mut stream) => {
                while let Some(chunk) = stream.next().await {
                    staging.write(chunk.map_err(|error| gone(&error))?).await?;
                }
            }
            Blob::Memory(bytes) => staging.write(bytes).await?,
            Blob::File(_) => return Err(Error::internal("an arriving gem was answered as a file").into()),
        }
        let staged = staging.finish().await?;
        let spec =
            tokio::task::spawn_blocking(move || archive::inspect(staged.path())).await.map_err(Error::internal)?;
        let spec =
            spec.ok_or_else(|| RubyError::not_found("the public registry's gem has no gemspec that can be read"))?;
        Ok(marshal::quick(&spec)?)
    }
}

/// The registry stopped, or sent something else.
fn gone(error: &std::io::Error) -> Error {
    let message = format!("the public registry's gem did not arrive: {error}");
    Error::Upstream { message, retry_after_seconds: None }
}
