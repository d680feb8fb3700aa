//! The journal: appended to by every change, in its transaction.

use async_trait::async_trait;
use larder_core::Result;
use larder_core::model::{JournalRecord, Timestamp};
use larder_core::ports::Journal;

use super::{Store, Transaction};
use crate::sql::{params, statements};

statements! {
    APPEND = "
        INSERT INTO journal
               (recorded_at, principal, address, operation, resource, state_before, state_after, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = "
        SELECT sequence, recorded_at, principal, address, operation, resource, state_before, state_after, request_id
          FROM journal
         WHERE sequence > $1
         ORDER BY sequence
         LIMIT $2";
}

impl Transaction<'_> {
    /// Appends the record of what this transaction did to one resource.
    pub(super) async fn record(&mut self, resource: &str, before: Option<&str>, after: Option<&str>) -> Result<()> {
        let address = self.actor.address.map(|address| address.to_string());
        let values = params![
            self.actor.at,
            &self.actor.principal,
            address.as_ref(),
            self.actor.operation,
            resource,
            before,
            after,
            &self.actor.request_id,
        ];
        self.conn.execute(&APPEND, values).await.map(drop)
    }
}

#[async_trait]
impl Journal for Store {
    async fn list_journal(&self, after: i64, limit: usize) -> Result<Vec<JournalRecord>> {
        let mut conn = self.database.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        conn.list(&LIST, params![after, limit], |row| {
            Ok(JournalRecord {
                sequence: row.integer(0)?,
                at: Timestamp(row.integer(1)?),
                principal: row.text(2)?.to_owned(),
                address: row.optional_text(3)?.map(str::to_owned),
                operation: row.text(4)?.to_owned(),
                resource: row.text(5)?.to_owned(),
                before: row.optional_text(6)?.map(str::to_owned),
                after: row.optional_text(7)?.map(str::to_owned),
                request_id: row.text(8)?.to_owned(),
            })
        })
        .await
    }
}
