//! Downloads: distribution files, and the small files kept beside them.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http::header::ETAG;
use http::{HeaderValue, Method, StatusCode};
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{AssetName, PackageKey, VersionText};
use larder_core::ports::{Blob, ByteStream, Format as _};
use larder_core::{Error, Result};
use larder_http::{Body, RepositoryRequest, answer_asset, response};
use sha2::{Digest as _, Sha256};

use crate::attestations;
use crate::error::PypiError;
use crate::external::PypiFormat;
use crate::metadata::METADATA_LIMIT_BYTES;
use crate::names::normalize_version;
use crate::project::{ProjectFile, Relay, sidecar};
use crate::routes::{Answer, Routes};

const FILE_TYPE: &str = "application/octet-stream";

impl Routes {
    /// `GET simple/{project}/{version}/{file}`, also of what lies beside a file: `.metadata`, `.asc`.
    pub(crate) async fn get_file(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        version: &str,
        file: &str,
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        for suffix in [sidecar::METADATA, sidecar::SIGNATURE] {
            if let Some(of) = file.strip_suffix(suffix) {
                return self.get_beside(request, &allowed, &key, (version, of), suffix, FILE_TYPE).await;
            }
        }
        let no_file = || PypiError::not_found(format!("project '{}' has no file '{file}'", key.name()));
        // Addresses in pages have the version as it is stored; people write it otherwise.
        let given = VersionText::new(version).map_err(|_| no_file())?;
        let name = AssetName::new(file).map_err(|_| no_file())?;
        match self.send(request, &allowed, &key, &given, &name, FILE_TYPE).await {
            Err(error @ Error::ResourceNotFound { .. }) => {
                let is_refused = error.refusal().is_some();
                // A rule says more than that there is no such file.
                let no_file = || if is_refused { PypiError::from(&error) } else { no_file() };
                let project = match self.projects.get(&allowed, &key).await {
                    Err(_) if is_refused => return Err(no_file()),
                    project => project?,
                };
                let known = project.find_file(file).ok_or_else(no_file)?;
                let asked = normalize_version(version).ok().map(|asked| crate::names::Release::of(asked.as_str()));
                if known.version == given || asked != Some(crate::names::Release::of(known.version.as_str())) {
                    return Err(no_file());
                }
                Ok(self.send(request, &allowed, &key, &known.version, &name, FILE_TYPE).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// `GET integrity/{project}/{version}/{file}/provenance`
    pub(crate) async fn get_provenance(
        &self,
        request: &RepositoryRequest,
        key: PackageKey,
        version: &str,
        file: &str,
    ) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        self.get_beside(request, &allowed, &key, (version, file), sidecar::PROVENANCE, attestations::CONTENT_TYPE).await
    }

    /// A stored asset, with ranges and conditions.
    async fn send(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        version: &VersionText,
        name: &AssetName,
        content_type: &'static str,
    ) -> Result<larder_http::Response> {
        let opened = self.services.downloads.open(allowed, key, version, name).await?;
        answer_asset(allowed, &request.method, &request.headers, opened, content_type).await
    }

    /// A small file beside a distribution: the stored one, or the public registry's.
    async fn get_beside(
        &self,
        request: &RepositoryRequest,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        (version, file): (&str, &str),
        suffix: &str,
        content_type: &'static str,
    ) -> Answer {
        let missing = || PypiError::not_found(format!("there is no '{file}{suffix}' in project '{}'", key.name()));
        let project = self.projects.get(allowed, key).await?;
        let release = project.find_release(version).ok_or_else(missing)?;
        let known = release.files.iter().find(|known| known.name.as_str() == file).ok_or_else(missing)?;
        if known.has_stored(suffix) {
            let name = AssetName::new(format!("{file}{suffix}")).map_err(|_| missing())?;
            return Ok(self.send(request, allowed, key, &known.version, &name, content_type).await?);
        }
        let bytes = self.relay(key, known, suffix).await?.ok_or_else(missing)?;
        let length = bytes.len();
        let mut answer = response::content(StatusCode::OK, content_type, bytes);
        if let Some(sha256) = known.core_metadata.as_ref().filter(|_| suffix == sidecar::METADATA)
            && let Ok(etag) = HeaderValue::from_str(&format!("\"{sha256}\""))
        {
            answer.headers_mut().insert(ETAG, etag);
        }
        if request.method == Method::HEAD {
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
            *answer.body_mut() = Body::empty();
        }
        Ok(answer)
    }

    /// The `METADATA` of a file, wherever it is; `None` if it has none that can be served.
    pub(crate) async fn core_metadata(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        file: &ProjectFile,
    ) -> Result<Option<Bytes>> {
        if !file.has_stored(sidecar::METADATA) {
            return self.relay(key, file, sidecar::METADATA).await;
        }
        let Ok(name) = AssetName::new(format!("{}{}", file.name, sidecar::METADATA)) else { return Ok(None) };
        let opened = self.services.downloads.open(allowed, key, &file.version, &name).await?;
        let content = stream(opened.read(None).await?)?;
        collect(content).await.map(Some)
    }

    /// Asks the public registry for what it says it has beside a file. Core metadata is compared with the hash that the
    /// index promises and kept in memory; signatures and provenance prove themselves to the client.
    async fn relay(&self, key: &PackageKey, file: &ProjectFile, suffix: &str) -> Result<Option<Bytes>> {
        let Some(relay) = &file.relay else { return Ok(None) };
        let Some(url) = address_beside(file, relay, suffix) else { return Ok(None) };
        let promised = file.core_metadata.as_ref().filter(|_| suffix == sidecar::METADATA);
        if let Some(bytes) = promised.and_then(|sha256| self.relayed.get(sha256)) {
            return Ok(Some(bytes));
        }
        let document = PypiFormat.index_request(key).map(|request| request.path).unwrap_or_default();
        let download = self.services.registries.open_file(relay.connection, &document, &url).await?;
        let bytes = collect(download.body).await?;
        if let Some(sha256) = promised {
            if hex::encode(Sha256::digest(&bytes)) != *sha256 {
                return Err(upstream(format!("the registry's '{}{suffix}' is not what its index promises", file.name)));
            }
            self.relayed.insert(sha256.clone(), bytes.clone());
        }
        Ok(Some(bytes))
    }
}

/// Where the registry has the file beside another, if it says that it has it.
fn address_beside(file: &ProjectFile, relay: &Relay, suffix: &str) -> Option<String> {
    match suffix {
        sidecar::METADATA => file.core_metadata.as_ref().map(|_| format!("{}{suffix}", relay.url)),
        sidecar::SIGNATURE => (file.gpg_sig == Some(true)).then(|| format!("{}{suffix}", relay.url)),
        _ => relay.provenance_url.clone(),
    }
}

fn upstream(message: String) -> Error {
    Error::Upstream { message, retry_after_seconds: None }
}

/// A small file's bytes.
async fn collect(content: ByteStream) -> Result<Bytes> {
    let limit = METADATA_LIMIT_BYTES;
    let all = content.map_err(|error| upstream(format!("a file beside a distribution broke off: {error}"))).try_fold(
        BytesMut::new(),
        |mut all, chunk| async move {
            if (all.len() + chunk.len()) as u64 > limit {
                return Err(upstream(format!("a file beside a distribution is larger than {limit} bytes")));
            }
            all.extend_from_slice(&chunk);
            Ok(all)
        },
    );
    all.await.map(BytesMut::freeze)
}

fn stream(blob: Blob) -> Result<ByteStream> {
    match blob {
        Blob::Memory(bytes) => Ok(Box::pin(futures_util::stream::iter([Ok(bytes)]))),
        Blob::Stream(stream) => Ok(stream),
        Blob::File(mut file) => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).map_err(Error::internal)?;
            Ok(Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes))])))
        }
    }
}
