//! Taking a push in: the gem to a staging file, its attestations to memory (protocols 6.4).
//!
//! Which gem it is stands in the archive only: in `metadata.gz`, which `gem build` puts first. It is read as it arrives,
//! so that whoever may not publish that gem is refused after a few kilobytes.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use larder_core::Error;
use larder_core::access::{Action, Allowed, PackageTarget};
use larder_core::ports::{StagedBlob, Staging};
use larder_http::{PacedBody, ReadAhead, RepositoryRequest, RequestBody};
use multer::{Field, Multipart};

use crate::archive::{self, Peek};
use crate::error::RubyError;
use crate::names;
use crate::routes::Routes;

/// What may arrive of a gem before it is known which one it is: somebody's own packer may have put the files first.
const UNKNOWN_LIMIT_BYTES: u64 = 16 << 20;
/// Bundles of one push; each is some ten kilobytes.
const ATTESTATIONS_LIMIT_BYTES: usize = 2 << 20;
/// Parts of a form; clients send two.
const PARTS_LIMIT: usize = 16;
/// A part that nobody asks for.
const OTHER_LIMIT_BYTES: usize = 64 << 10;
/// What a form has beyond the gem.
const FRAME_BYTES: u64 = 4 << 20;

/// What was sent.
pub(super) struct Received {
    pub(super) staged: StagedBlob,
    /// The right to publish the gem that its `metadata.gz` names; `None` if all of it has arrived without one.
    pub(super) allowed: Option<Allowed<PackageTarget>>,
    /// The form's `attestations`.
    pub(super) attestations: Option<Bytes>,
}

/// Takes in a push: the gem itself, or a form with it and its attestations.
pub(super) async fn receive(
    routes: &Routes,
    request: &RepositoryRequest,
    body: RequestBody,
) -> Result<Received, RubyError> {
    let limit = routes.services.limits.asset_size_bytes;
    let media_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")) {
        let boundary = multer::parse_boundary(media_type)?;
        return form(routes, request, body.with_limit(limit.saturating_add(FRAME_BYTES)), boundary).await;
    }
    let mut stream = body.with_limit(limit).into_stream();
    let mut intake = Intake::begin(routes, request).await?;
    while let Some(chunk) = stream.next().await {
        intake.take(chunk?).await?;
    }
    intake.end(None).await
}

async fn form(
    routes: &Routes,
    request: &RepositoryRequest,
    body: RequestBody,
    boundary: String,
) -> Result<Received, RubyError> {
    let (paced, ahead) = PacedBody::new(body.into_stream());
    let mut form = Multipart::new(paced, boundary);
    let (mut gem, mut attestations, mut parts) = (None, None, 0);
    while let Some(mut part) = form.next_field().await? {
        ahead.taken();
        parts += 1;
        if parts > PARTS_LIMIT {
            return Err(RubyError::bad_request(format!("the form has more than {PARTS_LIMIT} parts")));
        }
        match part.name() {
            Some("gem") if gem.is_none() => {
                let mut intake = Intake::begin(routes, request).await?;
                while let Some(chunk) = part.chunk().await? {
                    ahead.taken();
                    intake.take(chunk).await?;
                }
                gem = Some(intake);
            }
            Some("attestations") if attestations.is_none() => {
                attestations = Some(collect(part, &ahead, ATTESTATIONS_LIMIT_BYTES).await?);
            }
            Some(name @ ("gem" | "attestations")) => {
                return Err(RubyError::bad_request(format!("the form has two parts '{name}'")));
            }
            _ => drop(collect(part, &ahead, OTHER_LIMIT_BYTES).await?),
        }
    }
    let gem = gem.ok_or_else(|| RubyError::bad_request("the form has no part 'gem'"))?;
    gem.end(attestations).await
}

/// A part in memory.
async fn collect(mut part: Field<'_>, ahead: &ReadAhead, limit_bytes: usize) -> Result<Bytes, RubyError> {
    let name = names::printable(part.name().unwrap_or_default());
    let mut content = Vec::new();
    while let Some(chunk) = part.chunk().await? {
        ahead.taken();
        if content.len() + chunk.len() > limit_bytes {
            let message = format!("part '{name}' of the form is larger than {limit_bytes} bytes");
            return Err(RubyError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content.into())
}

/// A gem that is coming in.
struct Intake<'a> {
    routes: &'a Routes,
    request: &'a RepositoryRequest,
    peek: Peek,
    staging: Box<dyn Staging>,
    allowed: Option<Allowed<PackageTarget>>,
}

impl<'a> Intake<'a> {
    async fn begin(routes: &'a Routes, request: &'a RepositoryRequest) -> Result<Self, RubyError> {
        let staging = routes.services.blobs.stage().await?;
        Ok(Self { routes, request, peek: Peek::new(), staging, allowed: None })
    }

    async fn take(&mut self, chunk: Bytes) -> Result<(), RubyError> {
        let size_bytes = self.staging.len().saturating_add(chunk.len() as u64);
        let limit = self.routes.services.limits.asset_size_bytes;
        if size_bytes > limit {
            let message = format!("the gem is larger than the limit of {limit} bytes");
            return Err(RubyError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        if self.allowed.is_none() {
            if let Some(metadata) = self.peek.push(&chunk)? {
                let read = tokio::task::spawn_blocking(move || archive::gemspec(&metadata)).await;
                let key = names::gem_key(&read.map_err(Error::internal)??.name)?;
                self.allowed =
                    Some(self.request.may(&self.routes.services.access, Action::PublishPackageVersion, key).await?);
            } else if size_bytes > UNKNOWN_LIMIT_BYTES {
                return Err(RubyError::unprocessable(format!(
                    "the gem has no metadata.gz in its first {} MiB; `gem build` puts it first",
                    UNKNOWN_LIMIT_BYTES >> 20
                )));
            }
        }
        Ok(self.staging.write(chunk).await?)
    }

    async fn end(self, attestations: Option<Bytes>) -> Result<Received, RubyError> {
        Ok(Received { staged: self.staging.finish().await?, allowed: self.allowed, attestations })
    }
}
