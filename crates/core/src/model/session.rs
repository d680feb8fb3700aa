//! Temporary credentials (STS): sessions of roles and of users.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::names::text_type;
use super::{AccessKeyId, AccountId, Arn, Principal, Tag, Timestamp};
use crate::error::Invalid;

text_type!(
    /// What a role's session is called, and a source identity: 2 to 64 of letters, digits and `_+=,.@-`.
    SessionName,
    check_session_name
);

fn check_session_name(text: &str) -> Result<(), Invalid> {
    let body = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if (2..=64).contains(&text.len()) && text.bytes().all(body) {
        return Ok(());
    }
    Err(Invalid::new("must have 2 to 64 letters, digits and any of _+=,.@-"))
}

/// What every access key id of temporary credentials begins with.
pub const SESSION_KEY_PREFIX: &str = "ASIA";

/// Temporary credentials as stored: the session token by its SHA-256, the secret not at all, because it is made from
/// the token. A stolen database opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `ASIA…`
    pub access_key: AccessKeyId,
    /// SHA-256 of the session token's text.
    pub token_sha256: [u8; 32],
    /// Whom it speaks for: a session of a role, or a user.
    pub principal: Principal,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The role of a session. `id` never comes back after deletion.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionRole {
    pub account: AccountId,
    /// Begins and ends with `/`.
    pub path: String,
    pub name: String,
    /// `AROA…`
    pub id: String,
}

impl SessionRole {
    /// `arn:aws:iam::{account}:role{path}{name}`.
    #[must_use]
    pub fn arn(&self) -> Arn {
        Arn::literal(&format!("arn:aws:iam::{}:role{}{}", self.account, self.path, self.name))
    }
}

/// The ARN of a role, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    pub account: AccountId,
    /// Begins and ends with `/`.
    pub path: String,
    pub name: String,
}

impl RoleArn {
    /// Reads `arn:aws:iam::{account}:role{path}{name}`.
    ///
    /// # Errors
    /// [`Invalid`] when it is not one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new(format!("{text} is invalid"));
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", "aws", "iam", "", account, resource] = parts.as_slice() else { return Err(invalid()) };
        let account = AccountId::new(*account).map_err(|_| invalid())?;
        let resource = resource.strip_prefix("role").filter(|rest| rest.starts_with('/')).ok_or_else(invalid)?;
        let (path, name) = resource.rsplit_once('/').ok_or_else(invalid)?;
        let body = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(body) || path.len() > 510 {
            return Err(invalid());
        }
        Ok(Self { account, path: format!("{path}/"), name: name.to_owned() })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:iam::{}:role{}{}", self.account, self.path, self.name)
    }
}

/// A role that was assumed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleSession {
    pub role: SessionRole,
    pub name: SessionName,
    /// `AROA…:name`, the value of `aws:userid`.
    pub user_id: String,
    /// The key of the credentials: no two sessions share it, though they share role and name.
    pub access_key: AccessKeyId,
    pub issued_at: Timestamp,
    /// What the session was given when the role was assumed.
    pub scope: SessionScope,
    /// Tags of the role itself, which those of the session override.
    pub role_tags: Vec<Tag>,
}

impl RoleSession {
    /// `arn:aws:sts::{account}:assumed-role/{role}/{session}`: without the role's path.
    #[must_use]
    pub fn arn(&self) -> Arn {
        Arn::assumed_role(&self.role.account, &self.role.name, self.name.as_str())
    }

    /// The tags that policies see as `aws:PrincipalTag/…`. Keys compare without case.
    pub fn principal_tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.scope.tags.iter().map(|tag| (&*tag.key, &*tag.value));
        let overridden = |key: &str| self.scope.tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key));
        let inherited = self.role_tags.iter().filter(move |tag| !overridden(&tag.key));
        own.chain(inherited.map(|tag| (&*tag.key, &*tag.value)))
    }
}

/// What limits and marks a session of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionScope {
    /// The session policy that was passed inline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
    /// Managed policies that were passed as session policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
    /// Session tags, those inherited from the calling session included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<SessionTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The identity provider's ARN, when the role was assumed with a web identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

impl SessionScope {
    /// Whether session policies limit what the role may do.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }
}

/// A tag of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTag {
    pub key: String,
    pub value: String,
    /// Goes on to sessions of roles that this session assumes.
    pub transitive: bool,
}

/// Who stands behind the token of an identity provider, before a role is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebIdentity {
    /// The account of the provider and of the role that is asked for.
    pub account: AccountId,
    /// `arn:aws:iam::{account}:oidc-provider/{host}{path}`.
    pub provider: String,
    /// The token's `sub`.
    pub subject: String,
}

/// What credentials were presented to obtain an authorization token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user's own access key; deactivating or deleting it ends the token.
    AccessKey(AccessKeyId),
    /// Temporary credentials. The token may outlive them (reference 5.1), but not their user or role.
    Session(AccessKeyId),
}

impl Credential {
    /// The id of the key that signed.
    #[must_use]
    pub fn access_key(&self) -> &AccessKeyId {
        match self {
            Self::AccessKey(id) | Self::Session(id) => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(role_tags: &[(&str, &str)], tags: &[(&str, &str)]) -> RoleSession {
        RoleSession {
            role: SessionRole {
                account: AccountId::new("111122223333").unwrap(),
                path: "/ci/".to_owned(),
                name: "builder".to_owned(),
                id: "AROAEXAMPLE".to_owned(),
            },
            name: SessionName::new("run-7").unwrap(),
            user_id: "AROAEXAMPLE:run-7".to_owned(),
            access_key: AccessKeyId::new("ASIAEXAMPLEEXAMPLE01").unwrap(),
            issued_at: Timestamp(0),
            scope: SessionScope {
                tags: tags
                    .iter()
                    .map(|(key, value)| SessionTag {
                        key: (*key).to_owned(),
                        value: (*value).to_owned(),
                        transitive: false,
                    })
                    .collect(),
                ..SessionScope::default()
            },
            role_tags: role_tags
                .iter()
                .map(|(key, value)| Tag { key: (*key).to_owned(), value: (*value).to_owned() })
                .collect(),
        }
    }

    #[test]
    fn a_sessions_arn_leaves_out_the_roles_path() {
        let session = session(&[], &[]);
        assert_eq!(session.arn().as_str(), "arn:aws:sts::111122223333:assumed-role/builder/run-7");
        assert_eq!(session.role.arn().as_str(), "arn:aws:iam::111122223333:role/ci/builder");
    }

    #[test]
    fn session_tags_override_those_of_the_role_whatever_the_case() {
        let session = session(&[("team", "a"), ("stage", "test")], &[("Team", "b")]);
        assert_eq!(session.principal_tags().collect::<Vec<_>>(), [("Team", "b"), ("stage", "test")]);
    }

    #[test]
    fn a_roles_arn_is_taken_apart_and_put_together() {
        for text in ["arn:aws:iam::111122223333:role/builder", "arn:aws:iam::111122223333:role/ci/x/builder"] {
            assert_eq!(RoleArn::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "builder",
            "arn:aws:iam::111122223333:user/x",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::111122223333:role/",
        ] {
            assert!(RoleArn::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn session_names_follow_the_pattern() {
        for good in ["ab", "GitHubActions", "a_b+c=d,e.f@g-h", &"a".repeat(64)] {
            assert!(SessionName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a b", "a/b", "a:b", "ä1", &"a".repeat(65)] {
            assert!(SessionName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_round_trips_as_text() {
        let scope = SessionScope {
            policy: Some("{}".into()),
            source_identity: Some("alice".to_owned()),
            ..session(&[], &[("k", "v")]).scope
        };
        let text = serde_json::to_string(&scope).unwrap();
        assert_eq!(serde_json::from_str::<SessionScope>(&text).unwrap(), scope);
        assert_eq!(serde_json::to_string(&SessionScope::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<SessionScope>("{}").unwrap(), SessionScope::default());
    }
}
