//! OpenID Connect providers and the tags of identities, as IAM's own protocol manages them.

use super::IdentityService;
use crate::access::{Allowed, ServerTarget};
use crate::error::{Error, ResourceType, Result};
use crate::model::{AccountId, AwsManagedPolicy, ProviderDetails, Tag, TagHolder};
use crate::ports::IdentityChange;

/// The most certificates of a provider.
const THUMBPRINTS: usize = 5;

impl IdentityService {
    /// The provider with this ARN.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn get_provider(&self, _allowed: &Allowed<ServerTarget>, arn: &str) -> Result<ProviderDetails> {
        self.store.find_provider(arn).await?.ok_or_else(|| {
            let message = format!("OpenIDConnect Provider not found for arn {arn}");
            Error::not_found(ResourceType::Other, arn, message)
        })
    }

    /// ARNs of an account's providers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_providers(&self, _allowed: &Allowed<ServerTarget>, account: &AccountId) -> Result<Vec<String>> {
        self.store.list_providers(account).await
    }

    /// Accepts an audience or does not any more.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::ResourceNotFound`], [`Error::QuotaExceeded`] above a hundred.
    pub async fn set_client(
        &self,
        allowed: &Allowed<ServerTarget>,
        arn: String,
        client_id: String,
        accepted: bool,
    ) -> Result<()> {
        if !(1..=255).contains(&client_id.chars().count()) {
            return Err(Error::validation("clientID", "a client id has 1 to 255 characters"));
        }
        self.change(allowed, IdentityChange::SetClient { arn, client_id, accepted }).await
    }

    /// Replaces the thumbprints. They are kept for clients that read them back: which certificates of a provider are
    /// trusted is the machine's matter.
    ///
    /// # Errors
    /// [`Error::Validation`], [`Error::ResourceNotFound`].
    pub async fn put_thumbprints(
        &self,
        allowed: &Allowed<ServerTarget>,
        arn: String,
        thumbprints: Vec<String>,
    ) -> Result<()> {
        check_thumbprints(&thumbprints)?;
        self.change(allowed, IdentityChange::PutThumbprints { arn, thumbprints }).await
    }

    /// The tags, in key order.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn list_tags(&self, allowed: &Allowed<ServerTarget>, holder: &TagHolder) -> Result<Vec<Tag>> {
        let missing = match holder {
            TagHolder::Identity(name) => self.get_identity(allowed, name).await.err(),
            TagHolder::Policy(arn) if AwsManagedPolicy::find(arn).is_some() => None,
            TagHolder::Policy(arn) => {
                let message = || format!("Policy {arn} was not found.");
                let found = self.store.find_managed_policy(arn).await?;
                found.is_none().then(|| Error::not_found(ResourceType::Other, arn, message()))
            }
            TagHolder::Provider(arn) => self.get_provider(allowed, arn).await.err(),
        };
        match missing {
            Some(error) => Err(error),
            None => self.store.list_identity_tags(holder).await,
        }
    }

    /// Adds or replaces tags.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`], [`Error::QuotaExceeded`] above fifty.
    pub async fn tag(&self, allowed: &Allowed<ServerTarget>, holder: TagHolder, tags: Vec<Tag>) -> Result<()> {
        self.change(allowed, IdentityChange::Tag { holder, tags }).await
    }

    /// Removes tags.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`].
    pub async fn untag(&self, allowed: &Allowed<ServerTarget>, holder: TagHolder, keys: Vec<String>) -> Result<()> {
        self.change(allowed, IdentityChange::Untag { holder, keys }).await
    }
}

/// Checks a list of thumbprints: at most five, each 40 hexadecimal digits.
pub(in crate::services) fn check_thumbprints(thumbprints: &[String]) -> Result<()> {
    if thumbprints.len() > THUMBPRINTS {
        let message = format!("a provider has at most {THUMBPRINTS} thumbprints");
        return Err(Error::validation("thumbprintList", message));
    }
    match thumbprints.iter().find(|text| text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit())) {
        Some(text) => Err(Error::validation("thumbprintList", format!("'{text}' is not 40 hexadecimal digits"))),
        None => Ok(()),
    }
}
