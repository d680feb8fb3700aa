//! Authorization tokens.

use std::time::Duration;

use async_trait::async_trait;
use larder_core::error::ResourceType;
use larder_core::model::{
    AccessKeyId, AccountId, AuthorizationToken, Credential, DomainId, Page, PageRequest, Principal, PrincipalKind,
    Timestamp, TokenId, User,
};
use larder_core::ports::Tokens;
use larder_core::{Error, Result};

use super::sessions::{PrincipalColumns, read_principal, with_role_tags};
use super::{Store, Transaction, paging};
use crate::sql::{Row, corrupt, params, statements};

/// Expired tokens are kept this long, so that who presents one is told that it expired.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

macro_rules! token {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.sha256, t.access_key_id, t.session_id, t.domain_id, d.owner, t.read_only, t.label,
                    t.created_at, t.expires_at, u.id, u.account_id, u.path, u.name, r.id, r.account_id, r.path, r.name,
                    s.name, s.scope, s.created_at
               FROM token t
               JOIN domain d ON d.id = t.domain_id
               LEFT JOIN iam_user u ON u.id = t.user_id
               LEFT JOIN access_key k ON k.id = t.access_key_id
               LEFT JOIN session s ON s.access_key_id = t.session_id
               LEFT JOIN iam_role r ON r.id = s.role_id
              WHERE ",
            $rest
        )
    };
}

statements! {
    FIND = token!("t.sha256 = $1 AND (k.status = 'Active' OR t.session_id IS NOT NULL)");
    LIST = token!("
        t.user_id = $1 AND (t.created_at, t.id) < ($2, $3) ORDER BY t.created_at DESC, t.id DESC LIMIT $4");
    CREATE = "
        INSERT INTO token
               (id, sha256, user_id, access_key_id, session_id, domain_id, read_only, label, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    DELETE_OF_USER = "DELETE FROM token WHERE id = $1 AND user_id = $2";
    DELETE_OF_SESSION = "DELETE FROM token WHERE id = $1 AND session_id = $2";
    DELETE_EXPIRED = "DELETE FROM token WHERE user_id = $1 AND expires_at < $2";
}

fn read_token(row: &Row<'_>) -> Result<AuthorizationToken> {
    let id = row.text(0)?;
    let broken = |error| corrupt("token", id, error);
    let credential = match (row.optional_text(2)?, row.optional_text(3)?) {
        (Some(key), _) => Credential::AccessKey(AccessKeyId::new(key).map_err(broken)?),
        (None, Some(session)) => Credential::Session(AccessKeyId::new(session).map_err(broken)?),
        (None, None) => return Err(corrupt("token", id, "nothing obtained it")),
    };
    Ok(AuthorizationToken {
        id: TokenId(id.to_owned()),
        sha256: row.array(1)?,
        principal: read_principal(row, &PrincipalColumns { user: 10, role: 14, session: [3, 18, 19, 20] })?,
        credential,
        domain: DomainId(row.integer(4)?),
        domain_owner: AccountId::new(row.text(5)?).map_err(broken)?,
        read_only: row.boolean(6)?,
        label: row.text(7)?.to_owned(),
        created_at: Timestamp(row.integer(8)?),
        expires_at: Timestamp(row.integer(9)?),
    })
}

#[async_trait]
impl Tokens for Store {
    async fn find_token(&self, sha256: &[u8; 32]) -> Result<Option<AuthorizationToken>> {
        let mut conn = self.database.read().await?;
        let Some(token) = conn.find(&FIND, params![sha256.as_slice()], read_token).await? else { return Ok(None) };
        let principal = with_role_tags(&mut conn, token.principal).await?;
        Ok(Some(AuthorizationToken { principal, ..token }))
    }

    async fn list_tokens(&self, user: &User, page: &PageRequest) -> Result<Page<AuthorizationToken>> {
        let created_at = paging::number(page, 0, i64::MAX)?;
        let values = params![&user.id, created_at, page.key(1), paging::rows(page.limit)];
        let tokens = self.database.read().await?.list(&LIST, values, read_token).await?;
        Ok(Page::cut(tokens, page.limit, |token| vec![token.created_at.0.to_string(), token.id.0.clone()]))
    }
}

fn resource(principal: &Principal, id: &TokenId) -> String {
    format!("{}/token/{}", principal.arn(), id.0)
}

impl Transaction<'_> {
    pub(super) async fn create_token(&mut self, token: &AuthorizationToken) -> Result<()> {
        let user = match &token.principal.kind {
            PrincipalKind::User(user) => Some(&user.id),
            PrincipalKind::AssumedRole(_) | PrincipalKind::WebIdentity(_) | PrincipalKind::System => None,
        };
        if let Some(user) = user {
            let forgotten = self.now().minus(KEPT_AFTER_EXPIRY);
            self.conn.execute(&DELETE_EXPIRED, params![user, forgotten]).await?;
        }
        let (access_key, session) = match &token.credential {
            Credential::AccessKey(key) => (Some(key.as_str()), None),
            Credential::Session(key) => {
                self.keep_session(key, token.expires_at).await?;
                (None, Some(key.as_str()))
            }
        };
        let values = params![
            &token.id.0,
            token.sha256.as_slice(),
            user,
            access_key,
            session,
            token.domain,
            token.read_only,
            &token.label,
            token.created_at,
            token.expires_at,
        ];
        self.conn.execute(&CREATE, values).await?;
        self.record(&resource(&token.principal, &token.id), None, Some(&token.expires_at.rfc3339())).await
    }

    pub(super) async fn delete_token(&mut self, principal: &Principal, id: &TokenId) -> Result<()> {
        let (statement, owner) = match &principal.kind {
            PrincipalKind::AssumedRole(session) => (&DELETE_OF_SESSION, session.access_key.as_str()),
            _ => (&DELETE_OF_USER, principal.unique_id()),
        };
        if self.conn.execute(statement, params![&id.0, owner]).await? == 0 {
            let message = format!("token '{}' does not exist", id.0);
            return Err(Error::not_found(ResourceType::Other, &id.0, message));
        }
        self.record(&resource(principal, id), Some("Active"), None).await
    }
}
