//! What a caller is told of a decision against it, in AWS's words as far as it has some.

use super::{Action, Caller, PolicyScope, Target};
use crate::model::Arn;
use crate::ports::{Effect, Verdict};
use crate::refusal::{Refusal, RefusalCode};

/// A request that was decided against.
pub(super) struct Refused<'a> {
    pub(super) caller: &'a Caller,
    pub(super) action: Action,
    pub(super) resource: Arn,
}

impl Refused<'_> {
    /// The token does not cover it, whatever policies say.
    pub(super) fn by_token(&self, why: &str) -> Refusal {
        self.because(RefusalCode::IamTokenScope, &format!("because {why}; get another one with GetAuthorizationToken"))
    }

    /// All else allows it, but not the policies that the session was given.
    pub(super) fn by_session_policy(&self) -> Refusal {
        let why = "because no session policy allows it; who assumes the role can pass another one";
        self.because(RefusalCode::IamSessionPolicy, why)
    }

    /// The policies' verdict is no. Everybody may know of a deny in its own policies. What the policies of a domain and
    /// a repository deny is known to the accounts that own and administer them; others learn only that they lack rights.
    pub(super) fn by_policies<T: Target>(&self, target: &T, verdict: Verdict, domain_denies: bool) -> Refusal {
        if verdict.identity == Effect::Deny {
            let why = "with an explicit deny in an identity-based policy; who administers that policy can lift it";
            return self.because(RefusalCode::IamIdentityDeny, why);
        }
        let account = &self.caller.principal.account;
        let owns = target.domain().is_some_and(|domain| domain.owner == *account);
        let administers = target.repository().is_some_and(|repository| repository.administrator == *account);
        if verdict.resource == Effect::Deny && (owns || administers) {
            return if domain_denies {
                let why =
                    "with an explicit deny in the domain's policy; who may PutDomainPermissionsPolicy can lift it";
                self.because(RefusalCode::IamDomainDeny, why)
            } else {
                let why = "with an explicit deny in the repository's policy; who may PutRepositoryPermissionsPolicy can lift it";
                self.because(RefusalCode::IamRepositoryDeny, why)
            };
        }
        let by_repository = matches!(self.action.scope(), PolicyScope::Repository | PolicyScope::RepositoryPolicy);
        let why = if target.domain().is_none() || (administers && by_repository && !owns) {
            "because no identity-based policy allows it"
        } else if owns {
            "because neither an identity-based policy nor the policy of the domain or repository allows it"
        } else {
            "because it takes both an identity-based policy and the policy of the domain or repository to allow it"
        };
        self.because(RefusalCode::IamNotAllowed, why)
    }

    fn because(&self, code: RefusalCode, why: &str) -> Refusal {
        let (principal, action) = (self.caller.principal.arn(), self.action.as_iam());
        let sentence =
            format!("User: {principal} is not authorized to perform: {action} on resource: {} {why}", self.resource);
        Refusal::new(code, sentence)
            .with("principal", principal)
            .with("action", action)
            .with("resource", &self.resource)
    }
}
