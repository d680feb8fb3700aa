//! `larder gc` beside publishes of the same bytes.

use std::sync::Arc;
use std::time::Duration;

use larder_core::access::{Action, PackageTarget};
use larder_core::ports::{BatchSelection, VersionSelector};

use crate::world::{World, key, version};

/// Longer than a publish takes, shorter than the test waits.
const GRACE: Duration = Duration::from_secs(2);

async fn delete(world: &World, versions: &[String]) {
    let target = PackageTarget::new(&world.repository("repo").await, key());
    let allowed = world.services.access.authorize(&world.caller, Action::DeletePackageVersions, target).await.unwrap();
    let versions = versions.iter().map(|text| VersionSelector { version: version(text), revision: None }).collect();
    let selection = BatchSelection { versions, expected_status: None };
    let outcome = world.services.versions.delete(&allowed, selection).await.unwrap();
    assert!(outcome.iter().all(|(_, deleted)| deleted.is_ok()), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_while_garbage_is_collected_stays() {
    let world = Arc::new(World::new(Duration::ZERO).await);
    world.create_repository("repo", &[], false).await;
    let versions: Vec<String> = (0..60).map(|number| format!("1.0.{number}")).collect();
    for text in &versions {
        world.publish("repo", text).await.unwrap();
    }
    delete(&world, &versions).await;
    // Until the bytes, which nothing refers to any more, are older than the grace period.
    tokio::time::sleep(GRACE + Duration::from_millis(50)).await;
    let collector = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut removed = 0;
            for _ in 0..5 {
                removed += world.services.maintenance.collect_garbage(GRACE, false).await.unwrap().removed;
            }
            removed
        })
    };
    // The collector goes by hash, so that the two meet somewhere.
    for text in &versions {
        world.publish("repo", text).await.unwrap();
    }
    let removed = collector.await.unwrap();
    assert!(removed > 0, "nothing was collected, so nothing was tested");
    let report = world.services.maintenance.verify(|_| {}).await.unwrap();
    assert_eq!((report.checked, report.problems.len()), (60, 0), "{:?}", report.problems);
}
