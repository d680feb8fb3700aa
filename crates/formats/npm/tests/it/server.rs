//! The handlers with a store in a temporary folder and policies that a test sets.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use larder_auth::token::RandomSecrets;
use larder_core::access::{Caller, RepositoryTarget, Via};
use larder_core::model::{
    AccessKey, AccessKeyId, AccessKeyStatus, AccountId, Actor, Clock, Domain, DomainId, DomainName, ExternalConnection,
    Principal, RepositoryName, SecretAccessKey, SystemClock, Timestamp, User, UserName,
};
use larder_core::ports::{
    AccessQuestion, BlobStore, Change, Effect, Format, MetadataStore, NewRepository, PolicyEvaluator, PolicyKind,
    PublicRegistries, Verdict,
};
use larder_core::services::{Formats, Limits, Ports, Services};
use larder_http::{AnonymousRequest, FormatRoutes, PathRules, RepositoryRequest, RequestBody, RequestPath};
use larder_npm::{Npm, NpmRoutes};
use larder_store::blob::{LocalBlobs, SmallBlobs};
use larder_store::{DatabaseUrl, Store};
use serde_json::Value;

use crate::registry::Registry;
use crate::samples::publish_body;

pub(crate) const BASE: &str = "http://larder.test/d/dom-123456789012/npm/repo";
pub(crate) const SECRET: &str = "a-secret-of-twenty-letters";
const RULES: PathRules = PathRules { scoped_slash: true, long_last_segment: true };

/// A repository `repo` whose upstream `npm-store` has the connection to the public registry.
pub(crate) struct Server {
    pub(crate) routes: NpmRoutes,
    pub(crate) services: Arc<Services>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) target: RepositoryTarget,
    policies: Arc<Policies>,
    user: User,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Checks the status, and of refusals that they are in npm's form.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        if status >= 400 {
            let error = self.json();
            assert_eq!(error["ok"], false);
            assert!(error["error"].as_str().is_some_and(|sentence| sentence.len() > 10), "{error}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = DatabaseUrl::parse(&folder.path().join("larder.db").display().to_string()).expect("a path");
        let store: Arc<dyn MetadataStore> = Arc::new(Store::open(&url, "us-east-1").await.expect("opened"));
        let blobs: Arc<dyn BlobStore> =
            Arc::new(LocalBlobs::open(&folder.path().join("blobs"), SmallBlobs::default()).expect("opened"));
        let (registry, policies) = (Arc::new(Registry::default()), Arc::new(Policies::default()));
        let format: Arc<dyn Format> = Arc::new(Npm);
        let services = Arc::new(Services::new(Ports {
            store,
            blobs,
            registries: Arc::clone(&registry) as Arc<dyn PublicRegistries>,
            policies: Arc::clone(&policies) as Arc<dyn PolicyEvaluator>,
            secrets: Arc::new(RandomSecrets),
            clock: Arc::new(SystemClock),
            formats: Formats::new([format]),
            limits: Limits { asset_size_bytes: 4 << 20, ..Limits::default() },
            region: "us-east-1".into(),
        }));
        let (target, user) = furnish(&services).await;
        let routes = NpmRoutes::new(Arc::clone(&services));
        Self { routes, services, registry, target, policies, user, _folder: folder }
    }

    /// From now on the user may not do this.
    pub(crate) fn deny(&self, action: &'static str) {
        self.policies.denied.lock().expect("not poisoned").insert(action);
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller {
            principal: Principal::user(self.user.clone()),
            via: Via::Signature(access_key_id()),
            address: None,
            secure_transport: false,
            request_id: "request".to_owned(),
        }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send_with(method, path, &[], RequestBody::full(body), self.caller()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        self.send_with("GET", path, headers, RequestBody::empty(), self.caller()).await
    }

    /// Sends a request as if http had authenticated it. A path may end in a query.
    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: RequestBody,
        caller: Caller,
    ) -> Answer {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query.to_owned())));
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")));
        let method: Method = method.parse().expect("a method");
        let path = RequestPath::parse(path, RULES).expect("a path that http lets through");
        let headers: HeaderMap = headers.collect();
        let response = if self.routes.admits_anonymous(&method, &path) {
            let request = AnonymousRequest {
                method,
                headers,
                path,
                body,
                base: BASE.to_owned(),
                target: self.target.clone(),
                address: None,
                secure_transport: false,
                request_id: "request".to_owned(),
            };
            self.routes.handle_anonymous(request).await
        } else {
            let target = self.target.clone();
            let base = BASE.to_owned();
            let request = RepositoryRequest { method, headers, path, query, body, base, caller, target };
            self.routes.handle(request).await
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Whether a download is refused or breaks off.
    pub(crate) async fn download_fails(&self, path: &str) -> bool {
        let path = RequestPath::parse(path, RULES).expect("a path");
        let request = RepositoryRequest {
            method: Method::GET,
            headers: HeaderMap::new(),
            path,
            query: None,
            body: RequestBody::empty(),
            base: BASE.to_owned(),
            caller: self.caller(),
            target: self.target.clone(),
        };
        let response = self.routes.handle(request).await;
        !response.status().is_success() || response.into_body().collect().await.is_err()
    }

    /// Publishes a package with nothing but its manifest.
    pub(crate) async fn publish(&self, name: &str, version: &str, tag: &str) -> Answer {
        self.send("PUT", &path_of(name), publish_body(name, version, tag).to_string()).await
    }
}

/// `/@s%2fn`, as npm asks for it.
pub(crate) fn path_of(name: &str) -> String {
    format!("/{}", name.replacen('/', "%2f", usize::from(name.starts_with('@'))))
}

fn access_key_id() -> AccessKeyId {
    AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("an id")
}

/// Account, user, key, domain and two repositories.
async fn furnish(services: &Services) -> (RepositoryTarget, User) {
    let account = AccountId::new("123456789012").expect("an account");
    let actor = Actor {
        principal: "test".to_owned(),
        address: None,
        operation: "Test",
        at: SystemClock.now(),
        request_id: "setup".to_owned(),
        client: None,
    };
    let apply = async |change| services.store.apply(&actor, change).await.map(drop).expect("applied");
    let user = User { account: account.clone(), name: UserName::new("alice").expect("a name"), id: "AIDA1".to_owned() };
    apply(Change::CreateAccount { account: account.clone() }).await;
    apply(Change::CreateUser { user: user.clone() }).await;
    let key = AccessKey {
        id: access_key_id(),
        secret: SecretAccessKey::new(SECRET).expect("a secret"),
        status: AccessKeyStatus::Active,
        user: user.clone(),
        created_at: Timestamp(0),
    };
    apply(Change::CreateAccessKey { key }).await;
    let name = DomainName::new("dom").expect("a name");
    let domain = Domain {
        id: DomainId(0),
        owner: account.clone(),
        name: name.clone(),
        encryption_key: "arn:aws:kms:us-east-1:123456789012:key/1".to_owned(),
        created_at: Timestamp(0),
        policy: None,
    };
    apply(Change::CreateDomain { domain, tags: vec![], limit: 10 }).await;
    let domain = services.access.get_domain(&account, &name).await.expect("created");
    let mut upstreams = vec![];
    for name in ["npm-store", "repo"] {
        let new = NewRepository {
            domain: domain.id,
            domain_owner: account.clone(),
            domain_name: domain.name.clone(),
            name: RepositoryName::new(name).expect("a name"),
            administrator: account.clone(),
            description: None,
            upstreams: std::mem::take(&mut upstreams),
            tags: vec![],
            limit: 10,
        };
        apply(Change::CreateRepository(new)).await;
        let name = RepositoryName::new(name).expect("a name");
        let created = services.access.get_repository(&domain, &name).await.expect("created");
        upstreams.push(created.id);
        if name.as_str() == "npm-store" {
            let connection = ExternalConnection::parse("public:npmjs").expect("known");
            apply(Change::AssociateExternalConnection { repository: created.id, connection }).await;
        }
    }
    let name = RepositoryName::new("repo").expect("a name");
    let repository = services.access.get_repository(&domain, &name).await.expect("created");
    (RepositoryTarget { domain, repository }, user)
}

/// Everything is allowed but what a test denies.
#[derive(Default)]
struct Policies {
    denied: Mutex<HashSet<&'static str>>,
}

impl PolicyEvaluator for Policies {
    fn validate(&self, _kind: PolicyKind, _document: &str) -> Result<(), larder_core::error::Invalid> {
        Ok(())
    }

    fn evaluate(&self, question: &AccessQuestion<'_>) -> Verdict {
        let denied = self.denied.lock().expect("not poisoned").contains(question.action);
        let identity = if denied { Effect::Deny } else { Effect::Allow };
        Verdict { identity, resource: Effect::Silent, depends_on_request: true }
    }
}
