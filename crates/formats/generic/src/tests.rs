//! Handlers on a real store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use larder_core::Result;
use larder_core::access::{Caller, RepositoryTarget, Via};
use larder_core::error::{Error, Invalid};
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

use crate::{Generic, Routes};

mod bad_input;
mod resuming;
mod tree;

/// Routes on an empty store with the repository `my-repo`, where an asset has at most [`LARGEST`] bytes and a version
/// three assets.
pub(crate) struct Server {
    routes: Routes,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) services: Arc<Services>,
    domain: Arc<Domain>,
    folder: tempfile::TempDir,
}

pub(crate) const LARGEST: u64 = 1000;

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
        Self::start_with(|routes| routes).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(Routes) -> Routes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::parse(folder.path().join("larder.db").to_str().unwrap()).unwrap();
        let store: Arc<dyn MetadataStore> = Arc::new(Store::open(&database, "us-east-1").await.unwrap());
        let clock = Arc::new(TestClock(AtomicI64::new(1_767_323_045_678)));
        let domain = set_up(store.as_ref(), clock.now()).await;
        let services = Arc::new(Services::new(Ports {
            store,
            blobs: Arc::new(LocalBlobs::open(folder.path(), SmallBlobs::default()).unwrap()),
            registries: Arc::new(NoRegistries),
            policies: Arc::new(NoPolicies),
            secrets: Arc::new(NoSecrets),
            clock: Arc::clone(&clock) as _,
            formats: Formats::new([Arc::new(Generic) as Arc<dyn Format>]),
            limits: Limits { asset_size_bytes: LARGEST, assets_per_version: 3, ..Limits::default() },
            region: "us-east-1".into(),
        }));
        let routes = change(Routes::new(Arc::clone(&services)));
        Self { routes, clock, services, domain, folder }
    }

    async fn target(&self) -> RepositoryTarget {
        let name = RepositoryName::new("my-repo").unwrap();
        let repository = self.services.access.get_repository(&self.domain, &name).await.unwrap();
        RepositoryTarget { domain: Arc::clone(&self.domain), repository }
    }

    /// `address` is what follows the repository, with its query.
    pub(crate) async fn send(
        &self,
        method: &str,
        address: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answered {
        let (path, query) =
            address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query.to_owned())));
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let answer = self.routes.handle(RepositoryRequest {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            headers,
            path: RequestPath::parse(&format!("/{path}"), PathRules::default()).unwrap(),
            query,
            body: RequestBody::full(body),
            base: "http://larder.test/d/my-domain-123456789012/generic/my-repo".to_owned(),
            caller: machine(),
            target: self.target().await,
        });
        let (parts, body) = answer.await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, address: &str) -> Answered {
        self.send("GET", address, &[], "").await
    }

    pub(crate) async fn put(&self, address: &str, body: &'static str) -> Answered {
        self.send("PUT", address, &[], body).await
    }

    /// Files that are being received.
    pub(crate) fn staged(&self) -> usize {
        let mut found = 0;
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if folder.ends_with("staging") {
                    found += 1;
                }
            }
        }
        found
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
    apply(Change::CreateRepository(NewRepository {
        domain: domain.id,
        domain_owner: owner.clone(),
        domain_name: name.clone(),
        name: RepositoryName::new("my-repo").unwrap(),
        administrator: owner.clone(),
        description: None,
        upstreams: Vec::new(),
        tags: Vec::new(),
        limit: 10,
    }))
    .await;
    domain
}

fn machine() -> Caller {
    Caller {
        principal: Principal { account: AccountId::new("123456789012").unwrap(), kind: PrincipalKind::System },
        via: Via::Machine,
        address: None,
        secure_transport: false,
        request_id: "test".to_owned(),
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

/// Generic packages come from nowhere else.
struct NoRegistries;

#[async_trait]
impl PublicRegistries for NoRegistries {
    fn is_configured(&self, _: ExternalConnection) -> bool {
        false
    }
    async fn fetch_document(&self, _: ExternalConnection, _: &RegistryRequest, _: usize) -> Result<RegistryAnswer> {
        Err(Error::internal("a registry was asked"))
    }
    async fn open_file(&self, _: ExternalConnection, _: &str, _: &str) -> Result<Download> {
        Err(Error::internal("a registry was asked"))
    }
}

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
