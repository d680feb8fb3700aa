//! Handlers on a real store, with a public registry made of maps.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use larder_core::Result;
use larder_core::access::{Caller, RepositoryTarget, Via};
use larder_core::error::{Error, Invalid, ResourceType};
use larder_core::model::{
    AccessKeyId, AccountId, Clock, Domain, DomainId, DomainName, ExternalConnection, Principal, PrincipalKind,
    RepositoryName, SecretAccessKey, Timestamp,
};
use larder_core::ports::{
    AccessQuestion, Change, Download, Effect, Format, MetadataStore, NewRepository, PolicyEvaluator, PolicyKind,
    PublicRegistries, RegistryAnswer, RegistryRequest, Secrets, Verdict,
};
use larder_core::services::{Formats, Limits, Ports, Services};
use larder_http::{FormatRoutes as _, PathRules, RepositoryRequest, RequestBody, RequestPath};
use larder_store::blob::{LocalBlobs, SmallBlobs};
use larder_store::{DatabaseUrl, Store};

use crate::project::tests::connection;
use crate::{PypiFormat, Routes};

mod bad_uploads;
mod pages;
mod registry;
mod uploads;

/// Routes on an empty store: repository `my-repo` takes from `pypi-store`, which has the external connection.
pub(crate) struct Server {
    routes: Routes,
    pub(crate) services: Arc<Services>,
    pub(crate) registry: Arc<TestRegistry>,
    pub(crate) clock: Arc<TestClock>,
    domain: Arc<Domain>,
    _folder: tempfile::TempDir,
}

/// An answer, read to its end.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answered {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub(crate) async fn start_with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::parse(folder.path().join("larder.db").to_str().unwrap()).unwrap();
        let store: Arc<dyn MetadataStore> = Arc::new(Store::open(&database, "us-east-1").await.unwrap());
        let blobs = LocalBlobs::open(folder.path(), SmallBlobs::default()).unwrap();
        let registry = Arc::new(TestRegistry::default());
        let clock = Arc::new(TestClock(AtomicI64::new(1_767_323_045_678)));
        let domain = set_up(store.as_ref(), clock.now()).await;
        let services = Arc::new(Services::new(Ports {
            store,
            blobs: Arc::new(blobs),
            registries: Arc::clone(&registry) as _,
            policies: Arc::new(NoPolicies),
            secrets: Arc::new(NoSecrets),
            clock: Arc::clone(&clock) as _,
            formats: Formats::new([Arc::new(PypiFormat) as Arc<dyn Format>]),
            limits: Limits { asset_size_bytes: 1 << 20, ..limits },
            region: "us-east-1".into(),
        }));
        let routes = Routes::new(Arc::clone(&services));
        Self { routes, services, registry, clock, domain, _folder: folder }
    }

    pub(crate) async fn target(&self, repository: &str) -> RepositoryTarget {
        let name = RepositoryName::new(repository).unwrap();
        let repository = self.services.access.get_repository(&self.domain, &name).await.unwrap();
        RepositoryTarget { domain: Arc::clone(&self.domain), repository }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answered {
        let (repository, rest) = address.split_once('/').unwrap();
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query.to_owned())));
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let answer = self.routes.handle(RepositoryRequest {
            method,
            headers,
            path: RequestPath::parse(&format!("/{path}"), PathRules::default()).unwrap(),
            query,
            body: RequestBody::full(body),
            base: format!("http://larder.test/d/my-domain-123456789012/pypi/{repository}"),
            caller: machine(),
            target: self.target(repository).await,
        });
        let (parts, body) = answer.await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, address: &str) -> Answered {
        self.send(Method::GET, address, &[], "").await
    }

    pub(crate) async fn get_json(&self, address: &str) -> Answered {
        self.send(Method::GET, address, &[("accept", "application/vnd.pypi.simple.v1+json")], "").await
    }

    pub(crate) async fn upload(&self, form: &Form) -> Answered {
        self.send(Method::POST, "my-repo/", &[("content-type", FORM_TYPE)], form.body()).await
    }

    /// Waits for what goes on after answers.
    pub(crate) async fn settle(&self) {
        self.services.background.drain().await;
    }
}

async fn set_up(store: &dyn MetadataStore, at: Timestamp) -> Arc<Domain> {
    let owner = AccountId::new("123456789012").unwrap();
    let name = DomainName::new("my-domain").unwrap();
    let actor = machine().actor("CreateDomain", at);
    let apply = async |change| store.apply(&actor, change).await.unwrap();
    apply(Change::CreateAccount { account: owner.clone() }).await;
    let domain = Domain {
        id: DomainId(0),
        owner: owner.clone(),
        name: name.clone(),
        encryption_key: String::new(),
        created_at: at,
        policy: None,
    };
    apply(Change::CreateDomain { domain, tags: Vec::new(), limit: 10 }).await;
    let domain = Arc::new(store.find_domain(&owner, &name).await.unwrap().unwrap());
    let mut upstreams = Vec::new();
    for repository in ["pypi-store", "my-repo"] {
        let repository = RepositoryName::new(repository).unwrap();
        apply(Change::CreateRepository(NewRepository {
            domain: domain.id,
            domain_owner: owner.clone(),
            domain_name: name.clone(),
            name: repository.clone(),
            administrator: owner.clone(),
            description: None,
            upstreams: std::mem::take(&mut upstreams),
            tags: Vec::new(),
            limit: 10,
        }))
        .await;
        upstreams.push(store.find_repository(domain.id, &repository).await.unwrap().unwrap().id);
    }
    let store_repository = RepositoryName::new("pypi-store").unwrap();
    let repository = store.find_repository(domain.id, &store_repository).await.unwrap().unwrap().id;
    apply(Change::AssociateExternalConnection { repository, connection: connection() }).await;
    domain
}

fn machine() -> Caller {
    Caller {
        principal: Principal { account: AccountId::new("123456789012").unwrap(), kind: PrincipalKind::System },
        via: Via::Machine,
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        secure_transport: false,
        request_id: "test".to_owned(),
    }
}

pub(crate) const FORM_TYPE: &str = "multipart/form-data; boundary=frontier";

/// An upload form; a correct one unless a test changes it.
#[derive(Clone)]
pub(crate) struct Form {
    /// Name, file name and bytes, in order.
    parts: Vec<(String, Option<String>, Vec<u8>)>,
}

impl Form {
    pub(crate) fn new(file_name: &str, content: &[u8]) -> Self {
        let wheel = file_name.ends_with(".whl");
        let mut parts = file_name.split('-');
        let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self { parts: Vec::new() }
            .with(":action", "file_upload")
            .with("protocol_version", "1")
            .with("metadata_version", "2.1")
            .with("name", name)
            .with("version", version.trim_end_matches(".tar.gz").trim_end_matches(".zip"))
            .with("filetype", if wheel { "bdist_wheel" } else { "sdist" })
            .with("pyversion", if wheel { "py3" } else { "source" })
            .with_file("content", file_name, content)
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.parts.push((name.to_owned(), None, value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn with_file(mut self, name: &str, file_name: &str, content: &[u8]) -> Self {
        self.parts.push((name.to_owned(), Some(file_name.to_owned()), content.to_vec()));
        self
    }

    /// Removes a field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parts.retain(|(part, ..)| part != name);
        self
    }

    /// Replaces a field.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, file_name, content) in &self.parts {
            let mut head = format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"");
            if let Some(file_name) = file_name {
                let _ = write!(head, "; filename=\"{file_name}\"\r\nContent-Type: application/octet-stream");
            }
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--frontier--\r\n");
        body
    }
}

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A public registry: pages by path, files by address.
#[derive(Default)]
pub(crate) struct TestRegistry {
    pages: Mutex<HashMap<String, (String, Bytes)>>,
    files: Mutex<HashMap<String, Bytes>>,
    is_down: AtomicBool,
    asked: AtomicI64,
}

impl TestRegistry {
    pub(crate) fn put_page(&self, path: &str, content_type: &str, body: impl Into<Bytes>) {
        self.pages.lock().unwrap().insert(path.to_owned(), (content_type.to_owned(), body.into()));
    }

    pub(crate) fn put_file(&self, url: &str, bytes: impl Into<Bytes>) {
        self.files.lock().unwrap().insert(url.to_owned(), bytes.into());
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// How many files were asked for.
    pub(crate) fn files_asked(&self) -> i64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn check_up(&self) -> Result<()> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::Upstream { message: "the registry is down".to_owned(), retry_after_seconds: None });
        }
        Ok(())
    }
}

#[async_trait]
impl PublicRegistries for TestRegistry {
    fn is_configured(&self, _connection: ExternalConnection) -> bool {
        true
    }

    async fn fetch_document(
        &self,
        _connection: ExternalConnection,
        request: &RegistryRequest,
        _limit_bytes: usize,
    ) -> Result<RegistryAnswer> {
        self.check_up()?;
        Ok(match self.pages.lock().unwrap().get(&request.path).cloned() {
            Some((content_type, body)) => RegistryAnswer::Found { body, content_type, etag: None, last_modified: None },
            None => RegistryAnswer::NotFound,
        })
    }

    async fn open_file(&self, _connection: ExternalConnection, _document_path: &str, url: &str) -> Result<Download> {
        self.check_up()?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        let bytes = self.files.lock().unwrap().get(url).cloned();
        let bytes = bytes.ok_or_else(|| Error::not_found(ResourceType::Asset, url, "no such file"))?;
        let size_bytes = Some(bytes.len() as u64);
        Ok(Download { size_bytes, body: Box::pin(futures_util::stream::iter([Ok(bytes)])) })
    }
}

/// Nobody but the machine's owner calls here, whom no policy is asked about.
struct NoPolicies;

impl PolicyEvaluator for NoPolicies {
    fn validate(&self, _kind: PolicyKind, _document: &str) -> Result<(), Invalid> {
        Ok(())
    }

    fn evaluate(&self, _question: &AccessQuestion<'_>) -> Verdict {
        Verdict { identity: Effect::Silent, resource: Effect::Silent, depends_on_request: false }
    }
}

/// Nothing secret is made here.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn token(&self) -> (String, String) {
        unreachable!("no tokens in these tests")
    }
    fn token_sha256(&self, _token: &str) -> [u8; 32] {
        unreachable!("no tokens in these tests")
    }
    fn access_key(&self) -> (AccessKeyId, SecretAccessKey) {
        unreachable!("no keys in these tests")
    }
    fn user_id(&self) -> String {
        unreachable!("no users in these tests")
    }
}
