//! Asking a principal's own policies and a role's trust policy, for what is no operation on a domain or repository.

use std::sync::Arc;

use super::context::{ConditionValue, borrowed, of_caller, tag};
use super::evaluate::Documents;
use super::{Access, Caller};
use crate::error::Result;
use crate::model::{Principal, PrincipalKind, Tag, User};
use crate::ports::{AccessQuestion, Effect, Grant, TrustQuestion};

impl Access {
    /// What the caller's own policies say to an action on a resource that has no policy of its own. Larder itself is
    /// allowed everything.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn ask_identity(
        &self,
        caller: &Caller,
        action: &str,
        resource: &str,
        request_context: &[ConditionValue],
    ) -> Result<Effect> {
        match &caller.principal.kind {
            PrincipalKind::User(_) | PrincipalKind::AssumedRole(_) => {}
            PrincipalKind::WebIdentity(_) => return Ok(Effect::Silent),
            PrincipalKind::System => return Ok(Effect::Allow),
        }
        let generation = self.control.generation().await?;
        let identity = self.identity_policies(&caller.principal, generation).await?;
        let session = self.session_policies(&caller.principal, generation).await?;
        let mut context = self.caller_context(caller, generation).await?;
        context.extend_from_slice(request_context);
        let verdict = self.policies.evaluate(&AccessQuestion {
            principal: &caller.principal,
            action,
            resource,
            context: &borrowed(&context),
            identity_policies: &identity,
            resource_policies: &[],
            session_policies: session.as_deref(),
        });
        Ok(verdict.identity)
    }

    /// What the trust policy of a role says to the caller.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn ask_trust(
        &self,
        caller: &Caller,
        action: &str,
        trust_policy: &Arc<str>,
        request_context: &[ConditionValue],
    ) -> Result<(Effect, Grant)> {
        let mut context = self.caller_context(caller, self.control.generation().await?).await?;
        context.extend_from_slice(request_context);
        let context = borrowed(&context);
        Ok(self.policies.evaluate_trust(&TrustQuestion {
            principal: &caller.principal,
            action,
            context: &context,
            trust_policy,
        }))
    }

    /// The condition keys that the caller brings along, the tags of a user among them. Those of a role came with its
    /// session.
    pub(super) async fn caller_context(&self, caller: &Caller, generation: u64) -> Result<Vec<ConditionValue>> {
        let mut context = of_caller(caller, &self.region, self.clock.now());
        if let PrincipalKind::User(user) = &caller.principal.kind {
            let tags = self.user_tags(user, generation).await?;
            context.extend(tags.iter().map(|Tag { key, value }| tag("aws:PrincipalTag", key, value)));
        }
        Ok(context)
    }

    async fn user_tags(&self, user: &User, generation: u64) -> Result<Arc<[Tag]>> {
        if let Some((seen, tags)) = self.user_tags.get(&user.id)
            && seen == generation
        {
            return Ok(tags);
        }
        let tags: Arc<[Tag]> = self.store.list_user_tags(user).await?.into();
        self.user_tags.insert(user.id.clone(), (generation, Arc::clone(&tags)));
        Ok(tags)
    }

    /// The policies of a user, or of the role that a session is of.
    pub(super) async fn identity_policies(&self, principal: &Principal, generation: u64) -> Result<Documents> {
        let id = match &principal.kind {
            PrincipalKind::User(user) => &user.id,
            PrincipalKind::AssumedRole(session) => &session.role.id,
            PrincipalKind::WebIdentity(_) | PrincipalKind::System => return Ok(Arc::from([])),
        };
        if let Some((seen, policies)) = self.identity_policies.get(id)
            && seen == generation
        {
            return Ok(policies);
        }
        let policies: Documents = match &principal.kind {
            PrincipalKind::User(user) => self.store.list_user_documents(user).await?.into(),
            PrincipalKind::AssumedRole(session) => self.store.list_role_documents(&session.role.id).await?.into(),
            PrincipalKind::WebIdentity(_) | PrincipalKind::System => Arc::from([]),
        };
        self.identity_policies.insert(id.clone(), (generation, Arc::clone(&policies)));
        Ok(policies)
    }

    /// The session policies, if the principal is a session that was given some. A managed policy that is gone meanwhile
    /// allows nothing.
    pub(super) async fn session_policies(&self, principal: &Principal, generation: u64) -> Result<Option<Documents>> {
        let Some(session) = principal.role_session().filter(|session| session.scope.is_limited()) else {
            return Ok(None);
        };
        let key = session.access_key.as_str();
        if let Some((seen, policies)) = self.identity_policies.get(key)
            && seen == generation
        {
            return Ok(Some(policies));
        }
        let mut policies: Vec<Arc<str>> = session.scope.policy.iter().cloned().collect();
        for arn in &session.scope.policy_arns {
            policies.extend(self.store.find_managed_document(arn).await?);
        }
        let policies: Documents = policies.into();
        self.identity_policies.insert(key.to_owned(), (generation, Arc::clone(&policies)));
        Ok(Some(policies))
    }
}
