//! Reads that were answered lately and are answered again without asking anybody.
//!
//! Everything that decides about a read comes from the database, where nothing was committed as long as the epoch is the
//! same: whom a token stands for, what that user may do, which repository a name means, what a document or an asset is.
//! What else decides is part of the key (path, query, `Host`, `Authorization`, `Accept`), or ends the memory by time,
//! or keeps an answer from being remembered at all: a policy that looks at the circumstances of a request, a peer that
//! may speak for others, an asset that is still to be fetched or retained.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use larder_core::access::{Caller, Via};
use larder_core::model::{AccountId, Timestamp, TokenId};
use larder_core::services::{Effort, Throttle};

use crate::log::Asker;
use crate::repeat::Repeatable;

/// Answers remembered at most. One is some hundreds of bytes: bodies stay in the caches of documents and blobs.
const SLOTS: usize = 8192;
/// A longer key is not remembered.
const LONGEST_KEY_BYTES: usize = 4096;

/// What decides about a read, besides the database: path and query, `Host`, `Authorization`, `Accept`. It has no
/// `Debug`: it holds a token.
#[derive(Clone, Copy)]
pub(super) struct Key<'a>([&'a [u8]; 4]);

impl<'a> Key<'a> {
    /// The key of a request that may be answered from memory: GET or HEAD, with credentials, each header once.
    pub(super) fn of(parts: &'a Parts) -> Option<Self> {
        if !matches!(parts.method, Method::GET | Method::HEAD) || parts.uri.authority().is_some() {
            return None;
        }
        let path = parts.uri.path_and_query()?.as_str().as_bytes();
        let [host, authorization, accept] = [HOST, AUTHORIZATION, ACCEPT].map(|name| single(&parts.headers, &name));
        let key = [path, host??, authorization??, accept?.unwrap_or_default()];
        (key.iter().map(|part| part.len()).sum::<usize>() <= LONGEST_KEY_BYTES).then_some(Self(key))
    }

    pub(super) fn to_owned(self) -> OwnedKey {
        OwnedKey(self.0.map(Box::from))
    }
}

/// `Some(None)` if there is none, `None` if there are several.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a [u8]>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::as_bytes);
    values.next().is_none().then_some(first)
}

/// A [`Key`] that outlives its request.
pub(super) struct OwnedKey([Box<[u8]>; 4]);

impl OwnedKey {
    fn borrow(&self) -> Key<'_> {
        Key(std::array::from_fn(|index| &*self.0[index]))
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

    /// What was answered to this, if it still holds.
    pub(super) fn find(&self, key: Key<'_>, epoch: u64, now: Timestamp) -> Option<Arc<Memory>> {
        let memory = self.slot(key).load();
        let memory = memory.as_ref()?;
        let holds = memory.epoch == epoch && now < memory.repeatable.until;
        (holds && memory.key.borrow().0 == key.0).then(|| Arc::clone(memory))
    }

    /// Remembers an answer that was found out after `epoch` was read.
    pub(super) fn put(&self, key: OwnedKey, epoch: u64, repeatable: Arc<Repeatable>, remembered: Remembered) {
        let slot = self.slot(key.borrow());
        slot.store(Some(Arc::new(Memory { key, epoch, repeatable, remembered })));
    }

    fn slot(&self, key: Key<'_>) -> &ArcSwapOption<Memory> {
        let [path, _, authorization, accept] = key.0;
        let mut hasher = self.hasher.build_hasher();
        hasher.write(path);
        // Tokens are random to their end, and two that end alike share a place at worst.
        hasher.write(authorization.last_chunk::<16>().map_or(authorization, |end| end.as_slice()));
        hasher.write_usize(accept.len());
        let hash = usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0);
        &self.slots[hash]
    }
}

#[cfg(test)]
mod tests {
    use larder_core::services::{Document, Rendered};

    use super::*;

    fn parts(edit: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Parts {
        let request =
            http::Request::builder().uri("/d/a-1/npm/r/p?x").header(HOST, "h").header(AUTHORIZATION, "Bearer t");
        edit(request).body(()).unwrap().into_parts().0
    }

    fn document(fresh_until: Option<i64>) -> Arc<Document> {
        let rendered =
            Rendered { content_type: "text/plain", body: "text".into(), last_modified: None, headers: Vec::new() };
        let mut document = Document::build(rendered);
        document.fresh_until = fresh_until.map(Timestamp);
        Arc::new(document)
    }

    fn remembered(document: &Arc<Document>) -> Recall {
        let recall = Recall::new();
        let repeatable = Arc::new(Repeatable::document(Timestamp(1000), document));
        recall.put(Key::of(&parts(|request| request)).unwrap().to_owned(), 7, repeatable, Remembered::default());
        recall
    }

    #[tokio::test]
    async fn the_same_request_is_answered_again_while_nothing_was_committed() {
        let document = document(None);
        let recall = remembered(&document);
        let asked = parts(|request| request);
        let memory = recall.find(Key::of(&asked).unwrap(), 7, Timestamp(999)).unwrap();
        let response = memory.repeatable().answer(&Method::GET, &asked.headers).await.unwrap();
        assert_eq!(response.headers()["etag"], document.etag);
        let unchanged = parts(|request| request.header("if-none-match", &document.etag));
        let response = memory.repeatable().answer(&Method::GET, &unchanged.headers).await.unwrap();
        assert_eq!(response.status(), 304);
    }

    #[test]
    fn a_commit_or_the_end_of_the_token_ends_the_memory() {
        let document = document(None);
        let recall = remembered(&document);
        let asked = parts(|request| request);
        let key = Key::of(&asked).unwrap();
        assert!(recall.find(key, 8, Timestamp(0)).is_none());
        assert!(recall.find(key, 7, Timestamp(1000)).is_none());
    }

    #[test]
    fn a_document_of_a_public_registry_is_remembered_for_as_long_as_it_is_fresh() {
        let document = document(Some(500));
        let recall = remembered(&document);
        let asked = parts(|request| request);
        assert!(recall.find(Key::of(&asked).unwrap(), 7, Timestamp(499)).is_some());
        assert!(recall.find(Key::of(&asked).unwrap(), 7, Timestamp(500)).is_none());
    }

    #[tokio::test]
    async fn a_document_that_left_its_cache_is_found_anew() {
        let kept = document(None);
        let recall = remembered(&kept);
        drop(kept);
        let asked = parts(|request| request);
        let memory = recall.find(Key::of(&asked).unwrap(), 7, Timestamp(0)).unwrap();
        assert!(memory.repeatable().answer(&Method::GET, &asked.headers).await.is_none());
    }

    #[tokio::test]
    async fn a_short_text_is_kept_by_its_memory() {
        let recall = Recall::new();
        let text = Document::clone(&document(Some(500)));
        let asked = parts(|request| request);
        let key = Key::of(&asked).unwrap();
        recall.put(key.to_owned(), 7, Arc::new(Repeatable::text(Timestamp(1000), text)), Remembered::default());
        let memory = recall.find(key, 7, Timestamp(499)).unwrap();
        let response = memory.repeatable().answer(&Method::GET, &asked.headers).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert!(recall.find(key, 7, Timestamp(500)).is_none(), "as long as what it was made of is fresh");
    }

    #[test]
    fn whatever_decides_tells_requests_apart() {
        let document = document(None);
        let recall = remembered(&document);
        for other in [parts(|request| request.uri("/d/a-1/npm/r/p")), parts(|request| request.header(ACCEPT, "*/*"))] {
            assert!(recall.find(Key::of(&other).unwrap(), 7, Timestamp(0)).is_none());
        }
        for (name, value) in [(HOST, "other"), (AUTHORIZATION, "Bearer u"), (AUTHORIZATION, "bearer t")] {
            let mut other = parts(|request| request);
            other.headers.insert(name, HeaderValue::from_static(value));
            assert!(recall.find(Key::of(&other).unwrap(), 7, Timestamp(0)).is_none());
        }
    }

    #[test]
    fn writes_strangers_and_ambiguous_requests_have_no_memory() {
        assert!(Key::of(&parts(|request| request.method(Method::PUT))).is_none());
        assert!(Key::of(&parts(|request| request.header(AUTHORIZATION, "Bearer u"))).is_none());
        assert!(Key::of(&parts(|request| request.header(ACCEPT, "a/b").header(ACCEPT, "c/d"))).is_none());
        assert!(Key::of(&parts(|request| request.uri("http://other/d/a-1/npm/r/p"))).is_none());
        assert!(Key::of(&parts(|request| request.header(ACCEPT, "x".repeat(LONGEST_KEY_BYTES)))).is_none());
        let mut nobody = parts(|request| request);
        nobody.headers.remove(AUTHORIZATION);
        assert!(Key::of(&nobody).is_none());
    }
}
