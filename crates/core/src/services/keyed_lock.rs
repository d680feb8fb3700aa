//! One at a time per key: the first does the work, those who waited find it done.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

type Locks<K> = Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>;

/// Locks by key. Keys take memory only while somebody holds or waits.
pub(crate) struct KeyedLock<K: Eq + Hash + Clone> {
    locks: Arc<Locks<K>>,
}

/// Holds a key until dropped.
pub(crate) struct KeyGuard<K: Eq + Hash + Clone> {
    locks: Arc<Locks<K>>,
    key: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> Default for KeyedLock<K> {
    fn default() -> Self {
        Self { locks: Arc::default() }
    }
}

impl<K: Eq + Hash + Clone> KeyedLock<K> {
    /// Waits for the key.
    pub(crate) async fn lock(&self, key: K) -> KeyGuard<K> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(key.clone()).or_default())
        };
        KeyGuard { locks: Arc::clone(&self.locks), key, guard: Some(lock.lock_owned().await) }
    }
}

impl<K: Eq + Hash + Clone> Drop for KeyGuard<K> {
    fn drop(&mut self) {
        self.guard = None;
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own reference is the last one when nobody waits.
        if locks.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_held_by_one_and_forgotten_after_the_last() {
        let lock = KeyedLock::default();
        let first = lock.lock("a").await;
        let other = lock.lock("b").await;
        let mut second = Box::pin(lock.lock("a"));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(first);
        drop(second.await);
        drop(other);
        assert!(lock.locks.lock().expect("not poisoned").is_empty());
    }
}
