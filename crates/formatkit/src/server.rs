use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use larder_auth::token::RandomSecrets;
use larder_core::access::{Action, Allowed, Caller, PackageTarget, RepositoryTarget, Via};
use larder_core::model::{
    AccountId, Domain, DomainId, DomainName, ExternalConnection, PackageKey, Principal, PrincipalKind, RepositoryName,
    Timestamp,
};
use larder_core::ports::{Change, Format, MetadataStore, NewRepository};
use larder_core::services::{Formats, Limits, Ports, Services};
use larder_http::{AnonymousRequest, FormatRoutes, PathRules, RepositoryRequest, RequestBody, RequestPath, Response};
use larder_store::blob::{LocalBlobs, SmallBlobs};
use larder_store::{DatabaseUrl, Store};

use crate::{Answer, Policies, Registry};

const REGION: &str = "us-east-1";
const OWNER: &str = "123456789012";
const DOMAIN: &str = "my-domain";
/// 2026-01-02T03:04:05.678Z.
const STARTED_AT_MILLIS: i64 = 1_767_323_045_678;

/// What a server begins with.
pub struct Setup {
    pub repositories: &'static [&'static str],
    /// The external connection of the first repository.
    pub connection: Option<&'static str>,
    pub limits: Limits,
}

impl Setup {
    /// These repositories, each of which takes from the one before it. An asset has at most 1 MiB.
    #[must_use]
    pub fn new(repositories: &'static [&'static str]) -> Self {
        Self { repositories, connection: None, limits: Limits { asset_size_bytes: 1 << 20, ..Limits::default() } }
    }

    /// Gives the first repository a connection to a public registry.
    #[must_use]
    pub fn connected_to(self, connection: &'static str) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// Changes the limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// A format's routes on a store of their own, in domain `my-domain` of account `123456789012`.
pub struct Server<R> {
    pub routes: R,
    pub services: Arc<Services>,
    pub registry: Arc<Registry>,
    pub clock: Arc<Clock>,
    pub policies: Arc<Policies>,
    /// Who asks: the machine's owner, who may do everything, unless a test puts another here.
    pub caller: Caller,
    pub domain: Arc<Domain>,
    folder: tempfile::TempDir,
}

impl<R: FormatRoutes> Server<R> {
    /// Starts with nothing stored.
    ///
    /// # Panics
    /// If the store cannot be set up.
    pub async fn start(format: impl Format, setup: Setup, routes: impl FnOnce(Arc<Services>) -> R) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the store");
        let database = folder.path().join("larder.db");
        let database = DatabaseUrl::parse(&database.display().to_string()).expect("a path of a database");
        let store: Arc<dyn MetadataStore> = Arc::new(Store::open(&database, REGION).await.expect("a new database"));
        let blobs = LocalBlobs::open(folder.path(), SmallBlobs::default()).expect("a folder for blobs");
        let (registry, policies) = (Arc::new(Registry::default()), Arc::new(Policies::default()));
        let clock = Arc::new(Clock::default());
        let services = Arc::new(Services::new(Ports {
            store,
            blobs: Arc::new(blobs),
            registries: Arc::clone(&registry) as _,
            policies: Arc::clone(&policies) as _,
            secrets: Arc::new(RandomSecrets),
            clock: Arc::clone(&clock) as _,
            formats: Formats::new([Arc::new(format) as Arc<dyn Format>]),
            limits: setup.limits.clone(),
            region: REGION.into(),
        }));
        let domain = furnish(&services, &setup).await;
        Self {
            routes: routes(Arc::clone(&services)),
            services,
            registry,
            clock,
            policies,
            caller: machine(),
            domain,
            folder,
        }
    }

    /// The folder of database and blobs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A repository of the domain.
    ///
    /// # Panics
    /// If there is none.
    pub async fn target(&self, repository: &str) -> RepositoryTarget {
        let name = RepositoryName::new(repository).expect("a name");
        let repository = self.services.access.get_repository(&self.domain, &name).await.expect("a repository");
        RepositoryTarget { domain: Arc::clone(&self.domain), repository }
    }

    /// Proof that the machine's owner may do this to a package of a repository.
    ///
    /// # Panics
    /// If there is no such repository.
    pub async fn allowed(&self, action: Action, repository: &str, key: PackageKey) -> Allowed<PackageTarget> {
        let target = PackageTarget::new(&self.target(repository).await, key);
        self.services.access.authorize(&machine(), action, target).await.expect("it may do everything")
    }

    /// The address of a repository as clients see it, without trailing slash.
    #[must_use]
    pub fn base(&self, repository: &str) -> String {
        format!("http://larder.test/d/{DOMAIN}-{OWNER}/{}/{repository}", self.routes.format().as_str())
    }

    /// A request as the handlers get it. `address` begins with the repository's name and may end in a query.
    ///
    /// # Panics
    /// If it is no request that `larder-http` would let through.
    pub async fn request(
        &self,
        method: impl AsRef<str>,
        address: &str,
        headers: &[(&str, &str)],
        body: RequestBody,
    ) -> RepositoryRequest {
        let (repository, rest) = address.split_once('/').expect("an address that begins with a repository");
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query.to_owned())));
        let rules = PathRules {
            scoped_slash: self.routes.allows_scoped_slash(),
            long_last_segment: self.routes.allows_long_last_segment(),
        };
        RepositoryRequest {
            method: Method::from_bytes(method.as_ref().as_bytes()).expect("a method"),
            headers: headers.iter().map(header).collect(),
            path: RequestPath::parse(&format!("/{path}"), rules).expect("a path that http lets through"),
            query,
            body,
            base: self.base(repository),
            caller: self.caller.clone(),
            target: self.target(repository).await,
        }
    }

    /// Lets the handlers answer.
    pub async fn handle(&self, request: RepositoryRequest) -> Response {
        if !self.routes.admits_anonymous(&request.method, &request.path) {
            return self.routes.handle(request).await;
        }
        let RepositoryRequest { method, headers, path, body, base, caller, target, .. } = request;
        let Caller { address, secure_transport, request_id, .. } = caller;
        let request =
            AnonymousRequest { method, headers, path, body, base, target, address, secure_transport, request_id };
        self.routes.handle_anonymous(request).await
    }

    /// Sends a request and reads the answer.
    ///
    /// # Panics
    /// If the answer breaks off.
    pub async fn send(
        &self,
        method: impl AsRef<str>,
        address: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.answer(self.request(method, address, headers, RequestBody::full(body)).await).await
    }

    /// Lets the handlers answer and reads the answer.
    ///
    /// # Panics
    /// If the answer breaks off.
    pub async fn answer(&self, request: RepositoryRequest) -> Answer {
        let (parts, body) = self.handle(request).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// `GET`.
    pub async fn get(&self, address: &str) -> Answer {
        self.send("GET", address, &[], "").await
    }

    /// Whether a download is refused or breaks off.
    pub async fn download_fails(&self, address: &str) -> bool {
        let response = self.handle(self.request("GET", address, &[], RequestBody::empty()).await).await;
        !response.status().is_success() || response.into_body().collect().await.is_err()
    }

    /// Waits for what goes on after answers.
    pub async fn settle(&self) {
        self.services.background.drain().await;
    }
}

fn header((name, value): &(&str, &str)) -> (HeaderName, HeaderValue) {
    (name.parse().expect("a header's name"), HeaderValue::from_str(value).expect("a header's value"))
}

/// Account, domain and repositories.
async fn furnish(services: &Services, setup: &Setup) -> Arc<Domain> {
    let at = services.clock.now();
    let owner = AccountId::new(OWNER).expect("an account");
    let name = DomainName::new(DOMAIN).expect("a name");
    let actor = machine().actor("CreateDomain", at);
    let apply = async |change| drop(services.store.apply(&actor, change).await.expect("applied"));
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
    let domain = services.access.get_domain(&owner, &name).await.expect("created");
    let mut upstreams = Vec::new();
    for repository in setup.repositories {
        let repository = RepositoryName::new(*repository).expect("a name");
        let is_first = upstreams.is_empty();
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
        let repository = services.access.get_repository(&domain, &repository).await.expect("created").id;
        upstreams.push(repository);
        if let Some(connection) = setup.connection.filter(|_| is_first) {
            let connection = ExternalConnection::parse(connection).expect("a connection");
            apply(Change::AssociateExternalConnection { repository, connection }).await;
        }
    }
    domain
}

/// The machine's owner, whom no policy is asked about.
///
/// # Panics
/// Never.
#[must_use]
pub fn machine() -> Caller {
    Caller {
        principal: Principal { account: AccountId::new(OWNER).expect("an account"), kind: PrincipalKind::System },
        via: Via::Machine,
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        secure_transport: false,
        request_id: "test".to_owned(),
    }
}

/// A clock that a test turns; it begins at 2026-01-02T03:04:05.678Z.
pub struct Clock(AtomicI64);

impl Default for Clock {
    fn default() -> Self {
        Self(AtomicI64::new(STARTED_AT_MILLIS))
    }
}

impl Clock {
    /// Goes on.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl larder_core::model::Clock for Clock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}
