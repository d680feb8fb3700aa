//! What IAM tells and changes of OpenID Connect providers. Creating and deleting them is in [`super::roles`].

use larder_core::error::ResourceType;
use larder_core::model::{AccountId, ProviderDetails, Timestamp};
use larder_core::{Error, Result};

use super::Transaction;
use crate::sql::{Conn, Row, params, statements};

/// The most audiences of a provider.
const CLIENTS: usize = 100;

statements! {
    FIND = "SELECT arn, url, created_at FROM oidc_provider WHERE arn = $1";
    LIST = "SELECT arn FROM oidc_provider WHERE account_id = $1 ORDER BY url";
    LIST_CLIENTS = "SELECT client_id FROM oidc_client WHERE provider_arn = $1 ORDER BY client_id";
    LIST_THUMBPRINTS = "SELECT thumbprint FROM oidc_thumbprint WHERE provider_arn = $1 ORDER BY position";
    ADD_CLIENT = "INSERT INTO oidc_client (provider_arn, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    REMOVE_CLIENT = "DELETE FROM oidc_client WHERE provider_arn = $1 AND client_id = $2";
    CLEAR_THUMBPRINTS = "DELETE FROM oidc_thumbprint WHERE provider_arn = $1";
    ADD_THUMBPRINT = "INSERT INTO oidc_thumbprint (provider_arn, position, thumbprint) VALUES ($1, $2, $3)";
}

fn read_text(row: &Row<'_>) -> Result<String> {
    Ok(row.text(0)?.to_owned())
}

/// The provider with this ARN.
pub(super) async fn find(conn: &mut Conn, arn: &str) -> Result<Option<ProviderDetails>> {
    let read = |row: &Row<'_>| {
        Ok(ProviderDetails {
            arn: row.text(0)?.to_owned(),
            url: row.text(1)?.to_owned(),
            created_at: Timestamp(row.integer(2)?),
            client_ids: Vec::new(),
            thumbprints: Vec::new(),
        })
    };
    let Some(found) = conn.find(&FIND, params![arn], read).await? else { return Ok(None) };
    let client_ids = conn.list(&LIST_CLIENTS, params![arn], read_text).await?;
    let thumbprints = conn.list(&LIST_THUMBPRINTS, params![arn], read_text).await?;
    Ok(Some(ProviderDetails { client_ids, thumbprints, ..found }))
}

/// ARNs of an account's providers.
pub(super) async fn list(conn: &mut Conn, account: &AccountId) -> Result<Vec<String>> {
    conn.list(&LIST, params![account.as_str()], read_text).await
}

impl Transaction<'_> {
    async fn get_provider(&mut self, arn: &str) -> Result<ProviderDetails> {
        find(self.conn, arn).await?.ok_or_else(|| {
            let message = format!("OpenIDConnect Provider not found for arn {arn}");
            Error::not_found(ResourceType::Other, arn, message)
        })
    }

    pub(super) async fn set_client(&mut self, arn: &str, client_id: &str, accepted: bool) -> Result<()> {
        let before = self.get_provider(arn).await?.client_ids;
        let statement = if accepted { &ADD_CLIENT } else { &REMOVE_CLIENT };
        self.conn.execute(statement, params![arn, client_id]).await?;
        let after = self.get_provider(arn).await?.client_ids;
        if after.len() > CLIENTS {
            return Err(Error::QuotaExceeded {
                resource_type: ResourceType::Other,
                resource_id: arn.to_owned(),
                message: format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENTS}"),
            });
        }
        self.record(arn, Some(&before.join(",")), Some(&after.join(","))).await
    }

    pub(super) async fn put_thumbprints(&mut self, arn: &str, thumbprints: &[String]) -> Result<()> {
        let before = self.get_provider(arn).await?.thumbprints;
        self.conn.execute(&CLEAR_THUMBPRINTS, params![arn]).await?;
        for (position, thumbprint) in (0_i64..).zip(thumbprints) {
            self.conn.execute(&ADD_THUMBPRINT, params![arn, position, thumbprint]).await?;
        }
        self.record(arn, Some(&before.join(",")), Some(&thumbprints.join(","))).await
    }
}
