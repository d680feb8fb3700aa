//! Several writers, several handles.

use std::sync::Arc;

use larder_core::model::{Publication, PublishMode, VersionStatus};
use larder_core::ports::{Change, Domains, MetadataStore, Packages};

use super::fixture::{Fixture, REGION, account, asset, new_asset, npm, publication, selection, user};
use crate::Store;

pub(super) async fn two_handles_see_each_others_writes(fixture: Fixture) {
    let other = fixture.another().await;
    other.ping().await.expect("answers");
    let domain = fixture.domain("my-domain").await;
    let repository = fixture.repository(&domain, "repository").await;
    assert_eq!(other.domain_usage(domain.id).await.expect("read").repository_count, 1);

    let state = |store: Arc<Store>| async move {
        (store.epoch().await.expect("read"), store.control_generation().await.expect("read"))
    };
    let other = Arc::new(other);
    let (epoch, generation) = state(Arc::clone(&other)).await;
    fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let (then, same) = state(Arc::clone(&other)).await;
    assert_ne!(then, epoch, "a publish is seen");
    assert_eq!(same, generation, "and is no matter of rights");
    fixture.must(Change::CreateAccount { account: account() }).await;
    let (last, moved) = state(Arc::clone(&other)).await;
    assert_ne!(last, then);
    assert!(moved > generation);

    // And the other way round.
    let before = fixture.store.epoch().await.expect("read");
    other.apply(&fixture.actor(), Change::CreateUser { user: user("alice") }).await.expect("created");
    assert_ne!(fixture.store.epoch().await.expect("read"), before);
    assert!(fixture.store.control_generation().await.expect("read") > moved);
}

pub(super) async fn the_epoch_stays_while_nothing_is_written(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    // Another database of the same server may write: a run of equal readings is enough.
    let mut longest = 0;
    let mut run = 0;
    let mut last = None;
    for _ in 0..200 {
        fixture.package(repository.id, "left-pad").await.expect("the package");
        let epoch = Some(fixture.store.epoch().await.expect("read"));
        run = if epoch == last { run + 1 } else { 0 };
        longest = longest.max(run);
        last = epoch;
        if longest == 3 {
            return;
        }
    }
    panic!("the epoch never stayed the same");
}

pub(super) async fn a_failing_change_does_not_affect_its_neighbours(fixture: Fixture) {
    let fixture = Arc::new(fixture);
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let fixture = Arc::clone(&fixture);
        // Every third conflicts, after it has created its package and written an asset.
        let mut publication = publication(&repository, &format!("package-{number}"), "1.0.0");
        if number % 3 == 0 {
            publication.assets.push(new_asset(asset("package.tgz", "twice in one upload")));
        }
        tasks.spawn(async move { (number, fixture.publish(publication).await) });
    }
    while let Some(result) = tasks.join_next().await {
        let (number, result) = result.expect("no panic");
        assert_eq!(result.is_ok(), number % 3 != 0, "{number}");
        let package = fixture.package(repository.id, &format!("package-{number}")).await;
        assert_eq!(package.is_some(), number % 3 != 0, "{number}");
    }
    let expected: usize = (0..60).filter(|n| n % 3 != 0).map(|n| format!("package-{n} 1.0.0").len()).sum();
    assert_eq!(fixture.size(repository.domain).await, (expected + "left-pad 1.0.0".len()) as u64);
}

pub(super) async fn counts_stay_right_under_concurrent_changes(fixture: Fixture) {
    let fixture = Arc::new(fixture);
    let repository = fixture.some_repository().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (fixture, repository) = (Arc::clone(&fixture), repository.clone());
        tasks.spawn(async move {
            let name = format!("package-{}", number % 3);
            let text = format!("{number}.0.0");
            for round in 0..6 {
                let upload = Publication {
                    assets: (0..4).map(|n| new_asset(asset(&format!("{n}"), &format!("shared {}", n % 3)))).collect(),
                    mode: PublishMode::AddAssets,
                    ..publication(&repository, &name, &text)
                };
                fixture.publish(upload).await.expect("published");
                let package = fixture.package(repository.id, &name).await.expect("the package").id;
                let selection = selection(&[&text]);
                if round % 2 == 0 {
                    fixture.batch(Change::DeleteVersions { package, selection }).await;
                } else if round == 5 {
                    let target = VersionStatus::Unlisted;
                    fixture.batch(Change::UpdateVersionsStatus { package, selection, target }).await;
                }
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("no panic");
    }
    assert_eq!(fixture.size(repository.domain).await, 3 * "shared 0".len() as u64);
    for number in 0..3 {
        let key = npm(&format!("package-{number}"));
        let hosted = fixture.store.load_package(repository.id, &key).await.expect("read").expect("there");
        assert!(hosted.versions.iter().all(|version| version.status == VersionStatus::Unlisted));
        fixture.must(Change::DeletePackage { package: hosted.package.id }).await;
    }
    assert_eq!(fixture.size(repository.domain).await, 0);
    let blobs: Vec<_> =
        (0..3).map(|n| (repository.domain, asset("x", &format!("shared {n}")).digests.sha256)).collect();
    assert_eq!(fixture.store.unreferenced(&blobs).await.expect("read"), blobs);
}

pub(super) async fn opening_several_times_at_once_migrates_once(fixture: Fixture) {
    let url = fixture.empty_database().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        // On threads of their own, because opening a file does not wait for anything.
        tasks.spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(async { Store::open(&url, REGION).await?.ping().await })
        });
    }
    for result in tasks.join_all().await {
        result.expect("opens");
    }
}
