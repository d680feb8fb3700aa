//! The signing keys of OpenID Connect issuers: their discovery document, and the JWK set that it names.
//!
//! Accounts of the server register issuers, so an issuer leads to public addresses over `https` only. An issuer that the
//! operator lists may be inside, and without encryption if it is on this machine. Redirects are not followed.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use larder_core::ports::IssuerKeys;
use larder_core::{Error, Result};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::addresses::{follow, host_of};
use crate::answer::refusal;
use crate::client::{Call, Client, Pool, SendFailure};
use crate::guard::{Discovery, Guard, literal};
use crate::reach::Reach;

/// The largest discovery document; real ones have 2 KiB.
const DISCOVERY_LIMIT_BYTES: usize = 64 * 1024;
/// The largest JWK set; real ones have 10 KiB.
const KEYS_LIMIT_BYTES: usize = 256 * 1024;
/// Until the keys are here, discovery included: somebody waits for them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches the keys of issuers.
pub struct Issuers {
    client: Client,
    /// Issuers that may lead into the operator's own network.
    internal: HashSet<String>,
    /// Connections to all other issuers.
    public: Pool,
}

#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    jwks_uri: String,
}

impl Issuers {
    /// `internal`: the URLs of issuers that may have addresses that are not public, and `http` if they are on this machine.
    ///
    /// # Errors
    /// [`Error::Validation`] for an address that is no issuer's.
    pub fn new(client: Client, internal: impl IntoIterator<Item = String>) -> Result<Self> {
        let internal: HashSet<String> = internal.into_iter().collect();
        for issuer in &internal {
            let field = "web-identity.internal-issuers";
            issuer_url(issuer, true).map_err(|why| Error::validation(field, format!("'{issuer}': {why}")))?;
        }
        let public = client.pool(Guard::Registry(Discovery { public: true, own_host: None }));
        Ok(Self { client, internal, public })
    }

    async fn fetch(&self, issuer: &str, deadline: Instant) -> Result<Bytes, String> {
        let internal = self.internal.contains(issuer);
        let base = issuer_url(issuer, internal)?;
        let pool = if internal { self.client.operator() } else { &self.public };
        // OpenID Connect Discovery 1.0, section 4: appended to the issuer's path.
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|error| error.to_string())?;
        let document = self.get(pool, &address, DISCOVERY_LIMIT_BYTES, deadline).await?;
        let document: DiscoveryDocument =
            serde_json::from_slice(&document).map_err(|_| "its discovery document cannot be read".to_owned())?;
        if document.issuer != issuer {
            return Err("its discovery document is another issuer's".to_owned());
        }
        let keys = follow(&address, &document.jwks_uri)?;
        if keys.origin() != base.origin() {
            if internal {
                return Err("its discovery document names keys on another host".to_owned());
            }
            check_public(&keys)?;
        }
        self.get(pool, &keys, KEYS_LIMIT_BYTES, deadline).await
    }

    async fn get(&self, pool: &Pool, url: &Url, limit_bytes: usize, deadline: Instant) -> Result<Bytes, String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let call = Call { pool, method: Method::GET, url, headers, body: None, deadline };
        let exchange = async {
            let reply = self.client.send(call).await.map_err(|failure| {
                let (SendFailure::Broken(why) | SendFailure::Failed(why)) = failure;
                why
            })?;
            if reply.status != StatusCode::OK {
                return Err(refusal(reply.status));
            }
            reply.body.collect(limit_bytes).await.map_err(|error| error.to_string())
        };
        timeout_at(deadline, exchange).await.unwrap_or_else(|_| Err("it took too long".to_owned()))
    }
}

#[async_trait]
impl IssuerKeys for Issuers {
    async fn fetch_keys(&self, issuer: &str) -> Result<Bytes> {
        self.fetch(issuer, Instant::now() + PATIENCE).await.map_err(|why| {
            let host = Url::parse(issuer).map_or_else(|_| issuer.to_owned(), |url| host_of(&url).to_owned());
            Error::Upstream { message: format!("the identity provider {host}: {why}"), retry_after_seconds: None }
        })
    }
}

/// Checks the URL of an issuer.
fn issuer_url(issuer: &str, internal: bool) -> Result<Url, String> {
    let url = Url::parse(issuer).map_err(|error| format!("it is not a URL: {error}"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an issuer has no query and no fragment".to_owned());
    }
    let here = || url.host_str() == Some("localhost") || literal(&url).is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" if internal => {}
        "https" => check_public(&url)?,
        "http" if internal && here() => {}
        "http" if internal => return Err("http is for issuers on this machine only; use https".to_owned()),
        _ => {
            return Err("an issuer is asked over https only, unless the operator lists it in \
                        web-identity.internal-issuers"
                .to_owned());
        }
    }
    without_user(url)
}

/// Checks a URL that is not the operator's. Where a name leads is seen when it is resolved.
fn check_public(url: &Url) -> Result<(), String> {
    if url.scheme() != "https" {
        return Err(format!("{} is not asked over https", host_of(url)));
    }
    if literal(url).is_some_and(|address| Reach::of(address) != Reach::Public) {
        return Err(format!("{} is not a public address", host_of(url)));
    }
    without_user(url.clone()).map(drop)
}

fn without_user(url: Url) -> Result<Url, String> {
    if url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(format!("an address on {} brings its own user and password", host_of(&url)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientSettings;
    use crate::testing::{Act, TestServer, response};

    const KEYS: &str = r#"{"keys":[]}"#;

    fn client() -> Client {
        Client::new(ClientSettings::default())
    }

    /// An issuer whose discovery document is what `document` makes of its origin.
    async fn issuer(document: impl Fn(&str) -> String + Send + Sync + 'static) -> TestServer {
        TestServer::start(move |head| {
            let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
            Act::Answer(if head.contains("/.well-known/openid-configuration ") {
                response("200 OK", &[], document(&format!("http://{host}")))
            } else if head.contains("/moved ") {
                response("302 Found", &[("location", "/keys")], "")
            } else if head.contains("/huge ") {
                response("200 OK", &[], " ".repeat(KEYS_LIMIT_BYTES + 1))
            } else if head.contains("/keys ") {
                response("200 OK", &[], KEYS)
            } else {
                response("404 Not Found", &[], "")
            })
        })
        .await
    }

    fn document(origin: &str, keys: &str) -> String {
        format!(r#"{{"issuer": "{origin}", "jwks_uri": "{keys}", "other": [1]}}"#)
    }

    async fn fetched(server: &TestServer) -> Result<Bytes, String> {
        let issuers = Issuers::new(client(), [server.origin.clone()]).unwrap();
        issuers.fetch_keys(&server.origin).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn keys_come_from_where_the_issuers_discovery_document_says() {
        let server = issuer(|origin| document(origin, &format!("{origin}/keys"))).await;
        assert_eq!(fetched(&server).await.as_deref(), Ok(KEYS.as_bytes()));
        assert_eq!(server.requests().len(), 2);
    }

    #[tokio::test]
    async fn an_issuer_that_nobody_listed_is_not_asked_inside_or_without_encryption() {
        let server = issuer(|origin| document(origin, &format!("{origin}/keys"))).await;
        let issuers = Issuers::new(client(), []).unwrap();
        for url in [
            server.origin.as_str(),
            "https://127.0.0.1/",
            "https://10.0.0.1",
            "https://[::1]",
            "https://169.254.169.254",
            "https://user:secret@example.com",
            "https://example.com/?x",
            "https://localhost:1",
            "ftp://example.com",
            "example.com",
        ] {
            let error = issuers.fetch_keys(url).await.expect_err(url).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(server.requests().len(), 0);
    }

    #[tokio::test]
    async fn an_issuer_that_misbehaves_gives_no_keys() {
        type Document = fn(&str) -> String;
        let cases: [(Document, &str); 6] = [
            (|_| document("http://127.0.0.1:1", "/keys"), "another issuer's"),
            (|origin| document(origin, "http://127.0.0.1:1/keys"), "another host"),
            (|origin| document(origin, &format!("{origin}/moved")), "302"),
            (|origin| document(origin, &format!("{origin}/huge")), "larger than"),
            (|origin| document(origin, "/nothing"), "404"),
            (|_| "<html>".to_owned(), "cannot be read"),
        ];
        for (document, words) in cases {
            let server = issuer(document).await;
            let error = fetched(&server).await.expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_the_operator_lists_must_be_an_issuer() {
        for good in
            ["https://gitlab.internal.example", "http://127.0.0.1:9000/a", "http://localhost:1", "http://[::1]:9"]
        {
            assert!(Issuers::new(client(), [good.to_owned()]).is_ok(), "{good}");
        }
        for bad in [
            "gitlab.example",
            "http://gitlab.example",
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
        ] {
            assert!(Issuers::new(client(), [bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
