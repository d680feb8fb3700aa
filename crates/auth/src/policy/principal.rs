//! The `Principal` element: whom a statement of a resource policy is about.

use larder_core::model::{AccountId, Principal, PrincipalKind};
use larder_core::ports::Grant;

/// An entry of `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// `*`
    Anyone,
    /// Every principal of an account: its id, or the ARN of its root.
    Account(String),
    /// A user's, role's or session's ARN.
    Arn(String),
    /// A unique id (`AIDA…`), which is what IAM makes of a user's ARN.
    UniqueId(String),
    /// An identity provider: its ARN.
    Federated(String),
    /// Kinds of principals that never call Larder: services and canonical users.
    Foreign,
}

impl Entry {
    /// Reads an entry of the kind `AWS`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse_aws(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Anyone);
        }
        if AccountId::new(text).is_ok() {
            return Ok(Self::Account(text.to_owned()));
        }
        if is_unique_id(text) {
            return Ok(Self::UniqueId(text.to_owned()));
        }
        if text.contains(['*', '?']) {
            return Err(format!("the principal '{text}' must not hold wildcards; only \"*\" on its own is allowed"));
        }
        let invalid = || {
            format!(
                "the principal '{text}' must be \"*\", an account id, or an ARN such as arn:aws:iam::111122223333:root or arn:aws:iam::111122223333:user/NAME"
            )
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", "aws", service, "", account, resource] = parts.as_slice() else { return Err(invalid()) };
        AccountId::new(*account).map_err(|_| invalid())?;
        let kind = resource.split_once('/').filter(|(_, name)| !name.is_empty()).map(|(kind, _)| kind);
        match (*service, kind) {
            ("iam", None) if *resource == "root" => Ok(Self::Account((*account).to_owned())),
            ("iam", Some("user" | "role")) | ("sts", Some("assumed-role" | "federated-user")) => {
                Ok(Self::Arn(text.to_owned()))
            }
            _ => Err(invalid()),
        }
    }

    /// Reads an entry of the kind `Federated` in a role's trust policy: an identity provider's ARN, or the name of one
    /// of those that AWS knows without a record, which never vouch for anybody here.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse_federated(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!(
                "the principal '{text}' must be the ARN of an identity provider, such as arn:aws:iam::111122223333:oidc-provider/gitlab.example.com"
            )
        };
        if !text.starts_with("arn:") && text.contains('.') && !text.contains(['*', '?', '/', ' ']) {
            return Ok(Self::Foreign);
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", "aws", "iam", "", account, resource] = parts.as_slice() else { return Err(invalid()) };
        AccountId::new(*account).map_err(|_| invalid())?;
        match resource.split_once('/') {
            Some(("oidc-provider", name)) if !name.is_empty() && !name.contains(['*', '?']) => {
                Ok(Self::Federated(text.to_owned()))
            }
            Some(("saml-provider", name)) if !name.is_empty() => Ok(Self::Foreign),
            _ => Err(invalid()),
        }
    }

    /// Whether and how a principal is meant.
    pub(super) fn matches(&self, asking: &Asking<'_>) -> Option<Grant> {
        let principal = asking.principal;
        let (meant, grant) = match self {
            // Nobody is meant by name who only has an identity provider's word.
            Self::Anyone => (!matches!(principal.kind, PrincipalKind::WebIdentity(_)), Grant::Principal),
            Self::Account(account) => (
                account == principal.account.as_str() && !matches!(principal.kind, PrincipalKind::WebIdentity(_)),
                Grant::Account,
            ),
            Self::Arn(expected) if *expected == asking.policy_arn => (true, Grant::Principal),
            Self::Arn(expected) => (*expected == asking.arn, Grant::Session),
            Self::UniqueId(id) => match &principal.kind {
                PrincipalKind::User(user) => (user.id == *id, Grant::Principal),
                PrincipalKind::AssumedRole(session) => (session.role.id == *id, Grant::Principal),
                PrincipalKind::WebIdentity(_) | PrincipalKind::System => (false, Grant::Account),
            },
            Self::Federated(provider) => (
                matches!(&principal.kind, PrincipalKind::WebIdentity(identity) if identity.provider == *provider),
                Grant::Principal,
            ),
            Self::Foreign => (false, Grant::Account),
        };
        meant.then_some(grant)
    }
}

/// Who asks, with the ARNs that entries name.
pub(super) struct Asking<'a> {
    pub(super) principal: &'a Principal,
    /// Its own: a session's, where a role was assumed.
    arn: String,
    /// The one it is known by in policies: a role's, where that was assumed.
    policy_arn: String,
}

impl<'a> Asking<'a> {
    pub(super) fn new(principal: &'a Principal) -> Self {
        Self { principal, arn: principal.arn().to_string(), policy_arn: principal.policy_arn().to_string() }
    }
}

fn is_unique_id(text: &str) -> bool {
    let prefix = ["AIDA", "AROA", "AGPA"].iter().any(|prefix| text.starts_with(prefix));
    prefix
        && (16..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use larder_core::model::{User, UserName};

    use super::*;

    #[test]
    fn entries_name_everyone_accounts_users_and_ids() {
        let user = User {
            account: AccountId::new("111122223333").unwrap(),
            path: "/".to_owned(),
            name: UserName::new("alice").unwrap(),
            id: "AIDAEXAMPLEEXAMPLEAAA".to_owned(),
        };
        let principal = Principal::user(user);
        for (entry, fits) in [
            ("*", true),
            ("111122223333", true),
            ("444455556666", false),
            ("arn:aws:iam::111122223333:root", true),
            ("arn:aws:iam::444455556666:root", false),
            ("arn:aws:iam::111122223333:user/alice", true),
            ("arn:aws:iam::111122223333:user/Alice", false),
            ("arn:aws:iam::111122223333:role/alice", false),
            ("AIDAEXAMPLEEXAMPLEAAA", true),
            ("AIDAEXAMPLEEXAMPLEAAB", false),
        ] {
            assert_eq!(Entry::parse_aws(entry).unwrap().matches(&Asking::new(&principal)).is_some(), fits, "{entry}");
        }
    }

    #[test]
    fn what_names_no_principal_is_refused() {
        for entry in [
            "",
            "alice",
            "11112222333",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:group/x",
            "arn:aws:iam::1111:root",
            "arn:aws:s3:::bucket",
            "arn:aws:iam:us-east-1:111122223333:root",
        ] {
            assert!(Entry::parse_aws(entry).is_err(), "{entry}");
        }
    }
}
