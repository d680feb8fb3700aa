//! A transport whose answers a test writes.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use larder_core::Result;
use larder_core::ports::{HttpTransport, IncomingResponse, OutgoingRequest};

use super::S3Settings;

/// Answers each request, given as `METHOD key?name-of-first-parameter`.
type Script = Box<dyn Fn(&str) -> Result<IncomingResponse> + Send + Sync>;

pub(super) struct Scripted {
    script: Script,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    pub(super) fn new(script: impl Fn(&str) -> Result<IncomingResponse> + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), asked: Mutex::default() }
    }

    /// What was asked so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpTransport for Scripted {
    async fn send(&self, request: OutgoingRequest) -> Result<IncomingResponse> {
        let url = url::Url::parse(&request.url).unwrap();
        let names = url.query_pairs().map(|(name, _)| name.into_owned());
        let names: Vec<_> = names.filter(|name| !name.starts_with("X-Amz-")).collect();
        if let Some(body) = request.body {
            let sent: Vec<u8> = body.stream.map_ok(|bytes| bytes.to_vec()).try_concat().await.unwrap();
            assert_eq!(sent.len() as u64, body.length_bytes, "the body is as long as it said");
        }
        let key = url.path().rsplit('/').next().unwrap_or_default();
        let short = format!("{} {}?{}", request.method, &key[..key.len().min(4)], names.join("&"));
        self.asked.lock().unwrap().push(short.clone());
        (self.script)(&short)
    }
}

/// A whole answer.
pub(in super::super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<IncomingResponse> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    if !headers.iter().any(|(name, _)| name == "content-length") {
        headers.push(("content-length".to_owned(), body.len().to_string()));
    }
    Ok(IncomingResponse { status, headers, body: Box::pin(futures_util::stream::iter([Ok(body)])) })
}

pub(in super::super) fn settings(endpoint: &str) -> S3Settings {
    let secret = Some("test".to_owned());
    S3Settings {
        bucket: "bucket".to_owned(),
        prefix: String::new(),
        endpoint: Some(endpoint.to_owned()),
        region: None,
        access_key_id: secret.clone(),
        secret_access_key: secret,
        session_token: None,
    }
}
