//! Authorizing the administration of identities: IAM's own actions on IAM's ARNs. There are no resource policies; what
//! the caller's policies say is all.

use super::context::{ConditionValue, tag};
use super::{Access, Allowed, Caller, ServerTarget};
use crate::error::Result;
use crate::model::{Identity, IdentityName, Tag, TagHolder};
use crate::ports::Effect;
use crate::refusal::{Refusal, RefusalCode};

/// What an action of IAM is about.
#[derive(Debug, Clone)]
pub enum IamTarget {
    /// Nothing in particular: `*`.
    Any,
    /// A user, group or role, there or not.
    Identity(IdentityName),
    /// One that is to be created, or renamed to, with this path.
    NewIdentity(IdentityName, String),
    /// A managed policy by ARN.
    Policy(String),
    /// An OpenID Connect provider by ARN.
    Provider(String),
}

impl Access {
    /// Allows an operation of IAM if the caller's policies do. `operation` is spelled as IAM spells it: `CreateUser`.
    ///
    /// # Errors
    /// [`crate::Error::Refused`].
    pub async fn authorize_identity(
        &self,
        caller: &Caller,
        operation: &'static str,
        target: &IamTarget,
        request_context: &[(String, Vec<String>)],
    ) -> Result<Allowed<ServerTarget>> {
        let (resource, tags) = self.resolve(target).await?;
        let mut context: Vec<ConditionValue> = request_context.to_vec();
        for Tag { key, value } in tags {
            context.extend(["aws:ResourceTag", "iam:ResourceTag"].map(|prefix| tag(prefix, &key, &value)));
        }
        let action = format!("iam:{operation}");
        let (code, why) = match self.ask_identity(caller, &action, &resource, &context).await? {
            Effect::Allow => {
                let actor = caller.actor(operation, self.clock.now());
                let principal = caller.principal.clone();
                return Ok(Allowed { target: ServerTarget, principal, actor, repeats: None });
            }
            Effect::Deny => (RefusalCode::IamIdentityDeny, "with an explicit deny in an identity-based policy"),
            Effect::Silent => (RefusalCode::IamNotAllowed, "because no identity-based policy allows it"),
        };
        let principal = caller.principal.arn();
        let sentence =
            format!("User: {principal} is not authorized to perform: {action} on resource: {resource} {why}");
        let refusal = Refusal::new(code, sentence);
        Err(refusal.with("principal", principal).with("action", action).with("resource", resource).into())
    }

    /// The ARN that policies match, and the tags of what is there.
    async fn resolve(&self, target: &IamTarget) -> Result<(String, Vec<Tag>)> {
        let (arn, holder) = match target {
            IamTarget::Any => return Ok(("*".to_owned(), Vec::new())),
            IamTarget::NewIdentity(name, path) => return Ok((arn_of(name, path), Vec::new())),
            IamTarget::Identity(name) => match self.store.find_identity(name).await? {
                Some(Identity { path, .. }) => (arn_of(name, &path), TagHolder::Identity(name.clone())),
                None => return Ok((arn_of(name, "/"), Vec::new())),
            },
            IamTarget::Policy(arn) => (arn.clone(), TagHolder::Policy(arn.clone())),
            IamTarget::Provider(arn) => (arn.clone(), TagHolder::Provider(arn.clone())),
        };
        Ok((arn, self.store.list_identity_tags(&holder).await?))
    }
}

fn arn_of(name: &IdentityName, path: &str) -> String {
    format!("arn:aws:iam::{}:{}{path}{}", name.account, name.kind.word(), name.name)
}
