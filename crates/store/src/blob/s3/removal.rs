//! Putting blobs in place and removing old ones at the same time, from any number of nodes.
//!
//! S3 cannot remove an object on the condition that it is old, so between a collector's look at an object and its removal
//! somebody may put the same bytes there again. The two agree by marks, objects `{prefix/}condemned/{address}/{random}`:
//!
//! ```text
//! collector                                             publisher
//! 1 puts its mark                                       1 puts the object
//! 2 gives up if there is another's mark                 2 waits until there is no mark
//! 3 looks at the object, removes it if it is old        3 looks whether the object is there, else puts it again
//! 4 removes its mark
//! ```
//!
//! S3 shows every write to every later read. A collector whose mark the publisher does not see has either not looked yet,
//! and will find the object new, or has removed it already, which step 3 finds. A publisher whose object was not there
//! before step 1 leaves out the others: the only collector at work did not see it either.

use std::time::{Duration, UNIX_EPOCH};

use larder_core::model::Timestamp;
use larder_core::ports::StagedBlob;
use larder_core::{Error, Result};
use rusty_s3::actions::list_objects_v2::ListObjectsContent;

use super::requests::{Object, ObjectStore};
use super::unavailable;
use super::upload::upload;

/// How long a collector takes for its first three steps at most. One that needs longer leaves its mark behind.
const REMOVAL_LIMIT: Duration = Duration::from_secs(10);

/// How long publishers wait for a mark. It is older than [`REMOVAL_LIMIT`] then, and its collector has given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Marks older than this, by the store's own clock, do not keep collectors from their work.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Between two looks at marks.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a publisher puts an object that is removed again and again. Only several collectors in a row, each with a
/// mark from before, could do that.
const ATTEMPTS: usize = 5;

/// Where a blob and its marks are.
pub(super) struct Place {
    pub(super) key: String,
    /// What the keys of its marks start with.
    pub(super) marks: String,
}

/// Puts a blob in place. When this answers it is there, new, and no removal that began earlier is still to come.
pub(super) async fn put(store: &ObjectStore, place: &Place, staged: &StagedBlob) -> Result<()> {
    let mut before = store.find(&place.key).await?;
    let was_there = before.is_some();
    for _ in 0..ATTEMPTS {
        upload(store, &place.key, staged, before.as_ref()).await?;
        if !was_there {
            return Ok(());
        }
        wait_for_collectors(store, place).await?;
        before = store.find(&place.key).await?;
        if before.is_some() {
            return Ok(());
        }
    }
    Err(unavailable("the object store loses a blob as soon as it is stored", place.key.clone()))
}

async fn wait_for_collectors(store: &ObjectStore, place: &Place) -> Result<()> {
    let waiting = async {
        while !marks(store, place).await?.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or(Ok(()))
}

async fn marks(store: &ObjectStore, place: &Place) -> Result<Vec<ListObjectsContent>> {
    Ok(store.list(&place.marks, None, 100).await?.contents)
}

/// Removes a blob that was stored before an instant; answers whether there was one. It stays also when another collector
/// is at work on it.
pub(super) async fn remove(store: &ObjectStore, place: &Place, stored_before: Timestamp) -> Result<bool> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Error::internal(error.to_string()))?;
    let mark = format!("{}{}", place.marks, hex::encode(random));
    let removal = async {
        store.put_empty(&mark).await?;
        if has_rival(store, place, &mark).await? {
            return Ok(false);
        }
        let is_old = store.find(&place.key).await?.is_some_and(|object| is_before(&object, stored_before));
        if is_old {
            store.delete_once(&place.key).await?;
        }
        Ok(is_old)
    };
    let Ok(outcome) = tokio::time::timeout(REMOVAL_LIMIT, removal).await else {
        return Err(unavailable("the object store takes too long to remove a blob", mark));
    };
    if outcome.is_ok() {
        store.delete(&mark).await?;
    }
    // After a failure nobody knows whether the removal is still to come: the mark stays, and publishers wait for it.
    outcome
}

/// Whether another collector is at work. Marks that were left behind are removed.
async fn has_rival(store: &ObjectStore, place: &Place, mine: &str) -> Result<bool> {
    let marks = marks(store, place).await?;
    let put_at = |mark: &ListObjectsContent| mark.last_modified.as_deref().and_then(Timestamp::parse_rfc3339);
    let now = marks.iter().find(|mark| mark.key == mine).and_then(put_at);
    let now = now.ok_or_else(|| Error::internal("the object store does not list what was just put"))?;
    let mut rivals = false;
    for mark in marks.iter().filter(|mark| mark.key != mine) {
        if put_at(mark).is_some_and(|at| now.since(at) > ABANDONED) {
            store.delete(&mark.key).await?;
        } else {
            rivals = true;
        }
    }
    Ok(rivals)
}

/// Whether an object was certainly stored before an instant: its time is rounded down to the second. It is the store's
/// time; by how much that differs from ours, a grace period has to be longer.
fn is_before(object: &Object, instant: Timestamp) -> bool {
    let Some(modified_at) = object.modified_at else { return false };
    let since_epoch = modified_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(0).plus(since_epoch + Duration::from_secs(1)) <= instant
}

#[cfg(test)]
mod tests;
