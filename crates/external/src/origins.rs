//! How many requests run at once against one origin.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Origin;

/// Beyond this many origins, those that nothing runs against are forgotten.
const REMEMBERED: usize = 256;

/// The limit. A permit is held until the response's body ends.
#[derive(Debug)]
pub(crate) struct OriginLimits {
    at_once: usize,
    origins: Mutex<HashMap<Origin, Arc<Semaphore>>>,
}

impl OriginLimits {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { at_once, origins: Mutex::default() }
    }

    /// Waits for a place.
    pub(crate) async fn acquire(&self, origin: Origin) -> Option<OwnedSemaphorePermit> {
        let semaphore = {
            let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
            if origins.len() >= REMEMBERED {
                // A permit in use holds a reference of its own.
                origins.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            }
            Arc::clone(origins.entry(origin).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))))
        };
        semaphore.acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use url::Url;

    #[test]
    fn an_origin_has_so_many_places_and_others_have_their_own() {
        let limits = OriginLimits::new(2);
        let origin = |host: &str| Url::parse(host).unwrap().origin();
        let acquire = |host| limits.acquire(origin(host)).now_or_never().flatten();
        let first = acquire("http://a");
        let _second = acquire("http://a");
        assert!(acquire("http://a").is_none());
        assert!(acquire("http://b").is_some());
        drop(first);
        assert!(acquire("http://a").is_some());
    }

    #[test]
    fn idle_origins_are_forgotten_and_busy_ones_are_not() {
        let limits = OriginLimits::new(1);
        let busy = limits.acquire(Url::parse("http://busy").unwrap().origin()).now_or_never().flatten();
        for n in 0..1000 {
            let idle = Url::parse(&format!("http://host{n}")).unwrap().origin();
            drop(limits.acquire(idle).now_or_never().flatten().unwrap());
        }
        assert!(limits.origins.lock().unwrap().len() <= REMEMBERED);
        assert!(limits.acquire(Url::parse("http://busy").unwrap().origin()).now_or_never().is_none());
        drop(busy);
    }
}
