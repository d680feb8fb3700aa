//! Webhooks: events posted to an address of the configuration, signed as Standard Webhooks has it.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use larder_core::error::Invalid;
use larder_core::ports::{EventMessage, EventSender, OutgoingBody};
use sha2::Sha256;
use tokio::time::Instant;
use url::Url;

use crate::client::{Call, Client, SendFailure};

/// What secrets begin with; base64 of 24 to 64 bytes follows.
const SECRET_PREFIX: &str = "whsec_";

/// One receiver.
pub struct Webhook {
    client: Client,
    url: Url,
    /// It has no `Debug`: it is a secret.
    secret: Vec<u8>,
    headers: HeaderMap,
}

impl Webhook {
    /// A receiver at `url`, with further headers for every request.
    ///
    /// # Errors
    /// [`Invalid`] for an address that is not `http(s)`, a secret of another form, or a header that is none.
    pub fn new<'a>(
        client: Client,
        url: &str,
        secret: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Invalid> {
        let url = Url::parse(url).map_err(|error| Invalid::new(format!("'{url}' is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Invalid::new(format!("'{url}' must be http:// or https://")));
        }
        let secret = secret.strip_prefix(SECRET_PREFIX).and_then(|text| BASE64.decode(text).ok());
        let secret = secret.filter(|secret| (24..=64).contains(&secret.len())).ok_or_else(|| {
            Invalid::new("the secret must be whsec_ and the base64 of 24 to 64 random bytes, such as whsec_$(openssl rand -base64 32)")
        })?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let bad = |_| Invalid::new(format!("'{name}' is not a header with a value that can be sent"));
            let value = HeaderValue::try_from(value).map_err(|_| bad(()))?;
            map.insert(HeaderName::try_from(name).map_err(|_| bad(()))?, value);
        }
        Ok(Self { client, url, secret, headers: map })
    }

    /// `webhook-signature`: version 1, the HMAC-SHA256 of id, timestamp and body.
    fn signature(&self, id: &str, timestamp: &str, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}

#[async_trait]
impl EventSender for Webhook {
    async fn send(&self, message: &EventMessage) -> Result<(), String> {
        let id = format!("evt_{}", message.id);
        let timestamp = message.at.seconds().to_string();
        let signature = self.signature(&id, &timestamp, &message.body);
        let mut headers = self.headers.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::try_from(value).map_err(|error| error.to_string())?,
            );
        }
        let body = Bytes::from(message.body.clone());
        let length = body.len();
        headers.insert(header::CONTENT_LENGTH, length.into());
        let stream = Box::pin(futures_util::stream::once(async move { Ok(body) }));
        let body = Some(OutgoingBody { length_bytes: length as u64, stream });
        let deadline = Instant::now() + self.client.settings().document_timeout;
        let call = Call { pool: self.client.operator(), method: Method::POST, url: &self.url, headers, body, deadline };
        match self.client.send(call).await {
            Ok(reply) if reply.status.is_success() => Ok(()),
            Ok(reply) => Err(format!("the receiver answered {}", reply.status)),
            Err(SendFailure::Broken(why) | SendFailure::Failed(why)) => Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientSettings;

    fn webhook(secret: &str) -> Result<Webhook, Invalid> {
        Webhook::new(Client::new(ClientSettings::default()), "http://127.0.0.1:1/hook", secret, [("x-from", "larder")])
    }

    #[test]
    fn signatures_are_those_of_the_specification() {
        // The example that the libraries of Standard Webhooks are tested with.
        let hook = webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a receiver");
        assert_eq!(
            hook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn secrets_of_another_form_are_refused() {
        for secret in ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!"] {
            assert!(webhook(secret).is_err(), "{secret}");
        }
    }
}
