use larder_core::Error;
use larder_core::model::{
    Origin, OriginRestrictions, Publication, PublishMode, Repository, Timestamp, VersionFailure, VersionFailureCode,
    VersionStatus,
};
use larder_core::ports::{Change, Packages};

use super::fixture::{Fixture, asset, latest, new_asset, npm, npmjs, publication, selection, told, version};

async fn two_repositories(fixture: &Fixture) -> (Repository, Repository) {
    let domain = fixture.domain("my-domain").await;
    (fixture.repository(&domain, "source").await, fixture.repository(&domain, "destination").await)
}

async fn retain(fixture: &Fixture, source: &Repository, destination: &Repository, text: &str) -> Change {
    let source = fixture.version(source.id, "left-pad", text).await.expect("the source").id;
    Change::Retain { repository: destination.id, source, restrictions: OriginRestrictions::INGESTED }
}

pub(super) async fn retaining_keeps_origin_and_times(fixture: Fixture) {
    let (source, destination) = two_repositories(&fixture).await;
    let ingested = Publication {
        origin: Origin::external(npmjs()),
        source_published_at: Some(Timestamp(5)),
        ..publication(&source, "left-pad", "1.0.0")
    };
    fixture.publish(ingested.clone()).await.expect("ingested");
    let retain = retain(&fixture, &source, &destination, "1.0.0").await;
    fixture.must(retain.clone()).await;
    let from = fixture.version(source.id, "left-pad", "1.0.0").await.expect("the source");
    let kept = fixture.version(destination.id, "left-pad", "1.0.0").await.expect("retained");
    assert_ne!(kept.id, from.id);
    assert_eq!((&kept.origin, &kept.revision, kept.status), (&from.origin, &from.revision, from.status));
    assert_eq!(kept.source_published_at, Some(Timestamp(5)));
    assert_eq!((kept.first_seen_at, kept.published_at), (from.first_seen_at, from.published_at));
    assert_eq!((&kept.assets, &kept.metadata), (&from.assets, &from.metadata));
    assert_eq!(fixture.store.version_details(kept.id).await.expect("read"), ingested.details);
    let package = fixture.package(destination.id, "left-pad").await.expect("the package");
    assert_eq!(package.restrictions, OriginRestrictions::INGESTED);

    fixture.must(retain).await;
    let again = fixture.package(destination.id, "left-pad").await.expect("the package");
    assert_eq!(again.revision, package.revision, "nothing happened");
    // What is retained does not depend on its source.
    fixture.must(Change::DeleteRepository { repository: source.id }).await;
    fixture.store.purge().await.expect("purged");
    assert!(fixture.version(destination.id, "left-pad", "1.0.0").await.is_some());
    assert_eq!(fixture.size(destination.domain).await, "left-pad 1.0.0".len() as u64);
}

pub(super) async fn retaining_adds_missing_assets_once(fixture: Fixture) {
    let (source, destination) = two_repositories(&fixture).await;
    let with = |name: &str| Publication {
        assets: vec![new_asset(asset(name, name))],
        mode: PublishMode::AddAssets,
        ..publication(&source, "left-pad", "1.0.0")
    };
    fixture.publish(with("a.whl")).await.expect("published");
    let retain = retain(&fixture, &source, &destination, "1.0.0").await;
    fixture.must(retain.clone()).await;
    fixture.publish(with("b.whl")).await.expect("published");
    fixture.must(retain.clone()).await;
    let kept = fixture.version(destination.id, "left-pad", "1.0.0").await.expect("retained");
    let from = fixture.version(source.id, "left-pad", "1.0.0").await.expect("the source");
    assert_eq!((&kept.assets, &kept.revision), (&from.assets, &from.revision));

    let package = fixture.package(destination.id, "left-pad").await.expect("the package");
    let (selection, target) = (selection(&["1.0.0"]), VersionStatus::Archived);
    fixture.batch(Change::UpdateVersionsStatus { package: package.id, selection, target }).await;
    fixture.publish(with("c.whl")).await.expect("published");
    fixture.must(retain).await;
    let kept = fixture.version(destination.id, "left-pad", "1.0.0").await.expect("retained");
    assert_eq!((kept.assets.len(), kept.status), (2, VersionStatus::Archived), "an archived version stays as it is");
}

pub(super) async fn retaining_respects_a_blocked_upstream(fixture: Fixture) {
    let (source, destination) = two_repositories(&fixture).await;
    let package = fixture.published(&source, "left-pad", &["1.0.0"]).await;
    let restrictions = OriginRestrictions::PUBLISHED;
    let put = |restrictions| Change::PutOriginRestrictions {
        repository: destination.id,
        package: npm("left-pad"),
        restrictions,
    };
    fixture.must(put(restrictions)).await;
    let retain = retain(&fixture, &source, &destination, "1.0.0").await;
    assert!(matches!(fixture.fails(retain.clone()).await, Error::Refused(_)));
    assert!(fixture.version(destination.id, "left-pad", "1.0.0").await.is_none());
    fixture.must(put(OriginRestrictions::INGESTED)).await;
    // A version that may not be downloaded is not retained either.
    fixture.batch(Change::DisposeVersions { package: package.id, selection: selection(&["1.0.0"]) }).await;
    assert!(matches!(fixture.fails(retain).await, Error::Conflict { .. }));
}

async fn copy(
    fixture: &Fixture,
    source: &Repository,
    destination: &Repository,
    versions: &[&str],
    allow_overwrite: bool,
) -> Vec<(String, Result<VersionStatus, String>)> {
    let mut sources = Vec::new();
    for text in versions {
        let found = fixture.version(source.id, "left-pad", text).await.map(|found| found.id);
        let message = format!("Could not find version {text}");
        let found = found.ok_or(VersionFailure { code: VersionFailureCode::NotFound, message });
        sources.push((version(text), found));
    }
    let outcome = fixture
        .batch(Change::CopyVersions {
            sources,
            destination: destination.id,
            package: npm("left-pad"),
            allow_overwrite,
            restrictions: OriginRestrictions::INGESTED,
        })
        .await;
    told(&outcome)
}

pub(super) async fn copying_is_all_or_nothing(fixture: Fixture) {
    let (source, destination) = two_repositories(&fixture).await;
    let package = fixture.published(&source, "left-pad", &["1.0.0", "2.0.0", "3.0.0"]).await;
    fixture.batch(Change::DisposeVersions { package: package.id, selection: selection(&["3.0.0"]) }).await;
    let outcome = copy(&fixture, &source, &destination, &["1.0.0", "5.6.7", "3.0.0"], false).await;
    let expected = [
        ("1.0.0".to_owned(), Err("SKIPPED: Version 1.0.0 was skipped".to_owned())),
        ("5.6.7".to_owned(), Err("NOT_FOUND: Could not find version 5.6.7".to_owned())),
        ("3.0.0".to_owned(), Err("NOT_ALLOWED: version 3.0.0 is Disposed and cannot be copied".to_owned())),
    ];
    assert_eq!(outcome, expected);
    assert!(fixture.package(destination.id, "left-pad").await.is_none(), "nothing was made");
    let outcome = copy(&fixture, &source, &destination, &["1.0.0", "2.0.0"], false).await;
    let published = Ok(VersionStatus::Published);
    assert_eq!(outcome, [("1.0.0".to_owned(), published.clone()), ("2.0.0".to_owned(), published)]);
    let copied = fixture.version(destination.id, "left-pad", "1.0.0").await.expect("copied");
    assert_eq!(copied.origin, Origin::internal(source.name.clone()), "the origin stays");
    // What is the same already is in neither list.
    assert!(copy(&fixture, &source, &destination, &["1.0.0", "2.0.0"], false).await.is_empty());
}

pub(super) async fn copying_takes_the_tags_along(fixture: Fixture) {
    let (source, destination) = two_repositories(&fixture).await;
    let tagged = |repository: &Repository, text: &str| Publication {
        tags: vec![latest()],
        ..publication(repository, "left-pad", text)
    };
    fixture.publish(tagged(&destination, "1.0.0")).await.expect("published");
    fixture.publish(publication(&source, "left-pad", "2.0.0")).await.expect("published");
    fixture.publish(tagged(&source, "3.0.0")).await.expect("published");
    let tags = || async { fixture.package(destination.id, "left-pad").await.expect("the package").tags };
    copy(&fixture, &source, &destination, &["2.0.0"], false).await;
    assert_eq!(tags().await, [("latest".to_owned(), "1.0.0".to_owned())]);
    copy(&fixture, &source, &destination, &["3.0.0"], false).await;
    assert_eq!(tags().await, [("latest".to_owned(), "3.0.0".to_owned())]);
}

pub(super) async fn copying_over_other_content_needs_permission(fixture: Fixture) {
    let (source, destination) = two_repositories(&fixture).await;
    fixture.published(&source, "left-pad", &["1.0.0", "2.0.0"]).await;
    let other = Publication {
        assets: vec![new_asset(asset("package.tgz", "something else"))],
        ..publication(&destination, "left-pad", "1.0.0")
    };
    fixture.publish(other).await.expect("published");
    let outcome = copy(&fixture, &source, &destination, &["1.0.0", "2.0.0"], false).await;
    let expected = [
        ("1.0.0".to_owned(), Err("ALREADY_EXISTS: Version 1.0.0 already exists".to_owned())),
        ("2.0.0".to_owned(), Err("SKIPPED: Version 2.0.0 was skipped".to_owned())),
    ];
    assert_eq!(outcome, expected);
    let outcome = copy(&fixture, &source, &destination, &["1.0.0", "2.0.0"], true).await;
    assert_eq!(outcome.iter().filter(|(_, result)| result.is_ok()).count(), 2);
    let from = fixture.version(source.id, "left-pad", "1.0.0").await.expect("the source");
    let to = fixture.version(destination.id, "left-pad", "1.0.0").await.expect("copied");
    assert_eq!((from.assets, from.revision), (to.assets, to.revision));
    assert_eq!(fixture.size(source.domain).await, 2 * "left-pad 1.0.0".len() as u64);
}
