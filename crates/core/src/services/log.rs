//! The journal as a log that cannot be altered unnoticed: sealing it, proving that a record is in it, checking it.
//!
//! A change appends its record in its own transaction and is acknowledged; a moment later [`SealedJournal::run`] gives
//! the record the next leaf of the Merkle tree. Nobody who publishes waits for that.

mod prove;
mod verify;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::merkle::{Checkpoint, Hash, KeyName, SignedCheckpoint, fold, perfect, perfect_root};
use crate::model::{Actor, Clock, Timestamp};
use crate::ports::{DeliveryState, MetadataStore, Seal, Signer, Witness};

pub use prove::{ConsistencyProof, InclusionProof};
pub use verify::{LogProblem, LogReport};

/// Records sealed in one transaction: a few milliseconds.
const BATCH: usize = 256;
/// Records removed in one transaction.
const CUT_BATCH: usize = 1024;
/// How long new records wait to be sealed.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long sealing rests after a failure.
const REST: Duration = Duration::from_secs(5);

/// Seals, proves and checks.
pub struct SealedJournal {
    store: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
    /// `None` where the key is not at hand: nothing is sealed there and no signature checked.
    signer: Option<Arc<dyn Signer>>,
    witness: Arc<dyn Witness>,
    /// The checkpoint that was given to the witness last.
    witnessed: Mutex<u64>,
}

/// Signs with the node's key.
struct SealWith(Arc<dyn Signer>);

impl Seal for SealWith {
    fn new_origin(&self) -> String {
        // Unique is enough; the key's own beginning is where there is no randomness.
        let number = getrandom::u64().unwrap_or_else(|_| {
            let public = self.0.public_key();
            public.first_chunk().copied().map_or(0, u64::from_be_bytes)
        });
        format!("larder-journal/{number:016x}")
    }

    fn sign(&self, checkpoint: &Checkpoint) -> String {
        let key = KeyName { name: checkpoint.origin.clone(), public: self.0.public_key() };
        checkpoint.note(&key, &self.0.sign(checkpoint.body().as_bytes()))
    }
}

fn parse(note: &str) -> Result<SignedCheckpoint> {
    SignedCheckpoint::parse(note).ok_or_else(|| Error::internal("a checkpoint of the journal is not a signed note"))
}

impl SealedJournal {
    /// Over these ports.
    pub fn new(
        store: Arc<dyn MetadataStore>,
        clock: Arc<dyn Clock>,
        signer: Option<Arc<dyn Signer>>,
        witness: Arc<dyn Witness>,
    ) -> Self {
        Self { store, clock, signer, witness, witnessed: Mutex::default() }
    }

    /// Seals whatever comes, until the task is aborted.
    pub async fn run(&self) {
        let mut complained = false;
        loop {
            let pause = match self.seal_all().await {
                Ok(_) => {
                    complained = false;
                    INTERVAL
                }
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::error!(%error, cause, "the journal is not sealed; `larder verify` says more");
                    }
                    REST
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Seals every record that is not, then gives the newest checkpoint to the witness. Answers how many were sealed.
    ///
    /// # Errors
    /// When the database does not answer, or holds another log than the one that was witnessed.
    pub async fn seal_all(&self) -> Result<usize> {
        let Some(signer) = &self.signer else { return Ok(0) };
        let mut sealed = 0;
        while self.store.has_unsealed().await? {
            let seal = Arc::new(SealWith(Arc::clone(signer)));
            let Some(round) = self.store.seal(BATCH, self.clock.now(), seal).await? else { break };
            sealed += round.records;
            if round.records < BATCH {
                break;
            }
        }
        self.attest(signer).await?;
        Ok(sealed)
    }

    /// Signs the newest checkpoint for the witness, if the log still begins with what it was given last.
    async fn attest(&self, signer: &Arc<dyn Signer>) -> Result<()> {
        let Some(note) = self.store.newest_checkpoint().await? else {
            return match self.witness.read()? {
                Some(note) => Err(rolled_back(&parse(&note)?.checkpoint, 0)),
                None => Ok(()),
            };
        };
        let newest = parse(&note)?.checkpoint;
        if *self.witnessed.lock().unwrap_or_else(PoisonError::into_inner) == newest.size {
            return Ok(());
        }
        if let Some(note) = self.witness.read()? {
            let last = parse(&note)?.checkpoint;
            if last.size > newest.size {
                return Err(rolled_back(&last, newest.size));
            }
            if last.origin != newest.origin || self.root_at(last.size).await? != last.root {
                let message =
                    format!("the first {} records are not those of the checkpoint of {}", last.size, last.at.rfc3339());
                return Err(Error::internal(message));
            }
        }
        self.witness.write(&SealWith(Arc::clone(signer)).sign(&newest))?;
        *self.witnessed.lock().unwrap_or_else(PoisonError::into_inner) = newest.size;
        Ok(())
    }

    /// The root of the tree over the first leaves, from a few tiles.
    async fn root_at(&self, size: u64) -> Result<Hash> {
        self.root_of(0..size).await
    }

    /// The root of a subtree.
    async fn root_of(&self, range: std::ops::Range<u64>) -> Result<Hash> {
        let mut roots = Vec::new();
        for node in perfect(range) {
            let (level, position, hashes) = node.place();
            let tile = self.store.find_tile(level, position).await?;
            let hashes = tile.as_ref().and_then(|tile| tile.hashes.get(hashes));
            let hashes = hashes.ok_or_else(|| {
                Error::internal(format!("tile {position} of level {level} of the journal's tree is not whole"))
            })?;
            roots.push(perfect_root(hashes));
        }
        Ok(fold(&roots))
    }

    /// Removes sealed records that are older than `before` and that every reader has read, none of leaf `end` or later;
    /// their hashes stay. Answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn cut(&self, before: Timestamp, readers: &[String], end: u64) -> Result<u64> {
        let actor = Actor {
            principal: "larder".to_owned(),
            address: None,
            operation: "CutJournal",
            at: self.clock.now(),
            request_id: "retention".to_owned(),
            client: None,
        };
        let mut removed = 0;
        loop {
            let cursors = self.store.list_cursors().await?;
            let read = cursors.iter().filter(|cursor| readers.contains(&cursor.reader)).map(|cursor| cursor.leaf);
            let mut end = read.min().unwrap_or(u64::MAX).min(end);
            for reader in readers {
                let waiting = self.store.list_deliveries(reader, DeliveryState::Waiting, None, 1).await?;
                end = end.min(waiting.first().map_or(u64::MAX, |delivery| delivery.leaf));
            }
            let round = self.store.cut_journal(&actor, before, end, CUT_BATCH).await?;
            removed += round as u64;
            if round < CUT_BATCH {
                return Ok(removed);
            }
            // The record of a cut must be sealed before the next may refer to it.
            self.seal_all().await?;
        }
    }
}

fn rolled_back(last: &Checkpoint, size: u64) -> Error {
    let (leaves, at) = (last.size, last.at.rfc3339());
    Error::internal(format!(
        "the database is older than the checkpoint of {at}: that has {leaves} records, this {size}"
    ))
}
