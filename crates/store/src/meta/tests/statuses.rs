use larder_core::Error;
use larder_core::model::{OriginRestrictions, Revision, VersionStatus};
use larder_core::ports::{BatchSelection, Change};

use super::fixture::{Fixture, latest, npm, publication, selection, told, version};

fn failure<T>(text: &str) -> Result<T, String> {
    Err(text.to_owned())
}

pub(super) async fn a_batch_is_all_or_nothing(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0", "2.0.0"]).await;
    let update = |versions: &[&str]| Change::UpdateVersionsStatus {
        package: package.id,
        selection: selection(versions),
        target: VersionStatus::Archived,
    };
    let outcome = fixture.batch(update(&["1.0.0", "5.6.7", "2.0.0"])).await;
    let expected = [
        ("1.0.0".to_owned(), failure("SKIPPED: version 1.0.0 is skipped")),
        ("5.6.7".to_owned(), failure("NOT_FOUND: Could not find version 5.6.7")),
        ("2.0.0".to_owned(), failure("SKIPPED: version 2.0.0 is skipped")),
    ];
    assert_eq!(told(&outcome), expected);
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!(found.status, VersionStatus::Published);

    // Named twice is once.
    let outcome = fixture.batch(update(&["1.0.0", "2.0.0", "1.0.0"])).await;
    let archived = Ok(VersionStatus::Archived);
    assert_eq!(told(&outcome), [("1.0.0".to_owned(), archived.clone()), ("2.0.0".to_owned(), archived)]);
    let after = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!((after.status, after.revision), (VersionStatus::Archived, found.revision));

    let selection = || selection(&["1.0.0", "9.9.9"]);
    let outcome = fixture.batch(Change::DeleteVersions { package: package.id, selection: selection() }).await;
    assert!(outcome.iter().all(|(_, result)| result.is_err()));
    let outcome = fixture.batch(Change::DisposeVersions { package: package.id, selection: selection() }).await;
    assert!(outcome.iter().all(|(_, result)| result.is_err()));
    assert_eq!(fixture.version(repository.id, "left-pad", "1.0.0").await.expect("there").assets.len(), 1);
    for target in [VersionStatus::Unfinished, VersionStatus::Disposed, VersionStatus::Deleted] {
        let change = Change::UpdateVersionsStatus { package: package.id, selection: selection(), target };
        assert!(matches!(fixture.fails(change).await, Error::Validation { .. }));
    }
}

pub(super) async fn a_disposed_version_can_only_be_deleted(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let before = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    let selection = || selection(&["1.0.0"]);
    let dispose = || Change::DisposeVersions { package: package.id, selection: selection() };
    let disposed = [("1.0.0".to_owned(), Ok(VersionStatus::Disposed))];
    assert_eq!(told(&fixture.batch(dispose()).await), disposed);
    assert_eq!(told(&fixture.batch(dispose()).await), disposed);
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the record stays");
    assert_eq!((found.status, found.assets.len()), (VersionStatus::Disposed, 0));
    assert_eq!(found.metadata, before.metadata);
    assert_ne!(found.revision, before.revision, "the revision stands for the assets");

    let target = VersionStatus::Published;
    let outcome =
        fixture.batch(Change::UpdateVersionsStatus { package: package.id, selection: selection(), target }).await;
    let message = "NOT_ALLOWED: version 1.0.0 is Disposed and cannot become Published";
    assert_eq!(told(&outcome), [("1.0.0".to_owned(), failure(message))]);
    let outcome = fixture.batch(Change::DeleteVersions { package: package.id, selection: selection() }).await;
    assert_eq!(told(&outcome), [("1.0.0".to_owned(), Ok(VersionStatus::Deleted))]);
    let last = outcome[0].1.as_ref().map(|(revision, _)| revision.clone());
    assert_eq!(last, Ok(found.revision));
    assert!(fixture.version(repository.id, "left-pad", "1.0.0").await.is_none());
}

pub(super) async fn deleting_versions_removes_their_tags_and_keeps_the_package(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    for text in ["1.0.0", "2.0.0"] {
        let mut publication = publication(&repository, "left-pad", text);
        publication.tags = vec![latest()];
        fixture.publish(publication).await.expect("published");
    }
    let package = fixture.package(repository.id, "left-pad").await.expect("the package");
    let next = Change::PutTag { package: package.id, tag: "next".to_owned(), version: Some(version("1.0.0")) };
    fixture.must(next).await;
    let delete = |versions: &[&str]| Change::DeleteVersions { package: package.id, selection: selection(versions) };
    fixture.batch(delete(&["2.0.0"])).await;
    let found = fixture.package(repository.id, "left-pad").await.expect("the package");
    assert_eq!(found.tags, [("next".to_owned(), "1.0.0".to_owned())]);
    fixture.batch(delete(&["1.0.0"])).await;
    let found = fixture.package(repository.id, "left-pad").await.expect("the package");
    assert_eq!((found.tags.len(), found.restrictions), (0, OriginRestrictions::PUBLISHED));
}

pub(super) async fn expected_status_and_revision_are_checked(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    let batch = |expected_status, revision: Option<&str>| {
        let mut selection = BatchSelection { expected_status, ..selection(&["1.0.0"]) };
        selection.versions[0].revision = revision.map(|revision| Revision(revision.to_owned()));
        Change::UpdateVersionsStatus { package: package.id, selection, target: VersionStatus::Archived }
    };
    let outcome = fixture.batch(batch(Some(VersionStatus::Unlisted), None)).await;
    let message = "MISMATCHED_STATUS: current status: Published, expected status: Unlisted";
    assert_eq!(told(&outcome), [("1.0.0".to_owned(), failure(message))]);
    let outcome = fixture.batch(batch(None, Some("other"))).await;
    let message = format!("MISMATCHED_REVISION: current revision: {}, expected revision: other", found.revision);
    assert_eq!(told(&outcome), [("1.0.0".to_owned(), failure(&message))]);
    let outcome = fixture.batch(batch(Some(VersionStatus::Published), Some(found.revision.as_str()))).await;
    assert_eq!(told(&outcome), [("1.0.0".to_owned(), Ok(VersionStatus::Archived))]);
}

pub(super) async fn deleting_a_package_forgets_its_settings(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let restrictions = OriginRestrictions::INGESTED;
    let put = Change::PutOriginRestrictions { repository: repository.id, package: npm("left-pad"), restrictions };
    fixture.must(put).await;
    let package = fixture.package(repository.id, "left-pad").await.expect("an empty record");
    assert_eq!(package.restrictions, restrictions);
    fixture.must(Change::DeletePackage { package: package.id }).await;
    assert!(fixture.package(repository.id, "left-pad").await.is_none());
    assert!(fixture.fails(Change::DeletePackage { package: package.id }).await.is_not_found());
    let selection = selection(&["1.0.0"]);
    assert!(fixture.fails(Change::DisposeVersions { package: package.id, selection }).await.is_not_found());
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    assert_eq!(package.restrictions, OriginRestrictions::PUBLISHED);
}

pub(super) async fn put_tag_needs_the_version_and_the_tag(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let put =
        |text: Option<&str>| Change::PutTag { package: package.id, tag: "beta".to_owned(), version: text.map(version) };
    assert!(fixture.fails(put(Some("2.0.0"))).await.is_not_found());
    assert!(fixture.fails(put(None)).await.is_not_found());
    fixture.must(put(Some("1.0.0"))).await;
    fixture.must(put(None)).await;
    assert!(fixture.package(repository.id, "left-pad").await.expect("the package").tags.is_empty());
}
