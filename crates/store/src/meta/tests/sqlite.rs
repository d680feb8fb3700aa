//! The suite's SQLite, and what only SQLite has: one writer thread, one file, several handles.

use std::sync::Arc;

use super::fixture::Fixture;
use crate::DatabaseUrl;

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
        let publication = super::fixture::publication(&repository, &format!("package-{number}"), "1.0.0");
        tasks.spawn(async move { fixture.publish(publication).await });
    }
    while let Some(result) = tasks.join_next().await {
        assert!(result.expect("no panic").expect("published").changed);
    }
    for number in 0..300 {
        assert!(fixture.version(repository.id, &format!("package-{number}"), "1.0.0").await.is_some());
    }
}
