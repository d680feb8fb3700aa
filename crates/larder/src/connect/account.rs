//! The two calls of the CodeArtifact API that connecting a client takes, signed with the environment's or the data
//! directory's access key.

use std::path::{Path, PathBuf};

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use http::header::HOST;
use http::{HeaderMap, HeaderValue};
use larder_auth::sigv4::{Payload, RequestParts, Signer};
use larder_core::model::{Clock as _, PackageFormat, SecretAccessKey, SystemClock, Timestamp};
use larder_core::ports::{HttpTransport as _, OutgoingRequest};
use larder_external::{Client, ClientSettings};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::aws_files::AwsFiles;
use crate::cli::{DataOptions, Failure, Outcome};

/// No answer of the two is nearly as long.
const ANSWER_LIMIT_BYTES: usize = 1 << 20;

/// Who asks, and where.
pub(crate) struct Account {
    endpoint: Url,
    region: String,
    access_key_id: String,
    secret: SecretAccessKey,
    session_token: Option<String>,
    /// The authority of the endpoint's certificate, if it is a local one.
    authority: Option<PathBuf>,
    /// The data directory that the key is from; `None` if it is from the environment.
    data_dir: Option<String>,
}

/// An authorization token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenAnswer {
    authorization_token: String,
    expiration: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointAnswer {
    repository_endpoint: String,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Account {
    /// The environment's, if AWS's variables are all there, else that of the data directory.
    pub(crate) fn find(data: &DataOptions) -> Outcome<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = variable("AWS_ENDPOINT_URL_CODEARTIFACT").or_else(|| variable("AWS_ENDPOINT_URL"));
        let key = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        if let (Some(endpoint), Some((access_key_id, secret))) = (endpoint, key) {
            let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
            return Ok(Self {
                endpoint: parse_endpoint(&endpoint)?,
                region: region.unwrap_or_else(|| "us-east-1".to_owned()),
                access_key_id,
                secret: SecretAccessKey::new(secret)?,
                session_token: variable("AWS_SESSION_TOKEN"),
                authority: variable("AWS_CA_BUNDLE").map(PathBuf::from),
                data_dir: None,
            });
        }
        let folder = data.data_dir();
        let files = AwsFiles::read(&folder).map_err(|error| {
            Failure::new(format!(
                "neither AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, nor does {} hold \
                 credentials ({error}); name the server's data directory with --data-dir",
                folder.path().display()
            ))
        })?;
        let absolute = std::path::absolute(folder.path())?;
        Ok(Self {
            endpoint: parse_endpoint(&files.endpoint_url)?,
            region: files.region,
            access_key_id: files.access_key_id,
            secret: SecretAccessKey::new(files.secret_access_key)?,
            session_token: None,
            authority: files.ca_bundle.map(PathBuf::from),
            data_dir: Some(absolute.to_string_lossy().into_owned()),
        })
    }

    /// The data directory that a helper has to be told; `None` if it finds its key in the environment.
    pub(crate) fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref().map(Path::new)
    }

    /// GetAuthorizationToken.
    pub(crate) async fn token(&self, domain: &str, owner: Option<&str>) -> Outcome<Token> {
        let query = query(&[("domain", Some(domain)), ("domain-owner", owner)]);
        let answer: TokenAnswer = self.call("POST", "/v1/authorization-token", &query).await?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium")]
        let expires_at = answer.expiration as i64;
        Ok(Token { text: answer.authorization_token, expires_at })
    }

    /// GetRepositoryEndpoint.
    pub(crate) async fn endpoint(
        &self,
        domain: &str,
        owner: Option<&str>,
        repository: &str,
        format: PackageFormat,
    ) -> Outcome<Url> {
        let query = query(&[
            ("domain", Some(domain)),
            ("domain-owner", owner),
            ("format", Some(format.as_str())),
            ("repository", Some(repository)),
        ]);
        let answer: EndpointAnswer = self.call("GET", "/v1/repository/endpoint", &query).await?;
        let text = answer.repository_endpoint;
        Url::parse(&text)
            .map_err(|error| Failure::new(format!("the repository's endpoint '{text}' is no URL: {error}")))
    }

    async fn call<T: for<'a> Deserialize<'a>>(&self, method: &'static str, path: &str, query: &str) -> Outcome<T> {
        let sent = OutgoingRequest {
            method,
            url: format!("{}{path}?{query}", self.endpoint.as_str().trim_end_matches('/')),
            headers: self.sign(method, path, query, SystemClock.now())?,
            body: None,
        };
        let settings = ClientSettings { authorities: self.authority.clone(), ..ClientSettings::default() };
        let answer = Client::new(settings).send(sent).await?;
        let status = answer.status;
        let collect = answer.body.try_fold(BytesMut::new(), |mut all, chunk| async move {
            if all.len() + chunk.len() > ANSWER_LIMIT_BYTES {
                return Err(std::io::Error::other("the answer is too long"));
            }
            all.extend_from_slice(&chunk);
            Ok(all)
        });
        let body = collect.await?;
        if status != 200 {
            let refusal = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.message);
            let why = refusal.unwrap_or_else(|_| format!("status {status}"));
            return Err(Failure::new(format!("{} refused {path}: {why}", self.endpoint)));
        }
        serde_json::from_slice(&body)
            .map_err(|error| Failure::new(format!("the answer of {} to {path} cannot be read: {error}", self.endpoint)))
    }

    fn sign(&self, method: &str, path: &str, query: &str, at: Timestamp) -> Outcome<Vec<(&'static str, String)>> {
        let unfit =
            |error: http::header::InvalidHeaderValue| Failure::new(format!("the access key is no key: {error}"));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(self.endpoint.authority()).map_err(unfit)?);
        let mut sent = Vec::new();
        if let Some(token) = &self.session_token {
            headers.insert("x-amz-security-token", HeaderValue::from_str(token).map_err(unfit)?);
            sent.push(("x-amz-security-token", token.clone()));
        }
        let (access_key_id, secret) = (self.access_key_id.as_str(), &self.secret);
        let signer = Signer { access_key_id, secret, region: &self.region, service: "codeartifact" };
        let base = self.endpoint.path().trim_end_matches('/');
        let path = format!("{base}{path}");
        let parts = RequestParts { method, path: &path, query: Some(query), headers: &headers };
        let signed = signer.sign(&parts, Payload::Body(b""), at).map_err(unfit)?;
        for name in ["x-amz-date", "authorization"] {
            let value = signed.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            sent.push((name, value.to_owned()));
        }
        Ok(sent)
    }
}

fn parse_endpoint(text: &str) -> Outcome<Url> {
    Url::parse(text).map_err(|error| Failure::new(format!("AWS_ENDPOINT_URL: '{text}' is not a URL: {error}")))
}

fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    Serializer::new(String::new()).extend_pairs(given).finish()
}
