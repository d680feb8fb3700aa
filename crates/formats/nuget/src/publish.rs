//! `PUT v3/publish`: push of a package (protocol reference 4.5, 4.11).

use bytes::Bytes;
use http::StatusCode;
use larder_archive::Limits;
use larder_core::Error;
use larder_core::access::{Action, PackageTarget};
use larder_core::model::{AssetKind, PublishMode};
use larder_core::ports::StagedBlob;
use larder_core::services::{Services, Upload, UploadedAsset};
use larder_http::{RepositoryRequest, response};

use crate::archive::{self, Contents};
use crate::routes::{Answer, Routes};
use crate::{form, names};

impl Routes {
    /// Answers a push. Id and version are the manifest's; the package is stored byte for byte.
    ///
    /// # Errors
    /// Every refusal of protocol reference 4.11.
    pub(crate) async fn push(&self, request: RepositoryRequest) -> Answer {
        let RepositoryRequest { headers, caller, target, body, .. } = request;
        let services = &self.services;
        // Who may not even read the repository does not get to fill the disk first (codeartifact 5.4: a push needs both).
        services.access.authorize(&caller, Action::ReadFromRepository, target.clone()).await?;
        let staged = form::read_file(services, &headers, body).await?;
        let (read, staged) =
            tokio::task::spawn_blocking(move || (archive::read_package(staged.path(), &Limits::default()), staged))
                .await
                .map_err(Error::internal)?;
        let Contents { manifest_bytes, manifest, readme } = read.map_err(Error::from)?;
        let key = names::package_key(&manifest.metadata.id)?;
        let to_publish = PackageTarget::new(&target, key.clone());
        let allowed = services.access.authorize(&caller, Action::PublishPackageVersion, to_publish).await?;
        let known = services.store.find_package(target.repository.id, &key).await?;
        let version = manifest.version.clone();
        let assets = vec![
            UploadedAsset {
                name: names::package_file(&key, &version)?,
                kind: AssetKind::Asset,
                staged,
                metadata: Bytes::new(),
            },
            UploadedAsset {
                name: names::manifest_file(&key)?,
                kind: AssetKind::Sidecar,
                staged: stage(services, manifest_bytes.into()).await?,
                metadata: Bytes::new(),
            },
        ];
        let upload = Upload {
            // The first spelling stays.
            display_name: known.map_or_else(|| manifest.metadata.id.clone(), |package| package.display_name),
            version,
            assets,
            metadata: manifest.metadata.bytes(),
            details: manifest.details(readme),
            mode: PublishMode::NewVersion,
            unfinished: false,
            tags: Vec::new(),
        };
        services.publishing.publish(&allowed, upload).await?;
        Ok(response::empty(StatusCode::CREATED))
    }
}

/// Puts bytes in memory where uploads are.
async fn stage(services: &Services, bytes: Bytes) -> Result<StagedBlob, Error> {
    let mut staging = services.blobs.stage().await?;
    staging.write(bytes).await?;
    staging.finish().await
}
