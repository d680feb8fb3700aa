//! Users, groups and roles as IAM lists, renames and deletes them, and who is in which group.

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AccountId, Identity, IdentityKind, IdentityName, ManagedPolicy, ManagedPolicyVersion, Page, PageRequest,
    ProviderDetails, RoleDetails, Tag, TagHolder, Timestamp, User,
};
use larder_core::ports::{Identities, IdentityChange};
use larder_core::{Error, Result};

use super::{Store, Transaction, identity_policies, identity_providers, identity_tags, managed_policies, paging};
use crate::sql::{Conn, Row, Sql, corrupt, params, statements};

/// The most groups of a user.
const GROUPS: usize = 10;

/// Columns of an identity, in the order in which [`read`] takes them.
macro_rules! columns {
    (users) => {
        "u.id, u.account_id, u.path, u.name, u.created_at FROM iam_user u"
    };
    (groups) => {
        "g.id, g.account_id, g.path, g.name, g.created_at FROM iam_group g"
    };
    (roles) => {
        "r.id, r.account_id, r.path, r.name, r.created_at FROM iam_role r"
    };
}

statements! {
    FIND_USER = concat!("SELECT ", columns!(users), " WHERE u.account_id = $1 AND u.name = $2");
    FIND_GROUP = concat!("SELECT ", columns!(groups), " WHERE g.account_id = $1 AND g.name = $2");
    FIND_ROLE = concat!("SELECT ", columns!(roles), " WHERE r.account_id = $1 AND r.name = $2");
    LIST_USERS = concat!(
        "SELECT ", columns!(users),
        " WHERE u.account_id = $1 AND u.name > $2 AND u.path >= $3 AND u.path < $4 ORDER BY u.name LIMIT $5"
    );
    LIST_GROUPS = concat!(
        "SELECT ", columns!(groups),
        " WHERE g.account_id = $1 AND g.name > $2 AND g.path >= $3 AND g.path < $4 ORDER BY g.name LIMIT $5"
    );
    LIST_ROLES = concat!(
        "SELECT ", columns!(roles),
        " WHERE r.account_id = $1 AND r.name > $2 AND r.path >= $3 AND r.path < $4 ORDER BY r.name LIMIT $5"
    );
    LIST_MEMBERS = concat!(
        "SELECT ", columns!(users),
        " JOIN group_member m ON m.user_id = u.id WHERE m.group_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"
    );
    /// Ten at most.
    LIST_GROUPS_OF = concat!(
        "SELECT ", columns!(groups), " JOIN group_member m ON m.group_id = g.id WHERE m.user_id = $1 ORDER BY g.name"
    );
    ROLE_DETAILS = "SELECT trust_policy, description, max_session_seconds FROM iam_role WHERE id = $1";
    CREATE_GROUP = "
        INSERT INTO iam_group (id, account_id, path, name, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    RENAME_USER = "UPDATE iam_user SET name = $2, path = $3 WHERE id = $1";
    RENAME_GROUP = "UPDATE iam_group SET name = $2, path = $3 WHERE id = $1";
    UPDATE_ROLE = "UPDATE iam_role SET trust_policy = $2, description = $3, max_session_seconds = $4 WHERE id = $1";
    DELETE_USER = "DELETE FROM iam_user WHERE id = $1";
    DELETE_GROUP = "DELETE FROM iam_group WHERE id = $1";
    DELETE_ROLE = "DELETE FROM iam_role WHERE id = $1";
    HAS_KEY = "SELECT 1 FROM access_key WHERE user_id = $1 LIMIT 1";
    HAS_GROUP = "SELECT 1 FROM group_member WHERE user_id = $1 LIMIT 1";
    HAS_MEMBER = "SELECT 1 FROM group_member WHERE group_id = $1 LIMIT 1";
    ADD_MEMBER = "INSERT INTO group_member (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    REMOVE_MEMBER = "DELETE FROM group_member WHERE group_id = $1 AND user_id = $2";
}

/// Reads the five columns of an identity.
pub(super) fn read(kind: IdentityKind, row: &Row<'_>) -> Result<Identity> {
    let id = row.text(0)?;
    Ok(Identity {
        kind,
        id: id.to_owned(),
        account: AccountId::new(row.text(1)?).map_err(|error| corrupt("identity", id, error))?,
        path: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
        created_at: Timestamp(row.integer(4)?),
    })
}

fn find_statement(kind: IdentityKind) -> &'static Sql {
    match kind {
        IdentityKind::User => &FIND_USER,
        IdentityKind::Group => &FIND_GROUP,
        IdentityKind::Role => &FIND_ROLE,
    }
}

/// The identity of that name.
pub(super) async fn find(conn: &mut Conn, name: &IdentityName) -> Result<Option<Identity>> {
    let values = params![name.account.as_str(), &name.name];
    conn.find(find_statement(name.kind), values, |row| read(name.kind, row)).await
}

#[async_trait]
impl Identities for Store {
    async fn find_identity(&self, name: &IdentityName) -> Result<Option<Identity>> {
        find(&mut self.database.read().await?, name).await
    }

    async fn list_identities(
        &self,
        kind: IdentityKind,
        account: &AccountId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<Identity>> {
        let statement = match kind {
            IdentityKind::User => &LIST_USERS,
            IdentityKind::Group => &LIST_GROUPS,
            IdentityKind::Role => &LIST_ROLES,
        };
        let end = paging::end_of_prefix(prefix);
        let values = params![account.as_str(), page.key(0), prefix, &end, paging::rows(page.limit)];
        let mut conn = self.database.read().await?;
        let found = conn.list(statement, values, |row| read(kind, row)).await?;
        Ok(Page::cut(found, page.limit, |identity| vec![identity.name.clone()]))
    }

    async fn list_inline_policies(&self, identity: &Identity) -> Result<Vec<(String, Arc<str>)>> {
        identity_policies::list_inline(&mut self.database.read().await?, identity.kind, &identity.id).await
    }

    async fn list_attached_policies(&self, identity: &Identity) -> Result<Vec<String>> {
        identity_policies::list_attached(&mut self.database.read().await?, identity.kind, &identity.id).await
    }

    async fn list_members(&self, group: &Identity, page: &PageRequest) -> Result<Page<Identity>> {
        let values = params![&group.id, page.key(0), paging::rows(page.limit)];
        let mut conn = self.database.read().await?;
        let found = conn.list(&LIST_MEMBERS, values, |row| read(IdentityKind::User, row)).await?;
        Ok(Page::cut(found, page.limit, |user| vec![user.id.clone()]))
    }

    async fn list_groups_of(&self, user_id: &str) -> Result<Vec<Identity>> {
        groups_of(&mut self.database.read().await?, user_id).await
    }

    async fn find_role_details(&self, role_id: &str) -> Result<Option<RoleDetails>> {
        role_details(&mut self.database.read().await?, role_id).await
    }

    async fn find_managed_policy(&self, arn: &str) -> Result<Option<ManagedPolicy>> {
        managed_policies::find(&mut self.database.read().await?, arn).await
    }

    async fn list_managed_policies(
        &self,
        account: &AccountId,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<ManagedPolicy>> {
        managed_policies::list(&mut self.database.read().await?, account, prefix, page).await
    }

    async fn list_policy_versions(&self, arn: &str) -> Result<Vec<ManagedPolicyVersion>> {
        managed_policies::versions(&mut self.database.read().await?, arn).await
    }

    async fn count_attachments(&self, account: &AccountId, arn: &str) -> Result<u64> {
        identity_policies::count(&mut self.database.read().await?, account, arn).await
    }

    async fn list_attached_to(
        &self,
        kind: IdentityKind,
        account: &AccountId,
        arn: &str,
        page: &PageRequest,
    ) -> Result<Page<Identity>> {
        identity_policies::list_attached_to(&mut self.database.read().await?, kind, account, arn, page).await
    }

    async fn find_provider(&self, arn: &str) -> Result<Option<ProviderDetails>> {
        identity_providers::find(&mut self.database.read().await?, arn).await
    }

    async fn list_providers(&self, account: &AccountId) -> Result<Vec<String>> {
        identity_providers::list(&mut self.database.read().await?, account).await
    }

    async fn list_identity_tags(&self, holder: &TagHolder) -> Result<Vec<Tag>> {
        identity_tags::list_of(&mut self.database.read().await?, holder).await
    }

    async fn list_user_tags(&self, user: &User) -> Result<Vec<Tag>> {
        identity_tags::list_of_user(&mut self.database.read().await?, &user.id).await
    }

    async fn list_user_documents(&self, user: &User) -> Result<Vec<Arc<str>>> {
        let mut conn = self.database.read().await?;
        let mut documents = identity_policies::documents(&mut conn, IdentityKind::User, &user.id).await?;
        for group in groups_of(&mut conn, &user.id).await? {
            documents.extend(identity_policies::documents(&mut conn, IdentityKind::Group, &group.id).await?);
        }
        Ok(documents)
    }
}

async fn groups_of(conn: &mut Conn, user_id: &str) -> Result<Vec<Identity>> {
    conn.list(&LIST_GROUPS_OF, params![user_id], |row| read(IdentityKind::Group, row)).await
}

async fn role_details(conn: &mut Conn, role_id: &str) -> Result<Option<RoleDetails>> {
    let read = |row: &Row<'_>| {
        Ok(RoleDetails {
            trust_policy: Arc::from(row.text(0)?),
            description: row.text(1)?.to_owned(),
            max_session_seconds: row.unsigned(2)?,
        })
    };
    conn.find(&ROLE_DETAILS, params![role_id], read).await
}

fn taken(kind: IdentityKind, name: &str) -> Error {
    let mut word = kind.word().to_owned();
    word[..1].make_ascii_uppercase();
    let message = format!("{word} with name {name} already exists.");
    Error::conflict(ConflictKind::Exists, ResourceType::Other, name, message)
}

impl Transaction<'_> {
    /// The identity of that name.
    pub(super) async fn get_identity(&mut self, name: &IdentityName) -> Result<Identity> {
        find(self.conn, name).await?.ok_or_else(|| {
            let message = format!("The {} with name {} cannot be found.", name.kind.word(), name.name);
            Error::not_found(ResourceType::Other, &name.name, message)
        })
    }

    pub(super) async fn apply_identity(&mut self, change: &IdentityChange) -> Result<()> {
        match change {
            IdentityChange::CreateUser { user, tags } => {
                self.create_user(user).await?;
                self.add_user_tags(&user.id, tags).await
            }
            IdentityChange::CreateGroup { group } => self.create_group(group).await,
            IdentityChange::Rename { identity, name, path } => {
                self.rename(identity, name.as_deref(), path.as_deref()).await
            }
            IdentityChange::UpdateRole { account, name, trust_policy, description, max_session_seconds } => {
                let role = IdentityName { kind: IdentityKind::Role, account: account.clone(), name: name.clone() };
                let (trust, description) = (trust_policy.as_deref(), description.as_deref());
                self.update_role(&role, trust, description, *max_session_seconds).await
            }
            IdentityChange::Delete { identity } => self.delete_identity(identity).await,
            IdentityChange::SetMember { account, group, user, member } => {
                let name = |kind, name: &String| IdentityName { kind, account: account.clone(), name: name.clone() };
                let (group, user) = (name(IdentityKind::Group, group), name(IdentityKind::User, user));
                self.set_member(&group, &user, *member).await
            }
            IdentityChange::PutInlinePolicy { identity, policy, document } => {
                self.put_inline_policy(identity, policy, document.as_deref()).await
            }
            IdentityChange::SetAttached { identity, policy_arn, attached } => {
                self.set_attached(identity, policy_arn, *attached).await
            }
            IdentityChange::CreatePolicy { account, policy, document, tags } => {
                self.create_policy(account, policy, document, tags).await
            }
            IdentityChange::DeletePolicy { arn } => self.delete_policy(arn).await,
            IdentityChange::CreatePolicyVersion { arn, number, document, default } => {
                self.create_policy_version(arn, *number, document, *default).await
            }
            IdentityChange::SetDefaultPolicyVersion { arn, number } => {
                self.set_default_policy_version(arn, *number).await
            }
            IdentityChange::DeletePolicyVersion { arn, number } => self.delete_policy_version(arn, *number).await,
            IdentityChange::SetClient { arn, client_id, accepted } => self.set_client(arn, client_id, *accepted).await,
            IdentityChange::PutThumbprints { arn, thumbprints } => self.put_thumbprints(arn, thumbprints).await,
            IdentityChange::Tag { holder, tags } => self.tag_holder(holder, tags).await,
            IdentityChange::Untag { holder, keys } => self.untag_holder(holder, keys).await,
        }
    }

    async fn create_group(&mut self, group: &Identity) -> Result<()> {
        self.require_account(&group.account).await?;
        let values = params![&group.id, group.account.as_str(), &group.path, &group.name, group.created_at];
        if self.conn.execute(&CREATE_GROUP, values).await? == 0 {
            return Err(taken(IdentityKind::Group, &group.name));
        }
        self.record(group.arn().as_str(), None, Some(&group.id)).await
    }

    async fn rename(&mut self, identity: &IdentityName, name: Option<&str>, path: Option<&str>) -> Result<()> {
        let before = self.get_identity(identity).await?;
        let name = name.unwrap_or(&before.name);
        if name != before.name {
            let wanted = IdentityName { name: name.to_owned(), ..identity.clone() };
            if find(self.conn, &wanted).await?.is_some() {
                return Err(taken(identity.kind, name));
            }
        }
        let after = Identity { name: name.to_owned(), path: path.unwrap_or(&before.path).to_owned(), ..before.clone() };
        match identity.kind {
            IdentityKind::User => {
                self.conn.execute(&RENAME_USER, params![&before.id, &after.name, &after.path]).await?
            }
            IdentityKind::Group => {
                self.conn.execute(&RENAME_GROUP, params![&before.id, &after.name, &after.path]).await?
            }
            IdentityKind::Role => return Err(Error::internal("roles are not renamed")),
        };
        self.record(before.arn().as_str(), Some(before.arn().as_str()), Some(after.arn().as_str())).await
    }

    async fn update_role(
        &mut self,
        name: &IdentityName,
        trust: Option<&str>,
        description: Option<&str>,
        max_session_seconds: Option<u64>,
    ) -> Result<()> {
        let role = self.get_identity(name).await?;
        let before =
            role_details(self.conn, &role.id).await?.ok_or_else(|| Error::internal("a role without itself"))?;
        let seconds = max_session_seconds.unwrap_or(before.max_session_seconds);
        let values = params![
            &role.id,
            trust.unwrap_or(&before.trust_policy),
            description.unwrap_or(&before.description),
            i64::try_from(seconds).unwrap_or(i64::MAX),
        ];
        self.conn.execute(&UPDATE_ROLE, values).await?;
        let told = |trust: &str, seconds: u64| {
            let revision = larder_core::model::Revision::of([trust.as_bytes()]);
            format!("trust={} maxSessionDuration={seconds}", revision.as_str())
        };
        let after = told(trust.unwrap_or(&before.trust_policy), seconds);
        let before = told(&before.trust_policy, before.max_session_seconds);
        self.record(role.arn().as_str(), Some(&before), Some(&after)).await
    }

    async fn delete_identity(&mut self, name: &IdentityName) -> Result<()> {
        let identity = self.get_identity(name).await?;
        let conflict = |what: &str| {
            let message = format!("Cannot delete entity, must {what} first.");
            Error::conflict(ConflictKind::State, ResourceType::Other, &name.name, message)
        };
        let (kind, id) = (identity.kind, &identity.id);
        if !identity_policies::list_inline(self.conn, kind, id).await?.is_empty() {
            return Err(conflict("delete policies"));
        }
        if !identity_policies::list_attached(self.conn, kind, id).await?.is_empty() {
            return Err(conflict("detach all policies"));
        }
        let holders: &[(&'static Sql, &str)] = match kind {
            IdentityKind::User => &[(&HAS_KEY, "delete access keys"), (&HAS_GROUP, "remove users from group")],
            IdentityKind::Group => &[(&HAS_MEMBER, "remove users from group")],
            IdentityKind::Role => &[],
        };
        for (statement, what) in holders {
            if self.conn.find(statement, params![id], |_| Ok(())).await?.is_some() {
                return Err(conflict(what));
            }
        }
        let statement = match kind {
            IdentityKind::User => &DELETE_USER,
            IdentityKind::Group => &DELETE_GROUP,
            IdentityKind::Role => &DELETE_ROLE,
        };
        self.conn.execute(statement, params![id]).await?;
        self.record(identity.arn().as_str(), Some(id), None).await
    }

    async fn set_member(&mut self, group: &IdentityName, user: &IdentityName, member: bool) -> Result<()> {
        let group = self.get_identity(group).await?;
        let user = self.get_identity(user).await?;
        let values = params![&group.id, &user.id];
        let resource = group.arn();
        if !member {
            self.conn.execute(&REMOVE_MEMBER, values).await?;
            return self.record(resource.as_str(), Some(user.arn().as_str()), None).await;
        }
        self.conn.execute(&ADD_MEMBER, values).await?;
        if groups_of(self.conn, &user.id).await?.len() > GROUPS {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: user.name,
                message: format!("Cannot exceed quota for GroupsPerUser: {GROUPS}"),
            });
        }
        self.record(resource.as_str(), None, Some(user.arn().as_str())).await
    }
}
