//! A store with a domain and the words the tests speak in.

use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use larder_core::model::{
    AccountId, Actor, Asset, AssetKind, AssetName, Digests, Domain, DomainId, DomainName, ExternalConnection, NewAsset,
    Origin, OriginRestrictions, Package, PackageFormat, PackageKey, PackageVersion, Publication, PublishMode,
    Published, Repository, RepositoryId, RepositoryName, Revision, Sha256, Tag, TagUpdate, Timestamp, User, UserName,
    VersionDetails, VersionFailureCode, VersionStatus, VersionText,
};
use larder_core::ports::{
    Applied, BatchOutcome, BatchSelection, Change, Domains, MetadataStore, NewRepository, Packages, Repositories,
    VersionSelector,
};
use larder_core::{Error, Result};

use crate::{DatabaseUrl, Store};

pub(super) const REGION: &str = "eu-central-1";

/// A store on a database of its own.
pub(super) struct Fixture {
    pub(super) store: Store,
    pub(super) url: DatabaseUrl,
    /// Rises with every change.
    clock: AtomicI64,
    /// What goes when the test ends.
    _folder: Option<tempfile::TempDir>,
}

pub(super) fn account() -> AccountId {
    AccountId::new("123456789012").expect("an account")
}

pub(super) fn domain_name(name: &str) -> DomainName {
    DomainName::new(name).expect("a domain name")
}

pub(super) fn repository_name(name: &str) -> RepositoryName {
    RepositoryName::new(name).expect("a repository name")
}

pub(super) fn npm(name: &str) -> PackageKey {
    PackageKey::new(PackageFormat::Npm, None, name).expect("a package")
}

pub(super) fn version(text: &str) -> VersionText {
    VersionText::new(text).expect("a version")
}

pub(super) fn npmjs() -> ExternalConnection {
    ExternalConnection::parse("public:npmjs").expect("a connection")
}

pub(super) fn user(name: &str) -> User {
    User {
        account: account(),
        path: "/".to_owned(),
        name: UserName::new(name).expect("a user name"),
        id: format!("AIDA{name}"),
    }
}

/// An asset whose bytes are its content's text; equal texts are equal blobs.
pub(super) fn asset(name: &str, content: &str) -> Asset {
    let hash = Revision::of([content.as_bytes()]);
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(&hash.0.as_bytes()[..32]);
    Asset {
        name: AssetName::new(name).expect("an asset name"),
        kind: AssetKind::Asset,
        digests: Digests {
            md5: [1; 16],
            sha1: [2; 20],
            sha256: Sha256(sha256),
            sha512: [3; 64],
            size_bytes: content.len() as u64,
        },
        metadata: Bytes::new(),
    }
}

pub(super) fn new_asset(asset: Asset) -> NewAsset {
    NewAsset { name: asset.name, kind: asset.kind, digests: asset.digests, metadata: asset.metadata }
}

/// A direct publish of an npm version with one asset, whose content is the version's text.
pub(super) fn publication(repository: &Repository, package: &str, text: &str) -> Publication {
    Publication {
        domain: repository.domain,
        repository: repository.id,
        package: npm(package),
        display_name: package.to_owned(),
        version: version(text),
        canonical: None,
        assets: vec![new_asset(asset("package.tgz", &format!("{package} {text}")))],
        metadata: Bytes::from(format!("{{\"name\":\"{package}\",\"version\":\"{text}\"}}")),
        details: VersionDetails { summary: Some(format!("summary of {text}")), ..VersionDetails::default() },
        status: VersionStatus::Published,
        origin: Origin::internal(repository.name.clone()),
        source_published_at: None,
        mode: PublishMode::NewVersion,
        tags: Vec::new(),
        default_restrictions: OriginRestrictions::PUBLISHED,
        requires_publish: Some(larder_core::model::AllowPublish::Allow),
    }
}

pub(super) fn latest() -> TagUpdate {
    TagUpdate { tag: "latest".to_owned(), only_if_absent: false }
}

pub(super) fn selection(versions: &[&str]) -> BatchSelection {
    let versions = versions.iter().map(|text| VersionSelector { version: version(text), revision: None }).collect();
    BatchSelection { versions, expected_status: None }
}

/// Each version with its status, or the code and message of its failure.
pub(super) fn told(outcome: &BatchOutcome) -> Vec<(String, std::result::Result<VersionStatus, String>)> {
    outcome
        .iter()
        .map(|(version, result)| {
            let result = match result {
                Ok((_, status)) => Ok(*status),
                Err(failure) => Err(format!("{}: {}", code(failure.code), failure.message)),
            };
            (version.to_string(), result)
        })
        .collect()
}

fn code(code: VersionFailureCode) -> &'static str {
    code.as_aws()
}

impl Fixture {
    pub(super) async fn open(url: DatabaseUrl, folder: Option<tempfile::TempDir>) -> Self {
        let store = Store::open(&url, REGION).await.expect("the store opens");
        Self { store, url, clock: AtomicI64::new(1_700_000_000_000), _folder: folder }
    }

    /// Another store on the same database, as another node or the command line would open it.
    pub(super) async fn another(&self) -> Store {
        Store::open(&self.url, REGION).await.expect("the store opens again")
    }

    /// A database of the same kind that nobody opened yet.
    pub(super) async fn empty_database(&self) -> DatabaseUrl {
        match &self.url {
            DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(path.with_file_name("another.db")),
            DatabaseUrl::Postgres(_) => {
                let url = super::postgres::new_database("").await.expect("a server");
                DatabaseUrl::parse(&url).expect("a URL")
            }
        }
    }

    pub(super) fn actor(&self) -> Actor {
        Actor {
            principal: user("alice").arn().to_string(),
            address: Some([127, 0, 0, 1].into()),
            operation: "Test",
            at: Timestamp(self.clock.fetch_add(1000, Ordering::Relaxed)),
            request_id: "request-1".to_owned(),
            client: None,
        }
    }

    pub(super) async fn apply(&self, change: Change) -> Result<Applied> {
        self.store.apply(&self.actor(), change).await
    }

    /// Applies what must succeed.
    pub(super) async fn must(&self, change: Change) {
        let told = format!("{change:?}");
        if let Err(error) = self.apply(change).await {
            panic!("{told}: {error} ({error:?})");
        }
    }

    /// Applies what must fail.
    pub(super) async fn fails(&self, change: Change) -> Error {
        let told = format!("{change:?}");
        match self.apply(change).await {
            Ok(_) => panic!("succeeded: {told}"),
            Err(error) => error,
        }
    }

    pub(super) async fn domain(&self, name: &str) -> Domain {
        let domain = new_domain(name);
        self.must(Change::CreateDomain { domain, tags: Vec::new(), limit: 10 }).await;
        self.store.find_domain(&account(), &domain_name(name)).await.expect("a read").expect("the domain")
    }

    pub(super) async fn repository(&self, domain: &Domain, name: &str) -> Repository {
        self.must(Change::CreateRepository(new_repository(domain, name))).await;
        self.find_repository(domain.id, name).await.expect("the repository")
    }

    /// A repository in a domain of its own.
    pub(super) async fn some_repository(&self) -> Repository {
        let domain = self.domain("some-domain").await;
        self.repository(&domain, "some-repository").await
    }

    pub(super) async fn find_repository(&self, domain: DomainId, name: &str) -> Option<Repository> {
        self.store.find_repository(domain, &repository_name(name)).await.expect("a read")
    }

    pub(super) async fn publish(&self, publication: Publication) -> Result<Published> {
        match self.apply(Change::Publish(Box::new(publication))).await? {
            Applied::Published(published) => Ok(published),
            other => panic!("a publish answered {other:?}"),
        }
    }

    pub(super) async fn published(&self, repository: &Repository, package: &str, versions: &[&str]) -> Package {
        for text in versions {
            self.publish(publication(repository, package, text)).await.expect("published");
        }
        self.package(repository.id, package).await.expect("the package")
    }

    pub(super) async fn batch(&self, change: Change) -> BatchOutcome {
        match self.apply(change).await.expect("a batch") {
            Applied::Versions(outcome) => outcome,
            other => panic!("a batch answered {other:?}"),
        }
    }

    pub(super) async fn package(&self, repository: RepositoryId, name: &str) -> Option<Package> {
        self.store.find_package(repository, &npm(name)).await.expect("a read")
    }

    pub(super) async fn version(&self, repository: RepositoryId, name: &str, text: &str) -> Option<PackageVersion> {
        self.store.find_version(repository, &npm(name), &version(text)).await.expect("a read")
    }

    pub(super) async fn size(&self, domain: DomainId) -> u64 {
        self.store.domain_usage(domain).await.expect("a read").asset_size_bytes
    }
}

pub(super) fn new_domain(name: &str) -> Domain {
    Domain {
        id: DomainId(0),
        owner: account(),
        name: domain_name(name),
        encryption_key: "arn:aws:kms:eu-central-1:123456789012:key/default".to_owned(),
        created_at: Timestamp(1_600_000_000_000),
        policy: None,
    }
}

pub(super) fn new_repository(domain: &Domain, name: &str) -> NewRepository {
    NewRepository {
        domain: domain.id,
        domain_owner: domain.owner.clone(),
        domain_name: domain.name.clone(),
        name: repository_name(name),
        administrator: account(),
        description: Some(format!("about {name}")),
        upstreams: Vec::new(),
        tags: Vec::new(),
        limit: 1000,
    }
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag::new(key, value).expect("a tag")
}
