use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{
    AllowPublish, AllowUpstream, Origin, OriginRestrictions, Publication, PublishMode, Repository, Revision, TagUpdate,
    VersionStatus,
};
use larder_core::ports::{Change, Packages, PublishAs};

use super::fixture::{Fixture, asset, latest, new_asset, npm, npmjs, publication, selection, version};

fn kind(error: Error) -> ConflictKind {
    match error {
        Error::Conflict { kind, .. } => kind,
        other => panic!("not a conflict: {other:?}"),
    }
}

/// A publication that adds one asset.
fn adding(repository: &Repository, name: &str, content: &str) -> Publication {
    Publication {
        assets: vec![new_asset(asset(name, content))],
        mode: PublishMode::AddAssets,
        ..publication(repository, "left-pad", "1.0.0")
    }
}

pub(super) async fn a_version_is_read_as_it_was_published(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let publication = Publication {
        assets: vec![new_asset(asset("b.tgz", "b")), new_asset(asset("a.tgz", "a"))],
        tags: vec![latest()],
        ..publication(&repository, "left-pad", "1.0.0")
    };
    let published = fixture.publish(publication.clone()).await.expect("published");
    assert!(published.changed);
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!((found.status, &found.revision), (VersionStatus::Published, &published.revision));
    assert_eq!(found.metadata, publication.metadata);
    assert_eq!(found.assets, [asset("a.tgz", "a"), asset("b.tgz", "b")]);
    assert_eq!(found.origin, Origin::internal(repository.name.clone()));
    assert_eq!(found.source_published_at, Some(found.published_at));
    assert_eq!(found.first_seen_at, found.published_at);
    assert_eq!(found.revision, Revision::of_version(&found.metadata, &found.assets));
    let details = fixture.store.version_details(found.id).await.expect("read");
    assert_eq!(details, publication.details);

    let hosted = fixture.store.load_package(repository.id, &npm("left-pad")).await.expect("read").expect("there");
    assert_eq!(hosted.versions.len(), 1);
    assert_eq!(hosted.versions[0].assets, found.assets);
    assert_eq!(hosted.package.tags, [("latest".to_owned(), "1.0.0".to_owned())]);
    assert!(fixture.store.load_package(repository.id, &npm("no-pad")).await.expect("read").is_none());
}

pub(super) async fn publishing_the_same_version_twice_conflicts(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let again = || publication(&repository, "left-pad", "1.0.0");
    assert_eq!(kind(fixture.publish(again()).await.expect_err("exists")), ConflictKind::Exists);
    fixture.batch(Change::DisposeVersions { package: package.id, selection: selection(&["1.0.0"]) }).await;
    assert_eq!(kind(fixture.publish(again()).await.expect_err("exists")), ConflictKind::Exists);
    fixture.batch(Change::DeleteVersions { package: package.id, selection: selection(&["1.0.0"]) }).await;
    fixture.publish(again()).await.expect("a deleted version may be published afresh");
}

pub(super) async fn adding_assets_is_idempotent_and_never_replaces_bytes(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let first = fixture.publish(adding(&repository, "a.whl", "a")).await.expect("published");
    let same = fixture.publish(adding(&repository, "a.whl", "a")).await.expect("the same");
    assert_eq!((same.changed, &same.revision), (false, &first.revision));
    let more = fixture.publish(adding(&repository, "b.whl", "b")).await.expect("published");
    assert!(more.changed);
    assert_ne!(more.revision, first.revision);
    let error = fixture.publish(adding(&repository, "a.whl", "other")).await.expect_err("other bytes");
    assert_eq!(kind(error), ConflictKind::OtherBytes);
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!(found.assets, [asset("a.whl", "a"), asset("b.whl", "b")]);
    assert_eq!(found.revision, more.revision);
    // Two of one name in one upload, too.
    let assets = vec![new_asset(asset("c.whl", "c")), new_asset(asset("c.whl", "d"))];
    let upload = Publication { assets, ..adding(&repository, "x", "x") };
    assert_eq!(kind(fixture.publish(upload).await.expect_err("other bytes")), ConflictKind::OtherBytes);
}

pub(super) async fn a_version_that_may_grow_at_any_time_stays_in_its_status(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let part = |name: &str| Publication {
        mode: PublishMode::AtAnyTime,
        status: VersionStatus::Unfinished,
        ..adding(&repository, name, name)
    };
    for name in ["a", "b"] {
        let grown = fixture.publish(part(name)).await.expect("published");
        assert_eq!((grown.status, grown.changed), (VersionStatus::Unfinished, true));
    }
    let package = fixture.package(repository.id, "left-pad").await.expect("the package").id;
    for (status, takes) in
        [(VersionStatus::Published, true), (VersionStatus::Unlisted, true), (VersionStatus::Archived, false)]
    {
        let change = Change::UpdateVersionsStatus { package, selection: selection(&["1.0.0"]), target: status };
        fixture.apply(change).await.expect("applied");
        match fixture.publish(part(status.as_str())).await {
            Ok(grown) => assert!(takes && grown.status == status, "{status}"),
            Err(error) => assert!(!takes && kind(error) == ConflictKind::State, "{status}"),
        }
    }
}

pub(super) async fn a_version_is_published_under_another_name_in_one_step(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let build = |text: &str| Publication {
        status: VersionStatus::Unfinished,
        mode: PublishMode::AtAnyTime,
        ..publication(&repository, "left-pad", text)
    };
    fixture.publish(build("1-1")).await.expect("published");
    let package = fixture.package(repository.id, "left-pad").await.expect("the package").id;
    let publish_as = |source: &str, expected: Option<Revision>| {
        Change::PublishAs(Box::new(PublishAs {
            package,
            source: version(source),
            source_status: VersionStatus::Unlisted,
            name: version("1-SNAPSHOT"),
            expected,
            metadata: Bytes::from(format!("of {source}")),
        }))
    };
    fixture.apply(publish_as("1-1", None)).await.expect("applied");
    let first = fixture.version(repository.id, "left-pad", "1-SNAPSHOT").await.expect("the name");
    let source = fixture.version(repository.id, "left-pad", "1-1").await.expect("the source");
    assert_eq!((first.status, source.status), (VersionStatus::Published, VersionStatus::Unlisted));
    assert_eq!((&first.assets, &first.metadata[..]), (&source.assets, &b"of 1-1"[..]));
    let details = fixture.store.version_details(first.id).await.expect("read");
    assert_eq!(details, build("1-1").details);

    fixture.publish(build("1-2")).await.expect("published");
    let late = fixture.apply(publish_as("1-2", None)).await.expect_err("it is there");
    assert_eq!(kind(late), ConflictKind::Revision);
    let still = fixture.version(repository.id, "left-pad", "1-2").await.expect("the second source");
    assert_eq!(still.status, VersionStatus::Unfinished, "nothing of a refused change is kept");
    fixture.apply(publish_as("1-2", Some(first.revision.clone()))).await.expect("applied");
    let second = fixture.version(repository.id, "left-pad", "1-SNAPSHOT").await.expect("the name");
    assert_eq!((&second.assets, second.first_seen_at), (&still.assets, first.first_seen_at));
    let lost = fixture.apply(publish_as("1-1", Some(first.revision))).await.expect_err("somebody was faster");
    assert_eq!(kind(lost), ConflictKind::Revision);

    let change =
        Change::UpdateVersionsStatus { package, selection: selection(&["1-1"]), target: VersionStatus::Archived };
    fixture.apply(change).await.expect("applied");
    let archived = fixture.apply(publish_as("1-1", Some(second.revision))).await.expect_err("archived");
    assert_eq!(kind(archived), ConflictKind::State);
}

pub(super) async fn an_unfinished_version_is_sealed_by_its_last_publish(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let part = |name: &str, status| Publication {
        mode: PublishMode::WhileUnfinished,
        status,
        ..adding(&repository, name, name)
    };
    let first = fixture.publish(part("a", VersionStatus::Unfinished)).await.expect("published");
    assert_eq!(first.status, VersionStatus::Unfinished);
    assert!(!fixture.publish(part("a", VersionStatus::Unfinished)).await.expect("the same").changed);
    let last = fixture.publish(part("b", VersionStatus::Published)).await.expect("published");
    assert_eq!(last.status, VersionStatus::Published);
    for name in ["a", "c"] {
        let error = fixture.publish(part(name, VersionStatus::Published)).await.expect_err("sealed");
        assert_eq!(kind(error), ConflictKind::State);
    }
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!((found.assets.len(), found.status), (2, VersionStatus::Published));
}

pub(super) async fn origin_settings_come_from_the_first_version_and_are_checked_again(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let ingest = |package: &str, text: &str| Publication {
        origin: Origin::external(npmjs()),
        default_restrictions: OriginRestrictions::INGESTED,
        requires_publish: None,
        ..publication(&repository, package, text)
    };
    fixture.publish(ingest("left-pad", "1.0.0")).await.expect("ingested");
    let package = fixture.package(repository.id, "left-pad").await.expect("the package");
    assert_eq!(package.restrictions, OriginRestrictions::INGESTED);
    let error = fixture.publish(publication(&repository, "left-pad", "2.0.0")).await.expect_err("blocked");
    assert!(matches!(error, Error::Refused(_)));

    fixture.publish(publication(&repository, "own", "1.0.0")).await.expect("published");
    let error = fixture.publish(ingest("own", "2.0.0")).await.expect_err("blocked");
    assert!(matches!(error, Error::Refused(_)));

    // A record made beforehand keeps what was put.
    let restrictions = OriginRestrictions { publish: AllowPublish::Allow, upstream: AllowUpstream::Allow };
    let put = Change::PutOriginRestrictions { repository: repository.id, package: npm("mine"), restrictions };
    fixture.must(put).await;
    fixture.publish(ingest("mine", "1.0.0")).await.expect("ingested");
    fixture.publish(publication(&repository, "mine", "2.0.0")).await.expect("published");
    let package = fixture.package(repository.id, "mine").await.expect("the package");
    assert_eq!(package.restrictions, restrictions);
}

pub(super) async fn tags_set_on_ingestion_leave_what_is_there(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let tagged = |text: &str, only_if_absent| Publication {
        tags: vec![TagUpdate { tag: "latest".to_owned(), only_if_absent }],
        ..publication(&repository, "left-pad", text)
    };
    for (text, only_if_absent, expected) in
        [("1.0.0", true, "1.0.0"), ("2.0.0", true, "1.0.0"), ("3.0.0", false, "3.0.0")]
    {
        fixture.publish(tagged(text, only_if_absent)).await.expect("published");
        let package = fixture.package(repository.id, "left-pad").await.expect("the package");
        assert_eq!(package.tags, [("latest".to_owned(), expected.to_owned())]);
    }
}

pub(super) async fn a_blob_counts_once_per_domain(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let first = fixture.repository(&domain, "first").await;
    let second = fixture.repository(&domain, "second").await;
    let with = |repository: &Repository, text: &str, content: &str| Publication {
        assets: vec![new_asset(asset("a", content)), new_asset(asset("b", content))],
        ..publication(repository, "left-pad", text)
    };
    fixture.publish(with(&first, "1.0.0", "ten bytes!")).await.expect("published");
    fixture.publish(with(&second, "1.0.0", "ten bytes!")).await.expect("published");
    fixture.publish(with(&second, "2.0.0", "four")).await.expect("published");
    assert_eq!(fixture.size(domain.id).await, 14);
    let blobs =
        [asset("x", "four"), asset("x", "ten bytes!"), asset("x", "unknown")].map(|a| (domain.id, a.digests.sha256));
    assert_eq!(fixture.store.unreferenced(&blobs).await.expect("read"), blobs[2..]);

    let package = fixture.package(second.id, "left-pad").await.expect("the package");
    let selection = selection(&["1.0.0", "2.0.0"]);
    fixture.batch(Change::DisposeVersions { package: package.id, selection }).await;
    assert_eq!(fixture.size(domain.id).await, 10);
    assert_eq!(fixture.store.unreferenced(&blobs).await.expect("read"), [blobs[0], blobs[2]]);
    let package = fixture.package(first.id, "left-pad").await.expect("the package");
    fixture.must(Change::DeletePackage { package: package.id }).await;
    assert_eq!(fixture.size(domain.id).await, 0);
    assert_eq!(fixture.store.unreferenced(&blobs).await.expect("read"), blobs);
}

pub(super) async fn parallel_first_publishes_all_succeed(fixture: Fixture) {
    let fixture = Arc::new(fixture);
    let repository = fixture.some_repository().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..12 {
        let fixture = Arc::clone(&fixture);
        let mut publication = publication(&repository, "left-pad", &format!("{number}.0.0"));
        // All share a blob as well.
        publication.assets.push(new_asset(asset("LICENSE", "the same in all")));
        tasks.spawn(async move { fixture.publish(publication).await });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("no panic").expect("published");
    }
    let hosted = fixture.store.load_package(repository.id, &npm("left-pad")).await.expect("read").expect("there");
    assert_eq!(hosted.versions.len(), 12);
    assert_eq!(hosted.versions.iter().map(|version| &version.version).collect::<HashSet<_>>().len(), 12);

    // Of several that publish the same version, one succeeds.
    for _ in 0..8 {
        let fixture = Arc::clone(&fixture);
        let publication = publication(&repository, "right-pad", "1.0.0");
        tasks.spawn(async move { fixture.publish(publication).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(kind(error), ConflictKind::Exists);
    }
}

pub(super) async fn a_package_revision_rises_with_each_visible_change(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    // A package of that name that was deleted had none of the revisions to come.
    let deleted = fixture.published(&repository, "left-pad", &["1.0.0", "2.0.0", "3.0.0"]).await;
    fixture.must(Change::DeletePackage { package: deleted.id }).await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    assert!(package.revision > deleted.revision);
    let package = fixture.published(&repository, "left-pad", &["2.0.0"]).await;
    let id = package.id;
    let target = VersionStatus::Unlisted;
    let mut last = package.revision;
    for (change, visible) in [
        (Change::UpdateVersionsStatus { package: id, selection: selection(&["1.0.0"]), target }, true),
        (Change::UpdateVersionsStatus { package: id, selection: selection(&["1.0.0"]), target }, false),
        (Change::UpdateVersionsStatus { package: id, selection: selection(&["9.0.0", "2.0.0"]), target }, false),
        (Change::PutTag { package: id, tag: "next".to_owned(), version: Some(version("2.0.0")) }, true),
        (Change::DisposeVersions { package: id, selection: selection(&["1.0.0"]) }, true),
        (Change::DeleteVersions { package: id, selection: selection(&["1.0.0"]) }, true),
        (
            Change::PutOriginRestrictions {
                repository: repository.id,
                package: npm("left-pad"),
                restrictions: OriginRestrictions::INGESTED,
            },
            true,
        ),
    ] {
        let told = format!("{change:?}");
        fixture.must(change).await;
        let revision = fixture.package(repository.id, "left-pad").await.expect("the package").revision;
        assert_eq!(revision > last, visible, "{told}");
        last = revision;
    }
}

pub(super) async fn metadata_is_replaced_under_its_revision_only(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    let put = |expected: &Revision| Change::PutVersionMetadata {
        version: found.id,
        expected: expected.clone(),
        metadata: Bytes::from_static(b"deprecated"),
    };
    fixture.must(put(&found.revision)).await;
    assert_eq!(kind(fixture.fails(put(&found.revision)).await), ConflictKind::Revision);
    let after = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!(after.metadata, "deprecated");
    assert_eq!(after.revision, Revision::of_version(b"deprecated", &after.assets));
    assert_ne!(after.revision, found.revision);
}

pub(super) async fn an_archived_version_takes_no_assets(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    fixture.publish(adding(&repository, "a", "a")).await.expect("published");
    let package = fixture.package(repository.id, "left-pad").await.expect("the package");
    for (target, takes) in
        [(VersionStatus::Archived, false), (VersionStatus::Unlisted, true), (VersionStatus::Published, true)]
    {
        let selection = selection(&["1.0.0"]);
        fixture.batch(Change::UpdateVersionsStatus { package: package.id, selection, target }).await;
        let result = fixture.publish(adding(&repository, target.as_str(), "more")).await;
        assert_eq!(result.is_ok(), takes, "{target}");
        if let Ok(published) = result {
            assert_eq!(published.status, target);
        }
    }
}

pub(super) async fn an_asset_is_removed_with_its_bytes_and_the_revision_changes(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let publication = Publication {
        assets: vec![new_asset(asset("a.tgz", "a")), new_asset(asset("b.tgz", "b"))],
        ..publication(&repository, "left-pad", "1.0.0")
    };
    fixture.publish(publication).await.expect("published");
    let found = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    let name = found.assets[0].name.clone();
    let delete = |expected: &Revision| Change::DeleteAsset {
        version: found.id,
        expected: expected.clone(),
        asset: name.clone(),
    };
    let outdated = fixture.apply(delete(&Revision("other".to_owned()))).await.expect_err("not this revision");
    assert_eq!(kind(outdated), ConflictKind::Revision);
    fixture.apply(delete(&found.revision)).await.expect("removed");
    let left = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!(left.assets, [asset("b.tgz", "b")]);
    assert_eq!(left.revision, Revision::of_version(&left.metadata, &left.assets));
    assert_eq!(fixture.size(repository.domain).await, 1);
    let gone = fixture.apply(delete(&left.revision)).await.expect_err("gone");
    assert!(gone.is_not_found());
}
