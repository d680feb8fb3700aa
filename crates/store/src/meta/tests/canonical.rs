//! Versions with several spellings: one of them is published.

use std::sync::Arc;

use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{AllowPublish, Origin, OriginRestrictions, Publication, PublishMode, Repository};
use larder_core::ports::{Change, MetadataStore, Packages};

use super::fixture::{Fixture, asset, new_asset, npm, npmjs, publication, version};

/// A publication of version 1 in one of its spellings.
fn spelled(repository: &Repository, package: &str, text: &str) -> Publication {
    Publication { canonical: Some("1".to_owned()), ..publication(repository, package, text) }
}

fn is_refused(error: &Error) -> bool {
    matches!(error, Error::Conflict { kind: ConflictKind::Exists, message, .. } if message.contains("the same version"))
}

pub(super) async fn one_of_several_spellings_at_once_is_published(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let stores = [Arc::new(fixture.another().await), Arc::new(fixture.another().await)];
    for round in 0..10 {
        let package = format!("package-{round}");
        if round % 2 == 0 {
            fixture.published(&repository, &package, &["0.9"]).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for (text, store) in ["1.0", "1.0.0", "1", "01"].into_iter().zip(stores.iter().cycle()) {
            let (store, actor) = (Arc::clone(store), fixture.actor());
            let publication = spelled(&repository, &package, text);
            tasks.spawn(async move { store.apply(&actor, Change::Publish(Box::new(publication))).await });
        }
        let results = tasks.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        for error in results.into_iter().filter_map(Result::err) {
            assert!(is_refused(&error), "{error:?}");
        }
    }
}

pub(super) async fn a_version_that_came_from_elsewhere_refuses_its_other_spellings(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let source = fixture.repository(&domain, "source").await;
    let destination = fixture.repository(&domain, "destination").await;
    let other = fixture.repository(&domain, "other").await;
    fixture.publish(spelled(&source, "foo", "1.0")).await.expect("published");
    let id = fixture.version(source.id, "foo", "1.0").await.expect("the source").id;

    let restrictions = OriginRestrictions { publish: AllowPublish::Allow, ..OriginRestrictions::INGESTED };
    fixture.must(Change::Retain { repository: destination.id, source: id, restrictions }).await;
    let error = fixture.publish(spelled(&destination, "foo", "1.0.0")).await.expect_err("retained");
    assert!(is_refused(&error), "{error:?}");

    let copy = Change::CopyVersions {
        sources: vec![(version("1.0"), Ok(id))],
        destination: other.id,
        package: npm("foo"),
        allow_overwrite: false,
        restrictions,
    };
    fixture.batch(copy).await;
    let error = fixture.publish(spelled(&other, "foo", "1.0.0")).await.expect_err("copied");
    assert!(is_refused(&error), "{error:?}");

    // What a public registry has under another spelling is kept beside it: its clients were promised that.
    let ingested = Publication {
        origin: Origin::external(npmjs()),
        mode: PublishMode::AddAssets,
        assets: vec![new_asset(asset("package.tgz", "public"))],
        requires_publish: None,
        ..spelled(&other, "foo", "1.00")
    };
    fixture.publish(ingested).await.expect("ingested");
    // Another version, and what has one text for each version, are published.
    let another = Publication { canonical: Some("1-java".to_owned()), ..publication(&other, "foo", "1.0-java") };
    fixture.publish(another).await.expect("published");
    fixture.published(&other, "foo", &["2.0", "2.0.0"]).await;
}

pub(super) async fn canonical_texts_that_are_missing_are_filled_in(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    // As the migration leaves what was there.
    let of_before = |text: &str| Publication { canonical: Some("?".to_owned()), ..spelled(&repository, "foo", text) };
    fixture.publish(of_before("1.0")).await.expect("published");
    fixture.published(&repository, "foo", &["0.9"]).await;
    let package = fixture.package(repository.id, "foo").await.expect("the package");
    let without = fixture.store.list_versions_without_canonical(&package, 10).await.expect("read");
    let [(id, text)] = without.as_slice() else { panic!("{without:?}") };
    assert_eq!(text.as_str(), "1.0");
    fixture.store.put_canonical_versions(vec![(*id, "1".to_owned())]).await.expect("filled in");
    assert!(fixture.store.list_versions_without_canonical(&package, 10).await.expect("read").is_empty());
    assert!(is_refused(&fixture.publish(spelled(&repository, "foo", "1.0.0")).await.expect_err("known now")));
    let same = fixture.package(repository.id, "foo").await.expect("the package");
    assert_eq!(same.revision, package.revision, "no document changes");
}
