//! The suite's SQLite, and what only SQLite has: one writer thread, one file, several handles.

use std::sync::Arc;

use larder_core::ports::{Change, MetadataStore, Packages};
use larder_core::{Error, Result};

use super::fixture::{Fixture, account, npm, publication, version};
use crate::sql::{Conn, Sql, Work};
use crate::{DatabaseUrl, Store};

/// A store on a new file.
pub(super) async fn fixture(_test: &str) -> Option<Fixture> {
    let folder = tempfile::tempdir().expect("a folder");
    let url = DatabaseUrl::Sqlite(folder.path().join("metadata").join("larder.db"));
    Some(Fixture::open(url, Some(folder)).await)
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture("").await.expect("a store");
    let DatabaseUrl::Sqlite(path) = &fixture.url else { panic!("not a file") };
    assert_eq!(std::fs::metadata(path).expect("the file").permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_publishes_at_once_are_all_stored() {
    let fixture = Arc::new(fixture("").await.expect("a store"));
    let repository = fixture.some_repository().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..300 {
        let fixture = Arc::clone(&fixture);
        let publication = publication(&repository, &format!("package-{number}"), "1.0.0");
        tasks.spawn(async move { fixture.publish(publication).await });
    }
    while let Some(result) = tasks.join_next().await {
        assert!(result.expect("no panic").expect("published").changed);
    }
    for number in 0..300 {
        assert!(fixture.version(repository.id, &format!("package-{number}"), "1.0.0").await.is_some());
    }
}

static SPOIL: Sql = Sql::new("tests::SPOIL", "UPDATE control SET generation = 0");

/// A change that panics after it has written.
struct Panics;

impl Work for Panics {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        conn.execute(&SPOIL, &[]).await?;
        panic!("a defect in a change");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_change_is_undone_and_the_writer_lives() {
    let fixture = fixture("").await.expect("a store");
    let repository = fixture.some_repository().await;
    let before = fixture.store.control_generation().await.expect("read");
    let (panicked, published) = tokio::join!(
        fixture.store.database.write(Panics),
        fixture.publish(publication(&repository, "left-pad", "1.0.0")),
    );
    assert!(matches!(panicked, Err(Error::Internal { .. })));
    published.expect("published");
    assert_eq!(fixture.store.control_generation().await.expect("read"), before);
    fixture.must(Change::CreateAccount { account: account() }).await;
}

/// Writes past the store, as a defect or a disk would.
fn spoil(fixture: &Fixture, sql: &str) {
    let DatabaseUrl::Sqlite(path) = &fixture.url else { panic!("not a file") };
    rusqlite::Connection::open(path).and_then(|connection| connection.execute_batch(sql)).expect("writes");
}

#[tokio::test]
async fn a_spoilt_row_is_named_and_panics_nobody() {
    let fixture = fixture("").await.expect("a store");
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    for (sql, expected) in [
        ("UPDATE package_version SET status = 'Lost'", "table package_version, row 1: unknown status 'Lost'"),
        (
            "UPDATE package_version SET status = 'Published'; UPDATE asset SET kind = 'x'",
            "table asset, row 1/package.tgz: unknown kind 'x'",
        ),
        ("UPDATE asset SET kind = 'asset', md5 = x'00'", "column 4 holds 1 bytes where 16 are expected"),
        ("UPDATE asset SET size_bytes = -1", "column 3 holds -1, which is negative"),
    ] {
        spoil(&fixture, sql);
        let found = fixture.store.find_version(repository.id, &npm("left-pad"), &version("1.0.0")).await;
        let Err(Error::Internal { source }) = found else { panic!("{sql}: {found:?}") };
        assert_eq!(source.to_string(), expected, "{sql}");
    }
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_not_opened() {
    let fixture = fixture("").await.expect("a store");
    spoil(&fixture, "INSERT INTO schema_history (number) VALUES (9999)");
    let error = Store::open(&fixture.url, "eu-central-1").await.err().expect("a newer schema is refused");
    assert!(matches!(error, Error::Internal { .. }));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("larder.db");
    std::fs::write(&path, "this is a text of some length, and nothing that SQLite could read").expect("writes");
    let error = Store::open(&DatabaseUrl::Sqlite(path), "eu-central-1").await.err().expect("refused");
    assert!(matches!(error, Error::Internal { .. }), "{error:?}");
    let url = DatabaseUrl::Sqlite(folder.path().join("larder.db").join("below-a-file"));
    let error = Store::open(&url, "eu-central-1").await.err().expect("refused");
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_must_be_encrypted_is_refused_with_a_reason() {
    let url = DatabaseUrl::parse("postgres://larder@127.0.0.1/larder?sslmode=require").expect("a URL");
    let error = Store::open(&url, "eu-central-1").await.err().expect("refused");
    assert!(matches!(error, Error::Validation { .. }), "{error:?}");
    assert!(error.to_string().contains("no TLS to PostgreSQL"));
}
