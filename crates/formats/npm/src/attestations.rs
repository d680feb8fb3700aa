//! Provenance: bundles that accompany a publish, and the endpoints `npm audit signatures` asks (protocols 1.8).

use std::collections::HashSet;
use std::io::Read as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::StatusCode;
use larder_core::error::{Error, Invalid};
use larder_core::model::{AssetName, ExternalConnection, PackageFormat, Repository};
use larder_core::ports::{Blob, Format as _, RegistryAnswer, RegistryRequest};
use larder_core::services::Layer;
use larder_http::{RepositoryRequest, response};
use serde::Deserialize;

use crate::error::NpmError;
use crate::external::Npm;
use crate::json::Members;
use crate::names;
use crate::publish::BUNDLE;
use crate::routes::{Answer, Routes};

/// A Sigstore bundle, as far as it is looked into.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

/// An in-toto statement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha512: String,
}

/// Checks that a bundle speaks of this version and this tarball, and answers its predicate type. Its signature is for
/// clients to verify.
///
/// # Errors
/// [`Invalid`] with what does not fit.
pub(crate) fn check_bundle(bundle: &str, name: &str, number: &str, sha512: &[u8; 64]) -> Result<String, Invalid> {
    let statement = statement(bundle)?;
    let [subject] = &statement.subject[..] else {
        return Err(Invalid::new("the provenance speaks of more than one subject, or of none"));
    };
    let wanted = format!("pkg:npm/{}@{number}", name.replace('@', "%40"));
    if subject.name != wanted {
        return Err(Invalid::new(format!("the provenance is of '{:.200}', not of '{wanted}'", subject.name)));
    }
    if !subject.digest.sha512.eq_ignore_ascii_case(&hex::encode(sha512)) {
        return Err(Invalid::new("the provenance is of a tarball with another SHA-512"));
    }
    Ok(statement.predicate_type)
}

fn statement(bundle: &str) -> Result<Statement, Invalid> {
    let malformed =
        |error: serde_json::Error| Invalid::new(format!("the provenance is not a Sigstore bundle: {error}"));
    let bundle: Bundle = serde_json::from_str(bundle).map_err(malformed)?;
    let payload = STANDARD
        .decode(bundle.dsse_envelope.payload)
        .map_err(|_| Invalid::new("the provenance has a payload that is not Base64"))?;
    serde_json::from_slice(&payload).map_err(malformed)
}

/// The answer to a client's question: `{"attestations":[{"predicateType":…,"bundle":…}]}`.
///
/// # Errors
/// [`Invalid`] when what was stored is not a bundle.
pub(crate) fn answer(bundle: &[u8]) -> Result<Vec<u8>, Invalid> {
    let bundle = std::str::from_utf8(bundle).map_err(|_| Invalid::new("the provenance is not text"))?;
    let predicate = serde_json::Value::from(statement(bundle)?.predicate_type);
    Ok(format!("{{\"attestations\":[{{\"predicateType\":{predicate},\"bundle\":{bundle}}}]}}").into_bytes())
}

/// What a public registry may answer.
const RELAY_LIMIT_BYTES: usize = 16 << 20;
/// Repositories looked at for one that has a connection, as many as a download searches.
const SEARCH_LIMIT: usize = 25;

impl Routes {
    /// `GET /-/npm/v1/attestations/{package}@{version}`: the bundle that was published with the version, or what the
    /// public registry that offers the version has.
    pub(crate) async fn get_attestations(&self, request: &RepositoryRequest, spec: &str) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let missing = || NpmError::not_found(format!("there are no attestations of '{spec}'"));
        let (name, number) = spec.rsplit_once('@').filter(|(name, _)| !name.is_empty()).ok_or_else(missing)?;
        let key = names::package_key(name).map_err(|_| missing())?;
        let version = names::coordinate(number).map_err(|_| missing())?;
        let asset = AssetName::new(BUNDLE).map_err(Error::internal)?;
        match self.services.downloads.open(&allowed, &key, &version, &asset).await {
            Ok(opened) => {
                let bundle = collect(opened.read(None).await?).await?;
                let answer = answer(&bundle).map_err(|error| Error::internal(error.to_string()))?;
                Ok(response::content(StatusCode::OK, "application/json", answer))
            }
            Err(Error::ResourceNotFound { .. }) => {
                let view = self.services.index.view(&allowed, &key).await?;
                let offers = view.layers.iter().find_map(|layer| match layer {
                    // Of versions that it offers, that is: not of what is held back.
                    Layer::Registry { connection, index, .. } => {
                        let offered = Npm.promise(&key, index, &version).ok().flatten();
                        offered.map(|_| *connection)
                    }
                    Layer::Hosted { .. } => None,
                });
                let spec = format!("{}@{}", names::display_name(&key).replace('/', "%2f"), version);
                self.relay(offers.ok_or_else(missing)?, format!("-/npm/v1/attestations/{spec}")).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// `GET /-/npm/v1/keys`: Larder does not sign; the keys of the public registry verify what comes from there.
    pub(crate) async fn get_keys(&self, request: &RepositoryRequest) -> Answer {
        request.may_read(&self.services.access).await?;
        let unsigned = || NpmError::not_found("this registry does not sign");
        let connection = self.find_connection(&request.target.repository).await?.ok_or_else(unsigned)?;
        self.relay(connection, "-/npm/v1/keys".to_owned()).await
    }

    /// The first connection in search order.
    pub(crate) async fn find_connection(
        &self,
        start: &Arc<Repository>,
    ) -> Result<Option<ExternalConnection>, NpmError> {
        let mut seen = HashSet::new();
        let mut next = vec![start.id];
        while let Some(id) = next.pop() {
            if seen.len() == SEARCH_LIMIT || !seen.insert(id) {
                continue;
            }
            let Some(repository) = self.services.store.find_repository_by_id(id).await? else { continue };
            let connection = repository.external_connection;
            if let Some(connection) = connection.filter(|connection| connection.format() == PackageFormat::Npm) {
                return Ok(Some(connection));
            }
            next.extend(repository.upstreams.iter().rev().map(|upstream| upstream.id));
        }
        Ok(None)
    }

    async fn relay(&self, connection: ExternalConnection, path: String) -> Answer {
        let request = RegistryRequest { path, accept: "application/json", ..RegistryRequest::default() };
        match self.services.registries.fetch_document(connection, &request, RELAY_LIMIT_BYTES).await? {
            // Parsed, so that an error page in disguise is not passed on.
            RegistryAnswer::Found { body, .. } if Members::parse(&body).is_some() => {
                Ok(response::content(StatusCode::OK, "application/json", body))
            }
            RegistryAnswer::Found { .. } => {
                Err(NpmError::new(StatusCode::BAD_GATEWAY, "the public registry did not answer with JSON"))
            }
            RegistryAnswer::NotModified | RegistryAnswer::NotFound => {
                Err(NpmError::not_found("the public registry has nothing at this address"))
            }
        }
    }
}

/// A small blob in memory.
async fn collect(blob: Blob) -> Result<Bytes, Error> {
    match blob {
        Blob::Memory(bytes) => Ok(bytes),
        Blob::File(mut file) => tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes.into())
        })
        .await
        .map_err(Error::internal)?
        .map_err(Error::internal),
        Blob::Stream(mut stream) => {
            let mut bytes = Vec::new();
            while let Some(chunk) = stream.try_next().await.map_err(Error::internal)? {
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes.into())
        }
    }
}
