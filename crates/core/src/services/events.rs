//! Events: what the sealed journal tells of versions, delivered to receivers that the operator configured.
//!
//! Each receiver is a reader of the log with a place of its own in the database. One node at a time delivers, under a
//! lease; an event is forgotten in the transaction that moves the reader on, after it was taken, so that a crash sends
//! it again at worst. Events of one package follow each other: while one waits to be tried again, the next ones wait,
//! too. An event that was tried often enough is put aside as dead.

mod deliver;
mod message;

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Clock, VersionEvent};
use crate::ports::{EventSender, MetadataStore};

pub use message::render;

/// One receiver.
pub struct EventHook {
    /// Its name in the configuration and in the database.
    pub name: String,
    pub filter: EventFilter,
    pub sender: Arc<dyn EventSender>,
    pub retry: EventRetry,
}

/// Which events a receiver gets; an empty list is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub domains: Vec<String>,
    pub repositories: Vec<String>,
    pub formats: Vec<String>,
}

/// How often an event is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRetry {
    /// Attempts in all.
    pub attempts: u32,
    /// From the first attempt to the second; then twice as long each time, up to an hour, each a little off by chance.
    pub first: Duration,
}

/// Delivers to all receivers.
pub struct Events {
    store: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
    /// This node, in leases: the same after a restart.
    node: String,
    hooks: Vec<EventHook>,
}

impl EventFilter {
    /// Whether the receiver gets an event.
    #[must_use]
    pub fn passes(&self, event: &VersionEvent) -> bool {
        let within = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
        within(&self.domains, &event.domain_name)
            && within(&self.repositories, &event.repository_name)
            && within(&self.formats, &event.package_format)
    }
}

impl EventRetry {
    /// How long to wait after so many attempts. `chance` is any number.
    fn delay(&self, attempts: u32, chance: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LONGEST);
        // From 80 to 120 percent.
        doubled.mul_f64(0.8 + 0.4 * f64::from(chance) / f64::from(u32::MAX))
    }
}

impl Events {
    /// For these receivers, each under a name of its own.
    pub fn new(store: Arc<dyn MetadataStore>, clock: Arc<dyn Clock>, node: String, hooks: Vec<EventHook>) -> Self {
        Self { store, clock, node, hooks }
    }

    /// Delivers until it is aborted.
    pub async fn run(&self) {
        futures_util::future::join_all(self.hooks.iter().map(|hook| self.run_hook(hook))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_farther_and_farther_apart() {
        let retry = EventRetry { attempts: 10, first: Duration::from_secs(1) };
        assert_eq!(retry.delay(1, 0), Duration::from_millis(800));
        assert_eq!(retry.delay(1, u32::MAX), Duration::from_millis(1200));
        assert_eq!(retry.delay(5, 0), Duration::from_millis(12_800));
        assert_eq!(retry.delay(60, 0), Duration::from_secs(2880));
    }
}
