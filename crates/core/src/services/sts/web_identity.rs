//! AssumeRoleWithWebIdentity: the token of an identity provider in place of a signature.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::assume_role::session_of;
use super::issuer_keys::RememberedKeys;
use super::request::{RequestedTag, SessionRequest};
use super::{Assumed, StsError, StsService};
use crate::access::{Caller, ConditionValue, Via};
use crate::error::{ConflictKind, Error};
use crate::model::{Clock, Principal, RoleArn, SessionName, WebIdentity};
use crate::ports::{
    AssumableRole, Claims, Effect, IdentityProvider, IssuerKeys, SpentToken, Unproven, UnprovenToken, WebIdentityTokens,
};

/// How far an issuer's clock may be off.
const LEEWAY: Duration = Duration::from_secs(30);

/// What identity providers need from outside.
pub struct WebIdentityPorts {
    pub tokens: Arc<dyn WebIdentityTokens>,
    pub issuers: Arc<dyn IssuerKeys>,
    /// A token may be exchanged more than once before it ends, as with AWS.
    pub reusable_tokens: bool,
}

/// Reads and proves tokens of identity providers.
pub(super) struct WebIdentities {
    tokens: Arc<dyn WebIdentityTokens>,
    keys: RememberedKeys,
    reusable_tokens: bool,
}

/// What AssumeRoleWithWebIdentity takes.
#[derive(Clone)]
pub struct AssumeRoleWithWebIdentity {
    pub role: RoleArn,
    /// Its tags and source identity are the token's to say.
    pub session: SessionRequest,
    pub token: String,
    /// Who asks, for conditions and the journal.
    pub address: Option<IpAddr>,
    pub secure_transport: bool,
    pub request_id: String,
}

/// A role that was assumed with a token.
pub struct AssumedWithWebIdentity {
    pub assumed: Assumed,
    /// The token's `sub`.
    pub subject: String,
    /// The provider's ARN.
    pub provider: String,
    pub audience: String,
}

impl WebIdentities {
    pub(super) fn new(ports: WebIdentityPorts, clock: Arc<dyn Clock>) -> Self {
        let WebIdentityPorts { tokens, issuers, reusable_tokens } = ports;
        Self { tokens, keys: RememberedKeys::new(issuers, clock), reusable_tokens }
    }

    /// Proves a token with the keys of its issuer, asking again once if they lack the one that it names.
    async fn prove(&self, provider: &IdentityProvider, token: &UnprovenToken) -> Result<(), StsError> {
        let unreachable = |error: Error| match error {
            Error::Upstream { message, .. } => StsError::ProviderUnreachable(message),
            other => other.into(),
        };
        let held = self.keys.get(&provider.issuer).await.map_err(unreachable)?;
        let outcome = match self.tokens.prove(token, &held.keys) {
            Err(Unproven::UnknownKey) => {
                let newer = self.keys.get_newer(&provider.issuer, &held).await.map_err(unreachable)?;
                self.tokens.prove(token, &newer.keys)
            }
            outcome => outcome,
        };
        outcome.map_err(|unproven| {
            StsError::InvalidIdentityToken(match unproven {
                Unproven::UnknownKey => "the identity provider has no key of the id that the token names".to_owned(),
                Unproven::Refused(why) => why.to_string(),
            })
        })
    }
}

impl StsService {
    /// AssumeRoleWithWebIdentity.
    ///
    /// # Errors
    /// [`StsError::InvalidIdentityToken`], [`StsError::ExpiredToken`] and [`StsError::ProviderUnreachable`] for the token,
    /// [`Error::AccessDenied`] if the role is not there or does not trust it; the others as
    /// [`StsService::assume_role`].
    pub async fn assume_role_with_web_identity(
        &self,
        asked: &AssumeRoleWithWebIdentity,
    ) -> Result<AssumedWithWebIdentity, StsError> {
        let invalid = |message: &str| StsError::InvalidIdentityToken(message.to_owned());
        let identities =
            self.web_identities.as_ref().ok_or_else(|| invalid("identity providers are not in use here"))?;
        let duration = asked.session.duration()?;
        let token = identities
            .tokens
            .read(&asked.token)
            .map_err(|wrong| invalid(&format!("The web identity token that was passed is not valid: {wrong}")))?;
        let claims = &token.claims;
        let found = self.store.find_identity_provider(&asked.role.account, &claims.issuer).await?;
        // The issuer's text is a stranger's: it is told only to who may have sent it, shortened.
        let provider = found.filter(|provider| provider.issuer == claims.issuer).ok_or_else(|| {
            let issuer: String = claims.issuer.chars().take(200).collect();
            invalid(&format!("No OpenIDConnect provider found in your account for {issuer}"))
        })?;
        self.check_time(claims)?;
        let audience = claims.audiences.iter().find(|audience| provider.client_ids.contains(audience));
        let audience = audience.ok_or_else(|| invalid("Incorrect token audience"))?;
        identities.prove(&provider, &token).await?;

        let caller = Caller {
            principal: Principal::web_identity(WebIdentity {
                account: asked.role.account.clone(),
                provider: provider.arn.clone(),
                subject: claims.subject.clone(),
            }),
            via: Via::WebIdentity,
            address: asked.address,
            secure_transport: asked.secure_transport,
            request_id: asked.request_id.clone(),
        };
        let session = with_claims(&asked.session, claims)?;
        let mut scope = session.scope(None, &*self.policies)?;
        scope.provider = Some(provider.arn.clone());
        let packed_policy_percent = session.packed_percent()?;
        let role = self.store.find_assumable_role(&asked.role).await?.ok_or_else(|| not_authorized(ACTION))?;
        let mut context = session.context(&scope);
        context.extend(claim_values(&provider, claims));
        context.push(("aws:ResourceAccount".to_owned(), vec![role.role.account.to_string()]));
        self.require_trust(&caller, ACTION, &role, &context).await?;
        if !scope.tags.is_empty() {
            self.require_trust(&caller, "sts:TagSession", &role, &context).await?;
        }
        if scope.source_identity.is_some() {
            self.require_trust(&caller, "sts:SetSourceIdentity", &role, &context).await?;
        }
        if duration > role.max_session {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(Error::validation("DurationSeconds", message).into());
        }
        self.check_policy_arns(&role, &session.policy_arns).await?;

        let source_identity = scope.source_identity.clone();
        let (arn, id, principal) = session_of(role, &session, scope);
        let spent = (!identities.reusable_tokens).then(|| self.spent(&token));
        let credentials = self
            .create(&caller, "AssumeRoleWithWebIdentity", duration, spent, principal)
            .await
            .map_err(|error| match error {
                StsError::Other(Error::Conflict { kind: ConflictKind::Exists, .. }) => invalid(
                    "the token was exchanged before: one is good for one session; keep the session, as the AWS CLI does, or \
                     ask the identity provider for another token",
                ),
                other => other,
            })?;
        Ok(AssumedWithWebIdentity {
            assumed: Assumed { credentials, arn, id, packed_policy_percent, source_identity },
            subject: claims.subject.clone(),
            provider: provider.arn,
            audience: audience.clone(),
        })
    }

    fn check_time(&self, claims: &Claims) -> Result<(), StsError> {
        let now = self.clock.now();
        if claims.expires_at.plus(LEEWAY) <= now {
            return Err(StsError::ExpiredToken(format!(
                "Token expired: current date/time {} must be before the expiration date/time {}",
                now.seconds(),
                claims.expires_at.seconds()
            )));
        }
        let soonest = now.plus(LEEWAY);
        if claims.issued_at > soonest || claims.not_before.is_some_and(|instant| instant > soonest) {
            let message = "the token is not valid yet; do the clocks of its issuer and of this server agree?";
            return Err(StsError::InvalidIdentityToken(message.to_owned()));
        }
        Ok(())
    }

    async fn require_trust(
        &self,
        caller: &Caller,
        action: &str,
        role: &AssumableRole,
        context: &[ConditionValue],
    ) -> Result<(), StsError> {
        match self.access.ask_trust(caller, action, &role.trust_policy, context).await?.0 {
            Effect::Allow => Ok(()),
            Effect::Deny | Effect::Silent => Err(not_authorized(action)),
        }
    }

    /// By its `jti`, or by its digest where it has none.
    fn spent(&self, token: &UnprovenToken) -> SpentToken {
        let digest = || format!("sha256:{}", hex::encode(self.secrets.token_sha256(&token.signed)));
        SpentToken {
            issuer: token.claims.issuer.clone(),
            id: token.claims.id.clone().unwrap_or_else(digest),
            expires_at: token.claims.expires_at.plus(LEEWAY),
        }
    }
}

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

fn not_authorized(action: &str) -> StsError {
    Error::AccessDenied { message: format!("Not authorized to perform {action}") }.into()
}

/// The session with the tags and source identity that the token names.
fn with_claims(asked: &SessionRequest, claims: &Claims) -> Result<SessionRequest, StsError> {
    let source_identity = claims.source_identity.as_ref().map(|identity| {
        SessionName::new(identity.as_str())
            .map_err(|wrong| StsError::InvalidIdentityToken(format!("the token's source identity {wrong}")))
    });
    let tags = claims.tags.iter().map(|(key, value, _)| RequestedTag { key: key.clone(), value: value.clone() });
    let transitive = claims.tags.iter().filter(|(.., transitive)| *transitive);
    Ok(SessionRequest {
        tags: tags.collect(),
        transitive_tag_keys: transitive.map(|(key, ..)| key.clone()).collect(),
        source_identity: source_identity.transpose()?,
        ..asked.clone()
    })
}

/// The claims as condition keys: `token.issuer.example:sub`, with the issuer's URL but for its scheme.
fn claim_values(provider: &IdentityProvider, claims: &Claims) -> Vec<ConditionValue> {
    let issuer = provider.issuer.split_once("://").map_or(provider.issuer.as_str(), |(_, rest)| rest);
    let issuer = issuer.trim_end_matches('/');
    claims.values.iter().map(|(name, values)| (format!("{issuer}:{name}"), values.clone())).collect()
}
