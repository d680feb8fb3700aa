//! The journal sealed into a Merkle tree: tiles, checkpoints, and the removal of old records.

use std::sync::Arc;

use larder_core::merkle::{Checkpoint, Edge, Hash, TILE, leaf_hash};
use larder_core::model::{Actor, JournalRecord, Timestamp};
use larder_core::ports::{LogState, Seal, Sealed, StoredTile};
use larder_core::{Error, Result};

use super::journal::{read_record, record};
use super::{Store, Transaction};
use crate::sql::{Conn, Row, Work, corrupt, params, statements};

/// So many of the newest checkpoints are kept, and one in as many of the older ones.
const CHECKPOINTS: i64 = 256;
/// The operation and the resource of the record of a cut.
const CUT: (&str, &str) = ("CutJournal", "journal");

statements! {
    STATE = "SELECT origin, size, first_kept, cut_sequence FROM journal_log WHERE id = 1";
    /// Waits for whoever seals or cuts.
    LOCK = "UPDATE journal_log SET size = size WHERE id = 1 RETURNING origin, size, first_kept, cut_sequence";
    GROW = "UPDATE journal_log SET origin = $1, size = $2 WHERE id = 1";
    CUT_LOG = "UPDATE journal_log SET first_kept = $1, cut_sequence = $2 WHERE id = 1";

    UNSEALED = record!("leaf IS NULL ORDER BY sequence LIMIT $1");
    HAS_UNSEALED = "SELECT sequence FROM journal WHERE leaf IS NULL LIMIT 1";
    SET_LEAF = "UPDATE journal SET leaf = $2 WHERE sequence = $1";
    LEAVES = record!("leaf >= $1 AND leaf < $2 ORDER BY leaf, sequence");
    RECORD = record!("sequence = $1");
    AGES = "SELECT leaf, recorded_at FROM journal WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf";
    DELETE = "DELETE FROM journal WHERE leaf >= $1 AND leaf < $2";

    TILE_AT = "SELECT hashes, sequences FROM journal_tile WHERE level = $1 AND position = $2";
    PUT_TILE = "
        INSERT INTO journal_tile (level, position, hashes, sequences) VALUES ($1, $2, $3, $4)
        ON CONFLICT (level, position) DO UPDATE SET hashes = excluded.hashes, sequences = excluded.sequences";

    NEWEST = "SELECT number, note FROM journal_checkpoint WHERE size <= $1 ORDER BY size DESC LIMIT 1";
    LIST = "SELECT size, note FROM journal_checkpoint WHERE size > $1 ORDER BY size LIMIT $2";
    ADD = "INSERT INTO journal_checkpoint (size, number, note) VALUES ($1, $2, $3)";
    FORGET = "DELETE FROM journal_checkpoint WHERE number = $1";
}

/// Leaves and sizes as columns hold them.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn read_state(row: &Row<'_>) -> Result<LogState> {
    Ok(LogState {
        origin: row.text(0)?.to_owned(),
        size: row.unsigned(1)?,
        first_kept: row.unsigned(2)?,
        cut: row.optional_integer(3)?,
    })
}

fn read_tile(row: &Row<'_>) -> Result<StoredTile> {
    let (hashes, rest) = row.bytes(0)?.as_chunks::<32>();
    let (sequences, more) = row.bytes(1)?.as_chunks::<8>();
    if !(rest.is_empty() && more.is_empty()) {
        return Err(corrupt("journal_tile", "of a log", "a piece of a hash"));
    }
    Ok(StoredTile {
        hashes: hashes.to_vec(),
        sequences: sequences.iter().map(|bytes| i64::from_be_bytes(*bytes)).collect(),
    })
}

async fn state(conn: &mut Conn) -> Result<LogState> {
    conn.find(&STATE, params![], read_state).await?.ok_or_else(|| Error::internal("table journal_log has no row"))
}

async fn tile(conn: &mut Conn, level: u32, position: u64) -> Result<Option<StoredTile>> {
    conn.find(&TILE_AT, params![i64::from(level), column(position)], read_tile).await
}

async fn put_tile(conn: &mut Conn, level: u32, position: u64, hashes: &[Hash], sequences: &[i64]) -> Result<()> {
    let sequences: Vec<u8> = sequences.iter().flat_map(|sequence| sequence.to_be_bytes()).collect();
    let values = params![i64::from(level), column(position), hashes.as_flattened(), sequences.as_slice()];
    conn.execute(&PUT_TILE, values).await.map(drop)
}

/// The right edge of the tree and the sequences of its partial tile of leaves.
async fn edge(conn: &mut Conn, size: u64) -> Result<(Edge, Vec<i64>)> {
    let mut levels = Vec::new();
    let mut sequences = Vec::new();
    for level in 0..8 {
        let wanted = usize::try_from(Edge::length(size, level)).unwrap_or(TILE);
        let stored = if wanted == 0 { None } else { tile(conn, level, Edge::position(size, level)).await? };
        let mut stored = stored.unwrap_or(StoredTile { hashes: Vec::new(), sequences: Vec::new() });
        // A tile that an earlier tree filled further than this one is cut to what the tree holds.
        stored.hashes.truncate(wanted);
        if level == 0 {
            stored.sequences.truncate(wanted);
            sequences = stored.sequences;
        }
        levels.push(stored.hashes);
    }
    let edge = Edge::new(size, levels);
    Ok((edge.ok_or_else(|| corrupt("journal_tile", size, "hashes of the tree's edge are missing"))?, sequences))
}

/// Seals some records.
struct SealSome {
    limit: usize,
    at: Timestamp,
    seal: Arc<dyn Seal>,
}

impl Work for SealSome {
    type Output = Option<Sealed>;

    async fn run(&self, conn: &mut Conn) -> Result<Option<Sealed>> {
        let log = conn.find(&LOCK, params![], read_state).await?;
        let log = log.ok_or_else(|| Error::internal("table journal_log has no row"))?;
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let records = conn.list(&UNSEALED, params![limit], read_record).await?;
        if records.is_empty() {
            return Ok(None);
        }
        let (mut edge, mut sequences) = edge(conn, log.size).await?;
        let mut full = Vec::new();
        for record in &records {
            conn.execute(&SET_LEAF, params![record.sequence, column(edge.size())]).await?;
            sequences.push(record.sequence);
            edge.append(leaf_hash(&record.leaf_bytes()), &mut full);
        }
        let mut sequences = sequences.into_iter();
        for tile in full {
            let of_leaves: Vec<i64> =
                if tile.level == 0 { sequences.by_ref().take(TILE).collect() } else { Vec::new() };
            put_tile(conn, tile.level, tile.position, &tile.hashes, &of_leaves).await?;
        }
        let rest: Vec<i64> = sequences.collect();
        for (level, hashes) in (0..).zip(edge.levels()).filter(|(_, hashes)| !hashes.is_empty()) {
            let of_leaves = if level == 0 { rest.as_slice() } else { &[] };
            put_tile(conn, level, Edge::position(edge.size(), level), hashes, of_leaves).await?;
        }
        let origin = if log.origin.is_empty() { self.seal.new_origin() } else { log.origin };
        conn.execute(&GROW, params![&origin, column(edge.size())]).await?;
        let checkpoint = Checkpoint { origin, size: edge.size(), root: edge.root(), at: self.at };
        let note = self.seal.sign(&checkpoint);
        let last = conn.find(&NEWEST, params![i64::MAX], |row| row.integer(0)).await?.unwrap_or(0);
        let number = last + 1;
        conn.execute(&ADD, params![column(checkpoint.size), number, &note]).await?;
        let aged = number - CHECKPOINTS;
        if aged > 0 && aged % CHECKPOINTS != 0 {
            conn.execute(&FORGET, params![aged]).await?;
        }
        Ok(Some(Sealed { records: records.len(), note }))
    }
}

/// Removes some records.
struct CutSome {
    actor: Actor,
    region: Arc<str>,
    before: Timestamp,
    end: u64,
    limit: usize,
}

impl Work for CutSome {
    type Output = usize;

    async fn run(&self, conn: &mut Conn) -> Result<usize> {
        let log = conn.find(&LOCK, params![], read_state).await?;
        let log = log.ok_or_else(|| Error::internal("table journal_log has no row"))?;
        let mut end = self.end.min(log.size).min(log.first_kept.saturating_add(self.limit as u64));
        if let Some(cut) = log.cut {
            // What says that the others are gone stays, and is proven first.
            let record = conn.find(&RECORD, params![cut], read_record).await?;
            end = end.min(record.and_then(|record| record.leaf).unwrap_or(0));
        }
        let ages = |row: &Row<'_>| Ok((row.unsigned(0)?, Timestamp(row.integer(1)?)));
        let ages = conn.list(&AGES, params![column(log.first_kept), column(end)], ages).await?;
        let old = ages.iter().take_while(|(_, at)| *at < self.before).last();
        let Some(first_kept) = old.map(|(leaf, _)| leaf + 1) else { return Ok(0) };
        let removed = conn.execute(&DELETE, params![column(log.first_kept), column(first_kept)]).await?;
        let mut transaction = Transaction { conn, actor: &self.actor, region: &self.region, recorded: false };
        let (before, after) = (cut_text(log.first_kept), cut_text(first_kept));
        let sequence = transaction.append(CUT.1, Some(&before), Some(&after), None).await?;
        conn.execute(&CUT_LOG, params![column(first_kept), sequence]).await?;
        usize::try_from(removed).map_err(Error::internal)
    }
}

/// How the record of a cut tells the first leaf whose record is kept.
fn cut_text(leaf: u64) -> String {
    format!("leaf {leaf}")
}

impl Store {
    pub(super) async fn seal_some(&self, limit: usize, at: Timestamp, seal: Arc<dyn Seal>) -> Result<Option<Sealed>> {
        self.database.write(SealSome { limit, at, seal }).await
    }

    pub(super) async fn waits_for_seal(&self) -> Result<bool> {
        let mut conn = self.database.read().await?;
        Ok(conn.find(&HAS_UNSEALED, params![], |_| Ok(())).await?.is_some())
    }

    pub(super) async fn state_of_log(&self) -> Result<LogState> {
        state(&mut self.database.read().await?).await
    }

    pub(super) async fn leaves(&self, from: u64, to: u64) -> Result<Vec<JournalRecord>> {
        let mut conn = self.database.read().await?;
        conn.list(&LEAVES, params![column(from), column(to)], read_record).await
    }

    pub(super) async fn record_of(&self, sequence: i64) -> Result<Option<JournalRecord>> {
        self.database.read().await?.find(&RECORD, params![sequence], read_record).await
    }

    pub(super) async fn tile_at(&self, level: u32, position: u64) -> Result<Option<StoredTile>> {
        tile(&mut self.database.read().await?, level, position).await
    }

    pub(super) async fn checkpoints(&self, after: u64, limit: usize) -> Result<Vec<(u64, String)>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |row: &Row<'_>| Ok((row.unsigned(0)?, row.text(1)?.to_owned()));
        self.database.read().await?.list(&LIST, params![column(after), limit], read).await
    }

    pub(super) async fn last_checkpoint(&self) -> Result<Option<String>> {
        let mut conn = self.database.read().await?;
        conn.find(&NEWEST, params![i64::MAX], |row| Ok(row.text(1)?.to_owned())).await
    }

    pub(super) async fn cut_some(&self, actor: &Actor, before: Timestamp, end: u64, limit: usize) -> Result<usize> {
        let actor = Actor { operation: CUT.0, ..actor.clone() };
        let region = Arc::clone(&self.region);
        self.database.write(CutSome { actor, region, before, end, limit }).await
    }
}
