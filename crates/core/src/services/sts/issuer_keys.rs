//! The keys of identity providers, remembered: asked for again when they are old, or when a token names one that is not
//! among them, but not more often than now and then.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;

use crate::error::{Error, Result};
use crate::model::{Clock, Timestamp};
use crate::ports::IssuerKeys;
use crate::services::keyed_lock::KeyedLock;

/// For so long keys are not asked for again.
const FRESH: Duration = Duration::from_secs(3600);
/// For so long keys serve while their issuer does not answer.
const USABLE: Duration = Duration::from_secs(24 * 3600);
/// Between two questions to one issuer because of a key that is not known.
const BETWEEN_REFETCHES: Duration = Duration::from_secs(30);
/// Between two questions to an issuer that did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Issuers remembered.
const ISSUERS: u64 = 1000;

/// Keys of an issuer, and when they came.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) keys: Bytes,
    fetched_at: Timestamp,
}

/// Remembers the keys of issuers.
pub(super) struct RememberedKeys {
    issuers: Arc<dyn IssuerKeys>,
    clock: Arc<dyn Clock>,
    held: Cache<String, Held>,
    /// When an issuer last failed, and what it was.
    failed: Cache<String, (Timestamp, String)>,
    asking: KeyedLock<String>,
}

impl RememberedKeys {
    pub(super) fn new(issuers: Arc<dyn IssuerKeys>, clock: Arc<dyn Clock>) -> Self {
        let (held, failed) = (Cache::new(ISSUERS), Cache::new(ISSUERS));
        Self { issuers, clock, held, failed, asking: KeyedLock::default() }
    }

    /// The keys of an issuer.
    ///
    /// # Errors
    /// [`Error::Upstream`] when it does not give them and none are remembered.
    pub(super) async fn get(&self, issuer: &str) -> Result<Held> {
        self.get_unless(issuer, |held, now| now < held.fetched_at.plus(FRESH)).await
    }

    /// The keys of an issuer after `known` turned out not to have the one that was needed: `known` again if they are too
    /// new for another question.
    ///
    /// # Errors
    /// As [`RememberedKeys::get`].
    pub(super) async fn get_newer(&self, issuer: &str, known: &Held) -> Result<Held> {
        let known_at = known.fetched_at;
        self.get_unless(issuer, |held, now| held.fetched_at > known_at || now < held.fetched_at.plus(BETWEEN_REFETCHES))
            .await
    }

    async fn get_unless(&self, issuer: &str, good: impl Fn(&Held, Timestamp) -> bool) -> Result<Held> {
        let good = |held: &Held| good(held, self.clock.now());
        if let Some(held) = self.held.get(issuer).filter(good) {
            return Ok(held);
        }
        let _asking = self.asking.lock(issuer.to_owned()).await;
        let held = self.held.get(issuer);
        if let Some(held) = held.as_ref().filter(|held| good(held)) {
            return Ok(held.clone());
        }
        let now = self.clock.now();
        let usable = held.filter(|held| now < held.fetched_at.plus(USABLE));
        if let Some((at, message)) = self.failed.get(issuer)
            && now < at.plus(AFTER_FAILURE)
        {
            return usable.ok_or(Error::Upstream { message, retry_after_seconds: None });
        }
        match self.issuers.fetch_keys(issuer).await {
            Ok(keys) => {
                let held = Held { keys, fetched_at: now };
                self.failed.invalidate(issuer);
                self.held.insert(issuer.to_owned(), held.clone());
                Ok(held)
            }
            Err(error) => {
                self.failed.insert(issuer.to_owned(), (now, error.to_string()));
                tracing::warn!(issuer, error = &error as &dyn std::error::Error, "an identity provider gave no keys");
                usable.ok_or(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    #[derive(Default)]
    struct World {
        now: Mutex<i64>,
        /// The next answers; nothing left is a failure.
        answers: Mutex<Vec<&'static str>>,
        asked: Mutex<usize>,
    }

    impl Clock for World {
        fn now(&self) -> Timestamp {
            Timestamp(*self.now.lock().unwrap() * 1000)
        }
    }

    #[async_trait]
    impl IssuerKeys for World {
        async fn fetch_keys(&self, _issuer: &str) -> Result<Bytes> {
            *self.asked.lock().unwrap() += 1;
            let answer = self.answers.lock().unwrap().pop();
            answer.map(Bytes::from).ok_or(Error::Upstream { message: "down".to_owned(), retry_after_seconds: None })
        }
    }

    fn world(answers: &[&'static str]) -> (Arc<World>, RememberedKeys) {
        let answers = answers.iter().rev().copied().collect();
        let world = Arc::new(World { answers: Mutex::new(answers), ..World::default() });
        let keys = RememberedKeys::new(Arc::clone(&world) as _, Arc::clone(&world) as _);
        (world, keys)
    }

    #[tokio::test]
    async fn keys_are_asked_for_once_an_hour() {
        let (world, keys) = world(&["one", "two"]);
        for (second, expected) in [(0, "one"), (3599, "one"), (3600, "two"), (7199, "two")] {
            *world.now.lock().unwrap() = second;
            assert_eq!(keys.get("i").await.unwrap().keys, expected);
        }
        assert_eq!(*world.asked.lock().unwrap(), 2);
    }

    #[tokio::test]
    async fn an_unknown_key_is_asked_for_once_and_then_not_for_a_while() {
        let (world, keys) = world(&["one", "two", "three"]);
        let first = keys.get("i").await.unwrap();
        assert_eq!(keys.get_newer("i", &first).await.unwrap().keys, "one", "they are too new");
        *world.now.lock().unwrap() = 30;
        let second = keys.get_newer("i", &first).await.unwrap();
        assert_eq!(second.keys, "two");
        assert_eq!(keys.get_newer("i", &first).await.unwrap().keys, "two", "somebody else asked already");
        for _ in 0..100 {
            assert_eq!(keys.get_newer("i", &second).await.unwrap().keys, "two");
        }
        assert_eq!(*world.asked.lock().unwrap(), 2);
    }

    #[tokio::test]
    async fn remembered_keys_serve_for_a_day_while_the_issuer_is_down() {
        let (world, keys) = world(&["one"]);
        let _ = keys.get("i").await.unwrap();
        *world.now.lock().unwrap() = 4000;
        for _ in 0..10 {
            assert_eq!(keys.get("i").await.unwrap().keys, "one");
        }
        assert_eq!(*world.asked.lock().unwrap(), 2, "an issuer that is down is not asked by every request");
        *world.now.lock().unwrap() = 86_400;
        assert!(keys.get("i").await.is_err());
    }
}
