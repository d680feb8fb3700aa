//! Whom decisions are explained about: somebody who asks, or somebody who is named by an ARN.

use super::Explain;
use crate::access::{Caller, Via};
use crate::error::{Error, Result};
use crate::model::{
    AccessKeyId, AccountId, IdentityKind, IdentityName, Principal, PrincipalKind, RoleArn, RoleSession, SessionName,
    SessionRole, SessionScope, Tag, TagHolder, UserName,
};

/// What the session is called that stands for a role that is named without one.
const ANY_SESSION: &str = "any-session";
/// The key of sessions that are made up here. Nobody has it: keys that are given out are random.
const NO_KEY: &str = "ASIALARDEREXPLAINS00";

/// Somebody to explain decisions about.
#[derive(Debug, Clone)]
pub struct Asking {
    caller: Caller,
    assumptions: Vec<String>,
}

impl Asking {
    /// The caller itself, with all that its credentials say.
    #[must_use]
    pub fn itself(caller: &Caller) -> Self {
        Self { caller: caller.clone(), assumptions: Vec::new() }
    }

    /// As whom decisions are made.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What cannot be known of somebody who is only named, as sentences.
    pub(super) fn assumptions(&self) -> &[String] {
        &self.assumptions
    }
}

/// An ARN that names somebody who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// The account as such.
    Root(AccountId),
    /// With the path.
    User(AccountId, String, UserName),
    /// Any session of a role.
    Role(RoleArn),
    /// A session, which names its role without the role's path.
    Session(AccountId, String, SessionName),
}

impl Named {
    /// Reads `arn:aws:iam::A:root`, `…:user/PATH/N`, `…:role/PATH/R` and `arn:aws:sts::A:assumed-role/R/S`.
    fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", "aws", service, "", account, resource] = parts.as_slice() else { return None };
        let account = AccountId::new(*account).ok()?;
        match (*service, resource.split_once('/')) {
            ("iam", None) if *resource == "root" => Some(Self::Root(account)),
            ("iam", Some(("user", _))) => {
                let (path, name) = resource.strip_prefix("user")?.rsplit_once('/')?;
                Some(Self::User(account, format!("{path}/"), UserName::new(name).ok()?))
            }
            ("iam", Some(("role", _))) => RoleArn::parse(arn).ok().map(Self::Role),
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/')?;
                Some(Self::Session(account, role.to_owned(), SessionName::new(session).ok()?))
            }
            _ => None,
        }
    }
}

impl Explain {
    /// The principal with this ARN, as somebody to explain decisions about: `caller` itself if the ARN is its own.
    /// Otherwise that of a user, a role, a session of a role, or the root of an account.
    ///
    /// # Errors
    /// [`Error::Validation`] if the ARN names nobody.
    pub async fn principal(&self, arn: &str, caller: &Caller) -> Result<Asking> {
        let is_machine = matches!(caller.principal.kind, PrincipalKind::System);
        if caller.principal.arn().as_str() == arn && !is_machine {
            return Ok(Asking::itself(caller));
        }
        let named = Named::parse(arn).ok_or_else(|| {
            let message = format!(
                "'{arn}' names nobody; write arn:aws:iam::ACCOUNT:user/NAME, arn:aws:iam::ACCOUNT:role/NAME, \
                 arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION or arn:aws:iam::ACCOUNT:root"
            );
            Error::validation("principal", message)
        })?;
        let found = match named {
            Named::Root(account) => self.root(account).await?,
            Named::User(account, path, name) => self.user(&account, &path, &name).await?,
            Named::Role(role) => self.role(&role).await?,
            Named::Session(account, role, session) => self.session(account, role, session).await?,
        };
        let (principal, assumptions) = found.ok_or_else(|| {
            let what = if arn.contains(":user/") { "user" } else { "principal" };
            Error::validation("principal", format!("there is no {what} '{arn}'"))
        })?;
        let request_id = caller.request_id.clone();
        let caller = Caller { principal, via: Via::Machine, address: None, secure_transport: true, request_id };
        Ok(Asking { caller, assumptions })
    }

    async fn root(&self, account: AccountId) -> Result<Option<(Principal, Vec<String>)>> {
        if !self.store.list_accounts().await?.contains(&account) {
            return Ok(None);
        }
        let assumption =
            "nobody signs in as the root of an account here; what may do everything is the command line on \
                          the machine, which acts as it"
                .to_owned();
        Ok(Some((Principal { account, kind: PrincipalKind::System }, vec![assumption])))
    }

    async fn user(&self, account: &AccountId, path: &str, name: &UserName) -> Result<Option<(Principal, Vec<String>)>> {
        let user = self.store.find_user(account, name).await?.filter(|user| user.path == path);
        Ok(user.map(|user| (Principal::user(user), Vec::new())))
    }

    async fn role(&self, arn: &RoleArn) -> Result<Option<(Principal, Vec<String>)>> {
        let Some(role) = self.store.find_assumable_role(arn).await? else { return Ok(None) };
        let session = self.made_up(role.role, SessionName::new(ANY_SESSION).map_err(Error::internal)?, role.tags)?;
        let mut assumptions = vec![format!("the session of the role is called '{ANY_SESSION}'")];
        assumptions.extend(unknown_of_sessions());
        Ok(Some((session, assumptions)))
    }

    async fn session(
        &self,
        account: AccountId,
        role: String,
        session: SessionName,
    ) -> Result<Option<(Principal, Vec<String>)>> {
        let name = IdentityName { kind: IdentityKind::Role, account, name: role };
        let Some(role) = self.store.find_identity(&name).await? else { return Ok(None) };
        let tags = self.store.list_identity_tags(&TagHolder::Identity(name)).await?;
        let role = SessionRole { account: role.account, path: role.path, name: role.name, id: role.id };
        Ok(Some((self.made_up(role, session, tags)?, unknown_of_sessions().into())))
    }

    /// A session that was begun now and given nothing.
    fn made_up(&self, role: SessionRole, name: SessionName, role_tags: Vec<Tag>) -> Result<Principal> {
        Ok(Principal::assumed_role(RoleSession {
            user_id: format!("{}:{name}", role.id),
            role,
            name,
            access_key: AccessKeyId::new(NO_KEY).map_err(Error::internal)?,
            issued_at: self.downloads.views.clock.now(),
            scope: SessionScope::default(),
            role_tags,
        }))
    }
}

/// What only the credentials of a session say.
fn unknown_of_sessions() -> [String; 2] {
    [
        "which session policies a session was given is known with its credentials only: this is what one without any is \
         answered, and one with some may be refused more [iam-session-policy]"
            .to_owned(),
        "session tags and a source identity are known with a session's credentials only: there are none here".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_name_users_roles_sessions_and_accounts() {
        let account = AccountId::new("111122223333").unwrap();
        let parse = |resource: &str| Named::parse(&format!("arn:aws:iam::111122223333:{resource}"));
        assert_eq!(parse("root"), Some(Named::Root(account.clone())));
        assert_eq!(
            parse("user/ann"),
            Some(Named::User(account.clone(), "/".to_owned(), UserName::new("ann").unwrap()))
        );
        let in_team = Named::User(account.clone(), "/team/".to_owned(), UserName::new("ann").unwrap());
        assert_eq!(parse("user/team/ann"), Some(in_team));
        let Some(Named::Role(role)) = parse("role/ci/builder") else { panic!("no role") };
        assert_eq!((role.path.as_str(), role.name.as_str()), ("/ci/", "builder"));
        let session = Named::parse("arn:aws:sts::111122223333:assumed-role/builder/run-7");
        assert_eq!(session, Some(Named::Session(account, "builder".to_owned(), SessionName::new("run-7").unwrap())));
    }

    #[test]
    fn what_is_no_principals_arn_names_nobody() {
        for arn in [
            "",
            "ann",
            "*",
            "arn:aws:iam::111122223333:group/a",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::1:root",
            "arn:aws:iam::111122223333:root/x",
            "arn:aws:sts::111122223333:root",
            "arn:aws:sts::111122223333:assumed-role/builder",
            "arn:aws:sts::111122223333:assumed-role/builder/a b",
            "arn:aws:sts::111122223333:assumed-role/ci/builder/run-7",
            "arn:aws:s3:::bucket",
        ] {
            assert_eq!(Named::parse(arn), None, "{arn}");
        }
    }

    #[test]
    fn sessions_that_are_made_up_have_a_well_formed_key() {
        assert!(AccessKeyId::new(NO_KEY).is_ok() && SessionName::new(ANY_SESSION).is_ok());
    }
}
