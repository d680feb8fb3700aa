//! The journal as a sealed log: what the store keeps of the Merkle tree, who signs it, and where readers of the log stand.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::merkle::{Checkpoint, Hash};
use crate::model::{Actor, JournalRecord, Timestamp};

/// Makes and checks Ed25519 signatures.
pub trait Signer: Send + Sync + 'static {
    fn public_key(&self) -> [u8; 32];
    fn sign(&self, message: &[u8]) -> [u8; 64];
    /// Whether a signature by this key is right.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// Keeps the newest checkpoint where whoever restores the database does not restore it, too.
pub trait Witness: Send + Sync + 'static {
    /// The note that was kept last.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn read(&self) -> Result<Option<String>>;
    /// Keeps a note, durably, in place of the last.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&self, note: &str) -> Result<()>;
}

/// Turns the next checkpoint into a note; called within the transaction that seals.
pub trait Seal: Send + Sync + 'static {
    /// The origin for a log that has none.
    fn new_origin(&self) -> String;
    /// The signed note.
    fn sign(&self, checkpoint: &Checkpoint) -> String;
}

/// What one round of sealing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Records that became leaves; as many as were asked for if there may be more.
    pub records: usize,
    pub note: String,
}

/// The log's own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// Empty before the first record is sealed.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// Records of leaves before this one are gone; the journal record `cut` says so.
    pub first_kept: u64,
    /// The sequence of the record of the last cut.
    pub cut: Option<i64>,
}

/// One tile of the tree; see [`crate::merkle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTile {
    pub hashes: Vec<Hash>,
    /// On level 0: the sequences of the records, so that one that is gone has a name.
    pub sequences: Vec<i64>,
}

/// The sealed journal.
#[async_trait]
pub trait JournalLog: Send + Sync {
    /// Seals up to `limit` records that are not, in the order of their sequences: gives them the next leaves, adds their
    /// hashes to the tree and keeps a checkpoint, in one transaction. `None` if there is nothing to seal. Nodes that seal
    /// at the same time wait for each other.
    async fn seal(&self, limit: usize, at: Timestamp, seal: Arc<dyn Seal>) -> Result<Option<Sealed>>;
    /// Whether a record waits to be sealed.
    async fn has_unsealed(&self) -> Result<bool>;
    async fn log_state(&self) -> Result<LogState>;
    /// The records of leaves `from..to`, in order; those that were cut are not there.
    async fn list_leaves(&self, from: u64, to: u64) -> Result<Vec<JournalRecord>>;
    async fn find_record(&self, sequence: i64) -> Result<Option<JournalRecord>>;
    async fn find_tile(&self, level: u32, position: u64) -> Result<Option<StoredTile>>;
    /// Notes of checkpoints of more than `after` leaves, smallest first. Of the older ones some are kept only.
    async fn list_checkpoints(&self, after: u64, limit: usize) -> Result<Vec<(u64, String)>>;
    async fn newest_checkpoint(&self) -> Result<Option<String>>;
    /// Removes the records of the oldest leaves, at most `limit`, none of `before` or later, none of leaf `end` or later,
    /// and never the record of the last cut; their hashes stay. Answers how many; a record of the cut is journaled for
    /// `actor`.
    async fn cut_journal(&self, actor: &Actor, before: Timestamp, end: u64, limit: usize) -> Result<usize>;

    /// Where a reader stands, and whether it is `owner` who may move it until `until`. A new reader begins at `start`.
    async fn lease_cursor(
        &self,
        reader: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        start: u64,
    ) -> Result<Option<u64>>;
    /// All readers.
    async fn list_cursors(&self) -> Result<Vec<EventCursor>>;
    /// Moves a reader and settles deliveries, in one transaction, if `owner` holds the lease; answers whether it does.
    async fn settle(&self, reader: &str, owner: &str, batch: CursorBatch) -> Result<bool>;
    /// Failed deliveries that are due, oldest first.
    async fn list_due(&self, reader: &str, now: Timestamp, limit: usize) -> Result<Vec<Delivery>>;
    /// Whether deliveries of a package wait.
    async fn is_waiting(&self, reader: &str, package: &str) -> Result<bool>;
    /// Failed deliveries of one state after a leaf, in order.
    async fn list_deliveries(
        &self,
        reader: &str,
        state: DeliveryState,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>>;
    /// Lets dead deliveries be tried again: one, or all of the reader. Answers how many.
    async fn revive(&self, reader: &str, leaf: Option<u64>, now: Timestamp) -> Result<u64>;
}

/// A reader of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    pub reader: String,
    /// The next leaf to read.
    pub leaf: u64,
    pub owner: String,
    pub leased_until: Timestamp,
}

/// Whether a delivery is still tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Tried again, or waiting for an earlier one of its package.
    Waiting,
    /// Given up.
    Dead,
}

/// An event that could not be delivered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub leaf: u64,
    /// The package's ARN.
    pub package: String,
    /// Attempts so far.
    pub attempts: u32,
    /// The next attempt; `None` while an earlier event of the package waits.
    pub next_at: Option<Timestamp>,
    /// What went wrong last.
    pub error: String,
}

/// What became of the delivery of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the next of the package is due.
    Delivered { leaf: u64, package: String },
    /// To be tried again, or to wait for an earlier one.
    Failed(Delivery),
    /// Given up; the next of the package is due.
    Dead(Delivery),
}

/// What a reader did.
#[derive(Debug, Clone)]
pub struct CursorBatch {
    /// The next leaf to read.
    pub leaf: u64,
    pub outcomes: Vec<Outcome>,
    pub now: Timestamp,
}
