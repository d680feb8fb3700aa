//! Temporary credentials: assuming roles, within and across accounts, with a signature or with the token of an identity
//! provider (AWS STS, API version 2011-06-15).

mod assume_role;
mod error;
mod issuer_keys;
mod request;
mod web_identity;

use std::sync::Arc;
use std::time::Duration;

pub use assume_role::{AssumeRole, Assumed};
pub use error::StsError;
pub use request::{RequestedTag, SessionRequest};
pub use web_identity::{AssumeRoleWithWebIdentity, AssumedWithWebIdentity, WebIdentityPorts};

use crate::access::{Access, Caller, Via};
use crate::error::{Error, Result};
use crate::model::{AccessKeyId, AccountId, Clock, Principal, SecretAccessKey, Session, Timestamp};
use crate::ports::{Change, Effect, MetadataStore, PolicyEvaluator, Secrets, SpentToken};
use web_identity::WebIdentities;

/// GetSessionToken's lifetime when the caller names none.
const USER_SESSION_DEFAULT: Duration = Duration::from_secs(43_200);
/// The longest that GetSessionToken gives.
const USER_SESSION_LONGEST: Duration = Duration::from_secs(129_600);
/// The shortest of all sessions.
const SHORTEST: Duration = Duration::from_secs(900);

/// Issues and finds temporary credentials.
pub struct StsService {
    store: Arc<dyn MetadataStore>,
    access: Arc<Access>,
    policies: Arc<dyn PolicyEvaluator>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    web_identities: Option<WebIdentities>,
}

/// Temporary credentials as their holder gets them, once. No `Debug`: two of them are secret.
pub struct Credentials {
    pub access_key: AccessKeyId,
    pub secret: SecretAccessKey,
    pub session_token: String,
    pub expires_at: Timestamp,
}

/// The credentials of a session that signed a request, as they were found.
#[derive(Debug, Clone)]
pub struct FoundSession {
    pub session: Arc<Session>,
    pub secret: SecretAccessKey,
}

/// What became of looking for a session.
#[derive(Debug, Clone)]
pub enum SessionLookup {
    Found(FoundSession),
    /// Its time is over.
    Expired,
    /// There is none, or the session token is another one's.
    Unknown,
}

impl StsService {
    /// Wires it up, without identity providers.
    #[must_use]
    pub fn new(
        store: Arc<dyn MetadataStore>,
        access: Arc<Access>,
        policies: Arc<dyn PolicyEvaluator>,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, access, policies, secrets, clock, web_identities: None }
    }

    /// With identity providers.
    #[must_use]
    pub fn with_web_identities(self, ports: WebIdentityPorts) -> Self {
        let web_identities = Some(WebIdentities::new(ports, Arc::clone(&self.clock)));
        Self { web_identities, ..self }
    }

    /// The session of an access key, if this is its session token.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_session(&self, id: &AccessKeyId, session_token: &str) -> Result<SessionLookup> {
        let Some(session) = self.store.find_session(id).await? else { return Ok(SessionLookup::Unknown) };
        // Digests are compared, so that the time this takes tells nothing of the token.
        if self.secrets.token_sha256(session_token) != session.token_sha256 {
            return Ok(SessionLookup::Unknown);
        }
        if session.expires_at <= self.clock.now() {
            return Ok(SessionLookup::Expired);
        }
        let secret = self.secrets.session_secret(session_token);
        Ok(SessionLookup::Found(FoundSession { session: Arc::new(session), secret }))
    }

    /// GetSessionToken: temporary credentials of the calling user. Takes no permission; a deny counts.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] unless a user's own access key signed, [`Error::Validation`] for a duration that is not 900
    /// to 129600 seconds.
    pub async fn get_session_token(
        &self,
        caller: &Caller,
        duration: Option<Duration>,
    ) -> Result<Credentials, StsError> {
        let (Some(_), Via::Signature(_)) = (caller.user(), &caller.via) else {
            let message = "Cannot call GetSessionToken with session credentials".to_owned();
            return Err(Error::AccessDenied { message }.into());
        };
        let duration = duration.unwrap_or(USER_SESSION_DEFAULT);
        request::check_duration(duration, USER_SESSION_LONGEST)?;
        if self.access.ask_identity(caller, "sts:GetSessionToken", "*", &[]).await? == Effect::Deny {
            return Err(denied(caller, "sts:GetSessionToken", "*"));
        }
        let principal = caller.principal.clone();
        self.create(caller, "GetSessionToken", duration, None, |_, _| principal).await
    }

    /// GetAccessKeyInfo: the account of an access key of this server.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], and [`Error::Validation`] for a key that is not there.
    pub async fn get_access_key_info(&self, caller: &Caller, id: &AccessKeyId) -> Result<AccountId, StsError> {
        self.require(caller, "sts:GetAccessKeyInfo").await?;
        if let Some(key) = self.store.find_access_key(id).await? {
            return Ok(key.user.account);
        }
        if let Some(session) = self.store.find_session(id).await? {
            return Ok(session.principal.account);
        }
        Err(Error::validation("AccessKeyId", format!("The access key {id} is none of this server's")).into())
    }

    /// Whether the caller may ask for messages to be decoded, of which Larder makes none.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub async fn may_decode_messages(&self, caller: &Caller) -> Result<(), StsError> {
        self.require(caller, "sts:DecodeAuthorizationMessage").await
    }

    /// A session of a user may assume roles and ask who it is, and nothing else of STS.
    async fn require(&self, caller: &Caller, action: &str) -> Result<(), StsError> {
        if caller.is_user_session() {
            return Err(denied(caller, action, "*"));
        }
        match self.access.ask_identity(caller, action, "*", &[]).await? {
            Effect::Allow => Ok(()),
            Effect::Deny | Effect::Silent => Err(denied(caller, action, "*")),
        }
    }

    /// Makes and stores credentials. The principal is made from their key and the instant they are issued.
    async fn create(
        &self,
        caller: &Caller,
        operation: &'static str,
        duration: Duration,
        spent: Option<SpentToken>,
        principal: impl FnOnce(&AccessKeyId, Timestamp) -> Principal,
    ) -> Result<Credentials, StsError> {
        let now = self.clock.now();
        let (access_key, session_token) = self.secrets.session();
        let session = Session {
            token_sha256: self.secrets.token_sha256(&session_token),
            principal: principal(&access_key, now),
            created_at: now,
            // Whole seconds, as the answer has it.
            expires_at: Timestamp(now.plus(duration).seconds() * 1000),
            access_key,
        };
        let (access_key, expires_at) = (session.access_key.clone(), session.expires_at);
        let change = Change::CreateSession { session: Box::new(session), spent };
        self.store.apply(&caller.actor(operation, now), change).await?;
        Ok(Credentials { access_key, secret: self.secrets.session_secret(&session_token), session_token, expires_at })
    }
}

/// The refusal in AWS's words. It does not tell whether the resource is there.
fn denied(caller: &Caller, action: &str, resource: &str) -> StsError {
    let arn = caller.principal.arn();
    let message = format!("User: {arn} is not authorized to perform: {action} on resource: {resource}");
    Error::AccessDenied { message }.into()
}
