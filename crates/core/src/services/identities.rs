//! Accounts, IAM users, their access keys and identity policies. Managed on the machine itself (see
//! [`crate::access::Access::authorize_machine`]) or through IAM's protocol ([`crate::access::Access::authorize_identity`]).

mod holder_policies;
mod holders;
mod managed;
mod providers;

use std::sync::Arc;

use crate::access::{Allowed, ServerTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{AccessKey, AccessKeyId, AccessKeyStatus, AccountId, SecretAccessKey, Timestamp, User, UserName};
use crate::ports::{Change, MetadataStore, PolicyEvaluator, PolicyKind, Secrets};

pub use managed::NewManagedPolicy;
pub(super) use providers::check_thumbprints;

/// Manages identities.
pub struct IdentityService {
    store: Arc<dyn MetadataStore>,
    pub(super) policies: Arc<dyn PolicyEvaluator>,
    pub(super) secrets: Arc<dyn Secrets>,
}

impl IdentityService {
    /// Wires it up.
    #[must_use]
    pub fn new(store: Arc<dyn MetadataStore>, policies: Arc<dyn PolicyEvaluator>, secrets: Arc<dyn Secrets>) -> Self {
        Self { store, policies, secrets }
    }

    /// Creates an account.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it exists.
    pub async fn create_account(&self, allowed: &Allowed<ServerTarget>, account: AccountId) -> Result<()> {
        self.apply(allowed, Change::CreateAccount { account }).await
    }

    /// All accounts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_accounts(&self, _allowed: &Allowed<ServerTarget>) -> Result<Vec<AccountId>> {
        self.store.list_accounts().await
    }

    /// Creates a user without any right.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the name is taken, [`Error::ResourceNotFound`] without the account.
    pub async fn create_user(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        name: UserName,
    ) -> Result<User> {
        let user = User { account, path: "/".to_owned(), name, id: self.secrets.user_id() };
        self.apply(allowed, Change::CreateUser { user: user.clone() }).await?;
        Ok(user)
    }

    /// The users of an account with their times of creation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_users(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
    ) -> Result<Vec<(User, Timestamp)>> {
        self.store.list_users(account).await
    }

    /// Deletes a user with its keys, policies and tokens.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if there is none.
    pub async fn delete_user(&self, allowed: &Allowed<ServerTarget>, account: AccountId, name: UserName) -> Result<()> {
        self.apply(allowed, Change::DeleteUser { account, name }).await
    }

    /// Creates an access key: `chosen`, or a random one.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the user, [`Error::Conflict`] if the id is taken.
    pub async fn create_access_key(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        user: &UserName,
        chosen: Option<(AccessKeyId, SecretAccessKey)>,
    ) -> Result<AccessKey> {
        self.add_access_key(allowed, account, user, chosen, None).await
    }

    /// As [`IdentityService::create_access_key`], unless the user has `limit` keys.
    async fn add_access_key(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        user: &UserName,
        chosen: Option<(AccessKeyId, SecretAccessKey)>,
        limit: Option<u32>,
    ) -> Result<AccessKey> {
        let user = self.get_user(account, user).await?;
        let (id, secret) = chosen.unwrap_or_else(|| self.secrets.access_key());
        let key = AccessKey { id, secret, status: AccessKeyStatus::Active, user, created_at: allowed.actor().at };
        self.apply(allowed, Change::CreateAccessKey { key: key.clone(), limit }).await?;
        Ok(key)
    }

    /// A user's access keys.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the user.
    pub async fn list_access_keys(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        user: &UserName,
    ) -> Result<Vec<AccessKey>> {
        self.get_user(account, user).await?;
        self.store.list_access_keys(account, user).await
    }

    /// Lets an access key sign or not. Tokens that a deactivated key obtained end with it.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the key.
    pub async fn set_access_key_status(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        user: UserName,
        id: AccessKeyId,
        status: AccessKeyStatus,
    ) -> Result<()> {
        self.apply(allowed, Change::SetAccessKeyStatus { account, user, id, status }).await
    }

    /// Deletes an access key and the tokens it obtained.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the key.
    pub async fn delete_access_key(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        user: UserName,
        id: AccessKeyId,
    ) -> Result<()> {
        self.apply(allowed, Change::DeleteAccessKey { account, user, id }).await
    }

    /// Adds or replaces an inline policy of a user.
    ///
    /// # Errors
    /// [`Error::Validation`] for a bad name or document, [`Error::ResourceNotFound`] without the user.
    pub async fn put_user_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        user: UserName,
        policy: String,
        document: String,
    ) -> Result<()> {
        check_policy_name(&policy)?;
        self.policies
            .validate(PolicyKind::Identity, &document)
            .map_err(|invalid| invalid.in_field("policyDocument"))?;
        self.apply(allowed, Change::PutUserPolicy { account, user, policy, document }).await
    }

    /// One inline policy's document.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the user or policy.
    pub async fn get_user_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        user: &UserName,
        policy: &str,
    ) -> Result<Arc<str>> {
        let policies = self.list_user_policies(allowed, account, user).await?;
        policies.into_iter().find(|(name, _)| name == policy).map(|(_, document)| document).ok_or_else(|| {
            Error::not_found(ResourceType::Other, policy, format!("user '{user}' has no policy '{policy}'"))
        })
    }

    /// Names and documents of a user's inline policies, in name order.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the user.
    pub async fn list_user_policies(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        user: &UserName,
    ) -> Result<Vec<(String, Arc<str>)>> {
        let user = self.get_user(account, user).await?;
        self.store.list_user_policies(&user).await
    }

    /// Removes an inline policy.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the user or policy.
    pub async fn delete_user_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        user: UserName,
        policy: String,
    ) -> Result<()> {
        self.apply(allowed, Change::DeleteUserPolicy { account, user, policy }).await
    }

    async fn get_user(&self, account: &AccountId, name: &UserName) -> Result<User> {
        self.store.find_user(account, name).await?.ok_or_else(|| {
            Error::not_found(
                ResourceType::Other,
                name.as_str(),
                format!("account {account} has no user '{name}'; `larder user list` shows them"),
            )
        })
    }

    pub(super) async fn apply(&self, allowed: &Allowed<ServerTarget>, change: Change) -> Result<()> {
        self.store.apply(allowed.actor(), change).await.map(drop)
    }
}

/// As IAM has it: 1 to 128 letters, digits and `+=,.@_-`.
pub(super) fn check_policy_name(name: &str) -> Result<()> {
    let body = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    if (1..=128).contains(&name.len()) && name.bytes().all(body) {
        return Ok(());
    }
    Err(Error::validation("policyName", "a policy name has 1 to 128 letters, digits and any of +=,.@_-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_names_follow_the_pattern() {
        for good in ["admin", "a+b=c,d.e@f_g-h", &"a".repeat(128)] {
            assert!(check_policy_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", &"a".repeat(129)] {
            assert!(check_policy_name(bad).is_err(), "{bad}");
        }
    }
}
