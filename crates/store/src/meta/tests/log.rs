//! The journal sealed into a log, and its readers.

use std::sync::{Arc, Mutex};

use larder_core::merkle::{Checkpoint, Edge, KeyName, SignedCheckpoint, leaf_hash};
use larder_core::model::{AccountId, EventType, SystemClock, Timestamp, VersionEvent, VersionStatus};
use larder_core::ports::{
    Change, CursorBatch, Delivery, DeliveryState, Journal, JournalLog, MetadataStore, Outcome, Seal, Signer, Witness,
};
use larder_core::services::{LogProblem, SealedJournal};
use larder_core::{Error, Result};

use super::fixture::{Fixture, publication, selection};
use crate::sql::{Conn, Sql, Work, params};

/// A signature that anybody can make; the tests of `larder-auth` are about real ones.
struct Plain;

impl Signer for Plain {
    fn public_key(&self) -> [u8; 32] {
        [7; 32]
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let hash = leaf_hash(message);
        std::array::from_fn(|index| hash[index % 32])
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signer::sign(self, message) == signature
    }
}

impl Seal for Plain {
    fn new_origin(&self) -> String {
        "test".to_owned()
    }
    fn sign(&self, checkpoint: &Checkpoint) -> String {
        let key = KeyName { name: checkpoint.origin.clone(), public: [7; 32] };
        checkpoint.note(&key, &Signer::sign(self, checkpoint.body().as_bytes()))
    }
}

#[derive(Default)]
struct Kept(Mutex<Option<String>>);

impl Witness for Kept {
    fn read(&self) -> Result<Option<String>> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }
    fn write(&self, note: &str) -> Result<()> {
        *self.0.lock().expect("not poisoned") = Some(note.to_owned());
        Ok(())
    }
}

/// Any statement.
struct Run(&'static Sql);

impl Work for Run {
    type Output = ();
    async fn run(&self, conn: &mut Conn) -> Result<()> {
        conn.execute(self.0, params![]).await.map(drop)
    }
}

async fn run(fixture: &Fixture, sql: &'static Sql) {
    fixture.store.database.write(Run(sql)).await.expect("runs");
}

fn journal(fixture: &Fixture) -> SealedJournal {
    let store = Arc::new(fixture.store.clone());
    SealedJournal::new(store, Arc::new(SystemClock), Some(Arc::new(Plain)), Arc::new(Kept::default()))
}

/// One record for each number.
async fn some_records(fixture: &Fixture, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let account = AccountId::new(format!("{number:012}")).expect("an account");
        fixture.must(Change::CreateAccount { account }).await;
    }
}

async fn seal(fixture: &Fixture, limit: usize) -> Option<SignedCheckpoint> {
    let sealed = fixture.store.seal(limit, Timestamp(5), Arc::new(Plain)).await.expect("sealed")?;
    SignedCheckpoint::parse(&sealed.note)
}

async fn leaves(fixture: &Fixture) -> Vec<(u64, i64)> {
    let records = fixture.store.list_leaves(0, u64::MAX).await.expect("read");
    records.iter().map(|record| (record.leaf.expect("sealed"), record.sequence)).collect()
}

pub(super) async fn records_become_leaves_in_order_whatever_the_steps(fixture: Fixture) {
    some_records(&fixture, 0..10).await;
    assert!(fixture.store.has_unsealed().await.expect("read"));
    let mut sizes = Vec::new();
    for limit in [3, 1, 4, 100] {
        let checkpoint = seal(&fixture, limit).await.expect("a checkpoint").checkpoint;
        let mut edge = Edge::default();
        for record in fixture.store.list_leaves(0, checkpoint.size).await.expect("read") {
            edge.append(leaf_hash(&record.leaf_bytes()), &mut Vec::new());
        }
        assert_eq!((edge.root(), checkpoint.origin.as_str()), (checkpoint.root, "test"));
        sizes.push(checkpoint.size);
    }
    assert_eq!(sizes, [3, 4, 8, 10]);
    assert!(seal(&fixture, 100).await.is_none() && !fixture.store.has_unsealed().await.expect("read"));
    let leaves = leaves(&fixture).await;
    assert!((0..).zip(&leaves).all(|(index, (leaf, _))| index == *leaf), "{leaves:?}");
    assert!(leaves.windows(2).all(|pair| pair[0].1 < pair[1].1), "{leaves:?}");
    let notes = fixture.store.list_checkpoints(3, 2).await.expect("read");
    assert_eq!(notes.iter().map(|(size, _)| *size).collect::<Vec<_>>(), [4, 8]);
}

pub(super) async fn a_record_that_becomes_visible_late_is_sealed_late(fixture: Fixture) {
    static SECOND: Sql = Sql::new(
        "test::SECOND",
        "
        INSERT INTO journal (sequence, recorded_at, principal, operation, resource, request_id)
        VALUES (1001, 2, 'p', 'Test', 'second', 'r')",
    );
    static FIRST: Sql = Sql::new(
        "test::FIRST",
        "
        INSERT INTO journal (sequence, recorded_at, principal, operation, resource, request_id)
        VALUES (1000, 1, 'p', 'Test', 'first', 'r')",
    );
    run(&fixture, &SECOND).await;
    let _ = seal(&fixture, 10).await.expect("sealed");
    run(&fixture, &FIRST).await;
    let _ = seal(&fixture, 10).await.expect("sealed");
    assert_eq!(leaves(&fixture).await, [(0, 1001), (1, 1000)]);
}

pub(super) async fn nodes_that_seal_at_once_make_one_log(fixture: Fixture) {
    some_records(&fixture, 0..40).await;
    let other = fixture.another().await;
    let one = async { while fixture.store.seal(3, Timestamp(1), Arc::new(Plain)).await.expect("sealed").is_some() {} };
    let two = async { while other.seal(4, Timestamp(1), Arc::new(Plain)).await.expect("sealed").is_some() {} };
    tokio::join!(one, two);
    let leaves = leaves(&fixture).await;
    assert_eq!(leaves.len(), 40);
    assert!((0..).zip(&leaves).all(|(index, (leaf, _))| index == *leaf), "{leaves:?}");
    let report = journal(&fixture).verify(|_| {}).await.expect("verified");
    assert_eq!((report.problems, report.leaves), (Vec::new(), 40));
}

pub(super) async fn what_was_done_to_the_journal_is_named(fixture: Fixture) {
    static ALTER: Sql = Sql::new("test::ALTER", "UPDATE journal SET request_id = 'x' WHERE leaf = 300");
    static DROP: Sql = Sql::new("test::DROP", "DELETE FROM journal WHERE leaf = 17");
    static UPPER: Sql = Sql::new("test::UPPER", "DELETE FROM journal_tile WHERE level = 1");
    some_records(&fixture, 0..310).await;
    let journal = journal(&fixture);
    assert_eq!(journal.seal_all().await.expect("sealed"), 310);
    let problems = async || journal.verify(|_| {}).await.expect("verified").problems;
    assert_eq!(problems().await, []);
    let sequence = async |leaf: u64| {
        fixture.store.list_leaves(leaf, leaf + 1).await.expect("read").first().expect("a record").sequence
    };
    let (altered, dropped) = (sequence(300).await, sequence(17).await);
    run(&fixture, &ALTER).await;
    assert_eq!(problems().await, [LogProblem::Changed { sequence: altered, leaf: 300 }]);
    run(&fixture, &DROP).await;
    let dropped = LogProblem::Dropped { sequence: dropped, leaf: 17 };
    assert_eq!(problems().await, [dropped, LogProblem::Changed { sequence: altered, leaf: 300 }]);
    run(&fixture, &UPPER).await;
    assert!(problems().await.iter().any(|problem| matches!(problem, LogProblem::Tree { level: 0, position: 0, .. })));
}

pub(super) async fn old_records_are_cut_and_the_rest_is_proven(fixture: Fixture) {
    some_records(&fixture, 0..20).await;
    let journal = journal(&fixture);
    journal.seal_all().await.expect("sealed");
    let fifth = fixture.store.list_leaves(5, 6).await.expect("read").remove(0).at;
    assert_eq!(journal.cut(fifth, &[], u64::MAX).await.expect("cut"), 5);
    journal.seal_all().await.expect("sealed");
    assert_eq!(leaves(&fixture).await.first().map(|(leaf, _)| *leaf), Some(5));
    let report = journal.verify(|_| {}).await.expect("verified");
    assert_eq!((report.problems, report.leaves, report.cut), (Vec::new(), 21, 5));
    // A reader that has not read them yet keeps them.
    let lease = fixture.store.lease_cursor("reader", "me", Timestamp(1), Timestamp(2), 7).await.expect("leased");
    assert_eq!(lease, Some(7));
    assert_eq!(journal.cut(Timestamp(i64::MAX), &["reader".to_owned()], u64::MAX).await.expect("cut"), 2);
    journal.seal_all().await.expect("sealed");
    assert_eq!(journal.verify(|_| {}).await.expect("verified").problems, []);
    // Nobody cuts without saying so.
    static FORGE: Sql = Sql::new("test::FORGE", "UPDATE journal_log SET first_kept = 9 WHERE id = 1");
    run(&fixture, &FORGE).await;
    let problems = journal.verify(|_| {}).await.expect("verified").problems;
    assert_eq!(problems, [LogProblem::Cut { first_kept: 9 }]);
}

pub(super) async fn checkpoints_are_thinned_out(fixture: Fixture) {
    for number in 0..300 {
        some_records(&fixture, number..number + 1).await;
        let _ = seal(&fixture, 1).await.expect("sealed");
    }
    let sizes: Vec<u64> =
        fixture.store.list_checkpoints(0, 1000).await.expect("read").iter().map(|(size, _)| *size).collect();
    assert_eq!(sizes, (45..=300).collect::<Vec<_>>());
    assert_eq!(journal(&fixture).verify(|_| {}).await.expect("verified").problems, []);
}

/// The events of the journal, in order.
async fn events(fixture: &Fixture, after: i64) -> Vec<VersionEvent> {
    let records = fixture.store.list_journal(after, 1000).await.expect("read");
    let events = records.iter().filter_map(|record| record.event.as_deref());
    events.map(|event| serde_json::from_str(event).expect("an event")).collect()
}

pub(super) async fn every_change_of_a_version_has_its_event(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0", "2.0.0"]).await;
    let target = VersionStatus::Unlisted;
    fixture.must(Change::UpdateVersionsStatus { package: package.id, selection: selection(&["1.0.0"]), target }).await;
    fixture.must(Change::DisposeVersions { package: package.id, selection: selection(&["1.0.0"]) }).await;
    fixture.must(Change::DeletePackage { package: package.id }).await;
    let told: Vec<_> = events(&fixture, 0)
        .await
        .into_iter()
        .map(|event| {
            let changes = event.changes;
            (
                event.package_version,
                event.operation_type,
                event.previous_package_version_state.unwrap_or_default(),
                event.package_version_state,
                (changes.assets_added, changes.assets_removed, changes.status_changed),
            )
        })
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(v, kind, from, to, changes)| (v.as_str(), *kind, from.as_str(), to.as_str(), *changes))
        .collect();
    assert_eq!(
        told,
        [
            ("1.0.0", EventType::Created, "", "Published", (1, 0, true)),
            ("2.0.0", EventType::Created, "", "Published", (1, 0, true)),
            ("1.0.0", EventType::Updated, "Published", "Unlisted", (0, 0, true)),
            ("1.0.0", EventType::Updated, "Unlisted", "Disposed", (0, 1, true)),
            ("1.0.0", EventType::Deleted, "Disposed", "Disposed", (0, 0, true)),
            ("2.0.0", EventType::Deleted, "Published", "Published", (0, 1, true)),
        ]
    );
    let one = &events(&fixture, 0).await[0];
    assert_eq!((one.domain_name.as_str(), one.repository_name.as_str()), ("some-domain", "some-repository"));
    assert_eq!((one.package_format.as_str(), one.package_name.as_str()), ("npm", "left-pad"));
    assert_eq!(one.repository_administrator, "123456789012");
}

pub(super) async fn deliveries_of_a_package_wait_for_each_other(fixture: Fixture) {
    let store = &fixture.store;
    let lease = async |owner: &str, now: i64| {
        store.lease_cursor("hook", owner, Timestamp(now), Timestamp(now + 10), 3).await.expect("leased")
    };
    assert_eq!(lease("one", 100).await, Some(3));
    assert_eq!(lease("two", 105).await, None, "it is the other's");
    let delivery = |leaf, next_at: Option<i64>| Delivery {
        leaf,
        package: "p".to_owned(),
        attempts: 1,
        next_at: next_at.map(Timestamp),
        error: "500".to_owned(),
    };
    let settle = async |owner: &str, outcomes| {
        let batch = CursorBatch { leaf: 6, outcomes, now: Timestamp(200) };
        store.settle("hook", owner, batch).await.expect("settled")
    };
    assert!(!settle("two", Vec::new()).await);
    let failed = vec![Outcome::Failed(delivery(3, Some(150))), Outcome::Failed(delivery(4, None))];
    assert!(settle("one", failed).await);
    assert!(store.is_waiting("hook", "p").await.expect("read") && !store.is_waiting("hook", "q").await.expect("read"));
    let due = async |now| -> Vec<u64> {
        let due = store.list_due("hook", Timestamp(now), 10).await.expect("read");
        due.into_iter().map(|delivery| delivery.leaf).collect()
    };
    assert_eq!((due(149).await, due(10_000).await), (vec![], vec![3]));
    assert!(settle("one", vec![Outcome::Dead(delivery(3, None))]).await);
    assert_eq!(due(200).await, [4]);
    let dead = store.list_deliveries("hook", DeliveryState::Dead, None, 10).await.expect("read");
    assert_eq!((dead.len(), dead[0].leaf, dead[0].error.as_str()), (1, 3, "500"));
    assert_eq!(store.revive("hook", Some(3), Timestamp(300)).await.expect("revived"), 1);
    // What comes while the one before it is delivered does not wait for nobody.
    let delivered = |leaf| Outcome::Delivered { leaf, package: "p".to_owned() };
    assert!(settle("one", vec![delivered(3), delivered(4), Outcome::Failed(delivery(5, None))]).await);
    assert_eq!(due(200).await, [5]);
    assert_eq!(lease("two", 111).await, Some(6), "the lease ended");
    assert_eq!(store.list_cursors().await.expect("read")[0].owner, "two");
}

pub(super) async fn a_publish_is_not_held_up_by_sealing(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let sealing = async {
        for _ in 0..50 {
            let _ = seal(&fixture, 2).await;
        }
    };
    let publishing = async {
        for number in 0..30 {
            let version = format!("1.0.{number}");
            fixture.publish(publication(&repository, "left-pad", &version)).await.map_err(|error: Error| error)?;
        }
        Ok::<_, Error>(())
    };
    let ((), published) = tokio::join!(sealing, publishing);
    published.expect("published");
    let journal = journal(&fixture);
    journal.seal_all().await.expect("sealed");
    assert_eq!(journal.verify(|_| {}).await.expect("verified").problems, []);
    fixture.store.ping().await.expect("answers");
}
