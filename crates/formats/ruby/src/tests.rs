//! Handlers on a real store, with a public registry made of maps.

use std::collections::HashMap;
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
use sha2::{Digest as _, Sha256};

use crate::archive::tests::gem;
use crate::{Routes, RubyFormat};

mod api;
mod attestations;
mod publishing;
mod registry;

/// Routes on an empty store: repository `my-repo` takes from `team-repo`, which takes from `ruby-store`, which has the
/// external connection.
struct Server {
    routes: Routes,
    services: Arc<Services>,
    registry: Arc<TestRegistry>,
    clock: Arc<TestClock>,
    domain: Arc<Domain>,
    _folder: tempfile::TempDir,
}

/// An answer, read to its end.
struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answered {
    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The largest gem here.
const GEM_LIMIT_BYTES: u64 = 1 << 20;

impl Server {
    async fn start() -> Self {
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
            formats: Formats::new([Arc::new(RubyFormat) as Arc<dyn Format>]),
            limits: Limits { asset_size_bytes: GEM_LIMIT_BYTES, ..Limits::default() },
            region: "us-east-1".into(),
        }));
        let routes = Routes::new(Arc::clone(&services));
        Self { routes, services, registry, clock, domain, _folder: folder }
    }

    async fn target(&self, repository: &str) -> RepositoryTarget {
        let name = RepositoryName::new(repository).unwrap();
        let repository = self.services.access.get_repository(&self.domain, &name).await.unwrap();
        RepositoryTarget { domain: Arc::clone(&self.domain), repository }
    }

    /// `address` begins with the repository's name.
    async fn send(&self, method: Method, address: &str, headers: &[(&str, &str)], body: RequestBody) -> Answered {
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
            body,
            base: base(repository),
            caller: machine(),
            target: self.target(repository).await,
        });
        let (parts, body) = answer.await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn get(&self, address: &str) -> Answered {
        self.send(Method::GET, address, &[], RequestBody::empty()).await
    }

    async fn push(&self, gem: impl Into<Bytes>) -> Answered {
        self.send(Method::POST, "my-repo/api/v1/gems", &[], RequestBody::full(gem)).await
    }

    async fn text(&self, address: &str) -> String {
        self.get(address).await.expect(200).text()
    }

    /// Waits for what goes on after answers.
    async fn settle(&self) {
        self.services.background.drain().await;
    }
}

fn base(repository: &str) -> String {
    format!("http://larder.test/d/my-domain-123456789012/ruby/{repository}")
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
    for repository in ["ruby-store", "team-repo", "my-repo"] {
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
    let store_repository = RepositoryName::new("ruby-store").unwrap();
    let repository = store.find_repository(domain.id, &store_repository).await.unwrap().unwrap().id;
    let connection = ExternalConnection::parse("public:ruby-gems-org").unwrap();
    apply(Change::AssociateExternalConnection { repository, connection }).await;
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

fn md5(text: &str) -> String {
    hex::encode(md5::Md5::digest(text))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

struct TestClock(AtomicI64);

impl TestClock {
    fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A public registry: documents by path, files by address.
#[derive(Default)]
struct TestRegistry {
    documents: Mutex<HashMap<String, String>>,
    files: Mutex<HashMap<String, Bytes>>,
    is_down: AtomicBool,
    asked: Mutex<Vec<String>>,
}

impl TestRegistry {
    fn put_file(&self, url: &str, bytes: impl Into<Bytes>) {
        self.files.lock().unwrap().insert(url.to_owned(), bytes.into());
    }

    /// Publishes a version; answers its line.
    fn publish(&self, name: &str, version: &str) -> String {
        let file = gem(name, version, "ruby");
        let line = format!("{version} rake:~> 13.0|checksum:{},new_key:1", sha256(&file));
        self.put_file(&format!("../gems/{name}-{version}.gem"), file);
        let mut documents = self.documents.lock().unwrap();
        let info = documents.entry(format!("info/{name}")).or_insert_with(|| "---\n".to_owned());
        info.push_str(&format!("{line}\n"));
        let md5 = md5(info);
        let versions = documents.entry("versions".to_owned()).or_insert_with(|| "created_at: 2024\n---\n".to_owned());
        versions.push_str(&format!("{name} {version} {md5}\n"));
        line
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    fn note(&self, what: &str) -> Result<()> {
        self.asked.lock().unwrap().push(what.to_owned());
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
        self.note(&request.path)?;
        let Some(text) = self.documents.lock().unwrap().get(&request.path).cloned() else {
            return Ok(RegistryAnswer::NotFound);
        };
        let etag = Some(sha256(text.as_bytes()));
        if request.etag == etag {
            return Ok(RegistryAnswer::NotModified);
        }
        let content_type = "text/plain".to_owned();
        Ok(RegistryAnswer::Found { body: text.into(), content_type, etag, last_modified: None })
    }

    async fn open_file(&self, _connection: ExternalConnection, _document_path: &str, url: &str) -> Result<Download> {
        self.note(url)?;
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
