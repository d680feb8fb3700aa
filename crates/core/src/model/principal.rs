//! Who makes a request.

use std::sync::Arc;

use super::{AccountId, Arn, RoleSession, UserName, WebIdentity};

/// An IAM user. `id` never comes back after deletion, so what was bound to a user is not inherited by a namesake.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    pub account: AccountId,
    /// Begins and ends with `/`.
    pub path: String,
    pub name: UserName,
    /// `AIDA…`
    pub id: String,
}

impl User {
    /// `arn:aws:iam::{account}:user{path}{name}`.
    #[must_use]
    pub fn arn(&self) -> Arn {
        Arn::user(&self.account, &self.path, self.name.as_str())
    }
}

/// What kind of identity a principal is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    User(User),
    /// A session of a role.
    AssumedRole(Arc<RoleSession>),
    /// Whom an identity provider vouches for. It may assume a role that trusts the provider and nothing else.
    WebIdentity(Arc<WebIdentity>),
    /// Larder itself: bootstrap and the command line on the data directory.
    System,
}

/// The identity on whose behalf something happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    pub account: AccountId,
    pub kind: PrincipalKind,
}

impl Principal {
    /// The principal of an IAM user.
    #[must_use]
    pub fn user(user: User) -> Self {
        Self { account: user.account.clone(), kind: PrincipalKind::User(user) }
    }

    /// The principal of a role that was assumed.
    #[must_use]
    pub fn assumed_role(session: RoleSession) -> Self {
        Self { account: session.role.account.clone(), kind: PrincipalKind::AssumedRole(Arc::new(session)) }
    }

    /// The principal of whom an identity provider vouches for.
    #[must_use]
    pub fn web_identity(identity: WebIdentity) -> Self {
        Self { account: identity.account.clone(), kind: PrincipalKind::WebIdentity(Arc::new(identity)) }
    }

    /// The principal's own ARN: the session's, where a role was assumed.
    #[must_use]
    pub fn arn(&self) -> Arn {
        match &self.kind {
            PrincipalKind::User(user) => user.arn(),
            PrincipalKind::AssumedRole(session) => session.arn(),
            PrincipalKind::WebIdentity(identity) => {
                Arn::literal(&format!("{}:{}", identity.provider, identity.subject))
            }
            PrincipalKind::System => Arn::root(&self.account),
        }
    }

    /// The ARN that policies know as `aws:PrincipalArn`: the role's, where a role was assumed.
    #[must_use]
    pub fn policy_arn(&self) -> Arn {
        match &self.kind {
            PrincipalKind::AssumedRole(session) => session.role.arn(),
            _ => self.arn(),
        }
    }

    /// The unique id (`aws:userid`).
    #[must_use]
    pub fn unique_id(&self) -> &str {
        match &self.kind {
            PrincipalKind::User(user) => &user.id,
            PrincipalKind::AssumedRole(session) => &session.user_id,
            PrincipalKind::WebIdentity(identity) => &identity.subject,
            PrincipalKind::System => self.account.as_str(),
        }
    }

    /// The bare name: a user's (`aws:username`), a session's.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.kind {
            PrincipalKind::User(user) => user.name.as_str(),
            PrincipalKind::AssumedRole(session) => session.name.as_str(),
            PrincipalKind::WebIdentity(identity) => &identity.subject,
            PrincipalKind::System => "larder",
        }
    }

    /// The session of a role, if that is what it is.
    #[must_use]
    pub fn role_session(&self) -> Option<&RoleSession> {
        match &self.kind {
            PrincipalKind::AssumedRole(session) => Some(session),
            _ => None,
        }
    }

    /// What decisions about it may be remembered under: sessions of a role differ in what they were given.
    #[must_use]
    pub fn decision_key(&self) -> &str {
        match &self.kind {
            PrincipalKind::AssumedRole(session) => session.access_key.as_str(),
            _ => self.unique_id(),
        }
    }
}
