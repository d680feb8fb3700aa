use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::Result;
use larder_core::error::{Error, ResourceType};
use larder_core::model::ExternalConnection;
use larder_core::ports::{Download, PublicRegistries, RegistryAnswer, RegistryQuestion, RegistryRequest};
use sha2::{Digest as _, Sha256};

/// When everything in the registry was last changed.
pub const LAST_MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// A public registry: documents and files by address, relative to that of the connection or absolute. Every connection
/// leads to it.
#[derive(Default)]
pub struct Registry {
    offered: Mutex<HashMap<String, Offered>>,
    is_down: AtomicBool,
    asked: Mutex<Vec<String>>,
    questions: Mutex<Vec<Bytes>>,
}

#[derive(Clone)]
struct Offered {
    content_type: String,
    bytes: Bytes,
}

impl Registry {
    /// Offers a document or file, instead of what was there.
    pub fn put(&self, address: &str, bytes: impl Into<Bytes>) {
        self.put_typed(address, "text/plain", bytes);
    }

    /// Offers a document of this media type.
    pub fn put_typed(&self, address: &str, content_type: &str, bytes: impl Into<Bytes>) {
        let offered = Offered { content_type: content_type.to_owned(), bytes: bytes.into() };
        self.offered().insert(address.to_owned(), offered);
    }

    /// Changes the text of a document; one that is not there is empty.
    pub fn edit(&self, address: &str, change: impl FnOnce(&mut String)) {
        let mut text = self.offered().get(address).map_or_else(String::new, |offered| text(&offered.bytes));
        change(&mut text);
        self.put(address, text);
    }

    /// Whether it fails to answer.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// What it was asked for, also while it was down, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    /// How many requests ended with this text.
    #[must_use]
    pub fn times_asked(&self, end: &str) -> usize {
        lock(&self.asked).iter().filter(|address| address.ends_with(end)).count()
    }

    /// The bodies of the questions that were put to its services, in order.
    #[must_use]
    pub fn questions(&self) -> Vec<Bytes> {
        lock(&self.questions).clone()
    }

    fn find(&self, address: &str) -> Result<Option<Offered>> {
        lock(&self.asked).push(address.to_owned());
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::Upstream { message: "the registry is down".to_owned(), retry_after_seconds: None });
        }
        Ok(self.offered().get(address).cloned())
    }

    fn offered(&self) -> MutexGuard<'_, HashMap<String, Offered>> {
        lock(&self.offered)
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
    ) -> Result<RegistryAnswer> {
        let address = request.reference.as_ref().unwrap_or(&request.path);
        let Some(Offered { content_type, bytes }) = self.find(address)? else {
            return Ok(RegistryAnswer::NotFound);
        };
        let etag = Some(hex::encode(Sha256::digest(&bytes)));
        if request.etag == etag {
            return Ok(RegistryAnswer::NotModified);
        }
        let last_modified = Some(LAST_MODIFIED.to_owned());
        Ok(RegistryAnswer::Found { body: bytes, content_type, etag, last_modified })
    }

    async fn ask(
        &self,
        _connection: ExternalConnection,
        question: &RegistryQuestion,
        _limit_bytes: usize,
    ) -> Result<RegistryAnswer> {
        lock(&self.questions).push(question.body.clone());
        Ok(match self.find(&question.path)? {
            Some(Offered { content_type, bytes }) => {
                RegistryAnswer::Found { body: bytes, content_type, etag: None, last_modified: None }
            }
            None => RegistryAnswer::NotFound,
        })
    }

    async fn open_file(&self, _connection: ExternalConnection, document_path: &str, url: &str) -> Result<Download> {
        let found = self.find(&resolve(document_path, url))?;
        let bytes = found.ok_or_else(|| Error::not_found(ResourceType::Asset, url, "no such file"))?.bytes;
        let size_bytes = Some(bytes.len() as u64);
        Ok(Download { size_bytes, body: Box::pin(futures_util::stream::iter([Ok(bytes)])) })
    }
}

/// What a link in a document leads to (RFC 3986 section 5.2, as far as registries go).
fn resolve(document_path: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let mut segments: Vec<&str> = document_path.split('/').collect();
    segments.pop();
    for segment in link.split('/') {
        match segment {
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_where_a_client_follows_them() {
        for (document, link, address) in [
            ("info/rack", "../gems/rack-1.gem", "gems/rack-1.gem"),
            ("foo/", "../../f/foo.whl", "f/foo.whl"),
            ("com/acme/lib/1.0/lib.jar.sha1", "lib.jar", "com/acme/lib/1.0/lib.jar"),
            ("config.json", "https://files.test/a", "https://files.test/a"),
        ] {
            assert_eq!(resolve(document, link), address);
        }
    }
}
