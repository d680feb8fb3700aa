//! The policies of users, groups and roles: inline ones, and managed ones that are attached.

use std::sync::Arc;

use larder_core::error::ResourceType;
use larder_core::model::{
    AccountId, AwsManagedPolicy, Identity, IdentityKind, IdentityName, Page, PageRequest, Revision,
};
use larder_core::{Error, Result};

use super::{Transaction, identities, managed_policies, paging};
use crate::sql::{Conn, Row, Sql, params, statements};

/// The most managed policies of an identity.
const ATTACHMENTS: usize = 10;

macro_rules! inline {
    (list $table:literal, $owner:literal) => {
        concat!("SELECT name, document FROM ", $table, " WHERE ", $owner, " = $1 ORDER BY name")
    };
    (put $table:literal, $owner:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (",
            $owner,
            ", name, document) VALUES ($1, $2, $3) ON CONFLICT (",
            $owner,
            ", name) DO UPDATE SET document = excluded.document"
        )
    };
    (delete $table:literal, $owner:literal) => {
        concat!("DELETE FROM ", $table, " WHERE ", $owner, " = $1 AND name = $2")
    };
}

macro_rules! attached {
    (list $table:literal, $owner:literal) => {
        concat!("SELECT policy_arn FROM ", $table, " WHERE ", $owner, " = $1 ORDER BY policy_arn")
    };
    (documents $table:literal, $owner:literal) => {
        concat!(
            "SELECT a.policy_arn, v.document FROM ",
            $table,
            " a
               LEFT JOIN managed_policy p ON p.arn = a.policy_arn
               LEFT JOIN managed_policy_version v ON v.policy_arn = p.arn AND v.version = p.default_version
              WHERE a.",
            $owner,
            " = $1 ORDER BY a.policy_arn"
        )
    };
    (add $table:literal, $owner:literal) => {
        concat!("INSERT INTO ", $table, " (", $owner, ", policy_arn) VALUES ($1, $2) ON CONFLICT DO NOTHING")
    };
    (remove $table:literal, $owner:literal) => {
        concat!("DELETE FROM ", $table, " WHERE ", $owner, " = $1 AND policy_arn = $2")
    };
    (holders $table:literal, $owner:literal, $identity:literal) => {
        concat!(
            "SELECT i.id, i.account_id, i.path, i.name, i.created_at
               FROM ",
            $table,
            " a JOIN ",
            $identity,
            " i ON i.id = a.",
            $owner,
            "
              WHERE a.policy_arn = $1 AND a.",
            $owner,
            " > $2 AND i.account_id = $3
              ORDER BY a.",
            $owner,
            " LIMIT $4"
        )
    };
}

statements! {
    LIST_OF_USER = inline!(list "user_policy", "user_id");
    LIST_OF_GROUP = inline!(list "group_policy", "group_id");
    LIST_OF_ROLE = inline!(list "role_policy", "role_id");
    PUT_OF_USER = inline!(put "user_policy", "user_id");
    PUT_OF_GROUP = inline!(put "group_policy", "group_id");
    PUT_OF_ROLE = inline!(put "role_policy", "role_id");
    DELETE_OF_USER = inline!(delete "user_policy", "user_id");
    DELETE_OF_GROUP = inline!(delete "group_policy", "group_id");
    DELETE_OF_ROLE = inline!(delete "role_policy", "role_id");
    ATTACHED_TO_USER = attached!(list "user_attachment", "user_id");
    ATTACHED_TO_GROUP = attached!(list "group_attachment", "group_id");
    ATTACHED_TO_ROLE = attached!(list "role_attachment", "role_id");
    DOCUMENTS_OF_USER = attached!(documents "user_attachment", "user_id");
    DOCUMENTS_OF_GROUP = attached!(documents "group_attachment", "group_id");
    DOCUMENTS_OF_ROLE = attached!(documents "role_attachment", "role_id");
    ATTACH_TO_USER = attached!(add "user_attachment", "user_id");
    ATTACH_TO_GROUP = attached!(add "group_attachment", "group_id");
    ATTACH_TO_ROLE = attached!(add "role_attachment", "role_id");
    DETACH_FROM_USER = attached!(remove "user_attachment", "user_id");
    DETACH_FROM_GROUP = attached!(remove "group_attachment", "group_id");
    DETACH_FROM_ROLE = attached!(remove "role_attachment", "role_id");
    USERS_WITH = attached!(holders "user_attachment", "user_id", "iam_user");
    GROUPS_WITH = attached!(holders "group_attachment", "group_id", "iam_group");
    ROLES_WITH = attached!(holders "role_attachment", "role_id", "iam_role");
    COUNT = "
        SELECT (SELECT COUNT(*) FROM user_attachment a JOIN iam_user i ON i.id = a.user_id
                 WHERE a.policy_arn = $1 AND i.account_id = $2)
             + (SELECT COUNT(*) FROM group_attachment a JOIN iam_group i ON i.id = a.group_id
                 WHERE a.policy_arn = $1 AND i.account_id = $2)
             + (SELECT COUNT(*) FROM role_attachment a JOIN iam_role i ON i.id = a.role_id
                 WHERE a.policy_arn = $1 AND i.account_id = $2)";
}

/// The statement for a kind of identity.
fn of(kind: IdentityKind, user: &'static Sql, group: &'static Sql, role: &'static Sql) -> &'static Sql {
    match kind {
        IdentityKind::User => user,
        IdentityKind::Group => group,
        IdentityKind::Role => role,
    }
}

/// Names and documents of inline policies, in name order.
pub(super) async fn list_inline(conn: &mut Conn, kind: IdentityKind, id: &str) -> Result<Vec<(String, Arc<str>)>> {
    let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), Arc::from(row.text(1)?)));
    conn.list(of(kind, &LIST_OF_USER, &LIST_OF_GROUP, &LIST_OF_ROLE), params![id], read).await
}

/// ARNs of attached policies.
pub(super) async fn list_attached(conn: &mut Conn, kind: IdentityKind, id: &str) -> Result<Vec<String>> {
    let statement = of(kind, &ATTACHED_TO_USER, &ATTACHED_TO_GROUP, &ATTACHED_TO_ROLE);
    conn.list(statement, params![id], |row| Ok(row.text(0)?.to_owned())).await
}

/// The documents of all policies of an identity, inline ones first; those of a user's groups are not among them.
pub(super) async fn documents(conn: &mut Conn, kind: IdentityKind, id: &str) -> Result<Vec<Arc<str>>> {
    let inline = list_inline(conn, kind, id).await?;
    let read = |row: &Row<'_>| {
        let stored = row.optional_text(1)?;
        Ok(stored.or_else(|| AwsManagedPolicy::find(row.text(0).ok()?).map(|policy| policy.document)).map(Arc::from))
    };
    let statement = of(kind, &DOCUMENTS_OF_USER, &DOCUMENTS_OF_GROUP, &DOCUMENTS_OF_ROLE);
    let attached: Vec<Option<Arc<str>>> = conn.list(statement, params![id], read).await?;
    Ok(inline.into_iter().map(|(_, document)| document).chain(attached.into_iter().flatten()).collect())
}

/// To how many identities of an account a policy is attached.
pub(super) async fn count(conn: &mut Conn, account: &AccountId, arn: &str) -> Result<u64> {
    Ok(conn.find(&COUNT, params![arn, account.as_str()], |row| row.unsigned(0)).await?.unwrap_or(0))
}

/// The identities of one kind and account that a policy is attached to.
pub(super) async fn list_attached_to(
    conn: &mut Conn,
    kind: IdentityKind,
    account: &AccountId,
    arn: &str,
    page: &PageRequest,
) -> Result<Page<Identity>> {
    let values = params![arn, page.key(0), account.as_str(), paging::rows(page.limit)];
    let statement = of(kind, &USERS_WITH, &GROUPS_WITH, &ROLES_WITH);
    let found = conn.list(statement, values, |row| identities::read(kind, row)).await?;
    Ok(Page::cut(found, page.limit, |identity| vec![identity.id.clone()]))
}

fn quota(identity: &str, message: String) -> Error {
    Error::QuotaExceeded { resource_type: ResourceType::Other, resource_id: identity.to_owned(), message }
}

impl Transaction<'_> {
    pub(super) async fn put_inline_policy(
        &mut self,
        name: &IdentityName,
        policy: &str,
        document: Option<&str>,
    ) -> Result<()> {
        let identity = self.get_identity(name).await?;
        let (kind, id) = (identity.kind, &identity.id);
        let revision = |document: &str| Revision::of([document.as_bytes()]).as_str().to_owned();
        let all = list_inline(self.conn, kind, id).await?;
        let before = all.iter().find(|(known, _)| known == policy).map(|(_, document)| revision(document));
        let resource = format!("{}/policy/{policy}", identity.arn());
        let Some(document) = document else {
            let statement = of(kind, &DELETE_OF_USER, &DELETE_OF_GROUP, &DELETE_OF_ROLE);
            if self.conn.execute(statement, params![id, policy]).await? == 0 {
                let message = format!("The {} policy with name {policy} cannot be found.", kind.word());
                return Err(Error::not_found(ResourceType::Other, policy, message));
            }
            return self.record(&resource, before.as_deref(), None).await;
        };
        let others = all.iter().filter(|(known, _)| known != policy).map(|(_, document)| &**document);
        let length = |document: &str| document.chars().filter(|c| !c.is_whitespace()).count();
        let characters: usize = others.chain([document]).map(length).sum();
        if characters > kind.inline_characters() {
            let limit = kind.inline_characters();
            let message =
                format!("Maximum policy size of {limit} bytes exceeded for {} {}", kind.word(), identity.name);
            return Err(quota(&identity.name, message));
        }
        let statement = of(kind, &PUT_OF_USER, &PUT_OF_GROUP, &PUT_OF_ROLE);
        self.conn.execute(statement, params![id, policy, document]).await?;
        self.record(&resource, before.as_deref(), Some(&revision(document))).await
    }

    pub(super) async fn set_attached(&mut self, name: &IdentityName, arn: &str, attached: bool) -> Result<()> {
        let identity = self.get_identity(name).await?;
        let (kind, id) = (identity.kind, &identity.id);
        let resource = identity.arn();
        if !attached {
            let statement = of(kind, &DETACH_FROM_USER, &DETACH_FROM_GROUP, &DETACH_FROM_ROLE);
            if self.conn.execute(statement, params![id, arn]).await? == 0 {
                return Err(Error::not_found(ResourceType::Other, arn, format!("Policy {arn} was not found.")));
            }
            return self.record(resource.as_str(), Some(arn), None).await;
        }
        if AwsManagedPolicy::find(arn).is_none() && managed_policies::find(self.conn, arn).await?.is_none() {
            let message = format!("Policy {arn} does not exist or is not attachable.");
            return Err(Error::not_found(ResourceType::Other, arn, message));
        }
        let statement = of(kind, &ATTACH_TO_USER, &ATTACH_TO_GROUP, &ATTACH_TO_ROLE);
        self.conn.execute(statement, params![id, arn]).await?;
        if list_attached(self.conn, kind, id).await?.len() > ATTACHMENTS {
            let word = kind.word();
            return Err(quota(&identity.name, format!("Cannot exceed quota for PoliciesPer {word}: {ATTACHMENTS}")));
        }
        self.record(resource.as_str(), None, Some(arn)).await
    }
}
