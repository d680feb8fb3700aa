//! Stores on databases of one PostgreSQL server, if its programs are on this machine.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::poll_immediate;
use larder_core::Error;
use larder_core::ports::Packages as _;
use larder_testkit::Postgres;

use super::fixture::{Fixture, npm, publication};
use crate::DatabaseUrl;

static SERVER: OnceLock<Result<Postgres, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A store on a new database, or `None` (and a line that says so) without a server.
pub(super) async fn fixture(test: &str) -> Option<Fixture> {
    let url = new_database(test).await?;
    Some(Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await)
}

/// A connection to a new database that has the schema.
pub(super) async fn client(test: &str) -> Option<tokio_postgres::Client> {
    let url = new_database(test).await?;
    Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    Some(client)
}

pub(super) async fn new_database(test: &str) -> Option<String> {
    let server = match SERVER.get_or_init(Postgres::try_start) {
        Ok(server) => server,
        Err(reason) => {
            // Not through `eprintln!`, which the test harness swallows.
            let _ = writeln!(std::io::stderr(), "SKIPPED on PostgreSQL: {test}: {reason}");
            return None;
        }
    };
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let address = server.url();
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.expect("connects");
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("creates a database");
    drop(client);
    let _ = connection.await;
    Some(server.url_of(&name))
}

#[tokio::test]
async fn connections_that_were_cut_are_replaced() {
    let Some(url) = new_database("connections_that_were_cut_are_replaced").await else { return };
    let fixture = Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await;
    let repository = fixture.some_repository().await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for round in 0..5 {
        client.batch_execute(cut).await.expect("cuts");
        let package = format!("package-{round}");
        // What was under way on a connection, or is sent on one before it is known to be cut, fails and may be repeated.
        let mut attempts = 0;
        while let Err(error) = fixture.publish(publication(&repository, &package, "1.0.0")).await {
            assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
            attempts += 1;
            assert!(attempts < 20, "it never recovers");
        }
        assert!(fixture.package(repository.id, &package).await.is_some());
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_no_transaction_open() {
    let Some(url) = new_database("a_caller_that_gives_up_leaves_no_transaction_open").await else { return };
    let fixture = Fixture::open(DatabaseUrl::parse(&url).expect("a URL"), None).await;
    let repository = fixture.some_repository().await;
    let key = npm("late");
    for polls in 1..=3 {
        let mut reading = std::pin::pin!(fixture.store.find_package(repository.id, &key));
        for _ in 0..polls {
            // Each poll sends what it can; the first one sends the beginning of the transaction.
            let _ = poll_immediate(&mut reading).await;
            tokio::task::yield_now().await;
        }
    }
    fixture.published(&repository, "late", &["1.0.0"]).await;
    for _ in 0..20 {
        let found = fixture.store.find_package(repository.id, &key).await.expect("read");
        assert!(found.is_some(), "an old transaction is read from");
    }
}
