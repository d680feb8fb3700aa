//! When access keys were last used. Not journaled, and never ahead of what is known.

use larder_core::Result;
use larder_core::model::{AccessKeyId, KeyUse, Timestamp};

use crate::sql::{Conn, Row, Work, params, statements};

statements! {
    FIND = "SELECT used_at, service, region FROM access_key_use WHERE access_key_id = $1";
    /// Nothing for a key that is gone meanwhile.
    PUT = "
        INSERT INTO access_key_use (access_key_id, used_at, service, region)
        SELECT id, $2, $3, $4 FROM access_key WHERE id = $1
        ON CONFLICT (access_key_id) DO UPDATE
           SET used_at = excluded.used_at, service = excluded.service, region = excluded.region
         WHERE access_key_use.used_at < excluded.used_at";
}

/// The last use of a key that was written down.
pub(super) async fn find(conn: &mut Conn, id: &AccessKeyId) -> Result<Option<KeyUse>> {
    let read = |row: &Row<'_>| {
        let at = Timestamp(row.integer(0)?);
        Ok(KeyUse { at, service: row.text(1)?.to_owned(), region: row.text(2)?.to_owned() })
    };
    conn.find(&FIND, params![id.as_str()], read).await
}

/// Writes down a use.
pub(super) struct PutKeyUse {
    pub(super) id: AccessKeyId,
    pub(super) key_use: KeyUse,
}

impl Work for PutKeyUse {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        let KeyUse { at, service, region } = &self.key_use;
        conn.execute(&PUT, params![self.id.as_str(), *at, service, region]).await.map(drop)
    }
}
