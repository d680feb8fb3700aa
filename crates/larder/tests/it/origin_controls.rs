//! Dependency confusion: what origin controls block is neither served nor accepted, by any route (promise 3).

use std::time::Duration;

use larder_core::Error;
use larder_core::access::Action;
use larder_core::error::ConflictKind;
use larder_core::services::Layer;

use crate::world::{World, key};

async fn world() -> World {
    let world = World::new(Duration::from_secs(600)).await;
    world.create_repository("store", &[], true).await;
    world.create_repository("team", &["store"], false).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_version_of_an_internal_name_is_neither_listed_nor_served() {
    let world = world().await;
    world.publish("team", "1.0.0").await.expect("first of its name");
    *world.registry.versions.lock().unwrap() = vec!["99.0.0".to_owned()];
    world.download("team", "99.0.0").await.expect_err("blocked");
    let allowed = world
        .services
        .access
        .authorize(&world.caller, Action::ReadFromRepository, world.repository("team").await)
        .await
        .expect("allowed");
    let view = world.services.index.view(&allowed, &key()).await.expect("published");
    assert!(view.layers.iter().all(|layer| matches!(layer, Layer::Hosted { .. })), "only what was published here");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_publishes_under_a_name_that_came_from_outside() {
    let world = world().await;
    *world.registry.versions.lock().unwrap() = vec!["1.0.0".to_owned()];
    world.download("team", "1.0.0").await.expect("fetched");
    let refused = world.publish("team", "7.0.0").await.expect_err("blocked");
    assert!(matches!(refused, Error::Refused(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_reachable_upstream_is_not_published_again() {
    let world = world().await;
    *world.registry.versions.lock().unwrap() = vec!["1.0.0".to_owned()];
    let refused = world.publish("team", "1.0.0").await.expect_err("exists upstream");
    assert!(matches!(refused, Error::Conflict { kind: ConflictKind::ExistsUpstream, .. }), "{refused:?}");
}
