//! Temporary credentials of roles and users, web identity tokens that were exchanged, and what assuming a role reads.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use larder_core::error::{ConflictKind, ResourceType};
use larder_core::model::{
    AccessKeyId, AccountId, Principal, PrincipalKind, RoleArn, RoleSession, Session, SessionName, SessionRole,
    SessionScope, Timestamp,
};
use larder_core::ports::{AssumableRole, IdentityProvider, Sessions, SpentToken};
use larder_core::{Error, Result};

use super::accounts::read_user;
use super::{Store, Transaction, roles};
use crate::sql::{Conn, Row, corrupt, params, statements};

/// Sessions are kept this long after they and their tokens have ended, so that who presents one is told that it expired.
const KEPT_AFTER_END: Duration = Duration::from_secs(24 * 60 * 60);

statements! {
    FIND = "
        SELECT s.access_key_id, s.token_sha256, s.created_at, s.expires_at, s.name, s.scope,
               u.id, u.account_id, u.path, u.name, r.id, r.account_id, r.path, r.name
          FROM session s
          LEFT JOIN iam_user u ON u.id = s.user_id
          LEFT JOIN iam_role r ON r.id = s.role_id
         WHERE s.access_key_id = $1";
    CREATE = "
        INSERT INTO session
               (access_key_id, token_sha256, user_id, role_id, name, scope, created_at, expires_at, kept_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
    KEEP = "UPDATE session SET kept_until = $2 WHERE access_key_id = $1 AND kept_until < $2";
    /// Their tokens, which have ended, go with them.
    DELETE_ENDED = "DELETE FROM session WHERE kept_until < $1";
    SPEND = "INSERT INTO spent_token (issuer, id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    FORGET_SPENT = "DELETE FROM spent_token WHERE expires_at < $1";
}

/// Columns of a row in which a session's user and role stand, both or either NULL.
pub(super) struct PrincipalColumns {
    /// id, account, path and name follow each other.
    pub(super) user: usize,
    /// id, account, path and name follow each other.
    pub(super) role: usize,
    /// Key, name, scope and creation of the session.
    pub(super) session: [usize; 4],
}

/// Whose a row of a session or token is. The role's tags are still to be added: they stand in another table.
pub(super) fn read_principal(row: &Row<'_>, columns: &PrincipalColumns) -> Result<Principal> {
    if row.optional_text(columns.user)?.is_some() {
        return read_user(row, columns.user).map(Principal::user);
    }
    let [key, name, scope, created_at] = columns.session;
    let key = row.text(key)?;
    let broken = |error: larder_core::error::Invalid| corrupt("session", key, error);
    let id = row.text(columns.role)?;
    let name = SessionName::new(row.text(name)?).map_err(broken)?;
    let scope: SessionScope =
        serde_json::from_str(row.text(scope)?).map_err(|error| corrupt("session", key, error.to_string()))?;
    Ok(Principal::assumed_role(RoleSession {
        role: SessionRole {
            id: id.to_owned(),
            account: AccountId::new(row.text(columns.role + 1)?).map_err(broken)?,
            path: row.text(columns.role + 2)?.to_owned(),
            name: row.text(columns.role + 3)?.to_owned(),
        },
        user_id: format!("{id}:{name}"),
        name,
        access_key: AccessKeyId::new(key).map_err(broken)?,
        issued_at: Timestamp(row.integer(created_at)?),
        scope,
        role_tags: Vec::new(),
    }))
}

/// Adds the tags of its role to a session that was read.
pub(super) async fn with_role_tags(conn: &mut Conn, principal: Principal) -> Result<Principal> {
    let PrincipalKind::AssumedRole(session) = &principal.kind else { return Ok(principal) };
    let role_tags = roles::tags(conn, &session.role.id).await?;
    if role_tags.is_empty() {
        return Ok(principal);
    }
    Ok(Principal::assumed_role(RoleSession { role_tags, ..RoleSession::clone(session) }))
}

fn read_session(row: &Row<'_>) -> Result<Session> {
    let key = row.text(0)?;
    let columns = PrincipalColumns { user: 6, role: 10, session: [0, 4, 5, 2] };
    Ok(Session {
        access_key: AccessKeyId::new(key).map_err(|error| corrupt("session", key, error))?,
        token_sha256: row.array(1)?,
        principal: read_principal(row, &columns)?,
        created_at: Timestamp(row.integer(2)?),
        expires_at: Timestamp(row.integer(3)?),
    })
}

impl Transaction<'_> {
    pub(super) async fn create_session(&mut self, session: &Session, spent: Option<&SpentToken>) -> Result<()> {
        let forgotten = self.now().minus(KEPT_AFTER_END);
        self.conn.execute(&DELETE_ENDED, params![forgotten]).await?;
        if let Some(token) = spent {
            self.conn.execute(&FORGET_SPENT, params![self.now()]).await?;
            if self.conn.execute(&SPEND, params![&token.issuer, &token.id, token.expires_at]).await? == 0 {
                let message = "the token was exchanged before";
                return Err(Error::conflict(ConflictKind::Exists, ResourceType::Other, &token.id, message));
            }
        }
        let (user, role) = match &session.principal.kind {
            PrincipalKind::User(user) => (Some(&user.id), None),
            PrincipalKind::AssumedRole(session) => (None, Some(session)),
            PrincipalKind::WebIdentity(_) | PrincipalKind::System => {
                return Err(Error::internal("only users and roles have sessions"));
            }
        };
        let name = role.map_or("", |role| role.name.as_str());
        let scope = match role {
            Some(role) => serde_json::to_string(&role.scope).map_err(Error::internal)?,
            None => "{}".to_owned(),
        };
        let values = params![
            session.access_key.as_str(),
            session.token_sha256.as_slice(),
            user,
            role.map(|role| &role.role.id),
            name,
            &scope,
            session.created_at,
            session.expires_at,
        ];
        self.conn.execute(&CREATE, values).await?;
        let resource = format!("{}/session/{}", session.principal.arn(), session.access_key);
        self.record(&resource, None, Some(&session.expires_at.rfc3339())).await
    }

    /// A session stays as long as what it obtained.
    pub(super) async fn keep_session(&mut self, id: &AccessKeyId, until: Timestamp) -> Result<()> {
        self.conn.execute(&KEEP, params![id.as_str(), until]).await.map(drop)
    }
}

#[async_trait]
impl Sessions for Store {
    async fn find_session(&self, id: &AccessKeyId) -> Result<Option<Session>> {
        let mut conn = self.database.read().await?;
        let Some(session) = conn.find(&FIND, params![id.as_str()], read_session).await? else { return Ok(None) };
        let principal = with_role_tags(&mut conn, session.principal).await?;
        Ok(Some(Session { principal, ..session }))
    }

    async fn find_assumable_role(&self, arn: &RoleArn) -> Result<Option<AssumableRole>> {
        roles::find(&mut self.database.read().await?, arn).await
    }

    async fn list_role_documents(&self, role_id: &str) -> Result<Vec<Arc<str>>> {
        roles::documents(&mut self.database.read().await?, role_id).await
    }

    async fn find_managed_document(&self, arn: &str) -> Result<Option<Arc<str>>> {
        roles::managed_document(&mut self.database.read().await?, arn).await
    }

    async fn find_identity_provider(&self, account: &AccountId, issuer: &str) -> Result<Option<IdentityProvider>> {
        roles::find_provider(&mut self.database.read().await?, account, issuer).await
    }
}
