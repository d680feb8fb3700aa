//! `PUT {scope}/{name}/{version}` (protocol reference 5.3): answered when the release is there for everybody, because
//! SwiftPM does not ask again after a 202, whatever it says of `respond-async`.

pub(crate) mod form;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use larder_archive::Limits;
use larder_core::Error;
use larder_core::access::{Action, Allowed, PackageTarget};
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{AssetKind, AssetName, Package, PackageKey, PublishMode, VersionText};
use larder_core::ports::StagedBlob;
use larder_core::services::{Upload, UploadedAsset};
use larder_http::{RepositoryRequest, response};

use self::form::Form;
use crate::archive::{self, Contents, ManifestFile};
use crate::cms;
use crate::error::{self, CONTENT_VERSION, SwiftError, VERSION_1};
use crate::index::package_url;
use crate::metadata::{self, PackageMetadata};
use crate::names::{printable, split_display};
use crate::routes::{Answer, Routes, header};
use crate::wire::{Manifest, Signature, VersionMetadata};

/// Says how a release is signed.
const SIGNATURE_FORMAT: &str = "x-swift-package-signature-format";
/// What the form has beside the archive.
const FORM_BYTES: u64 = 1 << 20;

impl Routes {
    /// Answers a publish. `display_name` is the package as the publisher spells it.
    ///
    /// # Errors
    /// Every refusal of protocol reference 5.7.
    pub(crate) async fn publish(
        &self,
        request: RepositoryRequest,
        key: PackageKey,
        version: VersionText,
        display_name: String,
    ) -> Answer {
        let RepositoryRequest { headers, caller, target, body, base, .. } = request;
        let services = &self.services;
        let wanted = PackageTarget::new(&target, key);
        let allowed = services.access.authorize(&caller, Action::PublishPackageVersion, wanted).await?;
        let boundary = multer::parse_boundary(header(&headers, CONTENT_TYPE.as_str()).unwrap_or_default())?;
        // Before the body is asked for: a client that waits for "100 Continue" sends none in vain.
        let package = self.check_new(&allowed, &version).await?;

        let limit = services.limits.asset_size_bytes;
        let body = body.with_limit(limit.saturating_add(FORM_BYTES)).into_stream();
        let staging = services.blobs.stage().await?;
        let Form { archive: staged, archive_signature, metadata, metadata_signature } =
            form::read(body, boundary, staging, limit).await?;
        let signature = self.signature(&headers, archive_signature, metadata_signature, metadata.is_some())?;
        let (metadata, raw) = match metadata.map(|bytes| PackageMetadata::parse(&bytes)).transpose() {
            Ok(Some((metadata, raw))) => (metadata, Some(raw)),
            Ok(None) => (PackageMetadata::default(), None),
            Err(invalid) => return Err(SwiftError::unprocessable(invalid.to_string())),
        };
        let read = move || (archive::read(staged.path(), &Limits::default()), staged);
        let (contents, staged) = tokio::task::spawn_blocking(read).await.map_err(Error::internal)?;
        let Contents { manifests, readme } = contents.map_err(error::unreadable)?;

        // The first spelling stays.
        let display_name = package.map_or(display_name, |package| package.display_name);
        let archive_name = AssetName::new(format!("{}-{version}.zip", split_display(&display_name).1))?;
        let stored = VersionMetadata {
            archive: archive_name.to_string(),
            manifests: manifests
                .iter()
                .map(|file| Manifest { file: file.name.clone(), tools_version: file.tools_version.clone() })
                .collect(),
            metadata: raw,
            signature,
        };
        let mut assets =
            vec![UploadedAsset { name: archive_name, kind: AssetKind::Asset, staged, metadata: Bytes::new() }];
        for ManifestFile { name, bytes, .. } in manifests {
            assets.push(UploadedAsset {
                name: AssetName::new(name)?,
                kind: AssetKind::Sidecar,
                staged: self.stage(bytes.into()).await?,
                metadata: Bytes::new(),
            });
        }
        let location = format!("{}/{version}", package_url(&base, &display_name));
        let upload = Upload {
            details: metadata.details(&display_name, readme),
            display_name,
            version,
            assets,
            metadata: stored.bytes()?,
            mode: PublishMode::NewVersion,
            unfinished: false,
            tags: Vec::new(),
        };
        services.publishing.publish(&allowed, upload).await?;
        created(&location)
    }

    /// The package as it is here, if the release may be new.
    async fn check_new(
        &self,
        allowed: &Allowed<PackageTarget>,
        version: &VersionText,
    ) -> Result<Option<Package>, SwiftError> {
        let PackageTarget { repository, package: key, .. } = allowed.target();
        let store = &self.services.store;
        let package = store.find_package(repository.id, key).await?;
        if store.find_version(repository.id, key, version).await?.is_some() {
            let message = format!(
                "release {version} of '{}.{}' exists already; a release is never replaced, publish another version",
                key.namespace().unwrap_or_default(),
                key.name()
            );
            let kind = ConflictKind::Exists;
            return Err(Error::conflict(kind, ResourceType::PackageVersion, version.as_str(), message).into());
        }
        self.services.publishing.check_origin(allowed, package.as_ref(), version).await?;
        Ok(package)
    }

    /// The signatures, checked for their form. Signed are archive and metadata both, or neither.
    fn signature(
        &self,
        headers: &HeaderMap,
        archive: Option<Vec<u8>>,
        metadata: Option<Vec<u8>>,
        has_metadata: bool,
    ) -> Result<Option<Signature>, SwiftError> {
        let refuse = |detail: &str| Err(SwiftError::unprocessable(detail));
        let format = header(headers, SIGNATURE_FORMAT);
        let Some(archive) = archive else {
            if format.is_some() || metadata.is_some() {
                return refuse("the release says that it is signed and has no part 'source-archive-signature'");
            }
            if self.requires_signatures {
                return refuse("this registry takes signed releases only; sign it with --signing-identity or a key");
            }
            return Ok(None);
        };
        match format {
            Some(cms::FORMAT) => {}
            None => return refuse("a signed release says how, in the header X-Swift-Package-Signature-Format"),
            Some(other) => {
                return refuse(&format!("signature format '{}' is not known; {} is", printable(other), cms::FORMAT));
            }
        }
        if metadata.is_some() && !has_metadata {
            return refuse("the form has a signature of metadata and no metadata");
        }
        let check = |part: &str, signature: &[u8]| {
            cms::check(signature).map_err(|error| SwiftError::unprocessable(format!("part '{part}': {error}")))
        };
        Ok(Some(Signature {
            format: cms::FORMAT.to_owned(),
            archive: check("source-archive-signature", &archive)?,
            metadata: metadata.map(|signature| check("metadata-signature", &signature)).transpose()?,
        }))
    }

    async fn stage(&self, bytes: Bytes) -> Result<StagedBlob, Error> {
        let mut staging = self.services.blobs.stage().await?;
        staging.write(bytes).await?;
        staging.finish().await
    }
}

/// 201, with the address of the release.
fn created(location: &str) -> Answer {
    let mut answer = response::empty(StatusCode::CREATED);
    let headers = answer.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(location).map_err(Error::internal)?);
    headers.insert(CONTENT_VERSION, VERSION_1);
    Ok(answer)
}

const _: () = assert!(metadata::LIMIT_BYTES as u64 <= FORM_BYTES / 2, "the form's other parts fit beside the metadata");
