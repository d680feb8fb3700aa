//! Writes as values. The store applies one in one transaction, with its preconditions and its journal record.

use super::{
    AllowedRepositoryUpdate, IdentityChange, IdentityProvider, NewPackageGroup, NewRole, PackageGroupOriginUpdate,
    SpentToken,
};
use crate::model::{
    AccessKey, AccessKeyId, AccessKeyStatus, AccountId, AssetName, AuthorizationToken, Domain, DomainId, DomainName,
    ExternalConnection, OriginRestrictions, PackageGroupPattern, PackageId, PackageKey, Principal, Publication,
    Published, RepositoryId, RepositoryName, Revision, Session, Tag, TokenId, User, UserName, VersionFailure,
    VersionId, VersionStatus, VersionText,
};

/// A write.
#[derive(Debug, Clone)]
pub enum Change {
    // accounts and identities
    /// Conflict if it exists.
    CreateAccount {
        account: AccountId,
    },
    /// Conflict if the name is taken in the account; not found if the account is missing.
    CreateUser {
        user: User,
    },
    /// Removes the user, its keys, policies and tokens.
    DeleteUser {
        account: AccountId,
        name: UserName,
    },
    /// Quota if the user has `limit` keys.
    CreateAccessKey {
        key: AccessKey,
        limit: Option<u32>,
    },
    SetAccessKeyStatus {
        account: AccountId,
        user: UserName,
        id: AccessKeyId,
        status: AccessKeyStatus,
    },
    /// Removes the key and the tokens it obtained.
    DeleteAccessKey {
        account: AccountId,
        user: UserName,
        id: AccessKeyId,
    },
    /// Adds or replaces an inline policy.
    PutUserPolicy {
        account: AccountId,
        user: UserName,
        policy: String,
        document: String,
    },
    DeleteUserPolicy {
        account: AccountId,
        user: UserName,
        policy: String,
    },
    // roles and identity providers
    /// Conflict if the name is taken in the account; not found if the account is missing.
    CreateRole(Box<NewRole>),
    /// Removes the role, its policies, sessions and their tokens.
    DeleteRole {
        account: AccountId,
        name: String,
    },
    /// Adds, replaces (`Some`) or removes an inline policy.
    PutRolePolicy {
        account: AccountId,
        role: String,
        policy: String,
        document: Option<String>,
    },
    /// Conflict if the account has one for this issuer.
    CreateIdentityProvider {
        account: AccountId,
        provider: IdentityProvider,
        thumbprints: Vec<String>,
        tags: Vec<Tag>,
    },
    DeleteIdentityProvider {
        arn: String,
    },
    /// What IAM's own protocol changes besides.
    Identity(Box<IdentityChange>),

    // sessions and tokens
    /// Conflict if the web identity token that it was obtained with was spent already.
    CreateSession {
        session: Box<Session>,
        spent: Option<SpentToken>,
    },
    CreateToken {
        token: AuthorizationToken,
    },
    /// Not found if it is not this user's, or not this session's.
    DeleteToken {
        principal: Principal,
        id: TokenId,
    },

    // domains
    /// `id` of the value is ignored. Conflict if the name exists; quota if the account has `limit` domains.
    CreateDomain {
        domain: Domain,
        tags: Vec<Tag>,
        limit: u32,
    },
    /// Conflict while a repository exists.
    DeleteDomain {
        domain: DomainId,
    },
    /// `expected`: the revision that must be current. `None` as `document` deletes.
    PutDomainPolicy {
        domain: DomainId,
        expected: Option<Revision>,
        document: Option<(String, Revision)>,
    },

    // repositories
    CreateRepository(NewRepository),
    /// `None` leaves a member as it is. New upstreams are refused while an external connection is attached.
    UpdateRepository {
        repository: RepositoryId,
        description: Option<String>,
        upstreams: Option<Vec<RepositoryId>>,
    },
    /// Links of other repositories to it stay and dangle.
    DeleteRepository {
        repository: RepositoryId,
    },
    /// Refused while another connection or an upstream is there.
    AssociateExternalConnection {
        repository: RepositoryId,
        connection: ExternalConnection,
    },
    /// Not found if it is not attached.
    DisassociateExternalConnection {
        repository: RepositoryId,
        connection: ExternalConnection,
    },
    /// As [`Change::PutDomainPolicy`].
    PutRepositoryPolicy {
        repository: RepositoryId,
        expected: Option<Revision>,
        document: Option<(String, Revision)>,
    },

    // package groups
    /// Conflict if the pattern is taken; quota if the domain has `limit` groups.
    CreatePackageGroup(Box<NewPackageGroup>),
    /// `None` leaves a member as it is.
    UpdatePackageGroup {
        domain: DomainId,
        pattern: PackageGroupPattern,
        contact_info: Option<String>,
        description: Option<String>,
    },
    /// Answers [`Applied::AllowedRepositories`].
    UpdatePackageGroupOrigin(Box<PackageGroupOriginUpdate>),
    /// The group's children become its parent's. Refused for the root.
    DeletePackageGroup {
        domain: DomainId,
        pattern: PackageGroupPattern,
    },

    // tags, by the ARN of an existing resource
    Tag {
        resource: String,
        tags: Vec<Tag>,
    },
    Untag {
        resource: String,
        keys: Vec<String>,
    },

    // packages and versions
    /// Publishes or ingests; answers [`Applied::Published`].
    Publish(Box<Publication>),
    /// Publishes the assets of one version under another version's name too.
    PublishAs(Box<PublishAs>),
    /// Keeps, in `repository`, a reference to a version stored in another repository of the domain, with what it has
    /// now (reference 3.3). Nothing happens if it is there already, except that missing assets are added.
    Retain {
        repository: RepositoryId,
        source: VersionId,
        restrictions: OriginRestrictions,
    },
    /// Creates an empty package if there is none (reference 2.4).
    PutOriginRestrictions {
        repository: RepositoryId,
        package: PackageKey,
        restrictions: OriginRestrictions,
    },
    /// Removes the package, its settings and versions.
    DeletePackage {
        package: PackageId,
    },
    /// Sets (`Some`) or removes a dist-tag. Not found if the version or, on removal, the tag is missing.
    PutTag {
        package: PackageId,
        tag: String,
        version: Option<VersionText>,
    },
    /// Replaces a version's format metadata if its revision is still `expected`.
    PutVersionMetadata {
        version: VersionId,
        expected: Revision,
        metadata: bytes::Bytes,
    },
    /// Removes one asset if the version's revision is still `expected`. Not found if the version has no such asset.
    DeleteAsset {
        version: VersionId,
        expected: Revision,
        asset: AssetName,
    },
    /// Published, Unlisted or Archived; all or nothing. Answers [`Applied::Versions`].
    UpdateVersionsStatus {
        package: PackageId,
        selection: BatchSelection,
        target: VersionStatus,
    },
    /// Removes the assets, keeps the record. Answers [`Applied::Versions`].
    DisposeVersions {
        package: PackageId,
        selection: BatchSelection,
    },
    /// Removes records and assets. Answers [`Applied::Versions`].
    DeleteVersions {
        package: PackageId,
        selection: BatchSelection,
    },
    /// Copies versions with their assets, details and npm tags; all or nothing. Versions whose assets and metadata are
    /// the same already are in neither list of the answer (reference 2.8). Answers [`Applied::Versions`].
    CopyVersions {
        /// Each version and the row it was found as; `Err` for those not found.
        sources: Vec<(VersionText, Result<VersionId, VersionFailure>)>,
        destination: RepositoryId,
        package: PackageKey,
        allow_overwrite: bool,
        restrictions: OriginRestrictions,
    },
}

/// What [`Change::PublishAs`] takes: the version `name` gets assets and details of `source` in place of what it had and
/// is Published; `source` gets a status of its own. A pointer that is published as a version (Maven: `1.0-SNAPSHOT`
/// stands for its newest build, reference 6.3).
#[derive(Debug, Clone)]
pub struct PublishAs {
    pub package: PackageId,
    /// Unfinished, Published or Unlisted.
    pub source: VersionText,
    pub source_status: VersionStatus,
    pub name: VersionText,
    /// The revision that `name` must have; `None` if it must not be there. Conflict if somebody was faster.
    pub expected: Option<Revision>,
    /// The document of the version `name`, as the format keeps it.
    pub metadata: bytes::Bytes,
}

/// What [`Change::CreateRepository`] takes.
#[derive(Debug, Clone)]
pub struct NewRepository {
    pub domain: DomainId,
    pub domain_owner: AccountId,
    pub domain_name: DomainName,
    pub name: RepositoryName,
    pub administrator: AccountId,
    pub description: Option<String>,
    /// In priority order, all of the same domain.
    pub upstreams: Vec<RepositoryId>,
    pub tags: Vec<Tag>,
    /// Repositories per domain (reference 7.4).
    pub limit: u32,
}

/// Which versions a batch call means and what they must be.
#[derive(Debug, Clone, Default)]
pub struct BatchSelection {
    pub versions: Vec<VersionSelector>,
    pub expected_status: Option<VersionStatus>,
}

/// A version, and its revision if the caller pinned it.
#[derive(Debug, Clone)]
pub struct VersionSelector {
    pub version: VersionText,
    pub revision: Option<Revision>,
}

/// The result of a batch call, in the order of the request.
pub type BatchOutcome = Vec<(VersionText, Result<(Revision, VersionStatus), VersionFailure>)>;

/// What applying a change answers.
#[derive(Debug, Clone)]
pub enum Applied {
    Done,
    Published(Published),
    Versions(BatchOutcome),
    /// The lists that changed.
    AllowedRepositories(Vec<AllowedRepositoryUpdate>),
}
