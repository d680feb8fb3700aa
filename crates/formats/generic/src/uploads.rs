//! Uploads in pieces that are under way.
//!
//! They live in this process and in its staging folder: a restart, or another node of a cluster, does not know them and
//! says so with 404. What was received stays until the upload ends, is cancelled or rests for an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use larder_core::Error;
use larder_core::model::{Clock, Principal, RepositoryId, Timestamp};
use larder_core::ports::Staging;

use crate::address::AssetAddress;
use crate::error::GenericError;

/// How long an upload may rest.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How often resting ones are looked for.
const ROUND: Duration = Duration::from_secs(300);
/// Uploads of one principal at once: each holds an open file and what it has received.
const PER_PRINCIPAL: usize = 32;
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
    pub(crate) fn begin(&self, claim: &Claim<'_>, staging: Box<dyn Staging>) -> Result<String, GenericError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        let id = hex::encode(bytes);
        let now = self.clock.now();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| !session.is_abandoned(now));
        let own = sessions.values().filter(|session| session.owner == *claim.owner).count();
        if own >= PER_PRINCIPAL || sessions.len() >= AT_ONCE {
            return Err(Error::Throttled { retry_after_seconds: 60 }.into());
        }
        if sessions.is_empty() {
            let (sessions, clock) = (Arc::downgrade(&self.sessions), Arc::clone(&self.clock));
            tokio::spawn(watch(sessions, clock));
        }
        let session = Session {
            owner: claim.owner.clone(),
            repository: claim.repository,
            address: claim.address.clone(),
            rests_since: Mutex::new(now),
            staging: tokio::sync::Mutex::new(Some(staging)),
        };
        sessions.insert(id.clone(), Arc::new(session));
        Ok(id)
    }

    /// The upload that was begun by the same principal for the same asset.
    pub(crate) fn find(&self, id: &str, claim: &Claim<'_>) -> Result<Arc<Session>, GenericError> {
        let now = self.clock.now();
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sessions.get(id).filter(|session| {
            session.owner == *claim.owner
                && session.repository == claim.repository
                && session.address == *claim.address
                && !session.is_abandoned(now)
        });
        let session = found.cloned().ok_or_else(|| {
            GenericError::not_found(
                "this upload is not known: it has ended, rested for an hour or was interrupted by a restart of the \
                 server; begin it again with POST and ?uploads",
            )
        })?;
        *session.rests_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(session)
    }

    /// Forgets an upload. What it has received is removed with the last request that uses it.
    pub(crate) fn end(&self, id: &str) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Session {
    /// Nobody has asked for it, or written to it, for too long.
    fn is_abandoned(&self, now: Timestamp) -> bool {
        let rests_since = *self.rests_since.lock().unwrap_or_else(PoisonError::into_inner);
        now >= rests_since.plus(PATIENCE) && self.staging.try_lock().is_ok()
    }
}

/// Forgets abandoned uploads until there are none left.
async fn watch(sessions: Weak<Mutex<HashMap<String, Arc<Session>>>>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(ROUND).await;
        let Some(sessions) = sessions.upgrade() else { return };
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.now();
        sessions.retain(|_, session| !session.is_abandoned(now));
        if sessions.is_empty() {
            return;
        }
    }
}
