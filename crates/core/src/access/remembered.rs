//! What was allowed lately.

use std::net::IpAddr;

use moka::sync::Cache;

use super::{Action, Caller};
use crate::model::RepositoryId;
use crate::ports::Varies;

/// Allowed questions remembered at most.
const REMEMBERED: u64 = 200_000;

/// Allowed actions on repositories as a whole: only those repeat often enough to be worth remembering.
pub(super) struct Decisions(Cache<Key, u64>);

/// To whom what was allowed where, and to requests from where if that was looked at.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    principal: String,
    action: Action,
    repository: RepositoryId,
    /// Address, and whether the connection is encrypted.
    peer: Option<(Option<IpAddr>, bool)>,
}

impl Decisions {
    pub(super) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }

    /// Whether this was allowed under the same control generation: to everybody with these credentials, or to them from
    /// there.
    pub(super) fn find(
        &self,
        caller: &Caller,
        action: Action,
        repository: RepositoryId,
        generation: u64,
    ) -> Option<Varies> {
        let mut key = key(caller, action, repository);
        if self.0.get(&key) == Some(generation) {
            return Some(Varies::Never);
        }
        key.peer = Some(peer(caller));
        (self.0.get(&key) == Some(generation)).then_some(Varies::WithPeer)
    }

    /// Remembers that it was allowed, for those to whom that applies.
    pub(super) fn put(
        &self,
        caller: &Caller,
        action: Action,
        repository: RepositoryId,
        generation: u64,
        varies: Varies,
    ) {
        let key = key(caller, action, repository);
        match varies {
            Varies::Never => self.0.insert(key, generation),
            Varies::WithPeer => self.0.insert(Key { peer: Some(peer(caller)), ..key }, generation),
            Varies::WithRequest => {}
        }
    }
}

fn key(caller: &Caller, action: Action, repository: RepositoryId) -> Key {
    Key { principal: caller.principal.decision_key().to_owned(), action, repository, peer: None }
}

/// Where a request came from, as the conditions on that see it.
fn peer(caller: &Caller) -> (Option<IpAddr>, bool) {
    (caller.address, caller.secure_transport)
}
