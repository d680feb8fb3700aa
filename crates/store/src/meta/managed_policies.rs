//! Managed policies and their versions.

use std::sync::Arc;

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{AccountId, ManagedPolicy, ManagedPolicyVersion, Page, PageRequest, Tag, Timestamp};
use larder_core::{Error, Result};

use super::{Transaction, paging};
use crate::sql::{Conn, Row, params, statements};

/// The most versions of a policy.
const VERSIONS: usize = 5;

macro_rules! policy {
    ($condition:literal) => {
        concat!(
            "SELECT p.arn, p.id, p.path, p.name, p.description, p.default_version, p.last_version, p.created_at,
                    p.updated_at,
                    (SELECT COUNT(*) FROM user_attachment a WHERE a.policy_arn = p.arn)
                  + (SELECT COUNT(*) FROM group_attachment a WHERE a.policy_arn = p.arn)
                  + (SELECT COUNT(*) FROM role_attachment a WHERE a.policy_arn = p.arn)
               FROM managed_policy p
              WHERE ",
            $condition
        )
    };
}

statements! {
    FIND = policy!("p.arn = $1");
    LIST = policy!("p.account_id = $1 AND p.name > $2 AND p.path >= $3 AND p.path < $4 ORDER BY p.name LIMIT $5");
    LIST_VERSIONS = "
        SELECT version, document, created_at FROM managed_policy_version WHERE policy_arn = $1 ORDER BY version DESC";
    CREATE = "
        INSERT INTO managed_policy
               (arn, account_id, path, name, id, description, default_version, last_version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $8)
        ON CONFLICT DO NOTHING";
    ADD_TAG = "INSERT INTO managed_policy_tag (policy_arn, key, value) VALUES ($1, $2, $3)";
    ADD_VERSION = "
        INSERT INTO managed_policy_version (policy_arn, version, document, created_at) VALUES ($1, $2, $3, $4)";
    UPDATE = "UPDATE managed_policy SET default_version = $2, last_version = $3, updated_at = $4 WHERE arn = $1";
    DELETE_VERSION = "DELETE FROM managed_policy_version WHERE policy_arn = $1 AND version = $2";
    /// Its versions and tags go with it.
    DELETE = "DELETE FROM managed_policy WHERE arn = $1";
}

fn number(row: &Row<'_>, column: usize) -> Result<u32> {
    u32::try_from(row.unsigned(column)?).map_err(Error::internal)
}

fn read(row: &Row<'_>) -> Result<ManagedPolicy> {
    Ok(ManagedPolicy {
        arn: row.text(0)?.to_owned(),
        id: row.text(1)?.to_owned(),
        path: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
        description: row.text(4)?.to_owned(),
        default_version: number(row, 5)?,
        last_version: number(row, 6)?,
        created_at: Timestamp(row.integer(7)?),
        updated_at: Timestamp(row.integer(8)?),
        attachments: row.unsigned(9)?,
    })
}

/// The policy with this ARN.
pub(super) async fn find(conn: &mut Conn, arn: &str) -> Result<Option<ManagedPolicy>> {
    conn.find(&FIND, params![arn], read).await
}

/// The policies of an account whose path begins with `prefix`.
pub(super) async fn list(
    conn: &mut Conn,
    account: &AccountId,
    prefix: &str,
    page: &PageRequest,
) -> Result<Page<ManagedPolicy>> {
    let end = paging::end_of_prefix(prefix);
    let values = params![account.as_str(), page.key(0), prefix, &end, paging::rows(page.limit)];
    let found = conn.list(&LIST, values, read).await?;
    Ok(Page::cut(found, page.limit, |policy| vec![policy.name.clone()]))
}

/// A policy's versions, newest first.
pub(super) async fn versions(conn: &mut Conn, arn: &str) -> Result<Vec<ManagedPolicyVersion>> {
    let read = |row: &Row<'_>| {
        Ok(ManagedPolicyVersion {
            number: number(row, 0)?,
            document: Arc::from(row.text(1)?),
            created_at: Timestamp(row.integer(2)?),
        })
    };
    conn.list(&LIST_VERSIONS, params![arn], read).await
}

fn state(arn: &str, message: impl Into<String>) -> Error {
    Error::conflict(ConflictKind::State, ResourceType::Other, arn, message)
}

impl Transaction<'_> {
    async fn get_policy(&mut self, arn: &str) -> Result<ManagedPolicy> {
        find(self.conn, arn).await?.ok_or_else(|| {
            let message = format!("Policy {arn} does not exist or is not attachable.");
            Error::not_found(ResourceType::Other, arn, message)
        })
    }

    async fn update_policy(&mut self, before: &ManagedPolicy, default: u32, last: u32) -> Result<()> {
        let values = params![&before.arn, i64::from(default), i64::from(last), self.actor.at];
        self.conn.execute(&UPDATE, values).await.map(drop)
    }

    async fn require_version(&mut self, arn: &str, number: u32) -> Result<Vec<ManagedPolicyVersion>> {
        let all = versions(self.conn, arn).await?;
        if all.iter().any(|version| version.number == number) {
            return Ok(all);
        }
        let message = format!("Policy {arn} version v{number} does not exist or is not attachable.");
        Err(Error::not_found(ResourceType::Other, arn, message))
    }

    pub(super) async fn create_policy(
        &mut self,
        account: &AccountId,
        policy: &ManagedPolicy,
        document: &str,
        tags: &[Tag],
    ) -> Result<()> {
        self.require_account(account).await?;
        let number = i64::from(policy.default_version);
        let values = params![
            &policy.arn,
            account.as_str(),
            &policy.path,
            &policy.name,
            &policy.id,
            &policy.description,
            number,
            policy.created_at,
        ];
        if self.conn.execute(&CREATE, values).await? == 0 {
            let message = format!("A policy called {} already exists. Duplicate names are not allowed.", policy.name);
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, &policy.arn, message));
        }
        self.conn.execute(&ADD_VERSION, params![&policy.arn, number, document, policy.created_at]).await?;
        for tag in tags {
            self.conn.execute(&ADD_TAG, params![&policy.arn, &tag.key, &tag.value]).await?;
        }
        self.record(&policy.arn, None, Some(&policy.id)).await
    }

    pub(super) async fn delete_policy(&mut self, arn: &str) -> Result<()> {
        let policy = self.get_policy(arn).await?;
        if policy.attachments > 0 {
            return Err(state(arn, "Cannot delete a policy attached to entities."));
        }
        if versions(self.conn, arn).await?.len() > 1 {
            let message = "This policy has more than one version. Before you delete a policy, you must delete the \
                           policy's versions. The default version is deleted with the policy.";
            return Err(state(arn, message));
        }
        self.conn.execute(&DELETE, params![arn]).await?;
        self.record(arn, Some(&policy.id), None).await
    }

    pub(super) async fn create_policy_version(
        &mut self,
        arn: &str,
        number: u32,
        document: &str,
        default: bool,
    ) -> Result<()> {
        let policy = self.get_policy(arn).await?;
        if policy.last_version.checked_add(1) != Some(number) {
            let message = format!("policy {arn} was changed by another request; repeat yours");
            return Err(Error::conflict(ConflictKind::Revision, ResourceType::Other, arn, message));
        }
        if versions(self.conn, arn).await?.len() >= VERSIONS {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: arn.to_owned(),
                message: format!(
                    "A managed policy can have up to {VERSIONS} versions. Before you create a new version, you must \
                     delete an existing version."
                ),
            });
        }
        let values = params![arn, i64::from(number), document, self.actor.at];
        self.conn.execute(&ADD_VERSION, values).await?;
        let default = if default { number } else { policy.default_version };
        self.update_policy(&policy, default, number).await?;
        self.record(arn, Some(&format!("v{}", policy.default_version)), Some(&format!("v{default} of v{number}"))).await
    }

    pub(super) async fn set_default_policy_version(&mut self, arn: &str, number: u32) -> Result<()> {
        let policy = self.get_policy(arn).await?;
        self.require_version(arn, number).await?;
        self.update_policy(&policy, number, policy.last_version).await?;
        self.record(arn, Some(&format!("v{}", policy.default_version)), Some(&format!("v{number}"))).await
    }

    pub(super) async fn delete_policy_version(&mut self, arn: &str, number: u32) -> Result<()> {
        let policy = self.get_policy(arn).await?;
        self.require_version(arn, number).await?;
        if policy.default_version == number {
            return Err(state(arn, "Cannot delete the default version of a policy."));
        }
        self.conn.execute(&DELETE_VERSION, params![arn, i64::from(number)]).await?;
        self.record(&format!("{arn}/v{number}"), Some("Active"), None).await
    }
}
