//! `PUT …/{file}`: adds a file to its version (protocol reference 3.3, rule 1; CodeArtifact reference 6.3).

use bytes::Bytes;
use futures_util::StreamExt as _;
use larder_core::access::{Action, Allowed, PackageTarget};
use larder_core::error::Error;
use larder_core::model::{AssetKind, PublishMode, VersionDetails};
use larder_core::ports::{ByteStream, StagedBlob};
use larder_core::services::{Upload, UploadedAsset};
use larder_http::{BodyError, RepositoryRequest};

use crate::error::MavenError;
use crate::external::read_pom;
use crate::held;
use crate::layout::AssetPath;
use crate::names;
use crate::pom::{self, Pom};
use crate::routes::{Answer, Routes, created};
use crate::wire::{PomMetadata, VersionMetadata};

impl Routes {
    /// Stores a file. The same bytes again are welcome, other bytes are not.
    ///
    /// # Errors
    /// Every refusal of protocol reference 3.8.
    pub(crate) async fn put_asset(&self, request: RepositoryRequest, path: AssetPath) -> Answer {
        let allowed = request.may(&self.services.access, Action::PublishPackageVersion, path.key.clone()).await?;
        check_unique(&path)?;
        let settings = self.settings(&allowed, &path).await?;
        self.check_twin(&allowed).await?;
        let target = allowed.target();
        let limit = self.services.limits.asset_size_bytes;
        let staged = self.stage(request.body.with_limit(limit).into_stream()).await?;
        let (staged, details, metadata) = inspect(&path, staged).await?;

        let stored = self.services.store.find_version(target.repository.id, &path.key, &path.version).await?;
        let file = path.name.to_string();
        // What is deployed again brings its checksums again.
        let is_again = stored.as_ref().is_some_and(|stored| stored.assets.iter().any(|asset| asset.name == path.name));
        let held = stored.map(|stored| VersionMetadata::read(&stored.metadata).held).unwrap_or_default();
        let held = held.get(&file);
        if let Some(held) = held.filter(|_| !is_again)
            && let Err(error) = held::compare(&file, held, &staged.digests)
        {
            // Whichever of the two was wrong: what is deployed again starts anew.
            self.release(&allowed, &path.version, &file, None).await?;
            return Err(error);
        }
        let has_held = held.is_some();
        let upload = Upload {
            display_name: names::display_name(&path.key),
            version: path.version.clone(),
            assets: vec![UploadedAsset { name: path.name.clone(), kind: AssetKind::Asset, staged, metadata }],
            metadata: Bytes::new(),
            details,
            mode: PublishMode::AtAnyTime,
            unfinished: true,
            tags: Vec::new(),
        };
        self.services.publishing.publish(&allowed, upload).await?;
        if has_held {
            self.release(&allowed, &path.version, &file, None).await?;
        }
        if settings.without_metadata && path.base == path.version {
            self.finish_by_files(&allowed, &path).await?;
        }
        Ok(created())
    }

    async fn stage(&self, mut body: ByteStream) -> Result<StagedBlob, MavenError> {
        let mut staging = self.services.blobs.stage().await?;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| match BodyError::of(&error) {
                Some(body) => Error::from(body),
                None => Error::validation("body", format!("the file could not be received: {error}")),
            })?;
            staging.write(chunk).await?;
        }
        Ok(staging.finish().await?)
    }

    /// A package whose name differs only in case from one that is here would be one file on many a disk.
    async fn check_twin(&self, allowed: &Allowed<PackageTarget>) -> Result<(), MavenError> {
        let target = allowed.target();
        let (repository, key) = (target.repository.id, &target.package);
        let store = &self.services.store;
        if store.find_package(repository, key).await?.is_some() {
            return Ok(());
        }
        match store.find_package_twin(repository, key).await? {
            Some(twin) if twin.name().eq_ignore_ascii_case(key.name()) => Err(MavenError::new(
                http::StatusCode::CONFLICT,
                format!("'{}' differs only in case from '{}', which is here", key.name(), twin.name()),
            )),
            _ => Ok(()),
        }
    }
}

/// Reads a POM on a blocking thread; other files are taken as they are.
async fn inspect(path: &AssetPath, staged: StagedBlob) -> Result<(StagedBlob, VersionDetails, Bytes), MavenError> {
    if !path.is_pom() {
        return Ok((staged, VersionDetails::default(), Bytes::new()));
    }
    let (bytes, staged) =
        tokio::task::spawn_blocking(move || (read_pom(staged.path()), staged)).await.map_err(Error::internal)?;
    let Some(bytes) = bytes else {
        let message = format!("a POM has at most {} bytes", pom::LIMIT_BYTES);
        return Err(MavenError::new(http::StatusCode::PAYLOAD_TOO_LARGE, message));
    };
    let pom =
        Pom::parse(&bytes).map_err(|invalid| MavenError::bad_request(format!("the POM is refused: {invalid}")))?;
    let (group, artifact) = (path.key.namespace().unwrap_or_default(), path.key.name());
    pom.check_coordinate(group, artifact, path.base.as_str())?;
    let metadata = PomMetadata {
        packaging: pom.packaging().chars().take(64).collect(),
        name: pom.name().unwrap_or_default().chars().take(255).collect(),
    };
    Ok((staged, pom.details(), metadata.bytes()))
}

/// Snapshots have builds with names of their own (reference 6.3).
///
/// # Errors
/// 400 for a file that is named after the snapshot.
pub(crate) fn check_unique(path: &AssetPath) -> Result<(), MavenError> {
    if path.is_unique() {
        return Ok(());
    }
    Err(MavenError::bad_request(
        "snapshots are published with a timestamp and build number in the file's name; names with -SNAPSHOT, as Maven 2 \
         and sbt write them, are not supported",
    ))
}

/// The path below the repository, as one text.
pub(crate) fn path_of(request: &RepositoryRequest) -> String {
    request.path.segments().join("/")
}
