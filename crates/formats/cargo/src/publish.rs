//! `PUT api/v1/crates/new`: `cargo publish` (protocols 7.3, 7.4, 7.7).

mod check;
pub(crate) mod frame;
mod naming;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use larder_core::Error;
use larder_core::access::{Action, PackageTarget};
use larder_core::error::Invalid;
use larder_core::model::{AssetKind, PublishMode, Timestamp};
use larder_core::ports::{BlobStore, ByteStream, StagedBlob};
use larder_core::services::{Services, Upload, UploadedAsset};
use larder_http::{RepositoryRequest, response};

use self::check::Checked;
use self::frame::{Frame, FrameError, JSON_LIMIT_BYTES, LENGTHS_BYTES, Piece};
use crate::error::CargoError;
use crate::line::Line;
use crate::routes::{Answer, Routes};
use crate::wire::{Published, Warnings};
use crate::{archive, asset};

impl Routes {
    /// Answers a publish. Everything that the JSON decides is decided before the crate is read.
    ///
    /// # Errors
    /// Every refusal of protocols 7.7.
    pub(crate) async fn publish(&self, request: RepositoryRequest) -> Answer {
        let services = &self.services;
        let RepositoryRequest { caller, target, body, base, .. } = request;
        let limit = services.limits.asset_size_bytes;
        let whole = limit.saturating_add(u64::from(JSON_LIMIT_BYTES)).saturating_add(LENGTHS_BYTES);
        let mut body = Body::new(body.with_limit(whole).into_stream(), limit);

        let json = body.read_json().await?;
        let checked = check::check(&json, &format!("{base}/"))?;
        let package = PackageTarget::new(&target, checked.key.clone());
        let allowed = services.access.authorize(&caller, Action::PublishPackageVersion, package).await?;
        let known = self.check_name(&caller, &target, &checked.key, &checked.line.name).await?;
        if let Some(stored) = services.store.find_version(target.repository.id, &checked.key, &checked.version).await? {
            return Err(CargoError::conflict(format!(
                "version '{}' of crate '{}' already exists in repository '{}'{}",
                stored.version,
                checked.line.name,
                target.repository.name,
                if checked.line.vers.contains('+') { "; build metadata makes no other version of it" } else { "" }
            )));
        }
        services.publishing.check_origin(&allowed, known.as_ref(), &checked.version).await?;

        let staged = body.read_crate(services.blobs.as_ref()).await?;
        let (upload, warnings) = complete(services, checked, staged).await?;
        services.publishing.publish(&allowed, upload).await?;
        let warnings = Warnings { other: warnings, ..Warnings::default() };
        Ok(response::json(StatusCode::OK, &Published { warnings }))
    }
}

/// A publish that is coming in.
struct Body {
    stream: ByteStream,
    frame: Frame,
    chunk: Bytes,
}

impl Body {
    fn new(stream: ByteStream, crate_limit_bytes: u64) -> Self {
        Self { stream, frame: Frame::new(crate_limit_bytes), chunk: Bytes::new() }
    }

    /// The next piece; `None` at the end of a body that is whole.
    async fn next(&mut self) -> Result<Option<Piece>, CargoError> {
        loop {
            if let Some(piece) = self.frame.take(&mut self.chunk)? {
                return Ok(Some(piece));
            }
            match self.stream.next().await {
                Some(chunk) => self.chunk = chunk?,
                None => {
                    self.frame.finish()?;
                    return Ok(None);
                }
            }
        }
    }

    async fn read_json(&mut self) -> Result<Vec<u8>, CargoError> {
        match self.next().await? {
            Some(Piece::Json(json)) => Ok(json),
            _ => Err(CargoError::bad_request("the publish has no JSON")),
        }
    }

    /// Writes the crate to staging.
    async fn read_crate(&mut self, blobs: &dyn BlobStore) -> Result<StagedBlob, CargoError> {
        let mut staging = blobs.stage().await?;
        while let Some(piece) = self.next().await? {
            if let Piece::Crate(bytes) = piece {
                staging.write(bytes).await?;
            }
        }
        Ok(staging.finish().await?)
    }
}

impl From<FrameError> for CargoError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Invalid(invalid) => invalid.into(),
            FrameError::TooLarge(message) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, message),
        }
    }
}

/// Reads the archive and gathers everything that is stored.
async fn complete(
    services: &Arc<Services>,
    checked: Checked,
    staged: StagedBlob,
) -> Result<(Upload, Vec<String>), CargoError> {
    let Checked { version, line, details, warnings, .. } = checked;
    let (name, vers) = (line.name.clone(), line.vers.clone());
    let (read, staged) = tokio::task::spawn_blocking(move || (archive::check(staged.path(), &name, &vers), staged))
        .await
        .map_err(Error::internal)?;
    read.map_err(Error::from)?;
    let line = Line { cksum: staged.digests.sha256.hex(), pubtime: Some(seconds(services.clock.now())), ..line };
    let metadata = line.to_bytes().map_err(Error::internal)?;
    let file = asset::file_name(&line.name, &line.vers)?;
    let asset = UploadedAsset { name: file, kind: AssetKind::Asset, staged, metadata: Bytes::new() };
    let upload = Upload {
        display_name: line.name,
        version,
        assets: vec![asset],
        metadata: metadata.into(),
        details,
        mode: PublishMode::NewVersion,
        unfinished: false,
        tags: Vec::new(),
    };
    Ok((upload, warnings))
}

/// `2026-01-02T03:04:05Z`: lines have no fractions of seconds.
fn seconds(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// Whether the JSON of a publish would be taken: for fuzzing.
///
/// # Errors
/// [`Invalid`] with what is wrong.
pub(crate) fn check_json(json: &[u8]) -> Result<(), Invalid> {
    check::check(json, "http://larder.test/").map(drop)
}
