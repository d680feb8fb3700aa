//! Roles, managed policies and identity providers.

use std::sync::Arc;
use std::time::Duration;

use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{AccountId, AwsManagedPolicy, IdentityKind, RoleArn, SessionRole, Tag};
use larder_core::ports::{AssumableRole, IdentityProvider, NewRole};
use larder_core::{Error, Result};

use super::{Transaction, identity_policies};
use crate::sql::{Conn, Row, corrupt, params, statements};

statements! {
    FIND_ROLE = "
        SELECT id, account_id, path, name, trust_policy, max_session_seconds
          FROM iam_role WHERE account_id = $1 AND name = $2";
    CREATE_ROLE = "
        INSERT INTO iam_role (id, account_id, path, name, description, trust_policy, max_session_seconds, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT DO NOTHING";
    /// Its policies, tags and sessions go with it, and the tokens of those.
    DELETE_ROLE = "DELETE FROM iam_role WHERE id = $1";
    TAG = "INSERT INTO role_tag (role_id, key, value) VALUES ($1, $2, $3)";
    LIST_TAGS = "SELECT key, value FROM role_tag WHERE role_id = $1 ORDER BY key";
    PUT_POLICY = "
        INSERT INTO role_policy (role_id, name, document) VALUES ($1, $2, $3)
        ON CONFLICT (role_id, name) DO UPDATE SET document = excluded.document";
    DELETE_POLICY = "DELETE FROM role_policy WHERE role_id = $1 AND name = $2";
    FIND_MANAGED = "
        SELECT v.document
          FROM managed_policy p JOIN managed_policy_version v ON v.policy_arn = p.arn AND v.version = p.default_version
         WHERE p.arn = $1";
    FIND_PROVIDER = "SELECT arn, url FROM oidc_provider WHERE account_id = $1 AND url = $2";
    LIST_CLIENTS = "SELECT client_id FROM oidc_client WHERE provider_arn = $1 ORDER BY client_id";
    CREATE_PROVIDER = "
        INSERT INTO oidc_provider (arn, account_id, url, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    ADD_CLIENT = "INSERT INTO oidc_client (provider_arn, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    DELETE_PROVIDER = "DELETE FROM oidc_provider WHERE arn = $1";
}

fn read_role(row: &Row<'_>) -> Result<AssumableRole> {
    let id = row.text(0)?;
    Ok(AssumableRole {
        role: SessionRole {
            id: id.to_owned(),
            account: AccountId::new(row.text(1)?).map_err(|error| corrupt("iam_role", id, error))?,
            path: row.text(2)?.to_owned(),
            name: row.text(3)?.to_owned(),
        },
        trust_policy: Arc::from(row.text(4)?),
        max_session: Duration::from_secs(row.unsigned(5)?),
        tags: Vec::new(),
    })
}

fn read_document(row: &Row<'_>) -> Result<Arc<str>> {
    Ok(Arc::from(row.text(0)?))
}

/// The role of that ARN, path included.
pub(super) async fn find(conn: &mut Conn, arn: &RoleArn) -> Result<Option<AssumableRole>> {
    let role = conn.find(&FIND_ROLE, params![arn.account.as_str(), &arn.name], read_role).await?;
    let Some(role) = role.filter(|found| found.role.path == arn.path) else { return Ok(None) };
    let tags = tags(conn, &role.role.id).await?;
    Ok(Some(AssumableRole { tags, ..role }))
}

/// A role's tags, in key order.
pub(super) async fn tags(conn: &mut Conn, role_id: &str) -> Result<Vec<Tag>> {
    let read = |row: &Row<'_>| Ok(Tag { key: row.text(0)?.to_owned(), value: row.text(1)?.to_owned() });
    conn.list(&LIST_TAGS, params![role_id], read).await
}

/// The documents of a role's policies, inline ones first.
pub(super) async fn documents(conn: &mut Conn, role_id: &str) -> Result<Vec<Arc<str>>> {
    identity_policies::documents(conn, IdentityKind::Role, role_id).await
}

/// The default version of a managed policy.
pub(super) async fn managed_document(conn: &mut Conn, arn: &str) -> Result<Option<Arc<str>>> {
    if let Some(policy) = AwsManagedPolicy::find(arn) {
        return Ok(Some(Arc::from(policy.document)));
    }
    conn.find(&FIND_MANAGED, params![arn], read_document).await
}

/// The identity provider that an account registered for an issuer.
pub(super) async fn find_provider(
    conn: &mut Conn,
    account: &AccountId,
    issuer: &str,
) -> Result<Option<IdentityProvider>> {
    let read = |row: &Row<'_>| {
        Ok(IdentityProvider { arn: row.text(0)?.to_owned(), issuer: row.text(1)?.to_owned(), client_ids: Vec::new() })
    };
    let Some(provider) = conn.find(&FIND_PROVIDER, params![account.as_str(), issuer], read).await? else {
        return Ok(None);
    };
    let client_ids = conn.list(&LIST_CLIENTS, params![&provider.arn], |row| Ok(row.text(0)?.to_owned())).await?;
    Ok(Some(IdentityProvider { client_ids, ..provider }))
}

impl Transaction<'_> {
    async fn get_role(&mut self, account: &AccountId, name: &str) -> Result<AssumableRole> {
        self.conn.find(&FIND_ROLE, params![account.as_str(), name], read_role).await?.ok_or_else(|| {
            let message = format!("The role with name {name} cannot be found.");
            Error::not_found(ResourceType::Other, name, message)
        })
    }

    pub(super) async fn create_role(&mut self, new: &NewRole) -> Result<()> {
        let role = &new.role;
        self.require_account(&role.account).await?;
        let values = params![
            &role.id,
            role.account.as_str(),
            &role.path,
            &role.name,
            &new.description,
            &new.trust_policy,
            i64::try_from(new.max_session.as_secs()).unwrap_or(i64::MAX),
            self.actor.at,
        ];
        if self.conn.execute(&CREATE_ROLE, values).await? == 0 {
            let message = format!("Role with name {} already exists.", role.name);
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, &role.name, message));
        }
        for tag in &new.tags {
            self.conn.execute(&TAG, params![&role.id, &tag.key, &tag.value]).await?;
        }
        self.record(role.arn().as_str(), None, Some(&role.id)).await
    }

    pub(super) async fn delete_role(&mut self, account: &AccountId, name: &str) -> Result<()> {
        let role = self.get_role(account, name).await?.role;
        self.conn.execute(&DELETE_ROLE, params![&role.id]).await?;
        self.record(role.arn().as_str(), Some(&role.id), None).await
    }

    pub(super) async fn put_role_policy(
        &mut self,
        account: &AccountId,
        name: &str,
        policy: &str,
        document: Option<&str>,
    ) -> Result<()> {
        let role = self.get_role(account, name).await?.role;
        let resource = format!("{}/policy/{policy}", role.arn());
        if let Some(document) = document {
            self.conn.execute(&PUT_POLICY, params![&role.id, policy, document]).await?;
            return self.record(&resource, None, Some("Put")).await;
        }
        if self.conn.execute(&DELETE_POLICY, params![&role.id, policy]).await? == 0 {
            let message = format!("The role policy with name {policy} cannot be found.");
            return Err(Error::not_found(ResourceType::Other, policy, message));
        }
        self.record(&resource, Some("Put"), None).await
    }

    pub(super) async fn create_identity_provider(
        &mut self,
        account: &AccountId,
        provider: &IdentityProvider,
    ) -> Result<()> {
        self.require_account(account).await?;
        let values = params![&provider.arn, account.as_str(), &provider.issuer, self.actor.at];
        if self.conn.execute(&CREATE_PROVIDER, values).await? == 0 {
            let message = format!("Provider with url {} already exists.", provider.issuer);
            return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, &provider.arn, message));
        }
        for client in &provider.client_ids {
            self.conn.execute(&ADD_CLIENT, params![&provider.arn, client]).await?;
        }
        self.record(&provider.arn, None, Some(&provider.client_ids.join(","))).await
    }

    pub(super) async fn delete_identity_provider(&mut self, arn: &str) -> Result<()> {
        if self.conn.execute(&DELETE_PROVIDER, params![arn]).await? == 0 {
            let message = format!("OpenIDConnect Provider not found for arn {arn}");
            return Err(Error::not_found(ResourceType::Other, arn, message));
        }
        self.record(arn, Some("Active"), None).await
    }
}
