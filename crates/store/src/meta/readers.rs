//! Readers of the sealed journal: where each stands, and which of its deliveries wait or were given up.

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::Result;
use larder_core::model::{Actor, JournalRecord, Timestamp};
use larder_core::ports::{
    CursorBatch, Delivery, DeliveryState, EventCursor, JournalLog, LogState, Outcome, Seal, Sealed, StoredTile,
};

use super::Store;
use super::log::column;
use crate::sql::{Conn, Row, Work, params, statements};

macro_rules! delivery {
    ($rest:literal) => {
        concat!("SELECT leaf, package, attempts, next_at, error FROM event_delivery WHERE ", $rest)
    };
}

statements! {
    ADD = "INSERT INTO journal_reader (name, leaf, owner, leased_until) VALUES ($1, $2, '', 0) ON CONFLICT DO NOTHING";
    LEASE = "
        UPDATE journal_reader SET owner = $2, leased_until = $3
         WHERE name = $1 AND (owner = $2 OR leased_until < $4)
        RETURNING leaf";
    MOVE = "UPDATE journal_reader SET leaf = $3 WHERE name = $1 AND owner = $2";
    READERS = "SELECT name, leaf, owner, leased_until FROM journal_reader WHERE name > '' ORDER BY name";

    DUE = delivery!("reader = $1 AND dead = 0 AND next_at <= $2 ORDER BY next_at, leaf LIMIT $3");
    WAITING = delivery!("reader = $1 AND package = $2 AND dead = 0 ORDER BY leaf LIMIT 1");
    LIST = delivery!("reader = $1 AND dead = $2 AND leaf > $3 ORDER BY leaf LIMIT $4");
    REMOVE = "DELETE FROM event_delivery WHERE reader = $1 AND leaf = $2";
    PUT = "
        INSERT INTO event_delivery (reader, leaf, package, attempts, next_at, dead, error)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (reader, leaf) DO UPDATE
           SET attempts = excluded.attempts, next_at = excluded.next_at, dead = excluded.dead, error = excluded.error";
    SET_DUE = "UPDATE event_delivery SET next_at = $3 WHERE reader = $1 AND leaf = $2";
    REVIVE = "
        UPDATE event_delivery SET dead = 0, attempts = 0, next_at = $3 WHERE reader = $1 AND dead = 1 AND leaf = $2";
    REVIVE_ALL = "UPDATE event_delivery SET dead = 0, attempts = 0, next_at = $2 WHERE reader = $1 AND dead = 1";
}

fn read_delivery(row: &Row<'_>) -> Result<Delivery> {
    Ok(Delivery {
        leaf: row.unsigned(0)?,
        package: row.text(1)?.to_owned(),
        attempts: u32::try_from(row.unsigned(2)?).unwrap_or(u32::MAX),
        next_at: row.optional_integer(3)?.map(Timestamp),
        error: row.text(4)?.to_owned(),
    })
}

/// Takes or keeps a lease.
struct Lease {
    reader: String,
    owner: String,
    now: Timestamp,
    until: Timestamp,
    start: u64,
}

impl Work for Lease {
    type Output = Option<u64>;

    async fn run(&self, conn: &mut Conn) -> Result<Option<u64>> {
        conn.execute(&ADD, params![&self.reader, column(self.start)]).await?;
        conn.find(&LEASE, params![&self.reader, &self.owner, self.until, self.now], |row| row.unsigned(0)).await
    }
}

/// Writes down what a reader did.
struct Settle {
    reader: String,
    owner: String,
    batch: CursorBatch,
}

impl Work for Settle {
    type Output = bool;

    async fn run(&self, conn: &mut Conn) -> Result<bool> {
        if conn.execute(&MOVE, params![&self.reader, &self.owner, column(self.batch.leaf)]).await? == 0 {
            return Ok(false);
        }
        for outcome in &self.batch.outcomes {
            match outcome {
                Outcome::Delivered { leaf, .. } => {
                    conn.execute(&REMOVE, params![&self.reader, column(*leaf)]).await?;
                }
                Outcome::Failed(delivery) => self.put(conn, delivery, false).await?,
                Outcome::Dead(delivery) => self.put(conn, delivery, true).await?,
            }
        }
        // Last, because what waits may have come with this batch.
        for outcome in &self.batch.outcomes {
            match outcome {
                Outcome::Delivered { package, .. } => self.next_of(conn, package).await?,
                Outcome::Dead(delivery) => self.next_of(conn, &delivery.package).await?,
                Outcome::Failed(_) => {}
            }
        }
        Ok(true)
    }
}

impl Settle {
    async fn put(&self, conn: &mut Conn, delivery: &Delivery, is_dead: bool) -> Result<()> {
        let values = params![
            &self.reader,
            column(delivery.leaf),
            &delivery.package,
            i64::from(delivery.attempts),
            delivery.next_at,
            is_dead,
            &delivery.error,
        ];
        conn.execute(&PUT, values).await.map(drop)
    }

    /// Makes the next event of a package due.
    async fn next_of(&self, conn: &mut Conn, package: &str) -> Result<()> {
        let next = conn.find(&WAITING, params![&self.reader, package], read_delivery).await?;
        if let Some(next) = next.filter(|next| next.next_at.is_none()) {
            conn.execute(&SET_DUE, params![&self.reader, column(next.leaf), self.batch.now]).await?;
        }
        Ok(())
    }
}

/// Lets dead deliveries be tried again.
struct Revive {
    reader: String,
    leaf: Option<u64>,
    now: Timestamp,
}

impl Work for Revive {
    type Output = u64;

    async fn run(&self, conn: &mut Conn) -> Result<u64> {
        match self.leaf {
            Some(leaf) => conn.execute(&REVIVE, params![&self.reader, column(leaf), self.now]).await,
            None => conn.execute(&REVIVE_ALL, params![&self.reader, self.now]).await,
        }
    }
}

#[async_trait]
impl JournalLog for Store {
    async fn seal(&self, limit: usize, at: Timestamp, seal: Arc<dyn Seal>) -> Result<Option<Sealed>> {
        self.seal_some(limit, at, seal).await
    }

    async fn has_unsealed(&self) -> Result<bool> {
        self.waits_for_seal().await
    }

    async fn log_state(&self) -> Result<LogState> {
        self.state_of_log().await
    }

    async fn list_leaves(&self, from: u64, to: u64) -> Result<Vec<JournalRecord>> {
        self.leaves(from, to).await
    }

    async fn find_record(&self, sequence: i64) -> Result<Option<JournalRecord>> {
        self.record_of(sequence).await
    }

    async fn find_tile(&self, level: u32, position: u64) -> Result<Option<StoredTile>> {
        self.tile_at(level, position).await
    }

    async fn list_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<(u64, String)>> {
        self.checkpoints(after, limit).await
    }

    async fn newest_checkpoint(&self) -> Result<Option<String>> {
        self.last_checkpoint().await
    }

    async fn cut_journal(&self, actor: &Actor, before: Timestamp, end: u64, limit: usize) -> Result<usize> {
        self.cut_some(actor, before, end, limit).await
    }

    async fn lease_cursor(
        &self,
        reader: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        start: u64,
    ) -> Result<Option<u64>> {
        let (reader, owner) = (reader.to_owned(), owner.to_owned());
        self.database.write(Lease { reader, owner, now, until, start }).await
    }

    async fn list_cursors(&self) -> Result<Vec<EventCursor>> {
        let read = |row: &Row<'_>| {
            Ok(EventCursor {
                reader: row.text(0)?.to_owned(),
                leaf: row.unsigned(1)?,
                owner: row.text(2)?.to_owned(),
                leased_until: Timestamp(row.integer(3)?),
            })
        };
        self.database.read().await?.list(&READERS, params![], read).await
    }

    async fn settle(&self, reader: &str, owner: &str, batch: CursorBatch) -> Result<bool> {
        self.database.write(Settle { reader: reader.to_owned(), owner: owner.to_owned(), batch }).await
    }

    async fn list_due(&self, reader: &str, now: Timestamp, limit: usize) -> Result<Vec<Delivery>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database.read().await?.list(&DUE, params![reader, now, limit], read_delivery).await
    }

    async fn is_waiting(&self, reader: &str, package: &str) -> Result<bool> {
        let mut conn = self.database.read().await?;
        Ok(conn.find(&WAITING, params![reader, package], read_delivery).await?.is_some())
    }

    async fn list_deliveries(
        &self,
        reader: &str,
        state: DeliveryState,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = params![reader, state == DeliveryState::Dead, after.map_or(-1, column), limit];
        self.database.read().await?.list(&LIST, values, read_delivery).await
    }

    async fn revive(&self, reader: &str, leaf: Option<u64>, now: Timestamp) -> Result<u64> {
        self.database.write(Revive { reader: reader.to_owned(), leaf, now }).await
    }
}
