//! Services, identities and signed requests.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt as _;
use larder_api::{Api, ApiSettings};
use larder_auth::policy::Evaluator;
use larder_auth::sigv4::{Payload, RequestParts, Signer};
use larder_auth::token::RandomSecrets;
use larder_core::access::{Action, Allowed, Caller, PackageTarget, ServerTarget, Via};
use larder_core::error::Invalid;
use larder_core::model::{
    AccessKey, AccountId, AssetKind, AssetName, Clock as _, ExternalConnection, PackageFormat, PackageKey, Principal,
    PrincipalKind, PublishMode, SystemClock, TagUpdate, UserName, VersionDetails,
};
use larder_core::ports::{Download, Format, Inspected, PublicRegistries, RegistryAnswer, RegistryRequest};
use larder_core::services::{Formats, Limits, Ports, Services, Upload, UploadedAsset};
use larder_core::{Error, Result};
use larder_http::{ApiHandler as _, PeerInfo, RequestBody, Response};
use larder_store::blob::{StorageOptions, open_storage};
use larder_store::{DatabaseUrl, Store};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER_ACCOUNT: &str = "444455556666";
pub(crate) const REGION: &str = "us-west-2";
/// Everything is allowed.
pub(crate) const ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// No registry is configured.
struct NoRegistries;

#[async_trait]
impl PublicRegistries for NoRegistries {
    fn is_configured(&self, _: ExternalConnection) -> bool {
        false
    }
    async fn fetch_document(&self, _: ExternalConnection, _: &RegistryRequest, _: usize) -> Result<RegistryAnswer> {
        Err(Error::Upstream { message: "no registry".into(), retry_after_seconds: None })
    }
    async fn open_file(&self, _: ExternalConnection, _: &str, _: &str) -> Result<Download> {
        Err(Error::Upstream { message: "no registry".into(), retry_after_seconds: None })
    }
}

/// The rules of a format, in small.
struct Files;

impl Format for Files {
    fn format(&self) -> PackageFormat {
        PackageFormat::Generic
    }
    fn asset_name(&self, name: &str) -> Result<AssetName, Invalid> {
        if name.contains('/') { Err(Invalid::new("no slashes")) } else { AssetName::new(name) }
    }
    fn compare_versions(&self, a: &str, b: &str) -> std::cmp::Ordering {
        a.cmp(b)
    }
    fn inspect(&self, _: &AssetName, _: &std::path::Path) -> Inspected {
        Inspected::default()
    }
}

/// A server without a listener.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) services: Arc<Services>,
    /// May do everything in [`ACCOUNT`].
    pub(crate) admin: AccessKey,
    _folder: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body of a failure with this status and name.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Value {
        let found = self.header("x-amzn-errortype").unwrap_or_default();
        assert_eq!((self.status, found), (status, code), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl World {
    /// Two accounts; the first has an administrator.
    pub(crate) async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("larder.db"));
        let storage = format!("file://{}", folder.path().join("storage").display());
        let services = Arc::new(Services::new(Ports {
            store: Arc::new(Store::open(&database, REGION).await.unwrap()),
            blobs: open_storage(&storage, &StorageOptions::default()).unwrap(),
            registries: Arc::new(NoRegistries),
            policies: Arc::new(Evaluator::new()),
            secrets: Arc::new(RandomSecrets),
            clock: Arc::new(SystemClock),
            formats: Formats::new([Arc::new(Files) as Arc<dyn Format>]),
            limits,
            region: REGION.into(),
        }));
        let proof = machine(&services);
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            services.identities.create_account(&proof, AccountId::new(account).unwrap()).await.unwrap();
        }
        let admin = create_user(&services, ACCOUNT, "admin", Some(ALL)).await;
        let api = Api::new(Arc::clone(&services), ApiSettings::default());
        Self { api, services, admin, _folder: folder }
    }

    /// A world with a domain `my-domain`.
    pub(crate) async fn with_domain() -> Self {
        let world = Self::new().await;
        world.admin("POST /v1/domain?domain=my-domain", "").await.ok();
        world
    }

    /// A user with at most one identity policy.
    pub(crate) async fn user(&self, account: &str, name: &str, policy: Option<&str>) -> AccessKey {
        create_user(&self.services, account, name, policy).await
    }

    /// Proof that the machine's owner acts.
    pub(crate) fn machine(&self) -> Allowed<ServerTarget> {
        machine(&self.services)
    }

    /// A repository of `my-domain`.
    pub(crate) async fn create_repository(&self, name: &str, upstreams: &[&str]) -> Value {
        let upstreams: Vec<_> = upstreams.iter().map(|name| json!({"repositoryName": name})).collect();
        let body = json!({"upstreams": upstreams}).to_string();
        self.admin(&format!("POST /v1/repository?domain=my-domain&repository={name}"), &body).await.ok()
    }

    /// A call by the administrator: method and path with query, and a JSON body.
    pub(crate) async fn admin(&self, call: &str, body: &str) -> Answer {
        self.call(&self.admin, call, body).await
    }

    /// A call signed with a key.
    pub(crate) async fn call(&self, key: &AccessKey, call: &str, body: &str) -> Answer {
        let mut request = request(call);
        self.sign(key, "codeartifact", &mut request, Payload::Body(body.as_bytes()));
        self.send(request, body.to_owned()).await
    }

    /// PublishPackageVersion of a generic package `team/tool` in `my-domain`, declaring the hash of `declared`.
    pub(crate) async fn publish(&self, repository: &str, more: &str, content: &[u8], declared: &[u8]) -> Answer {
        let mut request = request(&format!(
            "POST /v1/package/version/publish?domain=my-domain&repository={repository}&format=generic&namespace=team\
             &package=tool&{more}"
        ));
        self.sign(&self.admin, "codeartifact", &mut request, Payload::Declared(sha256(declared)));
        self.send(request, content.to_vec()).await
    }

    /// Publishes a version of the npm package `pkg` as a package manager would, tagged `latest`.
    pub(crate) async fn publish_npm(&self, repository: &str, version: &str) {
        let caller = machine_caller();
        let access = &self.services.access;
        let domain = access.get_domain(&caller.principal.account, &"my-domain".parse().unwrap()).await.unwrap();
        let repository = access.get_repository(&domain, &repository.parse().unwrap()).await.unwrap();
        let package = PackageKey::new(PackageFormat::Npm, None, "pkg").unwrap();
        let target = PackageTarget { domain, repository, package };
        let allowed = access.authorize(&caller, Action::PublishPackageVersion, target).await.unwrap();
        let mut staging = self.services.blobs.stage().await.unwrap();
        staging.write(Bytes::from(format!("bytes of {version}"))).await.unwrap();
        let asset = UploadedAsset {
            name: AssetName::new(format!("pkg-{version}.tgz")).unwrap(),
            kind: AssetKind::Asset,
            staged: staging.finish().await.unwrap(),
            metadata: Bytes::new(),
        };
        let upload = Upload {
            display_name: "pkg".into(),
            version: version.parse().unwrap(),
            assets: vec![asset],
            metadata: Bytes::new(),
            details: VersionDetails { readme: Some(format!("# pkg {version}")), ..VersionDetails::default() },
            mode: PublishMode::NewVersion,
            unfinished: false,
            tags: vec![TagUpdate { tag: "latest".into(), only_if_absent: false }],
        };
        self.services.publishing.publish(&allowed, upload).await.unwrap();
    }

    /// Adds a signature made now.
    pub(crate) fn sign(&self, key: &AccessKey, service: &str, request: &mut Request<()>, payload: Payload<'_>) {
        let signer = Signer { access_key_id: key.id.as_str(), secret: &key.secret, region: REGION, service };
        let (parts, ()) = std::mem::take(request).into_parts();
        let added = signer.sign(&RequestParts::from(&parts), payload, SystemClock.now()).unwrap();
        *request = Request::from_parts(parts, ());
        request.headers_mut().extend(added);
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<()>, body: impl Into<Bytes>) -> Answer {
        let peer = PeerInfo {
            address: "192.0.2.1".parse().unwrap(),
            secure: false,
            base_url: "http://larder.test:5273".into(),
            authority: "larder.test:5273".into(),
        };
        let body = RequestBody::full(body);
        Answer::read(self.api.handle(request.map(|()| body), peer, "request-1").await).await
    }
}

/// A request that is not signed.
pub(crate) fn request(call: &str) -> Request<()> {
    let (method, path) = call.split_once(' ').unwrap();
    let host = HeaderValue::from_static("larder.test:5273");
    Request::builder().method(method).uri(path).header("host", host).body(()).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

fn machine_caller() -> Caller {
    Caller {
        principal: Principal { account: AccountId::new(ACCOUNT).unwrap(), kind: PrincipalKind::System },
        via: Via::Machine,
        address: None,
        secure_transport: true,
        request_id: "test".into(),
    }
}

fn machine(services: &Services) -> Allowed<ServerTarget> {
    services.access.authorize_machine(&machine_caller(), "Test").unwrap()
}

async fn create_user(services: &Services, account: &str, name: &str, policy: Option<&str>) -> AccessKey {
    let proof = machine(services);
    let (account, name) = (AccountId::new(account).unwrap(), UserName::new(name).unwrap());
    let identities = &services.identities;
    identities.create_user(&proof, account.clone(), name.clone()).await.unwrap();
    if let Some(document) = policy {
        let policy = ("rights".to_owned(), document.to_owned());
        identities.put_user_policy(&proof, account.clone(), name.clone(), policy.0, policy.1).await.unwrap();
    }
    identities.create_access_key(&proof, &account, &name, None).await.unwrap()
}
