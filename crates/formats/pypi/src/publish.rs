//! `POST /`, `/legacy/`: the upload form of twine, uv, poetry, flit, hatch and pdm (protocol reference 2.5, 2.12).

mod form;

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use larder_core::Error;
use larder_core::access::{Action, Allowed, Caller, PackageTarget, RepositoryTarget};
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AssetKind, AssetName, HashAlgorithm, OriginType, PackageKey, PackageVersion, PublishMode, Timestamp, VersionText,
};
use larder_core::ports::StagedBlob;
use larder_core::services::{Services, Upload, UploadedAsset};
use larder_http::{RepositoryRequest, response};

use self::form::{Content, Form};
use crate::archive::{self, Contents, Limits};
use crate::attestations;
use crate::error::PypiError;
use crate::names::{
    Distribution, DistributionKind, confusable_names, normalize_version, printable, project_key, spellings,
};
use crate::project::sidecar;
use crate::routes::{Answer, PypiRoutes};
use crate::wire::{FileMetadata, VersionMetadata};

impl PypiRoutes {
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
        self.check_project(caller, target, &allowed).await?;
        if let Some(stored) = &stored {
            check_only_sdist(stored, &distribution, &file_name)?;
        }
        let upload = complete(services, form, &distribution, file_name, version, stored, provenance).await?;
        services.publishing.publish(&allowed, upload).await?;
        Ok(response::text(StatusCode::OK, "OK"))
    }

    /// A new project may not be mistaken for another one, and an archived or quarantined one takes no files.
    async fn check_project(
        &self,
        caller: &Caller,
        target: &RepositoryTarget,
        allowed: &Allowed<PackageTarget>,
    ) -> Result<(), PypiError> {
        let services = &self.services;
        let key = &allowed.target().package;
        let known = services.store.find_package(target.repository.id, key).await?;
        let takes_upstream = known
            .as_ref()
            .is_none_or(|package| package.restrictions.upstream == larder_core::model::AllowUpstream::Allow);
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

fn no_content() -> PypiError {
    PypiError::bad_request("the form has no 'content' part with the distribution file")
}

/// What the form says, checked.
struct Checked {
    key: PackageKey,
    version: VersionText,
    distribution: Distribution,
    file_name: AssetName,
}

fn check_form(form: &Form) -> Result<Checked, PypiError> {
    match form.single(":action")? {
        Some("file_upload") => {}
        Some("submit") => {
            let message = "registering a project first is not needed; upload its files";
            return Err(PypiError::new(StatusCode::GONE, message));
        }
        Some(other) => {
            return Err(PypiError::bad_request(format!(":action '{}' is not offered", printable(other))));
        }
        None => return Err(PypiError::bad_request("the form has no ':action'; it must be 'file_upload'")),
    }
    if form.single("protocol_version")? != Some("1") {
        return Err(PypiError::bad_request("protocol_version must be 1"));
    }
    let content = form.content.as_ref().ok_or_else(no_content)?;
    let name = form.single("name")?.ok_or_else(|| PypiError::bad_request("the form has no 'name'"))?;
    let version = form.single("version")?.ok_or_else(|| PypiError::bad_request("the form has no 'version'"))?;
    let key = project_key(name)?;
    let version = normalize_version(version)?;
    let distribution = Distribution::parse(&content.file_name, name)?;
    if normalize_version(&distribution.version)?.as_str() != version.as_str()
        && crate::names::Release::of(&distribution.version) != crate::names::Release::of(version.as_str())
    {
        return Err(PypiError::bad_request(format!(
            "file name '{}' is of version '{}', not of '{version}'",
            content.file_name, distribution.version
        )));
    }
    check_file_type(form, &distribution)?;
    Ok(Checked { key, version, distribution, file_name: AssetName::new(content.file_name.clone())? })
}

fn check_file_type(form: &Form, distribution: &Distribution) -> Result<(), PypiError> {
    let expected = distribution.kind.file_type();
    match form.single("filetype")? {
        Some(file_type) if file_type == expected => {}
        Some(other) => {
            return Err(PypiError::bad_request(format!(
                "filetype '{}' does not fit the file, which is a {expected}; only sdist and bdist_wheel are accepted",
                printable(other)
            )));
        }
        None => return Err(PypiError::bad_request("the form has no 'filetype'")),
    }
    let python = form.single("pyversion")?;
    if distribution.kind != DistributionKind::Wheel && python.is_some_and(|python| python != "source") {
        return Err(PypiError::bad_request("pyversion of a source distribution must be 'source'"));
    }
    Ok(())
}

/// Compares the digests that the client sent, hexadecimal of either case; uv and twine differ in which they send.
fn check_digests(form: &Form, staged: &StagedBlob) -> Result<(), PypiError> {
    for (field, actual) in [
        ("md5_digest", staged.digests.hex(HashAlgorithm::Md5)),
        ("sha256_digest", staged.digests.hex(HashAlgorithm::Sha256)),
        ("blake2_256_digest", hex::encode(staged.blake2b_256)),
    ] {
        let Some(promised) = form.single(field)? else { continue };
        if hex::decode(promised).map_or(true, |bytes| bytes.len() * 2 != actual.len()) {
            return Err(PypiError::bad_request(format!("{field} is not a hexadecimal digest")));
        }
        if !promised.eq_ignore_ascii_case(&actual) {
            return Err(PypiError::bad_request(format!(
                "{field} does not match the file: sent {promised}, received {actual}"
            )));
        }
    }
    Ok(())
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

/// Whether this very file was published here before.
///
/// # Errors
/// 400 when the name is taken by other bytes.
fn is_repeated(
    allowed: &Allowed<PackageTarget>,
    stored: Option<&PackageVersion>,
    file_name: &AssetName,
    staged: &StagedBlob,
) -> Result<bool, Error> {
    let Some(stored) = stored else { return Ok(false) };
    if stored.origin.origin_type() != OriginType::Internal || !stored.status.is_downloadable() {
        // Origin controls and the status decide.
        return Ok(false);
    }
    let Some(asset) = stored.assets.iter().find(|asset| asset.name == *file_name) else { return Ok(false) };
    if asset.digests.sha256 == staged.digests.sha256 {
        return Ok(true);
    }
    Err(Error::conflict(
        ConflictKind::OtherBytes,
        ResourceType::Asset,
        file_name.as_str(),
        format!(
            "'{file_name}' is in repository '{}' with other bytes; publish a new version, or delete this one first",
            allowed.target().repository.name
        ),
    ))
}

/// A release has one source distribution.
fn check_only_sdist(
    stored: &PackageVersion,
    distribution: &Distribution,
    file_name: &AssetName,
) -> Result<(), PypiError> {
    let is_sdist = |name: &str| DistributionKind::of(name).is_some_and(|kind| kind != DistributionKind::Wheel);
    if distribution.kind == DistributionKind::Wheel {
        return Ok(());
    }
    let others = stored.assets.iter().filter(|asset| asset.kind == AssetKind::Asset && asset.name != *file_name);
    match others.map(|asset| asset.name.as_str()).find(|name| is_sdist(name)) {
        Some(other) => Err(PypiError::bad_request(format!(
            "version '{}' has a source distribution already: {other}",
            stored.version
        ))),
        None => Ok(()),
    }
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
    let Contents { metadata_bytes, metadata } = read?;

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
