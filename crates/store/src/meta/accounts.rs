//! Accounts, users and access keys.

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AccessKey, AccessKeyId, AccessKeyStatus, AccountId, Arn, KeyUse, SecretAccessKey, Timestamp, User, UserName,
};
use larder_core::ports::Accounts;
use larder_core::{Error, Result};

use super::key_uses::{self, PutKeyUse};
use super::{Store, Transaction, policies};
use crate::sql::{Row, corrupt, params, statements};

macro_rules! access_key {
    ($condition:literal) => {
        concat!(
            "SELECT k.id, k.secret, k.status, k.created_at, u.id, u.account_id, u.path, u.name
               FROM iam_user u JOIN access_key k ON k.user_id = u.id
              WHERE ",
            $condition
        )
    };
}

statements! {
    CREATE_ACCOUNT = "INSERT INTO account (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    FIND_ACCOUNT = "SELECT id FROM account WHERE id = $1";
    /// Every id sorts after the empty text.
    LIST_ACCOUNTS = "SELECT id FROM account WHERE id > '' ORDER BY id";
    CREATE_USER = "
        INSERT INTO iam_user (id, account_id, path, name, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    FIND_USER = "SELECT id, account_id, path, name, created_at FROM iam_user WHERE account_id = $1 AND name = $2";
    LIST_USERS = "SELECT id, account_id, path, name, created_at FROM iam_user WHERE account_id = $1 ORDER BY name";
    /// Keys, policies and tokens go with it.
    DELETE_USER = "DELETE FROM iam_user WHERE id = $1";
    CREATE_ACCESS_KEY = "
        INSERT INTO access_key (id, user_id, secret, status, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    FIND_ACCESS_KEY = access_key!("k.id = $1");
    COUNT_ACCESS_KEYS = "SELECT COUNT(*) FROM access_key WHERE user_id = $1";
    LIST_ACCESS_KEYS = access_key!("u.account_id = $1 AND u.name = $2 ORDER BY k.id");
    SET_ACCESS_KEY_STATUS = "UPDATE access_key SET status = $3 WHERE id = $1 AND user_id = $2";
    /// Its tokens go with it.
    DELETE_ACCESS_KEY = "DELETE FROM access_key WHERE id = $1 AND user_id = $2";
}

/// Reads id, account, path and name, which begin at a column.
pub(super) fn read_user(row: &Row<'_>, first: usize) -> Result<User> {
    let id = row.text(first)?;
    let broken = |error| corrupt("iam_user", id, error);
    Ok(User {
        id: id.to_owned(),
        account: AccountId::new(row.text(first + 1)?).map_err(broken)?,
        path: row.text(first + 2)?.to_owned(),
        name: UserName::new(row.text(first + 3)?).map_err(broken)?,
    })
}

fn read_access_key(row: &Row<'_>) -> Result<AccessKey> {
    let id = row.text(0)?;
    let status = match row.text(2)? {
        "Active" => AccessKeyStatus::Active,
        "Inactive" => AccessKeyStatus::Inactive,
        other => return Err(corrupt("access_key", id, format!("unknown status '{other}'"))),
    };
    Ok(AccessKey {
        id: AccessKeyId::new(id).map_err(|error| corrupt("access_key", id, error))?,
        secret: SecretAccessKey::new(row.text(1)?).map_err(|error| corrupt("access_key", id, error))?,
        status,
        user: read_user(row, 4)?,
        created_at: Timestamp(row.integer(3)?),
    })
}

fn status_text(status: AccessKeyStatus) -> &'static str {
    match status {
        AccessKeyStatus::Active => "Active",
        AccessKeyStatus::Inactive => "Inactive",
    }
}

#[async_trait]
impl Accounts for Store {
    async fn list_accounts(&self) -> Result<Vec<AccountId>> {
        let mut conn = self.database.read().await?;
        let read = |row: &Row<'_>| {
            let id = row.text(0)?;
            AccountId::new(id).map_err(|error| corrupt("account", id, error))
        };
        conn.list(&LIST_ACCOUNTS, &[], read).await
    }

    async fn find_user(&self, account: &AccountId, name: &UserName) -> Result<Option<User>> {
        let mut conn = self.database.read().await?;
        conn.find(&FIND_USER, params![account.as_str(), name.as_str()], |row| read_user(row, 0)).await
    }

    async fn list_users(&self, account: &AccountId) -> Result<Vec<(User, Timestamp)>> {
        let mut conn = self.database.read().await?;
        let read = |row: &Row<'_>| Ok((read_user(row, 0)?, Timestamp(row.integer(4)?)));
        conn.list(&LIST_USERS, params![account.as_str()], read).await
    }

    async fn find_access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>> {
        let mut conn = self.database.read().await?;
        conn.find(&FIND_ACCESS_KEY, params![id.as_str()], read_access_key).await
    }

    async fn list_access_keys(&self, account: &AccountId, user: &UserName) -> Result<Vec<AccessKey>> {
        let mut conn = self.database.read().await?;
        conn.list(&LIST_ACCESS_KEYS, params![account.as_str(), user.as_str()], read_access_key).await
    }

    async fn find_key_use(&self, id: &AccessKeyId) -> Result<Option<KeyUse>> {
        key_uses::find(&mut self.database.read().await?, id).await
    }

    async fn put_key_use(&self, id: &AccessKeyId, key_use: &KeyUse) -> Result<()> {
        self.database.write(PutKeyUse { id: id.clone(), key_use: key_use.clone() }).await
    }

    async fn list_user_policies(&self, user: &User) -> Result<Vec<(String, Arc<str>)>> {
        policies::list_of_user(&mut self.database.read().await?, user).await
    }
}

fn key_resource(user: &User, id: &AccessKeyId) -> String {
    format!("{}/access-key/{id}", user.arn())
}

fn no_such_key(id: &AccessKeyId) -> Error {
    Error::not_found(ResourceType::Other, id.as_str(), format!("The Access Key with id {id} cannot be found."))
}

impl Transaction<'_> {
    pub(super) async fn create_account(&mut self, account: &AccountId) -> Result<()> {
        let now = self.now();
        if self.conn.execute(&CREATE_ACCOUNT, params![account.as_str(), now]).await? == 0 {
            let message = format!("account '{account}' already exists");
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, account.as_str(), message));
        }
        self.record(Arn::root(account).as_str(), None, Some("Active")).await
    }

    /// Refuses what would belong to an account that is not there.
    pub(super) async fn require_account(&mut self, account: &AccountId) -> Result<()> {
        let account = account.as_str();
        if self.conn.find(&FIND_ACCOUNT, params![account], |_| Ok(())).await?.is_some() {
            return Ok(());
        }
        let message = format!("account '{account}' does not exist");
        Err(Error::not_found(ResourceType::Other, account, message))
    }

    /// The user of that name.
    pub(super) async fn get_user(&mut self, account: &AccountId, name: &UserName) -> Result<User> {
        let values = params![account.as_str(), name.as_str()];
        self.conn.find(&FIND_USER, values, |row| read_user(row, 0)).await?.ok_or_else(|| {
            let message = format!("The user with name {name} cannot be found.");
            Error::not_found(ResourceType::Other, name.as_str(), message)
        })
    }

    pub(super) async fn create_user(&mut self, user: &User) -> Result<()> {
        self.require_account(&user.account).await?;
        let account = user.account.as_str();
        let values = params![&user.id, account, &user.path, user.name.as_str(), self.actor.at];
        if self.conn.execute(&CREATE_USER, values).await? == 0 {
            let message = format!("User with name {} already exists.", user.name);
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, user.name.as_str(), message));
        }
        self.record(user.arn().as_str(), None, Some(&user.id)).await
    }

    pub(super) async fn delete_user(&mut self, account: &AccountId, name: &UserName) -> Result<()> {
        let user = self.get_user(account, name).await?;
        self.conn.execute(&DELETE_USER, params![&user.id]).await?;
        self.record(user.arn().as_str(), Some(&user.id), None).await
    }

    pub(super) async fn create_access_key(&mut self, key: &AccessKey, limit: Option<u32>) -> Result<()> {
        // A namesake of the deleted user is another user.
        let user = self.get_user(&key.user.account, &key.user.name).await?;
        if user.id != key.user.id {
            let message = format!("The user with name {} cannot be found.", key.user.name);
            return Err(Error::not_found(ResourceType::Other, key.user.name.as_str(), message));
        }
        if let Some(limit) = limit {
            let count = self.conn.find(&COUNT_ACCESS_KEYS, params![&user.id], |row| row.unsigned(0)).await?;
            if count.unwrap_or(0) >= u64::from(limit) {
                return Err(Error::QuotaExceeded {
                    resource_type: ResourceType::Other,
                    resource_id: user.name.to_string(),
                    message: format!("Cannot exceed quota for AccessKeysPerUser: {limit}"),
                });
            }
        }
        let status = status_text(key.status);
        let values = params![key.id.as_str(), &user.id, key.secret.expose(), status, key.created_at];
        if self.conn.execute(&CREATE_ACCESS_KEY, values).await? == 0 {
            let message = format!("access key '{}' already exists", key.id);
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, key.id.as_str(), message));
        }
        self.record(&key_resource(&user, &key.id), None, Some(status)).await
    }

    pub(super) async fn set_access_key_status(
        &mut self,
        account: &AccountId,
        name: &UserName,
        id: &AccessKeyId,
        status: AccessKeyStatus,
    ) -> Result<()> {
        let user = self.get_user(account, name).await?;
        let before = self.get_key_of(&user, id).await?.status;
        let values = params![id.as_str(), &user.id, status_text(status)];
        self.conn.execute(&SET_ACCESS_KEY_STATUS, values).await?;
        self.record(&key_resource(&user, id), Some(status_text(before)), Some(status_text(status))).await
    }

    pub(super) async fn delete_access_key(
        &mut self,
        account: &AccountId,
        name: &UserName,
        id: &AccessKeyId,
    ) -> Result<()> {
        let user = self.get_user(account, name).await?;
        let before = self.get_key_of(&user, id).await?.status;
        self.conn.execute(&DELETE_ACCESS_KEY, params![id.as_str(), &user.id]).await?;
        self.record(&key_resource(&user, id), Some(status_text(before)), None).await
    }

    async fn get_key_of(&mut self, user: &User, id: &AccessKeyId) -> Result<AccessKey> {
        let key = self.conn.find(&FIND_ACCESS_KEY, params![id.as_str()], read_access_key).await?;
        key.filter(|key| key.user.id == user.id).ok_or_else(|| no_such_key(id))
    }
}
