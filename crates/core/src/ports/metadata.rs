//! Reading metadata, one trait per aggregate, and applying changes. Every read sees what was acknowledged before.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Applied, Change, Identities, JournalLog, PackageGroups, Sessions};
use crate::error::Result;
use crate::model::{
    AccessKey, AccessKeyId, AccountId, Actor, AllowPublish, AllowUpstream, Asset, AuthorizationToken, Domain, DomainId,
    DomainName, ExternalConnection, JournalRecord, KeyUse, OriginType, Package, PackageFormat, PackageKey,
    PackageVersion, Page, PageRequest, Repository, RepositoryId, RepositoryName, RepositorySummary, Sha256, Tag,
    Timestamp, User, UserName, VersionDetails, VersionId, VersionStatus, VersionText,
};

/// Everything the metadata store offers.
#[async_trait]
pub trait MetadataStore:
    Accounts
    + Identities
    + Sessions
    + Tokens
    + Domains
    + Repositories
    + Packages
    + PackageGroups
    + UpstreamIndexes
    + Journal
    + JournalLog
    + Send
    + Sync
    + 'static
{
    /// Applies a write in one transaction together with its journal record. Durable when it returns.
    async fn apply(&self, actor: &Actor, change: Change) -> Result<Applied>;

    /// A number that differs from the last one seen whenever anything was committed, by this process or another.
    /// Cheap enough for every request.
    async fn epoch(&self) -> Result<u64>;

    /// A number that rises with every change to accounts, users, keys, policies, domains, repositories, links,
    /// package groups and tags, and with every deletion of a token: what authorization and the upstream graph depend on.
    async fn control_generation(&self) -> Result<u64>;

    /// Answers once the database does.
    async fn ping(&self) -> Result<()>;
}

/// Accounts, users, access keys, identity policies.
#[async_trait]
pub trait Accounts: Send + Sync {
    async fn list_accounts(&self) -> Result<Vec<AccountId>>;
    async fn find_user(&self, account: &AccountId, name: &UserName) -> Result<Option<User>>;
    async fn list_users(&self, account: &AccountId) -> Result<Vec<(User, Timestamp)>>;
    async fn find_access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>>;
    async fn list_access_keys(&self, account: &AccountId, user: &UserName) -> Result<Vec<AccessKey>>;
    /// The last use of a key that was written down; `None` if there is none.
    async fn find_key_use(&self, id: &AccessKeyId) -> Result<Option<KeyUse>>;
    /// Writes down a use of a key, if it is there and the use is later than the one that is known. Not journaled.
    async fn put_key_use(&self, id: &AccessKeyId, key_use: &KeyUse) -> Result<()>;
    /// Name and document, in name order.
    async fn list_user_policies(&self, user: &User) -> Result<Vec<(String, Arc<str>)>>;
}

/// Authorization tokens.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// The token whose text has this SHA-256, if its user and its access key are there and the key is active.
    /// Expiry is the caller's to check.
    async fn find_token(&self, sha256: &[u8; 32]) -> Result<Option<AuthorizationToken>>;
    /// A user's tokens, newest first.
    async fn list_tokens(&self, user: &User, page: &PageRequest) -> Result<Page<AuthorizationToken>>;
}

/// Domains and tags.
#[async_trait]
pub trait Domains: Send + Sync {
    async fn find_domain(&self, owner: &AccountId, name: &DomainName) -> Result<Option<Domain>>;
    async fn list_domains(&self, owner: &AccountId, page: &PageRequest) -> Result<Page<Domain>>;
    /// Repositories and the bytes of all assets, each blob counted once.
    async fn domain_usage(&self, domain: DomainId) -> Result<Usage>;
    /// The tags of a resource, in key order; empty for an unknown one.
    async fn list_tags(&self, resource: &str) -> Result<Vec<Tag>>;
}

/// `repositoryCount` and `assetSizeBytes` of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub repository_count: u64,
    pub asset_size_bytes: u64,
}

/// Repositories.
#[async_trait]
pub trait Repositories: Send + Sync {
    async fn find_repository(&self, domain: DomainId, name: &RepositoryName) -> Result<Option<Repository>>;
    /// `None` for a deleted one.
    async fn find_repository_by_id(&self, id: RepositoryId) -> Result<Option<Repository>>;
    /// In order of name, then domain.
    async fn list_repositories(&self, filter: &RepositoryFilter, page: &PageRequest)
    -> Result<Page<RepositorySummary>>;
}

/// What ListRepositories and ListRepositoriesInDomain filter by.
#[derive(Debug, Clone, Default)]
pub struct RepositoryFilter {
    pub domain: Option<DomainId>,
    pub administrator: Option<AccountId>,
    pub prefix: Option<String>,
}

/// Packages, versions and assets.
#[async_trait]
pub trait Packages: Send + Sync {
    async fn find_package(&self, repository: RepositoryId, key: &PackageKey) -> Result<Option<Package>>;
    /// A package that may be published to here and whose name differs from this one only in case and in `-`, `_` and
    /// `.`: a name that people would take for the other.
    async fn find_package_twin(&self, repository: RepositoryId, key: &PackageKey) -> Result<Option<PackageKey>>;
    /// Without dist-tags. In order of format, namespace, name; with a name prefix in order of name, format, namespace.
    async fn list_packages(
        &self,
        repository: RepositoryId,
        filter: &PackageFilter,
        page: &PageRequest,
    ) -> Result<Page<Package>>;
    /// The package with all its versions and their assets, in the order of publication: what an index document is made
    /// of. `None` if the repository has no such package.
    async fn load_package(&self, repository: RepositoryId, key: &PackageKey) -> Result<Option<HostedPackage>>;
    /// `(repository, package revision)` for those of the repositories that have the package: what a cached document
    /// depends on. In order of repository id.
    async fn package_revisions(
        &self,
        repositories: &[RepositoryId],
        key: &PackageKey,
    ) -> Result<Vec<(RepositoryId, i64)>>;
    /// One version with its assets.
    async fn find_version(
        &self,
        repository: RepositoryId,
        key: &PackageKey,
        version: &VersionText,
    ) -> Result<Option<PackageVersion>>;
    /// Without assets. By version text, or newest first by publication time if `filter.newest_first`.
    async fn list_versions(
        &self,
        package: &Package,
        filter: &VersionFilter,
        page: &PageRequest,
    ) -> Result<Page<PackageVersion>>;
    /// The most recently published version with status Published, if any.
    async fn newest_version(&self, package: &Package) -> Result<Option<VersionText>>;
    /// Some of a package's versions that were stored before canonical texts were kept
    /// ([`Format::canonical_version`](super::Format::canonical_version)), in no order.
    async fn list_versions_without_canonical(
        &self,
        package: &Package,
        limit: usize,
    ) -> Result<Vec<(VersionId, VersionText)>>;
    /// Keeps canonical texts. Not journaled: they say nothing new.
    async fn put_canonical_versions(&self, versions: Vec<(VersionId, String)>) -> Result<()>;
    /// Assets of kind [`crate::model::AssetKind::Asset`], by name.
    async fn list_assets(&self, version: VersionId, page: &PageRequest) -> Result<Page<Asset>>;
    async fn version_details(&self, version: VersionId) -> Result<VersionDetails>;
    /// Names of one format in the repositories, merged and without duplicates, with their display names.
    async fn list_package_names(
        &self,
        repositories: &[RepositoryId],
        format: PackageFormat,
        page: &PageRequest,
    ) -> Result<Page<(PackageKey, String)>>;

    /// Every stored asset's address with its size, in pages: for `verify`.
    async fn list_blob_references(
        &self,
        after: Option<(DomainId, Sha256)>,
        limit: usize,
    ) -> Result<Vec<(DomainId, Sha256, u64)>>;
    /// Which of these blobs no asset refers to: for `gc`.
    async fn unreferenced(&self, blobs: &[(DomainId, Sha256)]) -> Result<Vec<(DomainId, Sha256)>>;
}

/// A package with its versions.
#[derive(Debug, Clone)]
pub struct HostedPackage {
    pub package: Package,
    /// In order of publication here.
    pub versions: Vec<PackageVersion>,
}

/// What ListPackages filters by.
#[derive(Debug, Clone, Default)]
pub struct PackageFilter {
    pub format: Option<PackageFormat>,
    /// A prefix, despite its name in the API.
    pub namespace: Option<String>,
    pub prefix: Option<String>,
    pub publish: Option<AllowPublish>,
    pub upstream: Option<AllowUpstream>,
}

/// What ListPackageVersions filters by.
#[derive(Debug, Clone, Copy, Default)]
pub struct VersionFilter {
    pub status: Option<VersionStatus>,
    pub origin: Option<OriginType>,
    pub newest_first: bool,
}

/// Index documents of public registries, as last seen.
#[async_trait]
pub trait UpstreamIndexes: Send + Sync {
    async fn find_index(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
    ) -> Result<Option<StoredIndex>>;
    /// Stores or replaces it. Not journaled: it is a cache. Bumps its revision if the body changed.
    async fn put_index(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
        index: &StoredIndex,
    ) -> Result<StoredIndex>;
    /// When the versions of an index that does not say their age were first seen in it.
    async fn find_sightings(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
    ) -> Result<Sightings>;
    /// Replaces them. Nothing is kept for an index that is not stored.
    async fn put_sightings(
        &self,
        repository: RepositoryId,
        connection: ExternalConnection,
        key: &PackageKey,
        sightings: &Sightings,
    ) -> Result<()>;
}

/// Versions, and when each was first seen at its source: it was published then at the latest.
pub type Sightings = BTreeMap<String, Timestamp>;

/// An index document of a public registry.
#[derive(Debug, Clone)]
pub struct StoredIndex {
    /// `None`: the registry says there is no such package.
    pub body: Option<Bytes>,
    /// The registry's content type, for formats that read more than one.
    pub content_type: String,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// When the registry last confirmed it.
    pub checked_at: Timestamp,
    /// Rises whenever the body changes.
    pub revision: i64,
}

impl StoredIndex {
    /// The same with another body.
    #[must_use]
    pub fn with_body(&self, body: Option<Bytes>) -> Self {
        Self { body, ..self.clone() }
    }
}

/// The journal's readers.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Records after a sequence number, in order.
    async fn list_journal(&self, after: i64, limit: usize) -> Result<Vec<JournalRecord>>;
}
