//! Uploads in pieces that are under way.
//!
//! What was received stays in this machine's staging folder until the upload ends, is cancelled or rests for an hour. It
//! outlives a restart: whose upload it is and of which asset is in the file's name, as a hash beside the upload's id, and
//! what it holds is read again. Another node of a cluster does not know it and says so with 404.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use larder_core::Error;
use larder_core::model::{Clock, Principal, RepositoryId, Timestamp};
use larder_core::ports::{BlobStore, KEPT_FOR, Staging};
use sha2::{Digest as _, Sha256};

use crate::address::AssetAddress;
use crate::error::GenericError;

/// How often resting ones are looked for.
const ROUND: Duration = Duration::from_secs(300);
/// Uploads of one principal at once: each holds an open file and what it has received.
const PER_PRINCIPAL: usize = 32;
/// Of an id.
const ID_BYTES: usize = 16;
/// Uploads at once.
const AT_ONCE: usize = 512;

/// An upload under way.
pub(crate) struct Session {
    owner: Principal,
    repository: RepositoryId,
    address: AssetAddress,
    rests_since: Mutex<Timestamp>,
    /// `None` once it has ended. Locked by the request that writes.
    pub(crate) staging: tokio::sync::Mutex<Option<Box<dyn Staging>>>,
}

/// All of them, by id.
pub(crate) struct Uploads {
    clock: Arc<dyn Clock>,
    sessions: Arc<Mutex<HashMap<String, Arc<Session>>>>,
}

/// Who uploads what.
pub(crate) struct Claim<'a> {
    pub(crate) owner: &'a Principal,
    pub(crate) repository: RepositoryId,
    pub(crate) address: &'a AssetAddress,
}

impl Uploads {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, sessions: Arc::default() }
    }

    /// Begins an upload and answers its id, which cannot be guessed.
    pub(crate) async fn begin(&self, blobs: &dyn BlobStore, claim: &Claim<'_>) -> Result<String, GenericError> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        let id = hex::encode(bytes);
        let staging = blobs.stage_kept(&claim.file_name(&id)).await?;
        self.add(&id, claim, staging)?;
        Ok(id)
    }

    /// Takes an upload in, unless there are too many.
    fn add(&self, id: &str, claim: &Claim<'_>, staging: Box<dyn Staging>) -> Result<Arc<Session>, GenericError> {
        let now = self.clock.now();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| !session.end_if_abandoned(now));
        if let Some(session) = sessions.get(id) {
            // Two requests went on with it at once; dropped, the file stays.
            return Ok(Arc::clone(session));
        }
        let own = sessions.values().filter(|session| session.owner == *claim.owner).count();
        if own >= PER_PRINCIPAL || sessions.len() >= AT_ONCE {
            staging.discard();
            return Err(Error::Throttled { retry_after_seconds: 60 }.into());
        }
        if sessions.is_empty() {
            let (sessions, clock) = (Arc::downgrade(&self.sessions), Arc::clone(&self.clock));
            tokio::spawn(watch(sessions, clock));
        }
        let session = Arc::new(Session {
            owner: claim.owner.clone(),
            repository: claim.repository,
            address: claim.address.clone(),
            rests_since: Mutex::new(now),
            staging: tokio::sync::Mutex::new(Some(staging)),
        });
        sessions.insert(id.to_owned(), Arc::clone(&session));
        Ok(session)
    }

    /// The upload that was begun by the same principal for the same asset, also if by an earlier process.
    pub(crate) async fn find(
        &self,
        blobs: &dyn BlobStore,
        id: &str,
        claim: &Claim<'_>,
    ) -> Result<Arc<Session>, GenericError> {
        let unknown = || {
            GenericError::not_found(
                "this upload is not known: it has ended, rested for an hour or was begun on another node; begin it again \
                 with POST and ?uploads",
            )
        };
        let known = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let session = match known {
            Some(session) => session,
            None if id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                let staging = blobs.resume_kept(&claim.file_name(id)).await?.ok_or_else(unknown)?;
                self.add(id, claim, staging)?
            }
            None => return Err(unknown()),
        };
        let now = self.clock.now();
        if !session.is_claimed_by(claim) || session.is_abandoned(now) {
            return Err(unknown());
        }
        *session.rests_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(session)
    }

    /// Forgets an upload that was finished or discarded.
    pub(crate) fn end(&self, id: &str) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Claim<'_> {
    /// What the file of an upload is called. Who does not know all of it does not find it.
    fn file_name(&self, id: &str) -> String {
        let claim = format!("{}\n{}\n{}", self.owner.arn(), self.repository.0, self.address.path());
        format!("{id}-{}", hex::encode(&Sha256::digest(claim)[..ID_BYTES]))
    }
}

impl Session {
    fn is_claimed_by(&self, claim: &Claim<'_>) -> bool {
        self.owner == *claim.owner && self.repository == claim.repository && self.address == *claim.address
    }

    /// Removes what was received, if it is abandoned.
    fn end_if_abandoned(&self, now: Timestamp) -> bool {
        let is_abandoned = self.is_abandoned(now);
        if is_abandoned
            && let Ok(mut staging) = self.staging.try_lock()
            && let Some(staging) = staging.take()
        {
            staging.discard();
        }
        is_abandoned
    }

    /// Nobody has asked for it, or written to it, for too long.
    fn is_abandoned(&self, now: Timestamp) -> bool {
        let rests_since = *self.rests_since.lock().unwrap_or_else(PoisonError::into_inner);
        now >= rests_since.plus(KEPT_FOR) && self.staging.try_lock().is_ok()
    }
}

/// Forgets abandoned uploads until there are none left.
async fn watch(sessions: Weak<Mutex<HashMap<String, Arc<Session>>>>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(ROUND).await;
        let Some(sessions) = sessions.upgrade() else { return };
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.now();
        sessions.retain(|_, session| !session.end_if_abandoned(now));
        if sessions.is_empty() {
            return;
        }
    }
}
