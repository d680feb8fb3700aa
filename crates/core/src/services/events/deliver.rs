//! Delivering to one receiver.

use std::time::Duration;

use futures_util::StreamExt as _;

use super::message::package_of;
use super::{EventHook, Events, render};
use crate::error::Result;
use crate::model::{JournalRecord, Timestamp};
use crate::ports::{CursorBatch, Delivery, DeliveryState, EventMessage, Outcome};

/// Records looked at in one round, and due deliveries tried. Even if each takes as long as it may, the lease holds.
const ROUND: usize = 16;
/// Packages that events are delivered of at once.
const AT_ONCE: usize = 8;
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long a node delivers before another may.
const LEASE: Duration = Duration::from_secs(300);
/// Deliveries that wait at most: while so many do, no new events are looked at.
const WAITING: usize = 1000;
/// Records without events for the receiver after which its place is written down all the same.
const SKIPPED: u64 = 4096;
/// How often new events are looked for.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long delivering rests when the database does not answer.
const REST: Duration = Duration::from_secs(5);

/// What is remembered of a receiver from round to round.
#[derive(Default)]
struct Progress {
    /// No record before this one, from the reader's place on, is for the receiver.
    seen: u64,
    /// Something failed lately.
    troubled: bool,
}

impl Events {
    pub(super) async fn run_hook(&self, hook: &EventHook) {
        let mut progress = Progress::default();
        loop {
            let pause = match self.round(hook, &mut progress).await {
                Ok(true) => continue,
                Ok(false) => INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, webhook = hook.name, "events are not delivered at the moment");
                    REST
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Delivers some events; answers whether there may be more at once.
    async fn round(&self, hook: &EventHook, progress: &mut Progress) -> Result<bool> {
        let now = self.clock.now();
        let size = self.store.log_state().await?.size;
        let due = self.store.list_due(&hook.name, now, ROUND).await?;
        let known = self.store.list_cursors().await?.into_iter().find(|cursor| cursor.reader == hook.name);
        // Nothing is written while there is nothing to do.
        if due.is_empty() && known.is_some_and(|known| known.leaf.max(progress.seen) >= size) {
            return Ok(false);
        }
        let until = now.plus(LEASE);
        let Some(cursor) = self.store.lease_cursor(&hook.name, &self.node, now, until, size).await? else {
            return Ok(false);
        };
        let mut outcomes = self.retry(hook, due).await?;
        let start = cursor.max(progress.seen);
        let mut end = start;
        let blocked = progress.troubled
            && self.store.list_deliveries(&hook.name, DeliveryState::Waiting, None, WAITING).await?.len() >= WAITING;
        if start < size && !blocked {
            end = size.min(start + ROUND as u64);
            let records = self.store.list_leaves(start, end).await?;
            outcomes.extend(self.deliver_new(hook, records).await?);
        }
        progress.troubled = outcomes.iter().any(|outcome| !matches!(outcome, Outcome::Delivered { .. }))
            || (progress.troubled && blocked);
        if outcomes.is_empty() && end - cursor < SKIPPED {
            progress.seen = end;
            return Ok(end < size && !blocked);
        }
        let idle = outcomes.is_empty();
        let batch = CursorBatch { leaf: end, outcomes, now: self.clock.now() };
        if !self.store.settle(&hook.name, &self.node, batch).await? {
            tracing::warn!(webhook = hook.name, "another node took over; what was delivered just now is sent again");
        }
        progress.seen = end;
        Ok(!idle || (end < size && !blocked))
    }

    /// Tries again what is due: at most one event of each package.
    async fn retry(&self, hook: &EventHook, due: Vec<Delivery>) -> Result<Vec<Outcome>> {
        let mut attempts = Vec::with_capacity(due.len());
        for delivery in due {
            let record = self.store.list_leaves(delivery.leaf, delivery.leaf + 1).await?.pop();
            attempts.push(async move {
                match record.as_ref().and_then(|record| render(record, self.clock.now())) {
                    Some((_, message)) => self.attempt(hook, delivery, &message).await,
                    // It was cut: nobody can be told any more.
                    None => Outcome::Delivered { leaf: delivery.leaf, package: delivery.package },
                }
            });
        }
        Ok(futures_util::stream::iter(attempts).buffered(AT_ONCE).collect().await)
    }

    /// Delivers new events, those of one package one after the other.
    async fn deliver_new(&self, hook: &EventHook, records: Vec<JournalRecord>) -> Result<Vec<Outcome>> {
        let now = self.clock.now();
        let mut packages: Vec<(String, Vec<(u64, EventMessage)>)> = Vec::new();
        for record in records {
            let Some(leaf) = record.leaf else { continue };
            let Some((event, message)) = render(&record, now) else { continue };
            if !hook.filter.passes(&event) {
                continue;
            }
            let package = package_of(&record);
            match packages.iter_mut().find(|(name, _)| name == package) {
                Some((_, messages)) => messages.push((leaf, message)),
                None => packages.push((package.to_owned(), vec![(leaf, message)])),
            }
        }
        let mut deliveries = Vec::with_capacity(packages.len());
        for (package, messages) in packages {
            let waits = self.store.is_waiting(&hook.name, &package).await?;
            deliveries.push(self.deliver_package(hook, package, messages, waits));
        }
        let outcomes: Vec<Vec<Outcome>> = futures_util::stream::iter(deliveries).buffered(AT_ONCE).collect().await;
        Ok(outcomes.into_iter().flatten().collect())
    }

    async fn deliver_package(
        &self,
        hook: &EventHook,
        package: String,
        messages: Vec<(u64, EventMessage)>,
        mut waits: bool,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(messages.len());
        for (leaf, message) in messages {
            let delivery =
                Delivery { leaf, package: package.clone(), attempts: 0, next_at: None, error: String::new() };
            if waits {
                let error = "waits for an earlier event of the package".to_owned();
                outcomes.push(Outcome::Failed(Delivery { error, ..delivery }));
                continue;
            }
            let outcome = self.attempt(hook, delivery, &message).await;
            waits = matches!(outcome, Outcome::Failed(_));
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn attempt(&self, hook: &EventHook, delivery: Delivery, message: &EventMessage) -> Outcome {
        let message = EventMessage { at: self.clock.now(), ..message.clone() };
        let sent = tokio::time::timeout(ATTEMPT, hook.sender.send(&message)).await;
        let sent = sent.unwrap_or_else(|_| Err(format!("no answer within {} seconds", ATTEMPT.as_secs())));
        let Delivery { leaf, package, attempts, .. } = delivery;
        let Err(error) = sent else { return Outcome::Delivered { leaf, package } };
        let attempts = attempts + 1;
        tracing::debug!(webhook = hook.name, event = message.id, attempts, error, "an event was not delivered");
        if attempts >= hook.retry.attempts {
            tracing::warn!(webhook = hook.name, event = message.id, attempts, error, "gave up delivering an event");
            return Outcome::Dead(Delivery { leaf, package, attempts, next_at: None, error });
        }
        let delay = hook.retry.delay(attempts, getrandom::u32().unwrap_or(u32::MAX / 2));
        let next_at: Timestamp = self.clock.now().plus(delay);
        Outcome::Failed(Delivery { leaf, package, attempts, next_at: Some(next_at), error })
    }
}
