//! Symbol packages: `PUT v3/symbolpackage`, and debug files for whoever asks by their id (SSQP, protocol reference 4.6).
//!
//! A symbol package lies beside the package of its version. Debuggers know a debug file's name and id, not its package:
//! it is looked for in the packages whose ids the file name starts with (`Acme.Core.pdb`: `acme.core`, `acme`), and in
//! those that have its first word as theirs.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use larder_archive::Limits;
use larder_core::access::{Action, Allowed, PackageTarget, RepositoryTarget};
use larder_core::model::{AssetKind, AssetName, PackageFormat, PackageKey, PageRequest, PublishMode, VersionText};
use larder_core::ports::PackageFilter;
use larder_core::services::{Layer, Sources, Upload, UploadedAsset};
use larder_core::{Error, Result};
use larder_http::{RepositoryRequest, response};

use crate::archive::{self, Symbols};
use crate::asset::{read_blocking, small};
use crate::error::NugetError;
use crate::routes::{Answer, Routes};
use crate::wire::{SymbolFile, SymbolMetadata};
use crate::{form, names};

/// Packages of one first word that are looked into.
const CANDIDATES_LIMIT: usize = 200;
/// Stands for the age, which portable PDBs do not have.
const NO_AGE: &str = "ffffffff";

/// Where a debug file is.
struct Found {
    key: PackageKey,
    version: VersionText,
    asset: AssetName,
    file: SymbolFile,
}

impl Routes {
    /// Answers the push of a symbol package: the version is there already, and has none yet.
    ///
    /// # Errors
    /// Every refusal of protocol reference 4.11.
    pub(crate) async fn push_symbols(&self, request: RepositoryRequest) -> Answer {
        let RepositoryRequest { headers, caller, target, body, .. } = request;
        let services = &self.services;
        services.access.authorize(&caller, Action::ReadFromRepository, target.clone()).await?;
        let staged = form::read_file(services, &headers, body).await?;
        let (read, staged) =
            tokio::task::spawn_blocking(move || (archive::read_symbols(staged.path(), &Limits::default()), staged))
                .await
                .map_err(Error::internal)?;
        let Symbols { manifest, metadata } = read.map_err(Error::from)?;
        let key = names::package_key(&manifest.metadata.id)?;
        let target = PackageTarget::new(&target, key.clone());
        let allowed = services.access.authorize(&caller, Action::PublishPackageVersion, target).await?;
        let version = manifest.version.clone();
        let package = services.store.find_package(allowed.target().repository.id, &key).await?;
        let stored = services.store.find_version(allowed.target().repository.id, &key, &version).await?;
        let (Some(package), Some(stored)) = (package, stored.filter(|stored| stored.status.is_downloadable())) else {
            let id = &manifest.metadata.id;
            return Err(NugetError::not_found(format!(
                "push package '{id}' {version} before its symbols; it is not here"
            )));
        };
        let name = names::symbol_file(&key, &version)?;
        if stored.assets.iter().any(|asset| asset.name == name) {
            let message = format!("the symbols of '{}' {version} are here already", manifest.metadata.id);
            return Err(NugetError::new(StatusCode::CONFLICT, message));
        }
        let upload = Upload {
            display_name: package.display_name,
            version,
            assets: vec![UploadedAsset { name, kind: AssetKind::Sidecar, staged, metadata: metadata.bytes() }],
            metadata: stored.metadata,
            // What the API tells of the version is its package's.
            details: services.store.version_details(stored.id).await?,
            mode: PublishMode::AddAssets,
            unfinished: false,
            tags: Vec::new(),
        };
        services.publishing.publish(&allowed, upload).await?;
        Ok(response::empty(StatusCode::CREATED))
    }

    /// `GET v3/symbols/{file}/{id}{age}/{file}`, in whatever case.
    pub(crate) async fn get_symbols(&self, request: &RepositoryRequest, file: &str, id: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let missing = || NugetError::not_found("no symbol package here has this debug file");
        let id = id.to_ascii_lowercase();
        let id = id.strip_suffix(NO_AGE).filter(|id| id.len() == 32).ok_or_else(missing)?;
        let found = self.find_symbols(&allowed, file, id).await?.ok_or_else(missing)?;
        if !has_checksum(&request.headers, &found.file.sha256) {
            return Err(NugetError::not_found("the debug file of this id has another checksum"));
        }
        let opened = self.services.downloads.open(&allowed, &found.key, &found.version, &found.asset).await?;
        let staged = self.stage(opened).await?;
        let path = found.file.path;
        let bytes = read_blocking(staged, move |package| archive::read_symbol_file(package, &path)).await?;
        let bytes = bytes.map_err(Error::from)?;
        Ok(small(request, "application/octet-stream", Bytes::from(bytes)))
    }

    async fn find_symbols(&self, allowed: &Allowed<RepositoryTarget>, file: &str, id: &str) -> Result<Option<Found>> {
        for key in self.candidates(allowed, file).await? {
            let view = match self.services.index.view_of(allowed, &key, Sources::Stored).await {
                Ok(view) => view,
                Err(Error::ResourceNotFound { .. }) => continue,
                Err(error) => return Err(error),
            };
            let hosted = view.layers.iter().filter_map(|layer| match layer {
                Layer::Hosted { package, .. } => Some(&package.versions),
                Layer::Registry { .. } => None,
            });
            for version in hosted.flatten().filter(|version| version.status.is_downloadable()) {
                for asset in version.assets.iter().filter(|asset| asset.name.as_str().ends_with(".snupkg")) {
                    let files = SymbolMetadata::read(&asset.metadata).files;
                    if let Some(found) = files.into_iter().find(|found| found.id == id && is_named(found, file)) {
                        let (version, asset) = (version.version.clone(), asset.name.clone());
                        return Ok(Some(Found { key, version, asset, file: found }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Packages that a debug file of this name may be of, likeliest first.
    async fn candidates(&self, allowed: &Allowed<RepositoryTarget>, file: &str) -> Result<Vec<PackageKey>> {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_ascii_lowercase();
        let mut candidates: Vec<PackageKey> = names::package_key(&stem).into_iter().collect();
        let mut rest = stem.as_str();
        while let Some((shorter, _)) = rest.rsplit_once('.') {
            candidates.extend(names::package_key(shorter));
            rest = shorter;
        }
        let filter = PackageFilter {
            format: Some(PackageFormat::Nuget),
            prefix: Some(rest.to_owned()),
            ..PackageFilter::default()
        };
        for repository in self.services.index.visible_repositories(allowed).await? {
            let page = PageRequest::first(CANDIDATES_LIMIT);
            for package in self.services.store.list_packages(repository.id, &filter, &page).await?.items {
                if !candidates.contains(&package.key) && candidates.len() < CANDIDATES_LIMIT {
                    candidates.push(package.key);
                }
            }
        }
        Ok(candidates)
    }
}

fn is_named(found: &SymbolFile, name: &str) -> bool {
    found.path.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
}

/// Whether the debug file is the one that the assembly was built with: `SymbolChecksum` lists what it may have, in
/// `SHA256:…;SHA384:…`. Who does not say takes any.
fn has_checksum(headers: &HeaderMap, sha256: &str) -> bool {
    let listed: Vec<_> = headers.get_all("symbolchecksum").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut wanted = listed
        .iter()
        .flat_map(|value| value.split([';', ',']))
        .filter_map(|checksum| checksum.trim().split_once(':'))
        .filter(|(algorithm, _)| algorithm.eq_ignore_ascii_case("SHA256"))
        .peekable();
    wanted.peek().is_none() || wanted.any(|(_, checksum)| checksum.eq_ignore_ascii_case(sha256))
}
