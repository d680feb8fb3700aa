//! AssumeRole: the trust policy of the role and, unless it names a caller of the role's own account, the policies of the
//! caller have to allow it.

use super::request::{CHAINED_LONGEST, SessionRequest};
use super::{Credentials, StsError, StsService, denied};
use crate::access::{Caller, ConditionValue};
use crate::error::Error;
use crate::model::{Principal, RoleArn, RoleSession, SessionScope};
use crate::ports::{AssumableRole, Effect, Grant};

/// What AssumeRole takes.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    pub role: RoleArn,
    pub session: SessionRequest,
    /// What the role's owner gave to a third party (`sts:ExternalId`).
    pub external_id: Option<String>,
}

/// A role that was assumed.
pub struct Assumed {
    pub credentials: Credentials,
    /// The session's ARN.
    pub arn: String,
    /// `AROA…:name`.
    pub id: String,
    /// How much of the room for policies and tags is taken, in percent; `None` if none is.
    pub packed_policy_percent: Option<usize>,
    pub source_identity: Option<String>,
}

impl StsService {
    /// AssumeRole.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] also for a role that is not there; [`Error::Validation`] for a duration, tags or names that
    /// break a rule; the others of [`StsError`] for session policies.
    pub async fn assume_role(&self, caller: &Caller, asked: &AssumeRole) -> Result<Assumed, StsError> {
        let arn = asked.role.to_string();
        let duration = asked.session.duration()?;
        let calling_session = caller.principal.role_session();
        let scope = asked.session.scope(calling_session, &*self.policies)?;
        let packed_policy_percent = asked.session.packed_percent()?;
        let role = self.store.find_assumable_role(&asked.role).await?;
        let role = role.ok_or_else(|| denied(caller, "sts:AssumeRole", &arn))?;

        let mut context = asked.session.context(&scope);
        context.push(("aws:ResourceAccount".to_owned(), vec![role.role.account.to_string()]));
        for tag in &role.tags {
            context.push((format!("aws:ResourceTag/{}", tag.key), vec![tag.value.clone()]));
            context.push((format!("iam:ResourceTag/{}", tag.key), vec![tag.value.clone()]));
        }
        if let Some(id) = &asked.external_id {
            context.push(("sts:ExternalId".to_owned(), vec![id.clone()]));
        }
        self.require_both(caller, "sts:AssumeRole", &role, &context).await?;
        if !scope.tags.is_empty() {
            self.require_both(caller, "sts:TagSession", &role, &context).await?;
        }
        if scope.source_identity.is_some() {
            self.require_both(caller, "sts:SetSourceIdentity", &role, &context).await?;
        }
        if duration > role.max_session {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(Error::validation("DurationSeconds", message).into());
        }
        if calling_session.is_some() && duration > CHAINED_LONGEST {
            let message =
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
            return Err(Error::validation("DurationSeconds", message).into());
        }
        self.check_policy_arns(&role, &asked.session.policy_arns).await?;
        let source_identity = scope.source_identity.clone();
        let (arn, id, principal) = session_of(role, &asked.session, scope);
        let credentials = self.create(caller, "AssumeRole", duration, None, principal).await?;
        Ok(Assumed { credentials, arn, id, packed_policy_percent, source_identity })
    }

    /// The role's trust policy allows it, and so do the caller's own policies; within an account it is enough that the
    /// trust policy names the caller itself.
    async fn require_both(
        &self,
        caller: &Caller,
        action: &str,
        role: &AssumableRole,
        context: &[ConditionValue],
    ) -> Result<(), StsError> {
        let arn = role.role.arn().to_string();
        let (trust, grant) = self.access.ask_trust(caller, action, &role.trust_policy, context).await?;
        let identity = self.access.ask_identity(caller, action, &arn, context).await?;
        // Session policies limit what names the role, not what names just this session.
        let limited = caller.principal.role_session().is_some_and(|session| session.scope.is_limited());
        let named = grant >= if limited { Grant::Session } else { Grant::Principal };
        let own_account = caller.principal.account == role.role.account;
        let allowed = match identity {
            Effect::Deny => false,
            Effect::Allow => trust == Effect::Allow,
            Effect::Silent => trust == Effect::Allow && own_account && named,
        };
        if allowed { Ok(()) } else { Err(denied(caller, action, &arn)) }
    }

    /// Managed policies that are to limit a session are the role's account's, or everybody's, and there.
    pub(super) async fn check_policy_arns(&self, role: &AssumableRole, arns: &[String]) -> Result<(), StsError> {
        for arn in arns {
            let account = arn.split(':').nth(4).unwrap_or_default();
            let reachable = account == "aws" || account == role.role.account.as_str();
            if !reachable || self.store.find_managed_document(arn).await?.is_none() {
                let message = format!("PolicyArns: there is no managed policy {arn} in the account of the role");
                return Err(Error::validation("PolicyArns", message).into());
            }
        }
        Ok(())
    }
}

/// ARN and id of a session, and its principal once its key is known.
pub(super) fn session_of(
    role: AssumableRole,
    asked: &SessionRequest,
    scope: SessionScope,
) -> (String, String, impl FnOnce(&crate::model::AccessKeyId, crate::model::Timestamp) -> Principal) {
    let AssumableRole { role, tags, .. } = role;
    let name = asked.name.clone();
    let user_id = format!("{}:{name}", role.id);
    let arn = crate::model::Arn::assumed_role(&role.account, &role.name, name.as_str()).to_string();
    let id = user_id.clone();
    let principal = move |key: &crate::model::AccessKeyId, issued_at| {
        Principal::assumed_role(RoleSession {
            role,
            name,
            user_id,
            access_key: key.clone(),
            issued_at,
            scope,
            role_tags: tags,
        })
    };
    (arn, id, principal)
}
