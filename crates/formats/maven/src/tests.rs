//! Handlers on a real store, with a public registry made of maps.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use larder_core::Result;
use larder_core::access::{Caller, RepositoryTarget, Via};
use larder_core::error::{Error, Invalid, ResourceType};
use larder_core::model::{
    AccessKeyId, AccountId, Clock, Domain, DomainId, DomainName, ExternalConnection, HashAlgorithm, PackageVersion,
    Principal, PrincipalKind, RepositoryName, SecretAccessKey, Timestamp, VersionStatus, VersionText,
};
use larder_core::ports::{
    AccessQuestion, Change, Download, Effect, Format, MetadataStore, NewRepository, PolicyEvaluator, PolicyKind,
    PublicRegistries, RegistryAnswer, RegistryRequest, Secrets, Verdict,
};
use larder_core::services::{Formats, Limits, Ports, Services};
use larder_http::{FormatRoutes as _, PathRules, RepositoryRequest, RequestBody, RequestPath};
use larder_store::blob::{LocalBlobs, SmallBlobs};
use larder_store::{DatabaseUrl, Store};

use crate::maven_metadata::{self, Snapshot, SnapshotVersion};
use crate::names::{self, Build};
use crate::{MavenFormat, Routes};

mod bad_input;
mod deploying;
mod registry;
mod snapshots;

/// Routes on an empty store: repository `my-repo` takes from `maven-central-store`, which has the external connection.
pub(crate) struct Server {
    routes: Routes,
    pub(crate) services: Arc<Services>,
    pub(crate) registry: Arc<TestRegistry>,
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
        let clock: Arc<dyn Clock> = Arc::new(TestClock);
        let domain = set_up(store.as_ref(), clock.now()).await;
        let services = Arc::new(Services::new(Ports {
            store,
            blobs: Arc::new(blobs),
            registries: Arc::clone(&registry) as _,
            policies: Arc::new(NoPolicies),
            secrets: Arc::new(NoSecrets),
            clock,
            formats: Formats::new([Arc::new(MavenFormat) as Arc<dyn Format>]),
            limits: Limits { asset_size_bytes: 1 << 20, ..limits },
            region: "us-east-1".into(),
        }));
        let routes = Routes::new(Arc::clone(&services));
        Self { routes, services, registry, domain, _folder: folder }
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
            base: format!("http://larder.test/d/my-domain-123456789012/maven/{repository}"),
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

    pub(crate) async fn put(&self, address: &str, body: impl Into<Bytes>) -> Answered {
        self.send(Method::PUT, address, &[], body).await
    }

    /// A version as `my-repo` holds it.
    pub(crate) async fn version(&self, artifact: &str, version: &str) -> Option<PackageVersion> {
        let repository = self.target("my-repo").await.repository.id;
        let key = names::package_key("com.acme", artifact).unwrap();
        let version = VersionText::new(version).unwrap();
        self.services.store.find_version(repository, &key, &version).await.unwrap()
    }

    /// Its status.
    pub(crate) async fn status(&self, artifact: &str, version: &str) -> Option<VersionStatus> {
        self.version(artifact, version).await.map(|version| version.status)
    }

    /// Deploys jar, POM and metadata of a release of `com.acme`.
    pub(crate) async fn deploy(&self, artifact: &str, version: &str) {
        let folder = format!("my-repo/com/acme/{artifact}");
        for (extension, body) in [("jar", format!("jar of {version}")), ("pom", pom(artifact, version))] {
            let address = format!("{folder}/{version}/{artifact}-{version}.{extension}");
            self.put(&address, body).await.expect(201);
        }
        self.put(&format!("{folder}/maven-metadata.xml"), metadata(artifact, &[version])).await.expect(201);
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
    for repository in ["maven-central-store", "my-repo"] {
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
    let store_repository = RepositoryName::new("maven-central-store").unwrap();
    let repository = store.find_repository(domain.id, &store_repository).await.unwrap().unwrap().id;
    apply(Change::AssociateExternalConnection { repository, connection: connection() }).await;
    domain
}

pub(crate) fn connection() -> ExternalConnection {
    ExternalConnection::parse("public:maven-central").unwrap()
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

/// It stands still.
struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_767_323_045_678)
    }
}

/// A POM of `com.acme`.
pub(crate) fn pom(artifact: &str, version: &str) -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>com.acme</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version><name>The {artifact}</name></project>"
    )
}

/// The metadata of an artifact of `com.acme`, as a client sends it.
pub(crate) fn metadata(artifact: &str, versions: &[&str]) -> String {
    let versions: Vec<String> = versions.iter().map(|version| (*version).to_owned()).collect();
    maven_metadata::write_artifact("com.acme", artifact, &versions, "20260102030405")
}

/// The metadata of a build of `1.0-SNAPSHOT` of `com.acme:lib` with jar and POM.
pub(crate) fn snapshot_metadata(timestamp: &str, number: u32) -> String {
    let file = |extension: &str| SnapshotVersion {
        classifier: String::new(),
        extension: extension.to_owned(),
        value: format!("1.0-{timestamp}-{number}"),
        updated: timestamp.replace('.', ""),
    };
    maven_metadata::write_snapshot(&Snapshot {
        group: "com.acme",
        artifact: "lib",
        version: "1.0-SNAPSHOT",
        build: Build { timestamp, number },
        last_updated: &timestamp.replace('.', ""),
        files: &[file("jar"), file("pom")],
    })
}

/// A public registry: files by path, with a checksum beside each.
#[derive(Default)]
pub(crate) struct TestRegistry {
    files: Mutex<HashMap<String, Bytes>>,
    is_down: AtomicBool,
    asked: Mutex<Vec<String>>,
}

impl TestRegistry {
    /// Puts a file and its SHA-1.
    pub(crate) fn add(&self, path: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.replace(&format!("{path}.sha1"), crate::index::digest(HashAlgorithm::Sha1, &bytes));
        self.replace(path, bytes);
    }

    /// Puts a file alone.
    pub(crate) fn replace(&self, path: &str, bytes: impl Into<Bytes>) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes.into());
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// How many requests ended with this text.
    pub(crate) fn asked(&self, end: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.ends_with(end)).count()
    }

    fn find(&self, path: &str) -> Result<Option<Bytes>> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::Upstream { message: "the registry is down".to_owned(), retry_after_seconds: None });
        }
        self.asked.lock().unwrap().push(path.to_owned());
        Ok(self.files.lock().unwrap().get(path).cloned())
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
        Ok(match self.find(&request.path)? {
            Some(body) => RegistryAnswer::Found {
                body,
                content_type: "text/plain".to_owned(),
                etag: None,
                last_modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            },
            None => RegistryAnswer::NotFound,
        })
    }

    async fn open_file(&self, _connection: ExternalConnection, document_path: &str, url: &str) -> Result<Download> {
        let folder = document_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let bytes = self.find(&format!("{folder}/{url}"))?;
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
