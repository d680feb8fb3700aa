//! Checking the whole log: every record against its leaf, the leaves against the tree, the tree against what was signed
//! and against the checkpoint that is kept outside of the database.

use std::collections::VecDeque;
use std::fmt;

use super::{SealedJournal, parse};
use crate::error::Result;
use crate::merkle::{Checkpoint, Edge, FullTile, Hash, KeyName, SignedCheckpoint, TILE, leaf_hash};
use crate::model::{JournalRecord, Timestamp};
use crate::ports::StoredTile;

/// Checkpoints read at once.
const PAGE: usize = 64;
/// More problems are counted, but not kept.
const PROBLEMS: usize = 10_000;

/// What was found.
#[derive(Debug, Default)]
pub struct LogReport {
    /// Sealed records.
    pub leaves: u64,
    /// Of these, how many were cut by retention.
    pub cut: u64,
    pub checkpoints: u64,
    /// Checkpoints that only other nodes signed.
    pub foreign: u64,
    /// Whether a checkpoint outside of the database was there to compare with.
    pub witnessed: bool,
    pub problems: Vec<LogProblem>,
    pub more_problems: u64,
}

/// Something that was done to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogProblem {
    Changed {
        sequence: i64,
        leaf: u64,
    },
    /// The sequence stands beside the hash; 0 if that is gone, too.
    Dropped {
        sequence: i64,
        leaf: u64,
    },
    /// A second record of a leaf.
    Added {
        sequence: i64,
        leaf: u64,
    },
    /// Hashes of the tree, over the records with these sequences.
    Tree {
        level: u32,
        position: u64,
        first: i64,
        last: i64,
    },
    /// The leaves after `good` do not make the root that the checkpoint of `size` leaves signed.
    Root {
        good: u64,
        size: u64,
        at: Timestamp,
    },
    Note {
        size: u64,
        why: &'static str,
    },
    RolledBack {
        size: u64,
        at: Timestamp,
        found: u64,
    },
    /// The log begins otherwise than the checkpoint that is kept outside of the database.
    Rewritten {
        size: u64,
        at: Timestamp,
    },
    /// Records are missing from the beginning, and no record of a cut says so.
    Cut {
        first_kept: u64,
    },
}

impl fmt::Display for LogProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { sequence, leaf } => {
                write!(f, "journal record {sequence} was changed: it is not what was sealed as leaf {leaf}")
            }
            Self::Dropped { sequence: 0, leaf } => write!(f, "the journal record of leaf {leaf} was dropped"),
            Self::Dropped { sequence, leaf } => write!(f, "journal record {sequence} was dropped: leaf {leaf}"),
            Self::Added { sequence, leaf } => {
                write!(f, "journal record {sequence} was added: leaf {leaf} is another record")
            }
            Self::Tree { level, position, first, last } => write!(
                f,
                "hashes of the journal's tree were changed: tile {position} of level {level}, over the records {first} \
                 to {last}"
            ),
            Self::Root { good, size, at } => write!(
                f,
                "the journal is not what was signed at {}: something between leaf {good} and leaf {} was changed with \
                 its hash",
                at.rfc3339(),
                size - 1
            ),
            Self::Note { size, why } => write!(f, "the checkpoint of {size} journal records {why}"),
            Self::RolledBack { size, at, found } => write!(
                f,
                "the database was rolled back: at {} its journal had {size} sealed records, now it has {found}",
                at.rfc3339()
            ),
            Self::Rewritten { size, at } => write!(
                f,
                "the journal was rewritten: its first {size} records are not those of the checkpoint of {}, which is \
                 kept outside of the database",
                at.rfc3339()
            ),
            Self::Cut { first_kept } => write!(
                f,
                "the journal records before leaf {first_kept} are gone, and no record says that retention removed them"
            ),
        }
    }
}

impl LogReport {
    fn add(&mut self, problem: LogProblem) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }
}

/// Checkpoints in order of size, read in pages.
struct Checkpoints {
    page: VecDeque<(u64, String)>,
    /// The size that was read last; `None` at the end.
    after: Option<u64>,
    /// All leaves up to here are proven.
    good: u64,
    /// No further root is compared once one was wrong.
    broken: bool,
}

impl SealedJournal {
    /// Checks everything that is sealed. Memory does not grow with the journal, but for the problems found.
    ///
    /// # Errors
    /// When the database does not answer, or the outside checkpoint cannot be read.
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<LogReport> {
        let mut report = LogReport::default();
        // The outside checkpoint follows the database, so it is read first.
        let witnessed = self.witness.read()?.map(|note| parse(&note)).transpose()?;
        let newest = self.store.newest_checkpoint().await?.map(|note| parse(&note)).transpose()?;
        let size = newest.as_ref().map_or(0, |newest| newest.checkpoint.size);
        let state = self.store.log_state().await?;
        report.leaves = size;
        report.cut = state.first_kept.min(size);
        self.check_cut(state.first_kept, state.cut, &mut report).await?;
        let witnessed = self.check_witness(witnessed, size, &mut report);

        let mut checkpoints = Checkpoints { page: VecDeque::new(), after: Some(0), good: 0, broken: false };
        let mut edge = Edge::default();
        let mut full = Vec::new();
        while edge.size() < size {
            let position = edge.size() / TILE as u64;
            let end = size.min(edge.size() + TILE as u64);
            let tile = self.store.find_tile(0, position).await?;
            let tile = tile.unwrap_or(StoredTile { hashes: Vec::new(), sequences: Vec::new() });
            if (tile.hashes.len() as u64) < end - edge.size() {
                let (first, last) = (tile.sequences.first().copied(), tile.sequences.last().copied());
                let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
                report.add(LogProblem::Tree { level: 0, position, first, last });
            }
            let records = self.store.list_leaves(edge.size(), end).await?;
            let mut records = records.iter().peekable();
            for leaf in edge.size()..end {
                let at = usize::try_from(leaf % TILE as u64).unwrap_or(0);
                let mut found: Option<&JournalRecord> = None;
                while let Some(record) = records.next_if(|record| record.leaf == Some(leaf)) {
                    match found {
                        None => found = Some(record),
                        Some(_) => report.add(LogProblem::Added { sequence: record.sequence, leaf }),
                    }
                }
                let hash = found.map(|record| leaf_hash(&record.leaf_bytes()));
                let sealed = tile.hashes.get(at).copied();
                match (hash, sealed, found) {
                    (Some(hash), Some(sealed), Some(record)) if hash != sealed => {
                        report.add(LogProblem::Changed { sequence: record.sequence, leaf });
                    }
                    (None, _, _) if leaf >= state.first_kept => {
                        let sequence = tile.sequences.get(at).copied().unwrap_or(0);
                        report.add(LogProblem::Dropped { sequence, leaf });
                    }
                    _ => {}
                }
                edge.append(sealed.or(hash).unwrap_or_default(), &mut full);
                self.check_checkpoints(&edge, &mut checkpoints, &mut report).await?;
                if let Some(witnessed) = &witnessed
                    && witnessed.size == edge.size()
                    && witnessed.root != edge.root()
                {
                    report.add(LogProblem::Rewritten { size: witnessed.size, at: witnessed.at });
                }
            }
            for tile in full.drain(..).filter(|tile| tile.level > 0) {
                self.check_tile(&tile, &mut report).await?;
            }
            progress(edge.size());
        }
        for (level, hashes) in (0..).zip(edge.levels()).skip(1).filter(|(_, hashes)| !hashes.is_empty()) {
            let tile = FullTile { level, position: Edge::position(size, level), hashes: hashes.clone() };
            self.check_tile(&tile, &mut report).await?;
        }
        Ok(report)
    }

    /// Compares the outside checkpoint's size; answers what its root must be compared with.
    fn check_witness(
        &self,
        witnessed: Option<SignedCheckpoint>,
        size: u64,
        report: &mut LogReport,
    ) -> Option<Checkpoint> {
        let witnessed = witnessed?;
        report.witnessed = true;
        let checkpoint = &witnessed.checkpoint;
        if self.is_signed(&witnessed) != Some(true) {
            report.add(LogProblem::Note {
                size: checkpoint.size,
                why: "outside of the database is not signed by our key",
            });
            return None;
        }
        if checkpoint.size > size {
            report.add(LogProblem::RolledBack { size: checkpoint.size, at: checkpoint.at, found: size });
        }
        Some(witnessed.checkpoint)
    }

    /// Whether our key's signature is right; `None` if there is no signature by our key, or no key.
    fn is_signed(&self, signed: &SignedCheckpoint) -> Option<bool> {
        let signer = self.signer.as_ref()?;
        let key = KeyName { name: signed.checkpoint.origin.clone(), public: signer.public_key() };
        Some(signer.verify(signed.body.as_bytes(), signed.signature_by(&key)?))
    }

    /// Compares the checkpoints of the edge's size, if there are any.
    async fn check_checkpoints(
        &self,
        edge: &Edge,
        checkpoints: &mut Checkpoints,
        report: &mut LogReport,
    ) -> Result<()> {
        loop {
            if checkpoints.page.is_empty()
                && let Some(after) = checkpoints.after
            {
                checkpoints.page = self.store.list_checkpoints(after, PAGE).await?.into();
                checkpoints.after = checkpoints.page.back().map(|(size, _)| *size);
            }
            match checkpoints.page.front() {
                Some((size, _)) if *size <= edge.size() => {}
                _ => return Ok(()),
            }
            let Some((size, note)) = checkpoints.page.pop_front() else { return Ok(()) };
            report.checkpoints += 1;
            let Some(signed) = SignedCheckpoint::parse(&note).filter(|signed| signed.checkpoint.size == size) else {
                report.add(LogProblem::Note { size, why: "is not a signed note" });
                continue;
            };
            match self.is_signed(&signed) {
                Some(true) => {}
                Some(false) => report.add(LogProblem::Note { size, why: "has a wrong signature" }),
                None => report.foreign += 1,
            }
            if !checkpoints.broken && signed.checkpoint.root != edge.root() {
                checkpoints.broken = true;
                report.add(LogProblem::Root { good: checkpoints.good, size, at: signed.checkpoint.at });
            }
            checkpoints.good = size;
        }
    }

    /// Compares a tile of roots with what the tiles below make.
    async fn check_tile(&self, expected: &FullTile, report: &mut LogReport) -> Result<()> {
        let stored = self.store.find_tile(expected.level, expected.position).await?;
        let stored = stored.map(|tile| tile.hashes).unwrap_or_default();
        for (index, hash) in (0..).zip(&expected.hashes) {
            let same = |other: &Hash| other == hash;
            if !stored.get(usize::try_from(index).unwrap_or(0)).is_some_and(same) {
                let below = expected.position * TILE as u64 + index;
                let tile = self.store.find_tile(expected.level - 1, below).await?;
                let sequences = tile.map(|tile| tile.sequences).unwrap_or_default();
                report.add(LogProblem::Tree {
                    level: expected.level - 1,
                    position: below,
                    first: sequences.first().copied().unwrap_or(0),
                    last: sequences.last().copied().unwrap_or(0),
                });
            }
        }
        Ok(())
    }

    /// Whether a record says that the beginning was cut.
    async fn check_cut(&self, first_kept: u64, cut: Option<i64>, report: &mut LogReport) -> Result<()> {
        if first_kept == 0 {
            return Ok(());
        }
        let record = match cut {
            Some(cut) => self.store.find_record(cut).await?,
            None => None,
        };
        let says_so = |record: JournalRecord| {
            record.operation == "CutJournal" && record.after.as_deref() == Some(format!("leaf {first_kept}").as_str())
        };
        if !record.is_some_and(says_so) {
            report.add(LogProblem::Cut { first_kept });
        }
        Ok(())
    }
}
