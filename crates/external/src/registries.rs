//! The public registries.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use larder_core::error::ResourceType;
use larder_core::model::ExternalConnection;
use larder_core::ports::{Download, OutgoingBody, PublicRegistries, RegistryAnswer, RegistryQuestion, RegistryRequest};
use larder_core::{Error, Result};
use tokio::time::Instant;

use crate::addresses::{Purpose, host_of};
use crate::answer::{Encoding, refusal, retry_after_seconds, text};
use crate::client::{Client, Pool, Reply, SendFailure};
use crate::configuration::{FileHosts, Registry, RegistryAddress};
use crate::exchange::Exchange;
use crate::guard::{Discovery, Guard, is_public};

const JSON: &str = "application/json";

/// The public registries that have an address.
pub struct Registries {
    client: Client,
    registries: ArcSwap<HashMap<ExternalConnection, Arc<Registry>>>,
}

impl Registries {
    /// Takes the configured addresses.
    ///
    /// # Errors
    /// [`Error::Validation`] naming the connection whose address is wrong.
    pub fn new(client: Client, addresses: &HashMap<ExternalConnection, RegistryAddress>) -> Result<Self> {
        Ok(Self { client, registries: ArcSwap::from_pointee(checked(addresses)?) })
    }

    /// Replaces all addresses. Requests that are running finish with the old ones.
    ///
    /// # Errors
    /// As [`Registries::new`]; the old addresses stay then.
    pub fn replace(&self, addresses: &HashMap<ExternalConnection, RegistryAddress>) -> Result<()> {
        self.registries.store(Arc::new(checked(addresses)?));
        Ok(())
    }

    fn get(&self, connection: ExternalConnection) -> Result<Arc<Registry>> {
        self.registries.load().get(&connection).cloned().ok_or_else(|| Error::Upstream {
            message: format!(
                "{connection} has no address; set url in [external_connections.\"{connection}\"] of larder.toml, or run \
                 'larder external detect'"
            ),
            retry_after_seconds: None,
        })
    }

    /// Connections to hosts that only the registry's documents name, if those are allowed.
    async fn discovered<'a>(&self, registry: &'a Registry) -> Option<&'a Pool> {
        let found = registry.discovered.get_or_try_init(|| async {
            let https = registry.base.scheme() == "https";
            let public = match registry.file_hosts {
                FileHosts::Listed => return Ok(None),
                FileHosts::Automatic if !https => return Ok(None),
                FileHosts::Automatic => is_public(&registry.base).await?,
                FileHosts::Discover => true,
            };
            let own_host = registry.base.host_str().filter(|_| https && registry.base.port().is_none());
            let discovery = Discovery { public, own_host: own_host.map(str::to_owned) };
            Ok(Some(self.client.pool(Guard::Registry(discovery))))
        });
        // Without DNS there is no answer now; the next file asks again.
        found.await.unwrap_or_else(|_: std::io::Error| &None).as_ref()
    }
}

fn checked(
    addresses: &HashMap<ExternalConnection, RegistryAddress>,
) -> Result<HashMap<ExternalConnection, Arc<Registry>>> {
    let check = |(connection, address): (&ExternalConnection, &RegistryAddress)| {
        let registry = Registry::try_from(address)
            .map_err(|invalid| invalid.in_field(format!("external_connections.\"{connection}\"")))?;
        Ok((*connection, Arc::new(registry)))
    };
    addresses.iter().map(check).collect()
}

#[async_trait]
impl PublicRegistries for Registries {
    fn is_configured(&self, connection: ExternalConnection) -> bool {
        self.registries.load().contains_key(&connection)
    }

    async fn fetch_document(
        &self,
        connection: ExternalConnection,
        request: &RegistryRequest,
        limit_bytes: usize,
    ) -> Result<RegistryAnswer> {
        let registry = self.get(connection)?;
        let what = request.reference.as_deref().and_then(|found| found.split(['?', '#']).next());
        let question = Question { connection, registry: &registry, what: what.unwrap_or(&request.path) };
        let url = match &request.reference {
            Some(found) => registry.file_url("", found),
            None => registry.document_url(&request.path),
        };
        let url = url.map_err(|why| question.failed(&why))?;
        let headers = document_headers(request);
        let mut exchange = Exchange {
            client: &self.client,
            registry: &registry,
            purpose: Purpose::Document,
            discovered: None,
            deadline: Instant::now() + self.client.settings().document_timeout,
            may_retry: true,
        };
        loop {
            let reply = exchange.get(&url, &headers).await.map_err(|failure| question.unsent(failure))?;
            match reply.status {
                StatusCode::OK => {}
                StatusCode::NOT_MODIFIED if request.etag.is_some() || request.last_modified.is_some() => {
                    return Ok(RegistryAnswer::NotModified);
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(RegistryAnswer::NotFound),
                _ => return Err(question.refused(&reply)),
            }
            match read_document(reply, limit_bytes).await {
                Ok(found) => return Ok(found),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof && exchange.take_retry() => {}
                Err(error) => return Err(question.failed(&error.to_string())),
            }
        }
    }

    async fn ask(
        &self,
        connection: ExternalConnection,
        asked: &RegistryQuestion,
        limit_bytes: usize,
    ) -> Result<RegistryAnswer> {
        let registry = self.get(connection)?;
        let question = Question { connection, registry: &registry, what: &asked.path };
        let url = registry.document_url(&asked.path).map_err(|why| question.failed(&why))?;
        let exchange = Exchange {
            client: &self.client,
            registry: &registry,
            purpose: Purpose::Document,
            discovered: None,
            deadline: Instant::now() + self.client.settings().document_timeout,
            may_retry: false,
        };
        let mut headers = document_headers(&RegistryRequest { accept: JSON, ..RegistryRequest::default() });
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        let body = asked.body.clone();
        let body =
            OutgoingBody { length_bytes: body.len() as u64, stream: Box::pin(futures_util::stream::iter([Ok(body)])) };
        let reply = exchange.post(&url, &headers, body).await.map_err(|failure| question.unsent(failure))?;
        match reply.status {
            StatusCode::OK => {
                read_document(reply, limit_bytes).await.map_err(|error| question.failed(&error.to_string()))
            }
            // What a registry says that has no such service.
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                Ok(RegistryAnswer::NotFound)
            }
            _ => Err(question.refused(&reply)),
        }
    }

    async fn open_file(&self, connection: ExternalConnection, document_path: &str, url: &str) -> Result<Download> {
        let registry = self.get(connection)?;
        // A query may be a signature.
        let what = url.split(['?', '#']).next().unwrap_or_default();
        let question = Question { connection, registry: &registry, what };
        let url = registry.file_url(document_path, url).map_err(|why| question.failed(&why))?;
        let discovered = self.discovered(&registry).await;
        let mut exchange = Exchange {
            client: &self.client,
            registry: &registry,
            purpose: Purpose::File { discover: discovered.is_some() },
            discovered,
            deadline: Instant::now() + self.client.settings().file_timeout,
            may_retry: true,
        };
        let reply = exchange.get(&url, &file_headers()).await.map_err(|failure| question.unsent(failure))?;
        match reply.status {
            StatusCode::OK => {
                let size_bytes = text(&reply.headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
                Ok(Download { size_bytes, body: reply.body.into_stream() })
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(Error::not_found(ResourceType::Asset, what, format!("{connection} has no file '{what}'")))
            }
            _ => Err(question.refused(&reply)),
        }
    }
}

/// What was asked of whom, for sentences.
struct Question<'a> {
    connection: ExternalConnection,
    registry: &'a Registry,
    what: &'a str,
}

impl Question<'_> {
    fn failed(&self, why: &str) -> Error {
        self.error(why, None)
    }

    fn unsent(&self, failure: SendFailure) -> Error {
        let (SendFailure::Broken(why) | SendFailure::Failed(why)) = failure;
        self.error(&why, None)
    }

    fn refused(&self, reply: &Reply) -> Error {
        self.error(&refusal(reply.status), retry_after_seconds(&reply.headers, SystemTime::now()))
    }

    fn error(&self, why: &str, retry_after_seconds: Option<u32>) -> Error {
        let (connection, host, what) = (self.connection, host_of(&self.registry.base), self.what);
        let message = format!("{connection} at {host} did not give '{what}': {why}");
        Error::Upstream { message, retry_after_seconds }
    }
}

fn document_headers(request: &RegistryRequest) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(request.accept));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let mut put = |name: HeaderName, value: &Option<String>| {
        // A validator that is no header value came from no header: without it, the whole document is asked for.
        if let Some(Ok(value)) = value.as_ref().map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    };
    put(header::IF_NONE_MATCH, &request.etag);
    put(header::IF_MODIFIED_SINCE, &request.last_modified);
    headers
}

/// Files are stored as they are: nothing on the way may encode them.
fn file_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

async fn read_document(reply: Reply, limit_bytes: usize) -> std::io::Result<RegistryAnswer> {
    let encoding = Encoding::of(&reply.headers).map_err(std::io::Error::other)?;
    let owned = |name| text(&reply.headers, name).map(str::to_owned);
    let content_type = owned(header::CONTENT_TYPE).unwrap_or_default();
    let (etag, last_modified) = (owned(header::ETAG), owned(header::LAST_MODIFIED));
    let encoded = reply.body.collect(limit_bytes).await?;
    let body: Bytes = match encoding {
        Encoding::Identity => encoded,
        Encoding::Gzip => tokio::task::spawn_blocking(move || encoding.decode(encoded, limit_bytes))
            .await
            .map_err(std::io::Error::other)??,
    };
    Ok(RegistryAnswer::Found { body, content_type, etag, last_modified })
}

#[cfg(test)]
mod tests;
