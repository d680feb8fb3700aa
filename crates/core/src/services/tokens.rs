//! Authorization tokens: what package managers present (reference 5.1).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::Control;
use crate::access::{Allowed, Caller, DomainTarget, Via};
use crate::error::{Error, Result};
use crate::model::{
    AccessKeyId, AccessKeyStatus, AccountId, Actor, AuthorizationToken, Clock, Page, PageRequest, Principal, Timestamp,
    TokenId, User, UserName,
};
use crate::ports::{Change, MetadataStore, Secrets};

/// The lifetime when the caller names none, and the longest.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(43_200);
/// The shortest lifetime that may be asked for; 0 stands for the default.
pub const SHORTEST_LIFETIME: Duration = Duration::from_secs(900);

/// Issues, checks and revokes tokens.
pub struct TokenService {
    store: Arc<dyn MetadataStore>,
    control: Arc<Control>,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn Secrets>,
    /// Tokens seen lately, by their text, with the control generation under which the store knew them.
    sessions: Cache<String, (u64, Arc<AuthorizationToken>)>,
}

/// Where a login comes from.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub address: Option<IpAddr>,
    pub secure_transport: bool,
    pub request_id: &'a str,
}

/// What a label or restriction a token is issued with.
#[derive(Debug, Clone, Default)]
pub struct TokenOptions {
    /// What its user calls it.
    pub label: String,
    /// It may not write.
    pub read_only: bool,
}

impl TokenService {
    /// Wires it up.
    #[must_use]
    pub fn new(
        store: Arc<dyn MetadataStore>,
        control: Arc<Control>,
        clock: Arc<dyn Clock>,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        Self { store, control, clock, secrets, sessions: Cache::new(20_000) }
    }

    /// Issues a token for a domain to the caller. A duration of zero means the end of the caller's session, and the
    /// default with an access key, which has none (reference 5.1).
    ///
    /// # Errors
    /// [`Error::Validation`] unless the duration is 0 or 900 to 43200 seconds, [`Error::AccessDenied`] for callers without
    /// credentials of their own.
    pub async fn issue(
        &self,
        allowed: &Allowed<DomainTarget>,
        caller: &Caller,
        duration: Duration,
        options: TokenOptions,
    ) -> Result<(String, AuthorizationToken)> {
        let lifetime = if duration.is_zero() { DEFAULT_LIFETIME } else { duration };
        if !(SHORTEST_LIFETIME..=DEFAULT_LIFETIME).contains(&lifetime) {
            return Err(Error::validation(
                "durationSeconds",
                format!("durationSeconds must be 0 or between 900 and 43200, not {}", duration.as_secs()),
            ));
        }
        let credential = caller.credential().ok_or_else(|| Error::AccessDenied {
            message: "only users and sessions of roles have authorization tokens".to_owned(),
        })?;
        let now = self.clock.now();
        let expires_at = match &caller.via {
            Via::Session(session) if duration.is_zero() => session.expires_at,
            _ => now.plus(lifetime),
        };
        let (text, id) = self.secrets.token();
        let domain = &allowed.target().domain;
        let token = AuthorizationToken {
            id: TokenId(id),
            sha256: self.secrets.token_sha256(&text),
            principal: caller.principal.clone(),
            credential,
            domain: domain.id,
            domain_owner: domain.owner.clone(),
            read_only: options.read_only,
            label: options.label,
            created_at: now,
            expires_at,
        };
        self.store.apply(allowed.actor(), Change::CreateToken { token: token.clone() }).await?;
        Ok((text, token))
    }

    /// Who presents this token; `None` if it is unknown, expired, revoked, or its user or key is gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn authenticate(
        &self,
        text: &str,
        address: Option<IpAddr>,
        secure_transport: bool,
        request_id: &str,
    ) -> Result<Option<Caller>> {
        let Some(token) = self.find(text).await? else { return Ok(None) };
        if token.expires_at <= self.clock.now() {
            return Ok(None);
        }
        Ok(Some(Caller {
            principal: token.principal.clone(),
            via: Via::Token {
                id: token.id.clone(),
                domain: token.domain,
                domain_owner: token.domain_owner.clone(),
                credential: token.credential.clone(),
                read_only: token.read_only,
                expires_at: token.expires_at,
            },
            address,
            secure_transport,
            request_id: request_id.to_owned(),
        }))
    }

    /// Who a user name and password stand for, as a package manager's own login sends them: the name of a user of
    /// `account`, or an access key id, with a secret access key; or any name with an authorization token.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn authenticate_password(
        &self,
        account: &AccountId,
        name: &str,
        password: &str,
        client: &Client<'_>,
    ) -> Result<Option<Caller>> {
        let Client { address, secure_transport, request_id } = *client;
        if let Some(caller) = self.authenticate(password, address, secure_transport, request_id).await? {
            return Ok(Some(caller));
        }
        let mut keys = Vec::new();
        if let Ok(id) = AccessKeyId::new(name) {
            keys.extend(self.store.find_access_key(&id).await?);
        }
        if let Ok(user) = UserName::new(name) {
            keys.extend(self.store.list_access_keys(account, &user).await?);
        }
        // Digests are compared, so that the time this takes tells nothing of the secret.
        let given = self.secrets.token_sha256(password);
        let key = keys.into_iter().find(|key| {
            key.status == AccessKeyStatus::Active && self.secrets.token_sha256(key.secret.expose()) == given
        });
        Ok(key.map(|key| Caller {
            principal: Principal::user(key.user),
            via: Via::Signature(key.id),
            address,
            secure_transport,
            request_id: request_id.to_owned(),
        }))
    }

    async fn find(&self, text: &str) -> Result<Option<Arc<AuthorizationToken>>> {
        let generation = self.control.generation().await?;
        if let Some((seen, token)) = self.sessions.get(text)
            && seen == generation
        {
            return Ok(Some(token));
        }
        let found = self.store.find_token(&self.secrets.token_sha256(text)).await?.map(Arc::new);
        match &found {
            Some(token) => self.sessions.insert(text.to_owned(), (generation, Arc::clone(token))),
            None => self.sessions.invalidate(text),
        }
        Ok(found)
    }

    /// The caller's own tokens, newest first.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] for callers that are not users.
    pub async fn list(&self, caller: &Caller, page: &PageRequest) -> Result<Page<AuthorizationToken>> {
        self.store.list_tokens(own_user(caller)?, page).await
    }

    /// Ends one of the caller's own tokens.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the caller has no such token.
    pub async fn revoke(&self, caller: &Caller, id: TokenId) -> Result<()> {
        let principal = caller.principal.clone();
        let actor: Actor = caller.actor("RevokeAuthorizationToken", self.now());
        self.store.apply(&actor, Change::DeleteToken { principal, id }).await?;
        Ok(())
    }

    /// Ends the token with this text, if it is the caller's.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the caller has no such token.
    pub async fn revoke_text(&self, caller: &Caller, text: &str) -> Result<()> {
        let key = caller.principal.decision_key();
        let token = self.find(text).await?.filter(|token| token.principal.decision_key() == key).ok_or_else(|| {
            Error::not_found(crate::error::ResourceType::Other, "token", "no such token; it may have ended already")
        })?;
        self.revoke(caller, token.id.clone()).await
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn own_user(caller: &Caller) -> Result<&User> {
    caller.user().ok_or_else(|| Error::AccessDenied { message: "only a user has authorization tokens".to_owned() })
}
