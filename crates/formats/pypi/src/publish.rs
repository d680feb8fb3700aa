//! `POST /`, `/legacy/`: the upload form of twine, uv, poetry, flit, hatch and pdm (protocol reference 2.5, 2.12).

mod checks;
mod form;

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use larder_core::Error;
use larder_core::access::{Action, Allowed, Caller, PackageTarget, RepositoryTarget};
use larder_core::model::{
    AllowUpstream, AssetKind, AssetName, Package, PackageKey, PackageVersion, PublishMode, Timestamp, VersionText,
};
use larder_core::ports::StagedBlob;
use larder_core::services::{Services, Upload, UploadedAsset};
use larder_http::{RepositoryRequest, response};

use self::checks::{Checked, check_digests, check_form, check_only_sdist, is_repeated, no_content};
use self::form::{Content, Form};
use crate::archive::{self, Contents, Limits};
use crate::attestations;
use crate::error::PypiError;
use crate::names::{Distribution, DistributionKind, confusable_names, printable, project_key, spellings};
use crate::project::sidecar;
use crate::routes::{Answer, Routes};
use crate::wire::{FileMetadata, VersionMetadata};

impl Routes {
    /// Answers an upload.
    ///
    /// # Errors
    /// Every refusal of protocol reference 2.12.
    pub(crate) async fn upload(&self, request: RepositoryRequest) -> Answer {
        let services = &self.services;
        let RepositoryRequest { headers, caller, target, body, .. } = request;
        let (caller, target) = (&caller, &target);
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if content_type.starts_with("text/xml") {
            return Err(PypiError::method_not_allowed("GET, HEAD", "XML-RPC is not offered; use the simple index"));
        }
        let limit = services.limits.asset_size_bytes;
        let body = body.with_limit(limit.saturating_add(32 << 20)).into_stream();
        let may_publish = |name: Option<String>| async move {
            let Some(key) = name.and_then(|name| project_key(&name).ok()) else { return Ok(()) };
            authorize(services, caller, target, key).await.map(drop)
        };
        let form = form::read(body, content_type, &services.blobs, limit, may_publish).await?;
        let Checked { key, version, distribution, file_name } = check_form(&form)?;
        let allowed = authorize(services, caller, target, key).await?;
        let Form { content: Some(Content { staged, .. }), .. } = &form else { return Err(no_content()) };
        check_digests(&form, staged)?;
        let provenance = match form.single("attestations")? {
            Some(attestations) => attestations::provenance(attestations, file_name.as_str(), &staged.digests.sha256)?,
            None => None,
        };

        let stored = find_stored(services, &allowed, &version).await?;
        if is_repeated(&allowed, stored.as_ref(), &file_name, staged)? {
            return Ok(response::text(StatusCode::OK, "OK: the same file is here already"));
        }
        let package = services.store.find_package(target.repository.id, &allowed.target().package).await?;
        self.check_project(caller, target, &allowed, package.as_ref()).await?;
        if let Some(stored) = &stored {
            check_only_sdist(stored, &distribution, &file_name)?;
        }
        let mut upload = complete(services, form, &distribution, file_name, version, stored, provenance).await?;
        if let Some(package) = package {
            // The first spelling stays.
            upload.display_name = package.display_name;
        }
        services.publishing.publish(&allowed, upload).await?;
        Ok(response::text(StatusCode::OK, "OK"))
    }

    /// A new project may not be mistaken for another one, and an archived or quarantined one takes no files.
    async fn check_project(
        &self,
        caller: &Caller,
        target: &RepositoryTarget,
        allowed: &Allowed<PackageTarget>,
        known: Option<&Package>,
    ) -> Result<(), PypiError> {
        let services = &self.services;
        let key = &allowed.target().package;
        let takes_upstream = known.is_none_or(|package| package.restrictions.upstream == AllowUpstream::Allow);
        if known.is_none() {
            for other in confusable_names(key.name()) {
                let other = project_key(&other)?;
                if services.store.find_package(target.repository.id, &other).await?.is_some() {
                    return Err(PypiError::bad_request(format!(
                        "project name '{}' is too similar to '{}', which is in repository '{}'",
                        key.name(),
                        other.name(),
                        target.repository.name
                    )));
                }
            }
        }
        // Whoever may publish but not read is not told what lies upstream; origin controls hold all the same.
        if takes_upstream
            && let Ok(read) = services.access.authorize(caller, Action::ReadFromRepository, target.clone()).await
            && let Ok(project) = self.projects.get(&read, key).await
            && let Some(status) = project.status.as_ref().filter(|status| status.refuses_uploads())
        {
            return Err(PypiError::new(
                StatusCode::FORBIDDEN,
                format!("project '{}' is {} and takes no uploads", key.name(), printable(&status.status)),
            ));
        }
        Ok(())
    }
}

async fn authorize(
    services: &Services,
    caller: &Caller,
    target: &RepositoryTarget,
    key: PackageKey,
) -> Result<Allowed<PackageTarget>, PypiError> {
    let target = PackageTarget::new(target, key);
    Ok(services.access.authorize(caller, Action::PublishPackageVersion, target).await?)
}

/// The version as stored here, in whichever spelling it was first published.
async fn find_stored(
    services: &Services,
    allowed: &Allowed<PackageTarget>,
    version: &VersionText,
) -> Result<Option<PackageVersion>, Error> {
    let target = allowed.target();
    for spelling in spellings(version) {
        let found = services.store.find_version(target.repository.id, &target.package, &spelling).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Reads the archive and gathers everything that is stored.
async fn complete(
    services: &Arc<Services>,
    form: Form,
    distribution: &Distribution,
    file_name: AssetName,
    version: VersionText,
    stored: Option<PackageVersion>,
    provenance: Option<Vec<u8>>,
) -> Result<Upload, PypiError> {
    let display_name = form.get("name").unwrap_or_default().to_owned();
    let comment = form.get("comment").map(str::to_owned);
    let Some(Content { staged, .. }) = form.content else { return Err(no_content()) };
    let wanted = distribution.clone();
    let (read, staged) =
        tokio::task::spawn_blocking(move || (archive::read_upload(staged.path(), &wanted, &Limits::default()), staged))
            .await
            .map_err(Error::internal)?;
    let Contents { metadata_bytes, metadata } = read.map_err(Error::from)?;

    let file = FileMetadata {
        requires_python: metadata.get("Requires-Python").map(str::to_owned),
        upload_time: Some(microseconds(services.clock.now())),
        blake2b_256: Some(hex::encode(staged.blake2b_256)),
        comment,
    };
    let mut small: Vec<(&str, Bytes)> = Vec::new();
    if distribution.kind == DistributionKind::Wheel {
        small.push((sidecar::METADATA, metadata_bytes.into()));
    }
    small.extend(form.gpg_signature.map(|signature| (sidecar::SIGNATURE, signature)));
    small.extend(provenance.map(|object| (sidecar::PROVENANCE, object.into())));
    let mut assets = Vec::with_capacity(1 + small.len());
    for (suffix, bytes) in small {
        assets.push(UploadedAsset {
            name: AssetName::new(format!("{file_name}{suffix}"))?,
            kind: AssetKind::Sidecar,
            staged: stage(services, bytes).await?,
            metadata: Bytes::new(),
        });
    }
    assets.push(UploadedAsset { name: file_name, kind: AssetKind::Asset, staged, metadata: file.bytes() });
    Ok(Upload {
        display_name,
        // The first spelling stays: `1.0.0` adds its files to `1.0`.
        version: stored.as_ref().map_or(version, |stored| stored.version.clone()),
        assets,
        metadata: stored.map_or_else(|| VersionMetadata::default().bytes(), |stored| stored.metadata),
        details: metadata.details(),
        mode: PublishMode::AddAssets,
        unfinished: false,
        tags: Vec::new(),
    })
}

async fn stage(services: &Services, bytes: Bytes) -> Result<StagedBlob, Error> {
    let mut staging = services.blobs.stage().await?;
    staging.write(bytes).await?;
    staging.finish().await
}

/// `upload-time` has microseconds on every index; clocks here tick milliseconds.
fn microseconds(at: Timestamp) -> String {
    at.rfc3339().replace('Z', "000Z")
}
