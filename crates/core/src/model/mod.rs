//! The nouns of Larder, in AWS's words. Parsing a value into one of these types is the only validation it gets.

mod arn;
mod asset;
mod aws_managed;
mod cooldown;
mod credentials;
mod domain;
mod encryption_key;
mod event;
mod external_connection;
mod identity;
mod journal;
mod names;
mod origin;
mod package;
mod package_group;
mod page;
mod principal;
mod publication;
mod repository;
mod session;
mod tag;
mod time;
mod version;

pub use arn::{Arn, ResourceArn};
pub use asset::{Asset, AssetKind, AssetName, Digests, HashAlgorithm, Sha256};
pub use aws_managed::AwsManagedPolicy;
pub use cooldown::{Cooldown, Held, ReleaseTime, spoken};
pub use credentials::{AccessKey, AccessKeyId, AccessKeyStatus, AuthorizationToken, KeyUse, SecretAccessKey, TokenId};
pub use domain::{Domain, DomainId};
pub use encryption_key::EncryptionKey;
pub use event::{EventType, VersionChanges, VersionEvent};
pub use external_connection::ExternalConnection;
pub use identity::{
    Identity, IdentityKind, IdentityName, ManagedPolicy, ManagedPolicyVersion, ProviderDetails, RoleDetails, TagHolder,
    check_identity_name, check_identity_path,
};
pub use journal::{Actor, JournalRecord};
pub use names::{AccountId, DomainName, RepositoryName, UserName};
pub use origin::{AllowPublish, AllowUpstream, EntryPoint, Origin, OriginRestrictions, OriginType};
pub use package::{NamespaceRule, Package, PackageFormat, PackageId, PackageKey};
pub use package_group::{
    Association, AssociationType, EffectiveRestriction, FOLD_VERSION, FoldedRange, Lineage, PackageGroup,
    PackageGroupId, PackageGroupPattern, PackagePath, Restriction, RestrictionMode, RestrictionType, Specificity, fold,
};
pub use page::{Page, PageRequest, PageToken};
pub use principal::{Principal, PrincipalKind, User};
pub use publication::{ExpectedDigests, NewAsset, Publication, PublishMode, Published, TagUpdate};
pub use repository::{Repository, RepositoryId, RepositorySummary, Upstream};
pub use session::{
    Credential, RoleArn, RoleSession, SESSION_KEY_PREFIX, Session, SessionName, SessionRole, SessionScope, SessionTag,
    WebIdentity,
};
pub use tag::Tag;
pub use time::{Clock, SystemClock, Timestamp};
pub use version::{
    Dependency, License, PackageVersion, Revision, VersionDetails, VersionFailure, VersionFailureCode, VersionId,
    VersionStatus, VersionText,
};
