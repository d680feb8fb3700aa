//! Reads that were answered lately and are answered again without asking anybody.
//!
//! Everything that decides about a read comes from the database, where nothing was committed as long as the epoch is the
//! same: whom a token stands for, what that user may do, which repository a name means, what a document or an asset is.
//! What else decides is part of the key (path, query, the address that was asked for, `Authorization`, `Accept`, and the
//! peer where a policy looks at that), or ends the memory by time, or keeps an answer from being remembered at all: a
//! policy that looks at other circumstances of a request, an asset that is still to be fetched or retained.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use larder_core::access::{Caller, Via};
use larder_core::model::{AccountId, Timestamp, TokenId};
use larder_core::services::{Effort, Throttle};

use super::Endpoint;
use crate::log::{self, Asker};
use crate::peer::PeerInfo;
use crate::repeat::Repeatable;
use crate::response::Response;
use crate::server::Ends;

/// Answers remembered at most. One is some hundreds of bytes: bodies stay in the caches of documents and blobs.
const SLOTS: usize = 8192;
/// A longer key is not remembered.
const LONGEST_KEY_BYTES: usize = 4096;

/// What decides about a read, besides the database. It has no `Debug`: it holds a token.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    /// Path and query, authority, base address, `Authorization`, `Accept`.
    texts: [&'a [u8]; 5],
    /// Counts only for answers that a policy gave after looking at it.
    peer: Peer,
}

/// Who is at the other end of the connection, as policies see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Peer {
    address: IpAddr,
    secure: bool,
}

impl<'a> Key<'a> {
    /// The key of a request that may be answered from memory: GET or HEAD, with credentials, each header once. What a
    /// trusted proxy says of its client is in `behind`; without one, `Host` says what was asked for.
    pub(super) fn of(parts: &'a Parts, ends: Ends, behind: Option<&'a PeerInfo>) -> Option<Self> {
        if !matches!(parts.method, Method::GET | Method::HEAD) || parts.uri.authority().is_some() {
            return None;
        }
        let path = parts.uri.path_and_query()?.as_str().as_bytes();
        let [host, authorization, accept] = [HOST, AUTHORIZATION, ACCEPT].map(|name| single(&parts.headers, &name));
        let direct = Peer { address: ends.remote.ip(), secure: ends.is_encrypted };
        let (authority, base, peer) = match behind {
            None => (host??, if ends.is_encrypted { b"s".as_slice() } else { b"" }, direct),
            Some(behind) => (behind.authority.as_bytes(), behind.base_url.as_bytes(), Peer::of(behind)),
        };
        let texts = [path, authority, base, authorization??, accept?.unwrap_or_default()];
        (texts.iter().map(|text| text.len()).sum::<usize>() <= LONGEST_KEY_BYTES).then_some(Self { texts, peer })
    }

    pub(super) fn to_owned(self) -> OwnedKey {
        OwnedKey { texts: self.texts.concat().into(), lengths: self.texts.map(<[u8]>::len), peer: self.peer }
    }
}

impl Peer {
    fn of(info: &PeerInfo) -> Self {
        Self { address: info.address, secure: info.secure }
    }
}

/// `Some(None)` if there is none, `None` if there are several.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a [u8]>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::as_bytes);
    values.next().is_none().then_some(first)
}

/// A [`Key`] that outlives its request, in one piece of memory.
pub(super) struct OwnedKey {
    /// The texts one after the other.
    texts: Box<[u8]>,
    lengths: [usize; 5],
    peer: Peer,
}

impl OwnedKey {
    fn borrow(&self) -> Key<'_> {
        let mut rest = &*self.texts;
        let texts = self.lengths.map(|length| {
            let (text, after) = rest.split_at_checked(length).unwrap_or_default();
            rest = after;
            text
        });
        Key { texts, peer: self.peer }
    }
}

/// An answer and under which epoch it was given.
pub(super) struct Memory {
    key: OwnedKey,
    epoch: u64,
    repeatable: Arc<Repeatable>,
    remembered: Remembered,
}

/// What goes with an answer whenever it is given.
#[derive(Default)]
pub(super) struct Remembered {
    /// For the access log.
    pub(super) asker: Option<Asker>,
    /// For the rates, if there are any.
    pub(super) spender: Option<Spender>,
}

/// Whose rate a request is counted against; travels in the answer's extensions.
#[derive(Clone)]
pub(super) struct Spender {
    token: TokenId,
    account: AccountId,
}

impl Spender {
    /// `None` for who presents no token.
    pub(super) fn of(caller: &Caller) -> Option<Self> {
        match &caller.via {
            Via::Token { id, .. } => Some(Self { token: id.clone(), account: caller.principal.account.clone() }),
            Via::Signature(_) | Via::Session(_) | Via::WebIdentity | Via::Machine => None,
        }
    }

    /// Counts a request.
    pub(super) fn spend(&self, throttle: &Throttle, method: &Method) -> larder_core::Result<()> {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        throttle.count_request(&self.token, &self.account, if reads { Effort::Read } else { Effort::Write })
    }
}

impl Memory {
    pub(super) fn repeatable(&self) -> &Repeatable {
        &self.repeatable
    }

    /// For the access log.
    pub(super) fn asker(&self) -> Option<&Asker> {
        self.remembered.asker.as_ref()
    }

    /// For the rates.
    pub(super) fn spender(&self) -> Option<&Spender> {
        self.remembered.spender.as_ref()
    }
}

/// The answers given lately. Each key has one place, so that a lookup takes no lock and what is forgotten is what
/// another answer needs the place of.
pub(super) struct Recall {
    slots: Box<[ArcSwapOption<Memory>]>,
    hasher: RandomState,
}

impl Recall {
    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| ArcSwapOption::empty()).collect(), hasher: RandomState::new() }
    }

    /// What was answered to this, if it still holds: whoever sent it, or from there.
    pub(super) fn find(&self, key: Key<'_>, epoch: u64, now: Timestamp) -> Option<Arc<Memory>> {
        self.find_in(key, false, epoch, now).or_else(|| self.find_in(key, true, epoch, now))
    }

    fn find_in(&self, key: Key<'_>, same_peer: bool, epoch: u64, now: Timestamp) -> Option<Arc<Memory>> {
        let memory = self.slot(key, same_peer).load();
        let memory = memory.as_ref()?;
        let repeats = memory.repeatable.repeats;
        let holds = memory.epoch == epoch
            && now < repeats.until
            && memory.key.borrow().texts == key.texts
            && (!repeats.same_peer || memory.key.peer == key.peer);
        holds.then(|| Arc::clone(memory))
    }

    /// Remembers an answer that was found out after `epoch` was read.
    pub(super) fn put(&self, key: OwnedKey, epoch: u64, repeatable: Arc<Repeatable>, remembered: Remembered) {
        let slot = self.slot(key.borrow(), repeatable.repeats.same_peer);
        slot.store(Some(Arc::new(Memory { key, epoch, repeatable, remembered })));
    }

    fn slot(&self, key: Key<'_>, same_peer: bool) -> &ArcSwapOption<Memory> {
        let [path, _, _, authorization, accept] = key.texts;
        let mut hasher = self.hasher.build_hasher();
        hasher.write(path);
        // Tokens are random to their end, and two that end alike share a place at worst.
        hasher.write(authorization.last_chunk::<16>().map_or(authorization, |end| end.as_slice()));
        hasher.write_usize(accept.len());
        if same_peer {
            key.peer.hash(&mut hasher);
        }
        let hash = usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0);
        &self.slots[hash]
    }
}

/// What memory says of a request.
pub(super) enum Recalled {
    Answer(Response),
    /// Nothing; the key and the epoch to remember its answer under, if that may be.
    Nothing(Option<(OwnedKey, u64)>),
}

impl Endpoint {
    /// The answer to a request from memory.
    pub(super) async fn recall(&self, parts: &Parts, key: Option<Key<'_>>) -> Recalled {
        let Some(key) = key else { return Recalled::Nothing(None) };
        // Where the database does not answer, whoever needs it says so.
        let Ok(epoch) = self.directory.epoch().await else { return Recalled::Nothing(None) };
        if let Some(memory) = self.recall.find(key, epoch, self.directory.now())
            && self.may_repeat(&memory, &parts.method)
            && let Some(mut response) = memory.repeatable().answer(&parts.method, &parts.headers).await
        {
            log::note_asker(&mut response, memory.asker());
            return Recalled::Answer(response);
        }
        Recalled::Nothing(Some((key.to_owned(), epoch)))
    }

    /// Whether whoever asked may ask so often. Who may not is told so by the format.
    fn may_repeat(&self, memory: &Memory, method: &Method) -> bool {
        let (Some(throttle), Some(spender)) = (self.directory.throttle(), memory.spender()) else { return true };
        spender.spend(throttle, method).is_ok()
    }

    /// Remembers the answer if its format allows that.
    pub(super) fn remember(&self, remember: Option<(OwnedKey, u64)>, response: &mut Response) {
        if let Some(repeatable) = response.extensions_mut().remove()
            && let Some((key, epoch)) = remember
        {
            let spender = response.extensions_mut().remove();
            self.recall.put(key, epoch, repeatable, Remembered { asker: log::asker(response), spender });
        }
    }
}

#[cfg(test)]
mod tests;
