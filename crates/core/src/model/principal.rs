//! Who makes a request.

use super::{AccountId, Arn, UserName};

/// An IAM user. `id` never comes back after deletion, so what was bound to a user is not inherited by a namesake.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    pub account: AccountId,
    pub name: UserName,
    /// `AIDA…`
    pub id: String,
}

impl User {
    /// `arn:aws:iam::{account}:user/{name}`.
    #[must_use]
    pub fn arn(&self) -> Arn {
        Arn::user(&self.account, self.name.as_str())
    }
}

/// What kind of identity a principal is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    User(User),
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

    /// The principal's ARN as policies name it.
    #[must_use]
    pub fn arn(&self) -> Arn {
        match &self.kind {
            PrincipalKind::User(user) => user.arn(),
            PrincipalKind::System => Arn::root(&self.account),
        }
    }

    /// The unique id (`aws:userid`).
    #[must_use]
    pub fn unique_id(&self) -> &str {
        match &self.kind {
            PrincipalKind::User(user) => &user.id,
            PrincipalKind::System => self.account.as_str(),
        }
    }

    /// The bare name (`aws:username`).
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.kind {
            PrincipalKind::User(user) => user.name.as_str(),
            PrincipalKind::System => "larder",
        }
    }
}
