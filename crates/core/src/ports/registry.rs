//! Requests to public registries: the only outgoing traffic. Addresses are configuration.

use async_trait::async_trait;

use super::ByteStream;
use crate::error::Result;
use crate::model::ExternalConnection;

/// The public registries that the operator gave addresses for.
#[async_trait]
pub trait PublicRegistries: Send + Sync + 'static {
    /// Whether an address is configured.
    fn is_configured(&self, connection: ExternalConnection) -> bool;

    /// Fetches a document, decoded, at most `limit_bytes` long; retries once on a broken connection.
    ///
    /// # Errors
    /// [`crate::Error::Upstream`] for anything but found, not modified and not there.
    async fn fetch_document(
        &self,
        connection: ExternalConnection,
        request: &RegistryRequest,
        limit_bytes: usize,
    ) -> Result<RegistryAnswer>;

    /// Asks a service of the registry something that needs a body (`POST`). It is sent once, and no redirect is followed
    /// with it. Unless a registry takes such questions, it has nothing to say.
    ///
    /// # Errors
    /// As [`PublicRegistries::fetch_document`].
    async fn ask(
        &self,
        _connection: ExternalConnection,
        _question: &RegistryQuestion,
        _limit_bytes: usize,
    ) -> Result<RegistryAnswer> {
        Ok(RegistryAnswer::NotFound)
    }

    /// Opens a file: an address found in a document, relative to the document's path or absolute. Addresses outside
    /// the configured origin and its allow-list are refused.
    ///
    /// # Errors
    /// [`crate::Error::ResourceNotFound`] if the registry has no such file, else [`crate::Error::Upstream`].
    async fn open_file(&self, connection: ExternalConnection, document_path: &str, url: &str) -> Result<Download>;
}

/// The documents of one public registry.
#[async_trait]
pub trait RegistryDocuments: Send + Sync {
    /// As [`PublicRegistries::fetch_document`].
    async fn get(&self, request: &RegistryRequest, limit_bytes: usize) -> Result<RegistryAnswer>;
}

/// A document to ask for.
#[derive(Debug, Clone, Default)]
pub struct RegistryRequest {
    /// Below the connection's address, percent-encoded as the registry's own clients do.
    pub path: String,
    /// Where another document says that this one is: absolute, or relative to the connection's address. It stands for
    /// `path` then, and is refused if it leads to a host that is not configured.
    pub reference: Option<String>,
    pub accept: &'static str,
    /// Validators of what is held.
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// What a service of a registry is asked.
#[derive(Debug, Clone)]
pub struct RegistryQuestion {
    /// Below the connection's address, percent-encoded.
    pub path: String,
    /// A JSON document.
    pub body: bytes::Bytes,
}

/// What the registry said.
#[derive(Debug, Clone)]
pub enum RegistryAnswer {
    Found {
        body: bytes::Bytes,
        content_type: String,
        etag: Option<String>,
        last_modified: Option<String>,
    },
    NotModified,
    /// 404 or 410.
    NotFound,
}

/// A file being downloaded.
pub struct Download {
    /// `Content-Length`, if the registry sent it; a shorter body ends in an error.
    pub size_bytes: Option<u64>,
    pub body: ByteStream,
}
