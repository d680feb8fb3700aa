//! Authorization tokens.

use std::time::Duration;

use async_trait::async_trait;
use larder_core::error::ResourceType;
use larder_core::model::{
    AccessKeyId, AccountId, AuthorizationToken, DomainId, Page, PageRequest, Timestamp, TokenId, User, UserName,
};
use larder_core::ports::Tokens;
use larder_core::{Error, Result};

use super::{Store, Transaction, paging};
use crate::sql::{Row, corrupt, params, statements};

/// Expired tokens are kept this long, so that who presents one is told that it expired.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

macro_rules! token {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.sha256, t.access_key_id, t.domain_id, d.owner, t.read_only, t.label, t.created_at,
                    t.expires_at, u.id, u.account_id, u.name
               FROM token t
               JOIN iam_user u ON u.id = t.user_id
               JOIN domain d ON d.id = t.domain_id
               JOIN access_key k ON k.id = t.access_key_id
              WHERE ",
            $rest
        )
    };
}

statements! {
    FIND = token!("t.sha256 = $1 AND k.status = 'Active'");
    LIST = token!("
        t.user_id = $1 AND (t.created_at, t.id) < ($2, $3) ORDER BY t.created_at DESC, t.id DESC LIMIT $4");
    CREATE = "
        INSERT INTO token (id, sha256, user_id, access_key_id, domain_id, read_only, label, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    DELETE = "DELETE FROM token WHERE id = $1 AND user_id = $2";
    DELETE_EXPIRED = "DELETE FROM token WHERE user_id = $1 AND expires_at < $2";
}

fn read_token(row: &Row<'_>) -> Result<AuthorizationToken> {
    let id = row.text(0)?;
    let broken = |error| corrupt("token", id, error);
    Ok(AuthorizationToken {
        id: TokenId(id.to_owned()),
        sha256: row.array(1)?,
        access_key: AccessKeyId::new(row.text(2)?).map_err(broken)?,
        domain: DomainId(row.integer(3)?),
        domain_owner: AccountId::new(row.text(4)?).map_err(broken)?,
        read_only: row.boolean(5)?,
        label: row.text(6)?.to_owned(),
        created_at: Timestamp(row.integer(7)?),
        expires_at: Timestamp(row.integer(8)?),
        user: User {
            id: row.text(9)?.to_owned(),
            account: AccountId::new(row.text(10)?).map_err(broken)?,
            name: UserName::new(row.text(11)?).map_err(broken)?,
        },
    })
}

#[async_trait]
impl Tokens for Store {
    async fn find_token(&self, sha256: &[u8; 32]) -> Result<Option<AuthorizationToken>> {
        let mut conn = self.database.read().await?;
        conn.find(&FIND, params![sha256.as_slice()], read_token).await
    }

    async fn list_tokens(&self, user: &User, page: &PageRequest) -> Result<Page<AuthorizationToken>> {
        let created_at = paging::number(page, 0, i64::MAX)?;
        let values = params![&user.id, created_at, page.key(1), paging::rows(page.limit)];
        let tokens = self.database.read().await?.list(&LIST, values, read_token).await?;
        Ok(Page::cut(tokens, page.limit, |token| vec![token.created_at.0.to_string(), token.id.0.clone()]))
    }
}

fn resource(user: &User, id: &TokenId) -> String {
    format!("{}/token/{}", user.arn(), id.0)
}

impl Transaction<'_> {
    pub(super) async fn create_token(&mut self, token: &AuthorizationToken) -> Result<()> {
        let forgotten = Timestamp(self.now().0 - i64::try_from(KEPT_AFTER_EXPIRY.as_millis()).unwrap_or(0));
        self.conn.execute(&DELETE_EXPIRED, params![&token.user.id, forgotten]).await?;
        let values = params![
            &token.id.0,
            token.sha256.as_slice(),
            &token.user.id,
            token.access_key.as_str(),
            token.domain,
            token.read_only,
            &token.label,
            token.created_at,
            token.expires_at,
        ];
        self.conn.execute(&CREATE, values).await?;
        self.record(&resource(&token.user, &token.id), None, Some(&token.expires_at.rfc3339())).await
    }

    pub(super) async fn delete_token(&mut self, user: &User, id: &TokenId) -> Result<()> {
        if self.conn.execute(&DELETE, params![&id.0, &user.id]).await? == 0 {
            let message = format!("token '{}' does not exist", id.0);
            return Err(Error::not_found(ResourceType::Other, &id.0, message));
        }
        self.record(&resource(user, id), Some("Active"), None).await
    }
}
