//! What IAM manages besides users' keys: users, groups and roles as policies hang on them, and managed policies.

use std::sync::Arc;

use super::{AccountId, Arn, Timestamp};
use crate::error::Invalid;

/// The kinds of identity that policies hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    User,
    Group,
    Role,
}

impl IdentityKind {
    /// All, in the order in which they are listed together.
    pub const ALL: [Self; 3] = [Self::Group, Self::User, Self::Role];

    /// The word in ARNs and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// The longest name in characters.
    #[must_use]
    pub fn longest_name(self) -> usize {
        match self {
            Self::User | Self::Role => 64,
            Self::Group => 128,
        }
    }

    /// How many characters its inline policies may have together, white space not counted.
    #[must_use]
    pub fn inline_characters(self) -> usize {
        match self {
            Self::User => 2048,
            Self::Group => 5120,
            Self::Role => 10_240,
        }
    }
}

/// A user, group or role by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityName {
    pub kind: IdentityKind,
    pub account: AccountId,
    pub name: String,
}

/// A user, group or role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub kind: IdentityKind,
    pub account: AccountId,
    /// `AIDA…`, `AGPA…` or `AROA…`; never comes back after deletion.
    pub id: String,
    /// Begins and ends with `/`.
    pub path: String,
    pub name: String,
    pub created_at: Timestamp,
}

impl Identity {
    /// `arn:aws:iam::{account}:{kind}{path}{name}`.
    #[must_use]
    pub fn arn(&self) -> Arn {
        Arn::literal(&format!("arn:aws:iam::{}:{}{}{}", self.account, self.kind.word(), self.path, self.name))
    }
}

/// What a role has besides its name and policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDetails {
    pub trust_policy: Arc<str>,
    pub description: String,
    /// The longest session.
    pub max_session_seconds: u64,
}

/// A managed policy. Its document is that of its default version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    pub arn: String,
    pub id: String,
    pub path: String,
    pub name: String,
    pub description: String,
    /// The version that counts.
    pub default_version: u32,
    /// The newest version that there ever was.
    pub last_version: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// To how many users, groups and roles it is attached.
    pub attachments: u64,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicyVersion {
    /// 1 for `v1`.
    pub number: u32,
    pub document: Arc<str>,
    pub created_at: Timestamp,
}

/// An OpenID Connect provider with all that IAM tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDetails {
    pub arn: String,
    pub url: String,
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates, in the order given.
    pub thumbprints: Vec<String>,
    pub created_at: Timestamp,
}

/// What IAM's tags hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagHolder {
    /// A user or role; groups have no tags.
    Identity(IdentityName),
    /// A managed policy by ARN.
    Policy(String),
    /// An OpenID Connect provider by ARN.
    Provider(String),
}

/// Checks the name of an identity or policy: letters, digits and `+=,.@_-`.
///
/// # Errors
/// [`Invalid`] with the rule.
pub fn check_identity_name(name: &str, longest: usize) -> Result<(), Invalid> {
    let body = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    if (1..=longest).contains(&name.len()) && name.bytes().all(body) {
        return Ok(());
    }
    Err(Invalid::new(format!("a name has 1 to {longest} letters, digits and any of +=,.@_-")))
}

/// Checks a path: `/`, or visible ASCII between two `/`, at most 512.
///
/// # Errors
/// [`Invalid`] with the rule.
pub fn check_identity_path(path: &str) -> Result<(), Invalid> {
    if path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && !path.contains("//")
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b':' && b != b'*' && b != b'?')
    {
        return Ok(());
    }
    Err(Invalid::new("a path begins and ends with '/' and has at most 512 visible ASCII characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_follow_the_patterns() {
        for good in ["a", "a+b=c,d.e@f_g-h", &"a".repeat(64)] {
            assert!(check_identity_name(good, 64).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(check_identity_name(bad, 64).is_err(), "{bad}");
        }
        for good in ["/", "/a/", "/a/b!c/"] {
            assert!(check_identity_path(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "/a", "a/", "//", "/a b/", "/*/", "/ä/", &format!("/{}/", "a".repeat(511))] {
            assert!(check_identity_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arns_hold_the_path() {
        let group = Identity {
            kind: IdentityKind::Group,
            account: AccountId::new("111122223333").unwrap(),
            id: "AGPAEXAMPLE".to_owned(),
            path: "/teams/".to_owned(),
            name: "ci".to_owned(),
            created_at: Timestamp(0),
        };
        assert_eq!(group.arn().as_str(), "arn:aws:iam::111122223333:group/teams/ci");
    }
}
