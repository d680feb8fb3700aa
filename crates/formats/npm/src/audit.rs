//! `POST /-/npm/v1/security/advisories/bulk` (protocols 1.8): Larder has no advisories of its own, the public registry has.
//!
//! A question names every package of a project, the private ones too. So it is not passed on: of the packages that it
//! names, the registry is asked about those that it told of itself, as far as Larder remembers. What is published here,
//! what origin controls keep from the registry, and what nobody has asked the registry for yet, stays here.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::OriginType;
use larder_core::ports::{RegistryAnswer, RegistryQuestion};
use larder_core::services::{Layer, Rendered, Sources, View};
use larder_core::{Error, Result};
use larder_http::{RepositoryRequest, RequestBody, response};

use crate::error::NpmError;
use crate::json::{Members, ObjectWriter};
use crate::names;
use crate::routes::{Answer, Routes, not_offered};

const PATH: &str = "-/npm/v1/security/advisories/bulk";
/// A project of 20,000 packages sends less than one megabyte.
const QUESTION_LIMIT_BYTES: u64 = 4 << 20;
const NAMES_LIMIT: usize = 20_000;
const ANSWER_LIMIT_BYTES: usize = 32 << 20;
/// What is remembered of a package whose name the registry may be told.
const PUBLIC: &[u8] = b"public";

impl Routes {
    /// Answers with the advisories that the public registry has of public packages.
    pub(crate) async fn get_advisories(&self, request: &RepositoryRequest, body: RequestBody) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let body = body.collect_decoded(&request.headers, QUESTION_LIMIT_BYTES).await?;
        let asked: BTreeMap<String, Vec<String>> = serde_json::from_slice(&body)
            .map_err(|error| NpmError::bad_request(format!("the body is not versions by package name: {error}")))?;
        if asked.len() > NAMES_LIMIT {
            let message = format!("one question may name {NAMES_LIMIT} packages");
            return Err(NpmError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        // "Nothing known" would be taken for "nothing wrong".
        let none = || not_offered("this registry has no advisories, nor a public registry to ask for them");
        let source = self.find_connection(&request.target.repository).await?;
        let source = source.filter(|source| self.services.registries.is_configured(*source)).ok_or_else(none)?;
        let mut public = BTreeMap::new();
        for (name, versions) in &asked {
            if self.is_public(&allowed, name).await? {
                public.insert(name.as_str(), versions);
            }
        }
        // Also if that is none: whether the registry has advisories at all is for it to say.
        let body = serde_json::to_vec(&public).map_err(Error::internal)?;
        let question = RegistryQuestion { path: PATH.to_owned(), body: body.into() };
        match self.services.registries.ask(source, &question, ANSWER_LIMIT_BYTES).await? {
            RegistryAnswer::Found { body, .. } => {
                let told = Members::parse(&body).ok_or_else(|| {
                    NpmError::new(StatusCode::BAD_GATEWAY, "the public registry did not answer with advisories")
                })?;
                Ok(response::content(StatusCode::OK, "application/json", only(&told, &public)))
            }
            RegistryAnswer::NotModified | RegistryAnswer::NotFound => Err(none()),
        }
    }

    /// Whether the registry told of this package itself and nobody published under its name here.
    async fn is_public(&self, allowed: &Allowed<RepositoryTarget>, name: &str) -> Result<bool> {
        let Ok(key) = names::package_key(name) else { return Ok(false) };
        if names::display_name(&key) != name {
            return Ok(false);
        }
        let render = |view: &View| -> Result<Rendered> {
            let body = if is_of_registry(view) { Bytes::from_static(PUBLIC) } else { Bytes::new() };
            Ok(Rendered { content_type: "text/plain", body, last_modified: None, headers: Vec::new() })
        };
        match self.services.index.document_of(allowed, &key, Sources::Held, "is public", render).await {
            Ok(document) => Ok(&document.body[..] == PUBLIC),
            Err(Error::ResourceNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_of_registry(view: &View) -> bool {
    let is_offered = view.layers.iter().any(|layer| matches!(layer, Layer::Registry { .. }));
    let is_published_here = view.layers.iter().any(|layer| match layer {
        Layer::Hosted { package, .. } => {
            package.versions.iter().any(|version| version.origin.origin_type() != OriginType::External)
        }
        Layer::Registry { .. } => false,
    });
    is_offered && !is_published_here
}

/// What is told of packages that were asked about.
fn only(told: &Members<'_>, asked: &BTreeMap<&str, &Vec<String>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = ObjectWriter::new(&mut out);
    for (name, advisories) in told.iter().filter(|(name, _)| asked.contains_key(name)) {
        object.raw(name, advisories.get());
    }
    object.end();
    out
}
