//! `POST api/v1/gems`: `gem push` (protocols 6.4, 6.9).

mod receive;

use bytes::Bytes;
use http::StatusCode;
use larder_core::Error;
use larder_core::access::Action;
use larder_core::model::{AssetKind, PackageVersion, PublishMode, VersionStatus};
use larder_core::ports::{BlobStore, StagedBlob};
use larder_core::services::{Upload, UploadedAsset};
use larder_http::{RepositoryRequest, response};

use crate::error::RubyError;
use crate::gemspec::Gemspec;
use crate::routes::{Answer, Routes};
use crate::{archive, asset, attestations, line, marshal, names};

impl Routes {
    /// Answers a push. Which gem it is stands in the archive; [`receive`] asks for the right to publish it as soon as that
    /// has arrived.
    ///
    /// # Errors
    /// Every refusal of protocols 6.9.
    pub(crate) async fn publish(&self, mut request: RepositoryRequest) -> Answer {
        let services = &self.services;
        let body = request.take_body();
        let receive::Received { staged, allowed, attestations } = receive::receive(self, &request, body).await?;
        let (read, staged) = tokio::task::spawn_blocking(move || (archive::check(staged.path()), staged))
            .await
            .map_err(Error::internal)?;
        let spec = read.map_err(archive::refusal)?;
        let (key, version) = (names::gem_key(&spec.name)?, spec.version_text()?);
        let allowed = match allowed {
            Some(allowed) if *allowed.package() == key => allowed,
            _ => request.may(&self.services.access, Action::PublishPackageVersion, key.clone()).await?,
        };
        let gem = asset::file_name(&spec.name, version.as_str())?;
        let attestations = match attestations {
            Some(sent) => attestations::check(sent, &staged.digests.sha256)?,
            None => None,
        };

        let store = &services.store;
        let repository = &request.target.repository;
        if let Some(stored) = store.find_version(repository.id, &key, &version).await? {
            return again(&spec, &stored, &staged);
        }
        let known = store.find_package(repository.id, &key).await?;
        services.publishing.check_origin(&allowed, known.as_ref(), &version).await?;
        if known.is_none()
            && let Some(twin) = store.find_package_twin(repository.id, &key).await?
        {
            let (name, twin) = (&spec.name, twin.name());
            let message = format!("the name '{name}' is too similar to gem '{twin}', which is in this repository");
            return Err(RubyError::new(StatusCode::FORBIDDEN, message));
        }
        for (other, version) in names::readings(&spec.full_name()) {
            if other != key && store.find_version(repository.id, &other, &version).await?.is_some() {
                let message = format!(
                    "gem '{}' has a version whose file is called '{}.gem', too",
                    other.name(),
                    spec.full_name()
                );
                return Err(RubyError::conflict(message));
            }
        }

        let metadata = line::write(&spec, version.as_str(), &staged.digests.sha256.hex(), services.clock.now());
        let quick = stage(services.blobs.as_ref(), marshal::quick(&spec)?).await?;
        let quick_name = asset::quick_name(&spec.name, version.as_str())?;
        let mut assets = vec![
            UploadedAsset { name: gem, kind: AssetKind::Asset, staged, metadata: Bytes::new() },
            UploadedAsset { name: quick_name, kind: AssetKind::Sidecar, staged: quick, metadata: Bytes::new() },
        ];
        if let Some(sent) = attestations {
            let name = asset::attestations_name(&spec.name, version.as_str())?;
            let staged = stage(services.blobs.as_ref(), sent).await?;
            assets.push(UploadedAsset { name, kind: AssetKind::Sidecar, staged, metadata: Bytes::new() });
        }
        let upload = Upload {
            display_name: spec.name.clone(),
            version,
            assets,
            metadata: metadata.into(),
            details: spec.details(),
            mode: PublishMode::NewVersion,
            unfinished: false,
            tags: Vec::new(),
        };
        services.publishing.publish(&allowed, upload).await?;
        Ok(registered(&spec))
    }
}

/// The answer to a push of what is there: the same bytes may be pushed again, unless they were yanked.
fn again(spec: &Gemspec, stored: &PackageVersion, staged: &StagedBlob) -> Answer {
    let same = stored.assets.iter().any(|asset| asset.digests.sha256 == staged.digests.sha256);
    if same && stored.status == VersionStatus::Published {
        return Ok(registered(spec));
    }
    let why =
        if same { "was yanked; its number cannot be used again" } else { "has been pushed already with other bytes" };
    Err(RubyError::conflict(format!("gem {} ({}) {why}", spec.name, stored.version)))
}

fn registered(spec: &Gemspec) -> larder_http::Response {
    let full = if spec.platform == names::ANY_PLATFORM {
        spec.number.clone()
    } else {
        format!("{}-{}", spec.number, spec.platform)
    };
    response::text(StatusCode::OK, &format!("Successfully registered gem: {} ({full})", spec.name))
}

async fn stage(blobs: &dyn BlobStore, bytes: Bytes) -> Result<StagedBlob, RubyError> {
    let mut staging = blobs.stage().await?;
    staging.write(bytes).await?;
    Ok(staging.finish().await?)
}
