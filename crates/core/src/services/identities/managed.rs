//! Managed policies: those of an account with their versions, and those that are built in.

use std::sync::Arc;

use super::IdentityService;
use crate::access::{Allowed, ServerTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{
    AccountId, AwsManagedPolicy, Identity, IdentityKind, ManagedPolicy, ManagedPolicyVersion, Page, PageRequest,
    PageToken, Tag, Timestamp, check_identity_path,
};
use crate::ports::{IdentityChange, PolicyKind};

/// The longest document in characters, white space not counted.
const DOCUMENT_CHARACTERS: usize = 6144;
/// The longest description in characters.
const DESCRIPTION_CHARACTERS: usize = 1000;

/// What a managed policy is created with.
#[derive(Debug, Clone)]
pub struct NewManagedPolicy {
    pub account: AccountId,
    pub path: String,
    pub name: String,
    pub description: String,
    pub document: String,
    pub tags: Vec<Tag>,
}

impl NewManagedPolicy {
    /// The ARN it gets.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy{}{}", self.account, self.path, self.name)
    }
}

fn built_in(policy: &AwsManagedPolicy, attachments: u64) -> ManagedPolicy {
    ManagedPolicy {
        arn: policy.arn.to_owned(),
        id: policy.id.to_owned(),
        path: "/".to_owned(),
        name: policy.name.to_owned(),
        description: policy.description.to_owned(),
        default_version: 1,
        last_version: 1,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        attachments,
    }
}

fn no_such_policy(arn: &str) -> Error {
    Error::not_found(ResourceType::Other, arn, format!("Policy {arn} was not found."))
}

/// What is built in stays as it is.
fn require_own(arn: &str) -> Result<()> {
    if AwsManagedPolicy::find(arn).is_some() {
        return Err(Error::AccessDenied { message: format!("policy {arn} is built in; it cannot be changed") });
    }
    Ok(())
}

impl IdentityService {
    fn check_managed(&self, document: &str) -> Result<()> {
        self.policies.validate(PolicyKind::Identity, document).map_err(|invalid| invalid.in_field("policyDocument"))?;
        if document.chars().filter(|c| !c.is_whitespace()).count() > DOCUMENT_CHARACTERS {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: String::new(),
                message: format!("Cannot exceed quota for PolicySize: {DOCUMENT_CHARACTERS}"),
            });
        }
        Ok(())
    }

    /// Creates a policy with its first version.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::QuotaExceeded`] for a long document, [`Error::Conflict`] if the name is taken.
    pub async fn create_policy(&self, allowed: &Allowed<ServerTarget>, new: NewManagedPolicy) -> Result<ManagedPolicy> {
        super::check_policy_name(&new.name)?;
        check_identity_path(&new.path).map_err(|rule| rule.in_field("path"))?;
        if new.description.chars().count() > DESCRIPTION_CHARACTERS {
            let message = format!("a description has at most {DESCRIPTION_CHARACTERS} characters");
            return Err(Error::validation("description", message));
        }
        self.check_managed(&new.document)?;
        let now = allowed.actor().at;
        let policy = ManagedPolicy {
            arn: new.arn(),
            id: self.secrets.policy_id(),
            path: new.path,
            name: new.name,
            description: new.description,
            default_version: 1,
            last_version: 1,
            created_at: now,
            updated_at: now,
            attachments: 0,
        };
        let (account, document, tags) = (new.account, new.document, new.tags);
        let change = IdentityChange::CreatePolicy { account, policy: policy.clone(), document, tags };
        self.change(allowed, change).await?;
        Ok(policy)
    }

    /// A policy that was created or one that is built in.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn get_policy(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        arn: &str,
    ) -> Result<ManagedPolicy> {
        if let Some(policy) = AwsManagedPolicy::find(arn) {
            return Ok(built_in(policy, self.store.count_attachments(account, arn).await?));
        }
        self.store.find_managed_policy(arn).await?.ok_or_else(|| no_such_policy(arn))
    }

    /// The policies that are built in, in name order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_built_in(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
    ) -> Result<Vec<ManagedPolicy>> {
        let mut policies = Vec::with_capacity(AwsManagedPolicy::ALL.len());
        for policy in AwsManagedPolicy::ALL {
            policies.push(built_in(policy, self.store.count_attachments(account, policy.arn).await?));
        }
        Ok(policies)
    }

    /// An account's own policies whose path begins with `prefix`, in name order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_policies(
        &self,
        _allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<ManagedPolicy>> {
        self.store.list_managed_policies(account, prefix, page).await
    }

    /// Deletes a policy that is attached to nothing and has one version.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], [`Error::Conflict`], [`Error::AccessDenied`] for one that is built in.
    pub async fn delete_policy(&self, allowed: &Allowed<ServerTarget>, arn: String) -> Result<()> {
        require_own(&arn)?;
        self.change(allowed, IdentityChange::DeletePolicy { arn }).await
    }

    /// Adds a version and, if `default`, lets it count.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::ResourceNotFound`], [`Error::QuotaExceeded`] if there are five.
    pub async fn create_policy_version(
        &self,
        allowed: &Allowed<ServerTarget>,
        arn: String,
        document: String,
        default: bool,
    ) -> Result<ManagedPolicyVersion> {
        require_own(&arn)?;
        self.check_managed(&document)?;
        let policy = self.store.find_managed_policy(&arn).await?.ok_or_else(|| no_such_policy(&arn))?;
        let number = policy.last_version.saturating_add(1);
        let version = ManagedPolicyVersion { number, document: Arc::from(&*document), created_at: allowed.actor().at };
        self.change(allowed, IdentityChange::CreatePolicyVersion { arn, number, document, default }).await?;
        Ok(version)
    }

    /// A policy and its versions, newest first.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_policy_versions(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        arn: &str,
    ) -> Result<(ManagedPolicy, Vec<ManagedPolicyVersion>)> {
        let policy = self.get_policy(allowed, account, arn).await?;
        let versions = match AwsManagedPolicy::find(arn) {
            Some(built_in) => {
                vec![ManagedPolicyVersion { number: 1, document: built_in.document.into(), created_at: Timestamp(0) }]
            }
            None => self.store.list_policy_versions(arn).await?,
        };
        Ok((policy, versions))
    }

    /// Lets a version count.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn set_default_policy_version(
        &self,
        allowed: &Allowed<ServerTarget>,
        arn: String,
        number: u32,
    ) -> Result<()> {
        require_own(&arn)?;
        self.change(allowed, IdentityChange::SetDefaultPolicyVersion { arn, number }).await
    }

    /// Deletes a version that does not count.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], [`Error::Conflict`] for the one that counts.
    pub async fn delete_policy_version(&self, allowed: &Allowed<ServerTarget>, arn: String, number: u32) -> Result<()> {
        require_own(&arn)?;
        self.change(allowed, IdentityChange::DeletePolicyVersion { arn, number }).await
    }

    /// The identities that a policy is attached to: groups, then users, then roles; of one kind only, if it is given.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_entities(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: &AccountId,
        arn: &str,
        only: Option<IdentityKind>,
        page: &PageRequest,
    ) -> Result<Page<Identity>> {
        self.get_policy(allowed, account, arn).await?;
        let mut items = Vec::new();
        let (reached, mut after) = (page.key(0), page.key(1));
        let kinds = IdentityKind::ALL.into_iter().filter(|kind| only.is_none_or(|only| only == *kind));
        for kind in kinds.skip_while(|kind| !reached.is_empty() && kind.word() != reached) {
            let position = |id: &str| Some(PageToken(vec![kind.word().to_owned(), id.to_owned()]));
            let limit = page.limit.saturating_sub(items.len());
            if limit == 0 {
                return Ok(Page { items, next: position("") });
            }
            let rest = PageRequest { limit, after: Some(PageToken(vec![after.to_owned()])) };
            after = "";
            let found = self.store.list_attached_to(kind, account, arn, &rest).await?;
            items.extend(found.items);
            if let Some(id) = found.next.as_ref().and_then(|token| token.0.first()) {
                return Ok(Page { items, next: position(id) });
            }
        }
        Ok(Page { items, next: None })
    }
}
