//! The client as the transport of the object store.

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use larder_core::ports::{HttpTransport, IncomingResponse, OutgoingRequest};
use larder_core::{Error, Result};
use tokio::time::Instant;
use url::Url;

use crate::addresses::host_of;
use crate::client::{Call, Client, SendFailure};

#[async_trait]
impl HttpTransport for Client {
    async fn send(&self, request: OutgoingRequest) -> Result<IncomingResponse> {
        let url = Url::parse(&request.url).map_err(Error::internal)?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(Error::internal)?;
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers {
            let value = HeaderValue::try_from(value).map_err(Error::internal)?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let deadline = Instant::now() + self.settings().file_timeout;
        let call = Call { pool: self.operator(), method, url: &url, headers, body: request.body, deadline };
        let reply = Self::send(self, call).await.map_err(|failure| {
            let (SendFailure::Broken(why) | SendFailure::Failed(why)) = failure;
            Error::Unavailable { message: format!("no answer from {}", host_of(&url)), source: why.into() }
        })?;
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
        let headers = reply.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)));
        Ok(IncomingResponse {
            status: reply.status.as_u16(),
            headers: headers.collect(),
            body: reply.body.into_stream(),
        })
    }
}
