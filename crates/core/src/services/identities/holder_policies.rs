//! The policies of users, groups and roles: inline ones, and managed ones that are attached.

use std::sync::Arc;

use super::IdentityService;
use crate::access::{Allowed, ServerTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{AwsManagedPolicy, IdentityName};
use crate::ports::{IdentityChange, PolicyKind};

impl IdentityService {
    /// Adds, replaces (`Some`) or removes an inline policy.
    ///
    /// # Errors
    /// [`Error::Validation`] for a bad name or document, [`Error::ResourceNotFound`], [`Error::QuotaExceeded`] if all
    /// inline policies together would be too long.
    pub async fn put_inline_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        identity: IdentityName,
        policy: String,
        document: Option<String>,
    ) -> Result<()> {
        super::check_policy_name(&policy)?;
        if let Some(document) = &document {
            self.policies
                .validate(PolicyKind::Identity, document)
                .map_err(|invalid| invalid.in_field("policyDocument"))?;
        }
        self.change(allowed, IdentityChange::PutInlinePolicy { identity, policy, document }).await
    }

    /// Names and documents of the inline policies, in name order.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_inline_policies(
        &self,
        _allowed: &Allowed<ServerTarget>,
        identity: &IdentityName,
    ) -> Result<Vec<(String, Arc<str>)>> {
        let identity = self.identity(identity).await?;
        self.store.list_inline_policies(&identity).await
    }

    /// One inline policy.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] without the identity or policy.
    pub async fn get_inline_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        identity: &IdentityName,
        policy: &str,
    ) -> Result<Arc<str>> {
        let all = self.list_inline_policies(allowed, identity).await?;
        all.into_iter().find(|(name, _)| name == policy).map(|(_, document)| document).ok_or_else(|| {
            let message = format!("The {} policy with name {policy} cannot be found.", identity.kind.word());
            Error::not_found(ResourceType::Other, policy, message)
        })
    }

    /// Attaches a managed policy of the account or one that is built in, or detaches it.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], [`Error::QuotaExceeded`] above ten.
    pub async fn set_attached(
        &self,
        allowed: &Allowed<ServerTarget>,
        identity: IdentityName,
        policy_arn: String,
        attached: bool,
    ) -> Result<()> {
        let own = policy_arn.starts_with(&format!("arn:aws:iam::{}:policy/", identity.account));
        if attached && !own && AwsManagedPolicy::find(&policy_arn).is_none() {
            let message = format!("Policy {policy_arn} does not exist or is not attachable.");
            return Err(Error::not_found(ResourceType::Other, policy_arn, message));
        }
        self.change(allowed, IdentityChange::SetAttached { identity, policy_arn, attached }).await
    }

    /// ARNs of the attached managed policies, in their order.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_attached_policies(
        &self,
        _allowed: &Allowed<ServerTarget>,
        identity: &IdentityName,
    ) -> Result<Vec<String>> {
        let identity = self.identity(identity).await?;
        self.store.list_attached_policies(&identity).await
    }
}
