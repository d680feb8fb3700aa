//! The `Principal` element: whom a statement of a resource policy is about.

use larder_core::model::{AccountId, Principal, PrincipalKind};

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
    /// Kinds of principals that never call Larder: services, federated and canonical users.
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

    /// Whether a principal is meant.
    pub(super) fn matches(&self, principal: &Principal, arn: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Account(account) => account == principal.account.as_str(),
            Self::Arn(expected) => expected == arn,
            Self::UniqueId(id) => matches!(&principal.kind, PrincipalKind::User(user) if user.id == *id),
            Self::Foreign => false,
        }
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
            name: UserName::new("alice").unwrap(),
            id: "AIDAEXAMPLEEXAMPLEAAA".to_owned(),
        };
        let principal = Principal::user(user);
        let arn = principal.arn();
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
            assert_eq!(Entry::parse_aws(entry).unwrap().matches(&principal, arn.as_str()), fits, "{entry}");
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
