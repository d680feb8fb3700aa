//! What a lying, failing or slow registry can do: nothing to what is kept (promise 6).

use std::time::Duration;

use crate::world::{Fault, World, tarball};

async fn world() -> World {
    let world = World::new(Duration::ZERO).await;
    world.create_repository("store", &[], true).await;
    world.create_repository("team", &["store"], false).await;
    *world.registry.versions.lock().unwrap() = vec!["1.0.0".to_owned(), "2.0.0".to_owned()];
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_and_changed_files_break_the_transfer_and_are_not_kept() {
    for fault in [Fault::Truncated, Fault::Changed] {
        let world = world().await;
        *world.registry.fault.lock().unwrap() = fault;
        world.download("team", "1.0.0").await.expect_err("must not look complete");
        assert!(world.held("store").await.is_empty() && world.held("team").await.is_empty(), "{fault:?}");
        *world.registry.fault.lock().unwrap() = Fault::None;
        assert_eq!(world.download("team", "1.0.0").await, Ok(tarball("1.0.0")), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_is_served_while_the_registry_is_down() {
    let world = world().await;
    world.download("team", "1.0.0").await.expect("fetched");
    *world.registry.fault.lock().unwrap() = Fault::Down;
    assert_eq!(world.download("team", "1.0.0").await, Ok(tarball("1.0.0")));
    world.download("team", "2.0.0").await.expect_err("was never fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_share_one_download() {
    let world = world().await;
    let downloads = (0..50).map(|_| world.download_now("team", "1.0.0"));
    for bytes in futures_util::future::join_all(downloads).await {
        assert_eq!(bytes, Ok(tarball("1.0.0")));
    }
    assert_eq!(*world.registry.files_served.lock().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_under_a_known_version_does_not_change_here() {
    let world = world().await;
    world.download("team", "1.0.0").await.expect("fetched");
    *world.registry.fault.lock().unwrap() = Fault::Changed;
    assert_eq!(world.download("team", "1.0.0").await, Ok(tarball("1.0.0")));
    assert_eq!(world.download("store", "1.0.0").await, Ok(tarball("1.0.0")));
}
