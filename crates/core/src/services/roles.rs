//! Roles and identity providers, managed on the machine itself: see [`crate::access::Access::authorize_machine`].

use std::time::Duration;

use super::IdentityService;
use super::identities::check_thumbprints;
use crate::access::{Allowed, ServerTarget};
use crate::error::{Error, Result};
use crate::model::{AccountId, RoleArn, SessionRole, Tag};
use crate::ports::{Change, IdentityProvider, NewRole, PolicyKind};

/// The longest session of a role unless it is told otherwise, and the shortest that can be its longest.
pub const DEFAULT_MAX_SESSION: Duration = Duration::from_secs(3600);
/// The longest that any role's sessions can be.
const LONGEST_MAX_SESSION: Duration = Duration::from_secs(43_200);
/// The most audiences of an identity provider.
const CLIENT_IDS: usize = 100;

/// What a role is created with.
#[derive(Debug, Clone)]
pub struct RoleSettings {
    pub trust_policy: String,
    pub description: String,
    pub max_session: Duration,
    pub tags: Vec<Tag>,
}

impl IdentityService {
    /// Creates a role without any right.
    ///
    /// # Errors
    /// [`Error::Validation`] for a document that is no trust policy or a duration that is not 3600 to 43200 seconds,
    /// [`Error::Conflict`] if the name is taken, [`Error::ResourceNotFound`] without the account.
    pub async fn create_role(
        &self,
        allowed: &Allowed<ServerTarget>,
        arn: &RoleArn,
        settings: RoleSettings,
    ) -> Result<SessionRole> {
        let RoleSettings { trust_policy, description, max_session, tags } = settings;
        self.policies
            .validate(PolicyKind::Trust, &trust_policy)
            .map_err(|invalid| invalid.in_field("assumeRolePolicyDocument"))?;
        if !(DEFAULT_MAX_SESSION..=LONGEST_MAX_SESSION).contains(&max_session) {
            return Err(Error::validation("maxSessionDuration", "maxSessionDuration is 3600 to 43200 seconds"));
        }
        let role = SessionRole {
            account: arn.account.clone(),
            path: arn.path.clone(),
            name: arn.name.clone(),
            id: self.secrets.role_id(),
        };
        let new = NewRole { role: role.clone(), trust_policy, description, max_session, tags };
        self.apply(allowed, Change::CreateRole(Box::new(new))).await?;
        Ok(role)
    }

    /// Deletes a role with its policies, its sessions and the tokens that they obtained.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if there is none.
    pub async fn delete_role(&self, allowed: &Allowed<ServerTarget>, account: AccountId, name: String) -> Result<()> {
        self.apply(allowed, Change::DeleteRole { account, name }).await
    }

    /// Adds, replaces (`Some`) or removes an inline policy of a role.
    ///
    /// # Errors
    /// [`Error::Validation`] for a bad name or document, [`Error::ResourceNotFound`] without the role or policy.
    pub async fn put_role_policy(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        role: String,
        policy: String,
        document: Option<String>,
    ) -> Result<()> {
        super::identities::check_policy_name(&policy)?;
        if let Some(document) = &document {
            self.policies
                .validate(PolicyKind::Identity, document)
                .map_err(|invalid| invalid.in_field("policyDocument"))?;
        }
        self.apply(allowed, Change::PutRolePolicy { account, role, policy, document }).await
    }

    /// Lets roles of an account trust an OpenID Connect issuer. Its tokens must be meant for one of the client ids: without
    /// any, none is taken.
    ///
    /// # Errors
    /// [`Error::Validation`] for a URL that is no issuer's, for client ids, thumbprints and tags that are none,
    /// [`Error::Conflict`] if it is there.
    pub async fn create_identity_provider(
        &self,
        allowed: &Allowed<ServerTarget>,
        account: AccountId,
        url: &str,
        client_ids: Vec<String>,
        thumbprints: Vec<String>,
        tags: Vec<Tag>,
    ) -> Result<IdentityProvider> {
        let name = provider_name(url)?;
        check_thumbprints(&thumbprints)?;
        let good = |id: &String| (1..=255).contains(&id.len());
        if client_ids.len() > CLIENT_IDS || !client_ids.iter().all(good) {
            let message = format!("clientIDList holds at most {CLIENT_IDS} audiences of 1 to 255 characters");
            return Err(Error::validation("clientIDList", message));
        }
        let arn = format!("arn:aws:iam::{account}:oidc-provider/{name}");
        let provider = IdentityProvider { arn, issuer: url.to_owned(), client_ids };
        let change = Change::CreateIdentityProvider { account, provider: provider.clone(), thumbprints, tags };
        self.apply(allowed, change).await?;
        Ok(provider)
    }

    /// Ends the trust in an issuer. Sessions that its tokens opened go on until they end.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if there is none.
    pub async fn delete_identity_provider(&self, allowed: &Allowed<ServerTarget>, arn: String) -> Result<()> {
        self.apply(allowed, Change::DeleteIdentityProvider { arn }).await
    }
}

/// What an issuer is called in ARNs and condition keys: its URL without scheme. `https`, or `http` on this machine.
fn provider_name(url: &str) -> Result<&str> {
    let invalid = |rule: &str| Error::validation("url", format!("the provider's URL {rule}"));
    let name = match url.split_once("://") {
        Some(("https", name)) => name,
        Some(("http", name)) => {
            let host = name.split('/').next().unwrap_or_default();
            let host = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
            if host != "localhost" && host != "127.0.0.1" && !host.starts_with("[::1]") {
                return Err(invalid("must begin with https://; http:// is for issuers on this machine"));
            }
            name
        }
        _ => return Err(invalid("must begin with https://")),
    };
    let body = |b: u8| b.is_ascii_alphanumeric() || b"._~:/-[]%".contains(&b);
    if name.is_empty() || name.starts_with('/') || url.len() > 255 || !name.bytes().all(body) {
        return Err(invalid("must be that of an OpenID Connect issuer: no query, at most 255 characters"));
    }
    Ok(name.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_called_as_their_urls_without_scheme() {
        for (url, name) in [
            ("https://gitlab.example.com", "gitlab.example.com"),
            ("https://gitlab.example.com/group/", "gitlab.example.com/group"),
            ("http://127.0.0.1:9000/x", "127.0.0.1:9000/x"),
            ("http://[::1]:9000", "[::1]:9000"),
            ("http://localhost", "localhost"),
        ] {
            assert_eq!(provider_name(url).unwrap(), name);
        }
        for bad in [
            "",
            "gitlab.example.com",
            "http://gitlab.example.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://a?b",
            "https://u@a",
        ] {
            assert!(provider_name(bad).is_err(), "{bad}");
        }
    }
}
