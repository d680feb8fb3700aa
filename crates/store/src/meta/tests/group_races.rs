//! A package group changes while others publish, copy and retain what it is about to forbid.

use std::sync::Arc;
use std::time::Duration;

use larder_core::model::{
    OriginRestrictions, Publication, Repository, RestrictionMode, RestrictionType, VersionStatus,
};
use larder_core::ports::{Applied, Change, MetadataStore, Packages, PublishAs};
use larder_core::{Error, Result};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::fixture::{Fixture, npm, publication, version};
use super::package_groups::set;
use super::postgres;
use crate::{DatabaseUrl, Store};

fn mode(repository: &Repository, restriction: RestrictionType, mode: RestrictionMode) -> Change {
    set(repository.domain, "/*", restriction, mode)
}

async fn count(fixture: &Fixture, repository: &Repository) -> usize {
    let hosted = fixture.store.load_package(repository.id, &npm("left-pad")).await.expect("read");
    hosted.map_or(0, |hosted| hosted.versions.len())
}

pub(super) async fn nothing_that_a_group_forbids_is_stored_after_the_group_has_changed(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let stores = [Arc::new(fixture.another().await), Arc::new(fixture.another().await)];
    for round in 0..6 {
        fixture.must(mode(&repository, RestrictionType::Publish, RestrictionMode::Allow)).await;
        let mut writers = tokio::task::JoinSet::new();
        for (writer, store) in (0..4).zip(stores.iter().cycle()) {
            let (store, actor, repository) = (Arc::clone(store), fixture.actor(), repository.clone());
            writers.spawn(async move {
                for number in 0.. {
                    let publication = publication(&repository, "left-pad", &format!("{round}.{writer}.{number}"));
                    match store.apply(&actor, Change::Publish(Box::new(publication))).await {
                        Ok(_) => {}
                        Err(Error::Refused(_)) => return,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
        let before = count(&fixture, &repository).await;
        while count(&fixture, &repository).await < before + 4 {
            tokio::task::yield_now().await;
        }
        fixture.must(mode(&repository, RestrictionType::Publish, RestrictionMode::Block)).await;
        let stored = count(&fixture, &repository).await;
        writers.join_all().await;
        assert_eq!(count(&fixture, &repository).await, stored, "round {round}");
    }
}

/// Two nodes on one PostgreSQL server, and a connection that holds things up.
struct Nodes {
    fixture: Fixture,
    other: Arc<Store>,
    holding: Client,
    source: Repository,
    destination: Repository,
}

impl Nodes {
    /// Both repositories have the package, the source some versions more.
    async fn start(test: &str) -> Option<Self> {
        let url = postgres::new_database(test).await?;
        let fixture = Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await;
        let (holding, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
        tokio::spawn(connection);
        let domain = fixture.domain("my-domain").await;
        let source = fixture.repository(&domain, "source").await;
        let destination = fixture.repository(&domain, "destination").await;
        fixture.published(&source, "left-pad", &["1.0.0", "2.0.0", "4.0.0"]).await;
        fixture.published(&destination, "left-pad", &["1.0.0"]).await;
        fixture
            .must(Change::PutOriginRestrictions {
                repository: destination.id,
                package: npm("left-pad"),
                restrictions: OriginRestrictions::OPEN,
            })
            .await;
        let other = Arc::new(fixture.another().await);
        Some(Self { fixture, other, holding, source, destination })
    }

    /// Each way for a version to come in, with the restriction that forbids it.
    async fn ways_in(&self) -> Vec<(Change, RestrictionType)> {
        let source = async |text| self.fixture.version(self.source.id, "left-pad", text).await.expect("the source").id;
        let package = self.fixture.package(self.destination.id, "left-pad").await.expect("the package").id;
        let restrictions = OriginRestrictions::INGESTED;
        let publish_as = PublishAs {
            package,
            source: version("1.0.0"),
            source_status: VersionStatus::Published,
            name: version("latest"),
            expected: None,
            metadata: Vec::new().into(),
        };
        let retain = Change::Retain { repository: self.destination.id, source: source("2.0.0").await, restrictions };
        let copy = Change::CopyVersions {
            sources: vec![(version("4.0.0"), Ok(source("4.0.0").await))],
            destination: self.destination.id,
            package: npm("left-pad"),
            allow_overwrite: false,
            restrictions,
        };
        let publish: Publication = publication(&self.destination, "left-pad", "3.0.0");
        vec![
            (Change::Publish(Box::new(publish)), RestrictionType::Publish),
            (Change::PublishAs(Box::new(publish_as)), RestrictionType::Publish),
            (retain, RestrictionType::InternalUpstream),
            (copy, RestrictionType::InternalUpstream),
        ]
    }

    /// Begins a change on the other node.
    fn begin(&self, change: Change) -> JoinHandle<Result<Applied>> {
        let (store, actor) = (Arc::clone(&self.other), self.fixture.actor());
        tokio::spawn(async move { store.apply(&actor, change).await })
    }

    /// Waits until a change waits for what is held up.
    async fn one_is_held_up(&self) {
        self.until("SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))").await;
    }

    /// Waits until a change waits for one that changes the groups or keeps to them.
    async fn one_waits_for_the_groups(&self) {
        let sql = "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted";
        self.until(sql).await;
    }

    async fn until(&self, sql: &str) {
        for _ in 0..1000 {
            if !self.holding.query(sql, &[]).await.expect("asks").is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {sql}");
    }

    async fn hold(&self, sql: &str) {
        self.holding.batch_execute(&format!("BEGIN; {sql}")).await.expect("takes the rows");
    }

    async fn let_go(&self) {
        self.holding.batch_execute("ROLLBACK").await.expect("lets the rows go");
    }
}

/// Whether it was refused, which a copy says version by version.
fn is_refused(result: &Result<Applied>) -> bool {
    match result {
        Err(Error::Refused(_)) => true,
        Ok(Applied::Versions(outcome)) => outcome.iter().all(|(_, outcome)| outcome.is_err()),
        _ => false,
    }
}

#[tokio::test]
async fn a_group_changes_after_those_who_read_its_rules() {
    let Some(nodes) = Nodes::start("a_group_changes_after_those_who_read_its_rules").await else { return };
    for (way_in, restriction) in nodes.ways_in().await {
        nodes.hold("UPDATE package SET revision = revision").await;
        let entering = nodes.begin(way_in.clone());
        nodes.one_is_held_up().await;
        let changing = nodes.begin(mode(&nodes.destination, restriction, RestrictionMode::Block));
        nodes.one_waits_for_the_groups().await;
        nodes.let_go().await;
        let entered = entering.await.expect("no panic");
        assert!(entered.is_ok() && !is_refused(&entered), "{way_in:?}: {entered:?}");
        changing.await.expect("no panic").expect("changed");
        let restored = nodes.fixture.apply(mode(&nodes.destination, restriction, RestrictionMode::Allow)).await;
        restored.expect("restored");
    }
}

#[tokio::test]
async fn who_comes_while_a_group_changes_keeps_to_its_new_rules() {
    let Some(nodes) = Nodes::start("who_comes_while_a_group_changes_keeps_to_its_new_rules").await else { return };
    for (way_in, restriction) in nodes.ways_in().await {
        nodes.hold("SELECT id FROM package_group FOR UPDATE").await;
        let changing = nodes.begin(mode(&nodes.destination, restriction, RestrictionMode::Block));
        nodes.one_is_held_up().await;
        let entering = nodes.begin(way_in.clone());
        nodes.one_waits_for_the_groups().await;
        nodes.let_go().await;
        changing.await.expect("no panic").expect("changed");
        let entered = entering.await.expect("no panic");
        assert!(is_refused(&entered), "{way_in:?}: {entered:?}");
        let restored = nodes.fixture.apply(mode(&nodes.destination, restriction, RestrictionMode::Allow)).await;
        restored.expect("restored");
    }
}
