//! A small Larder without HTTP: services on SQLite and local blobs, and a registry whose answers the test chooses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use larder_auth::{policy::Evaluator, token::RandomSecrets};
use larder_core::access::{Action, Caller, NewDomainTarget, NewRepositoryTarget, PackageTarget, RepositoryTarget, Via};
use larder_core::model::{
    AccountId, AssetKind, AssetName, DomainName, ExternalConnection, PackageFormat, PackageKey, PageRequest, Principal,
    PrincipalKind, PublishMode, Published, RepositoryName, SystemClock, TagUpdate, VersionDetails, VersionText,
};
use larder_core::ports::{
    Blob, BlobStore, ByteStream, Download, Format, PublicRegistries, RegistryAnswer, RegistryRequest, VersionFilter,
};
use larder_core::services::{Formats, Limits, NewDomain, Ports, RepositorySettings, Services, Upload, UploadedAsset};
use larder_core::{Error, Result};
use larder_store::blob::{StorageOptions, open_storage};
use larder_store::{DatabaseUrl, Store};

/// What the registry does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The body ends early.
    Truncated,
    /// Other bytes than the index promises.
    Changed,
    /// Nothing answers.
    Down,
}

/// A public registry of one npm package, `pkg`.
pub(crate) struct Registry {
    pub(crate) versions: Mutex<Vec<String>>,
    pub(crate) fault: Mutex<Fault>,
    pub(crate) documents_served: Mutex<u64>,
    pub(crate) files_served: Mutex<u64>,
}

impl Registry {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    fn packument(&self) -> String {
        let versions: BTreeMap<String, serde_json::Value> = self
            .versions
            .lock()
            .unwrap()
            .iter()
            .map(|version| {
                let dist = serde_json::json!({
                    "tarball": format!("http://registry.test/pkg/-/pkg-{version}.tgz"),
                    "shasum": sha1_hex(tarball(version).as_bytes()),
                });
                (version.clone(), serde_json::json!({"name": "pkg", "version": version, "dist": dist}))
            })
            .collect();
        let latest = versions.keys().next_back().cloned().unwrap_or_default();
        serde_json::json!({"name": "pkg", "dist-tags": {"latest": latest}, "versions": versions}).to_string()
    }
}

fn sha1_hex(bytes: &[u8]) -> String {
    use sha1::Digest as _;
    hex::encode(sha1::Sha1::digest(bytes))
}

/// The bytes of a version's tarball; the rules under test do not care what is in them.
pub(crate) fn tarball(version: &str) -> String {
    format!("registry bytes of {version}")
}

fn down() -> Error {
    Error::Upstream { message: "the registry is down".to_owned(), retry_after_seconds: None }
}

#[async_trait]
impl PublicRegistries for Registry {
    fn is_configured(&self, _connection: ExternalConnection) -> bool {
        true
    }

    async fn fetch_document(
        &self,
        _connection: ExternalConnection,
        _request: &RegistryRequest,
        _limit_bytes: usize,
    ) -> Result<RegistryAnswer> {
        *self.documents_served.lock().unwrap() += 1;
        if self.fault() == Fault::Down {
            return Err(down());
        }
        if self.versions.lock().unwrap().is_empty() {
            return Ok(RegistryAnswer::NotFound);
        }
        Ok(RegistryAnswer::Found {
            body: self.packument().into(),
            content_type: "application/json".to_owned(),
            etag: None,
            last_modified: None,
        })
    }

    async fn open_file(&self, _connection: ExternalConnection, _document: &str, url: &str) -> Result<Download> {
        *self.files_served.lock().unwrap() += 1;
        let version = url.trim_end_matches(".tgz").rsplit("pkg-").next().unwrap();
        let bytes = tarball(version);
        let size_bytes = Some(bytes.len() as u64);
        let body: ByteStream = match self.fault() {
            Fault::Down => return Err(down()),
            Fault::None => Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes))])),
            Fault::Truncated => Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes).slice(..5))])),
            Fault::Changed => Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes.to_uppercase()))])),
        };
        Ok(Download { size_bytes, body })
    }
}

/// The world.
pub(crate) struct World {
    pub(crate) services: Arc<Services>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) caller: Caller,
    account: AccountId,
    _folder: tempfile::TempDir,
}

/// The one package there is.
pub(crate) fn key() -> PackageKey {
    PackageKey::new(PackageFormat::Npm, None, "pkg").unwrap()
}

pub(crate) fn version(text: &str) -> VersionText {
    VersionText::new(text).unwrap()
}

impl World {
    /// An empty domain `dom`. `limits` as they are by default but for how long an index is fresh.
    pub(crate) async fn new(index_fresh_for: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("larder.db"));
        let storage = format!("file://{}", folder.path().join("storage").display());
        let registry = Arc::new(Registry {
            versions: Mutex::default(),
            fault: Mutex::new(Fault::None),
            documents_served: Mutex::default(),
            files_served: Mutex::default(),
        });
        let blobs: Arc<dyn BlobStore> = open_storage(&storage, &StorageOptions::default()).unwrap();
        let services = Arc::new(Services::new(Ports {
            store: Arc::new(Store::open(&database, "us-east-1").await.unwrap()),
            blobs,
            registries: Arc::clone(&registry) as _,
            policies: Arc::new(Evaluator::new()),
            secrets: Arc::new(RandomSecrets),
            clock: Arc::new(SystemClock),
            formats: Formats::new([Arc::new(larder_npm::Npm) as Arc<dyn Format>]),
            limits: Limits { index_fresh_for, failure_pause: Duration::ZERO, ..Limits::default() },
            region: "us-east-1".into(),
        }));
        let account = AccountId::new("123456789012").unwrap();
        let caller = Caller {
            principal: Principal { account: account.clone(), kind: PrincipalKind::System },
            via: Via::Machine,
            address: None,
            secure_transport: true,
            request_id: "test".to_owned(),
        };
        let machine = services.access.authorize_machine(&caller, "CreateAccount").unwrap();
        services.identities.create_account(&machine, account.clone()).await.unwrap();
        let target = NewDomainTarget { owner: account.clone(), name: DomainName::new("dom").unwrap() };
        let allowed = services.access.authorize(&caller, Action::CreateDomain, target).await.unwrap();
        services.domains.create(&allowed, NewDomain::default()).await.unwrap();
        Self { services, registry, caller, account, _folder: folder }
    }

    /// A repository with upstreams, in order, or with the connection.
    pub(crate) async fn create_repository(&self, name: &str, upstreams: &[&str], connected: bool) {
        let access = &self.services.access;
        let mut links = Vec::new();
        for upstream in upstreams {
            let target = self.repository(upstream).await;
            let action = Action::AssociateWithDownstreamRepository;
            links.push(access.authorize(&self.caller, action, target).await.unwrap());
        }
        let domain = access.get_domain(&self.account, &DomainName::new("dom").unwrap()).await.unwrap();
        let target = NewRepositoryTarget { domain, name: RepositoryName::new(name).unwrap() };
        let allowed = access.authorize(&self.caller, Action::CreateRepository, target).await.unwrap();
        let settings = RepositorySettings { upstreams: links, ..RepositorySettings::default() };
        self.services.repositories.create(&allowed, settings).await.unwrap();
        if connected {
            let target = self.repository(name).await;
            let allowed = access.authorize(&self.caller, Action::AssociateExternalConnection, target).await.unwrap();
            let connection = ExternalConnection::parse("public:npmjs").unwrap();
            self.services.repositories.associate_external_connection(&allowed, connection).await.unwrap();
        }
    }

    pub(crate) async fn repository(&self, name: &str) -> RepositoryTarget {
        let domain = self.services.access.get_domain(&self.account, &DomainName::new("dom").unwrap()).await.unwrap();
        let name = RepositoryName::new(name).unwrap();
        let repository = self.services.access.get_repository(&domain, &name).await.unwrap();
        RepositoryTarget { domain, repository }
    }

    /// Publishes a version whose bytes name the repository.
    pub(crate) async fn publish(&self, repository: &str, text: &str) -> Result<Published> {
        let target = PackageTarget::new(&self.repository(repository).await, key());
        let allowed = self.services.access.authorize(&self.caller, Action::PublishPackageVersion, target).await?;
        let mut staging = self.services.blobs.stage().await?;
        staging.write(format!("{repository}'s bytes of {text}").into()).await?;
        let asset = UploadedAsset {
            name: AssetName::new("package.tgz").unwrap(),
            kind: AssetKind::Asset,
            staged: staging.finish().await?,
            metadata: Bytes::new(),
        };
        let manifest = serde_json::json!({"name": "pkg", "version": text}).to_string();
        let upload = Upload {
            display_name: "pkg".to_owned(),
            version: version(text),
            assets: vec![asset],
            metadata: manifest.into(),
            details: VersionDetails::default(),
            mode: PublishMode::NewVersion,
            unfinished: false,
            tags: vec![TagUpdate { tag: "latest".to_owned(), only_if_absent: false }],
        };
        self.services.publishing.publish(&allowed, upload).await
    }

    /// Downloads a version's tarball whole, and waits until what the download retains is stored.
    pub(crate) async fn download(&self, repository: &str, text: &str) -> std::result::Result<String, String> {
        let bytes = self.download_now(repository, text).await;
        self.services.background.drain().await;
        bytes
    }

    pub(crate) async fn download_now(&self, repository: &str, text: &str) -> std::result::Result<String, String> {
        let target = self.repository(repository).await;
        let allowed = self
            .services
            .access
            .authorize(&self.caller, Action::ReadFromRepository, target)
            .await
            .map_err(|error| error.to_string())?;
        let asset = AssetName::new("package.tgz").unwrap();
        let opened = self
            .services
            .downloads
            .open(&allowed, &key(), &version(text), &asset)
            .await
            .map_err(|error| error.to_string())?;
        let size = opened.size_bytes;
        let bytes = match opened.read(None).await.map_err(|error| error.to_string())? {
            Blob::Memory(bytes) => bytes.to_vec(),
            Blob::File(mut file) => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
                bytes
            }
            Blob::Stream(mut stream) => {
                let mut bytes = Vec::new();
                while let Some(chunk) = stream.next().await {
                    bytes.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
                }
                bytes
            }
        };
        assert_eq!(size, Some(bytes.len() as u64), "the announced size is the real one");
        Ok(String::from_utf8(bytes).unwrap())
    }

    /// The versions that a repository itself holds.
    pub(crate) async fn held(&self, repository: &str) -> Vec<String> {
        let target = self.repository(repository).await;
        let store = &self.services.store;
        let Some(package) = store.find_package(target.repository.id, &key()).await.unwrap() else { return Vec::new() };
        let page = store.list_versions(&package, &VersionFilter::default(), &PageRequest::first(1000)).await.unwrap();
        page.items.into_iter().map(|version| version.version.to_string()).collect()
    }
}
