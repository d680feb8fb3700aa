//! Temporary credentials in the metadata store, and what assuming a role asks of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{AccessKeyId, AccountId, RoleArn, Session, SessionRole, Tag, Timestamp};

/// Reading temporary credentials and what they are made from.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The session with this access key id, if its user or role is there. Ended ones are found for a day; expiry is the
    /// caller's to check.
    async fn find_session(&self, id: &AccessKeyId) -> Result<Option<Session>>;
    /// The role with this ARN.
    async fn find_assumable_role(&self, arn: &RoleArn) -> Result<Option<AssumableRole>>;
    /// The documents of a role's policies, inline and managed.
    async fn list_role_documents(&self, role_id: &str) -> Result<Vec<Arc<str>>>;
    /// The document of a managed policy, in its default version.
    async fn find_managed_document(&self, arn: &str) -> Result<Option<Arc<str>>>;
    /// The identity provider that an account registered for this issuer.
    async fn find_identity_provider(&self, account: &AccountId, issuer: &str) -> Result<Option<IdentityProvider>>;
}

/// What assuming a role depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumableRole {
    pub role: SessionRole,
    /// Who may assume it.
    pub trust_policy: Arc<str>,
    /// The longest session.
    pub max_session: Duration,
    pub tags: Vec<Tag>,
}

/// What [`super::Change::CreateRole`] takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    pub role: SessionRole,
    pub trust_policy: String,
    pub description: String,
    /// The longest session.
    pub max_session: Duration,
    pub tags: Vec<Tag>,
}

/// An OpenID Connect provider of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// `arn:aws:iam::{account}:oidc-provider/{host}{path}`.
    pub arn: String,
    /// The issuer's URL, exactly as its tokens say it.
    pub issuer: String,
    /// Which audiences it vouches for here.
    pub client_ids: Vec<String>,
}

/// A web identity token that may be exchanged once: who issued it, its `jti`, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentToken {
    pub issuer: String,
    pub id: String,
    /// It is remembered until then.
    pub expires_at: Timestamp,
}
