//! A public registry in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::error::{Error, ResourceType};
use larder_core::model::ExternalConnection;
use larder_core::ports::{Download, PublicRegistries, RegistryAnswer, RegistryRequest};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::samples::{integrity, tarball};

/// What it offers and what it was asked.
#[derive(Default)]
pub(crate) struct Registry {
    documents: Mutex<HashMap<String, Bytes>>,
    files: Mutex<HashMap<String, Bytes>>,
    asked: Mutex<Vec<String>>,
}

impl Registry {
    /// Offers a document at a path.
    pub(crate) fn offer(&self, path: &str, document: &Value) {
        self.documents.lock().expect("not poisoned").insert(path.to_owned(), document.to_string().into());
    }

    /// Offers a package of one version, and its tarball under any file name.
    pub(crate) fn offer_package(&self, name: &str, version: &str, file: &str) -> Vec<u8> {
        let tarball = tarball(name, version);
        let url = format!("http://registry.test/{name}/-/{file}");
        let document = json!({
            "_id": name, "name": name, "dist-tags": {"latest": version, "next": version},
            "versions": {version: {"name": name, "version": version, "dist": {
                "tarball": url, "integrity": integrity(&tarball), "shasum": hex::encode(Sha1::digest(&tarball)),
            }}},
            "time": {"created": "2020-01-01T00:00:00.000Z", version: "2020-01-02T03:04:05.678Z"},
        });
        self.offer(&name.replace('/', "%2f"), &document);
        self.files.lock().expect("not poisoned").insert(url, tarball.clone().into());
        tarball
    }

    /// What was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl PublicRegistries for Registry {
    fn is_configured(&self, _connection: ExternalConnection) -> bool {
        true
    }

    async fn fetch_document(
        &self,
        _connection: ExternalConnection,
        request: &RegistryRequest,
        _limit_bytes: usize,
    ) -> Result<RegistryAnswer, Error> {
        self.asked.lock().expect("not poisoned").push(request.path.clone());
        let found = self.documents.lock().expect("not poisoned").get(&request.path).cloned();
        Ok(found.map_or(RegistryAnswer::NotFound, |body| RegistryAnswer::Found {
            body,
            content_type: "application/json".to_owned(),
            etag: None,
            last_modified: None,
        }))
    }

    async fn open_file(&self, _connection: ExternalConnection, _document: &str, url: &str) -> Result<Download, Error> {
        self.asked.lock().expect("not poisoned").push(url.to_owned());
        let found = self.files.lock().expect("not poisoned").get(url).cloned();
        let body = found.ok_or_else(|| Error::not_found(ResourceType::Asset, url, "the registry has no such file"))?;
        let size_bytes = Some(body.len() as u64);
        Ok(Download { size_bytes, body: Box::pin(futures_util::stream::iter([Ok(body)])) })
    }
}
