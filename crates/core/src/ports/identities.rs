//! Groups, roles and managed policies in the metadata store: what IAM reads and writes.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{
    AccountId, Identity, IdentityKind, IdentityName, ManagedPolicy, ManagedPolicyVersion, Page, PageRequest,
    ProviderDetails, RoleDetails, Tag, TagHolder, User,
};

/// Reading identities and what hangs on them.
#[async_trait]
pub trait Identities: Send + Sync {
    async fn find_identity(&self, name: &IdentityName) -> Result<Option<Identity>>;
    /// Those whose path begins with `prefix`, in name order.
    async fn list_identities(
        &self,
        kind: IdentityKind,
        account: &AccountId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<Identity>>;
    /// Names and documents of the inline policies, in name order.
    async fn list_inline_policies(&self, identity: &Identity) -> Result<Vec<(String, Arc<str>)>>;
    /// ARNs of the attached managed policies, in their order.
    async fn list_attached_policies(&self, identity: &Identity) -> Result<Vec<String>>;
    /// The users of a group, in order of their ids.
    async fn list_members(&self, group: &Identity, page: &PageRequest) -> Result<Page<Identity>>;
    /// The groups of a user, in name order.
    async fn list_groups_of(&self, user_id: &str) -> Result<Vec<Identity>>;
    async fn find_role_details(&self, role_id: &str) -> Result<Option<RoleDetails>>;
    /// A managed policy that was created, not one that is built in.
    async fn find_managed_policy(&self, arn: &str) -> Result<Option<ManagedPolicy>>;
    /// Those of an account whose path begins with `prefix`, in name order.
    async fn list_managed_policies(
        &self,
        account: &AccountId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<ManagedPolicy>>;
    /// Newest first.
    async fn list_policy_versions(&self, arn: &str) -> Result<Vec<ManagedPolicyVersion>>;
    /// To how many identities of the account a policy is attached, built in or not.
    async fn count_attachments(&self, account: &AccountId, arn: &str) -> Result<u64>;
    /// The identities of one kind of an account that a policy is attached to, in order of their ids.
    async fn list_attached_to(
        &self,
        kind: IdentityKind,
        account: &AccountId,
        arn: &str,
        page: &PageRequest,
    ) -> Result<Page<Identity>>;
    async fn find_provider(&self, arn: &str) -> Result<Option<ProviderDetails>>;
    /// ARNs of an account's OpenID Connect providers, in their order.
    async fn list_providers(&self, account: &AccountId) -> Result<Vec<String>>;
    /// In key order; empty for what is not there.
    async fn list_identity_tags(&self, holder: &TagHolder) -> Result<Vec<Tag>>;
    /// In key order.
    async fn list_user_tags(&self, user: &User) -> Result<Vec<Tag>>;
    /// All policies that count for a user: its own, those attached to it, and those of its groups.
    async fn list_user_documents(&self, user: &User) -> Result<Vec<Arc<str>>>;
}

/// A write of IAM. What is named must be there, else [`crate::Error::ResourceNotFound`].
#[derive(Debug, Clone)]
pub enum IdentityChange {
    /// Conflict if the name is taken.
    CreateUser {
        user: User,
        tags: Vec<Tag>,
    },
    /// Conflict if the name is taken.
    CreateGroup {
        group: Identity,
    },
    /// Gives a user or group another name or path. Conflict if the name is taken.
    Rename {
        identity: IdentityName,
        name: Option<String>,
        path: Option<String>,
    },
    /// `None` leaves a member as it is.
    UpdateRole {
        account: AccountId,
        name: String,
        trust_policy: Option<String>,
        description: Option<String>,
        max_session_seconds: Option<u64>,
    },
    /// Conflict while keys, policies, memberships or members are there.
    Delete {
        identity: IdentityName,
    },
    /// Adds a user to a group or removes it. Quota if the user would be in more than ten.
    SetMember {
        account: AccountId,
        group: String,
        user: String,
        member: bool,
    },
    /// Adds, replaces (`Some`) or removes an inline policy. Quota if all together would be too long.
    PutInlinePolicy {
        identity: IdentityName,
        policy: String,
        document: Option<String>,
    },
    /// Attaches or detaches a managed policy. Quota if the identity would have more than ten.
    SetAttached {
        identity: IdentityName,
        policy_arn: String,
        attached: bool,
    },
    /// With its first version. Conflict if the name is taken.
    CreatePolicy {
        account: AccountId,
        policy: ManagedPolicy,
        document: String,
        tags: Vec<Tag>,
    },
    /// Conflict while it is attached or has other versions than the default one.
    DeletePolicy {
        arn: String,
    },
    /// Conflict unless `number` follows the last one; quota if there would be more than five.
    CreatePolicyVersion {
        arn: String,
        number: u32,
        document: String,
        default: bool,
    },
    SetDefaultPolicyVersion {
        arn: String,
        number: u32,
    },
    /// Conflict for the default version.
    DeletePolicyVersion {
        arn: String,
        number: u32,
    },
    /// Adds an audience or removes it; nothing happens if that is so already. Quota above a hundred.
    SetClient {
        arn: String,
        client_id: String,
        accepted: bool,
    },
    /// Replaces all.
    PutThumbprints {
        arn: String,
        thumbprints: Vec<String>,
    },
    /// Adds or replaces. Quota above fifty.
    Tag {
        holder: TagHolder,
        tags: Vec<Tag>,
    },
    Untag {
        holder: TagHolder,
        keys: Vec<String>,
    },
}
