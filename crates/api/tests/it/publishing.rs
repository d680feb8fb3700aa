//! Publishing generic packages and reading their assets.

use larder_core::services::Limits;
use serde_json::json;

use crate::world::{World, sha256};

const KEY: &str = "domain=my-domain&repository=my-repo&format=generic&namespace=team&package=tool";

async fn world(limits: Limits) -> World {
    let world = World::with_limits(limits).await;
    world.admin("POST /v1/domain?domain=my-domain", "").await.ok();
    world.create_repository("my-repo", &[]).await;
    world
}

async fn put(world: &World, more: &str, content: &[u8]) -> crate::world::Answer {
    world.publish("my-repo", more, content, content).await
}

#[tokio::test]
async fn a_version_grows_until_it_is_finished() {
    let world = world(Limits::default()).await;
    let first = put(&world, "version=1.0&asset=a.txt&unfinished=true", b"one").await.ok();
    assert_eq!((&first["status"], &first["version"]), (&json!("Unfinished"), &json!("1.0")));
    assert_eq!(
        (&first["format"], &first["namespace"], &first["package"]),
        (&json!("generic"), &json!("team"), &json!("tool"))
    );
    assert_eq!(first["asset"]["name"], "a.txt");
    assert_eq!(first["asset"]["size"], 3);
    assert_eq!(first["asset"]["hashes"]["SHA-256"], hex::encode(sha256(b"one")));

    // The same again is no change; other bytes are a conflict.
    let again = put(&world, "version=1.0&asset=a.txt&unfinished=true", b"one").await.ok();
    assert_eq!(again["versionRevision"], first["versionRevision"]);
    put(&world, "version=1.0&asset=a.txt&unfinished=true", b"two").await.fails(409, "ConflictException");

    let last = put(&world, "version=1.0&asset=b.txt", b"two").await.ok();
    assert_eq!(last["status"], "Published");
    assert_ne!(last["versionRevision"], first["versionRevision"]);
    put(&world, "version=1.0&asset=c.txt", b"three").await.fails(409, "ConflictException");

    let assets =
        world.admin(&format!("POST /v1/package/version/assets?{KEY}&version=1.0&max-results=1"), "").await.ok();
    assert_eq!(assets["assets"].as_array().unwrap().len(), 1);
    let token = assets["nextToken"].as_str().unwrap();
    let more = format!("POST /v1/package/version/assets?{KEY}&version=1.0&next-token={token}");
    let rest = world.admin(&more, "").await.ok();
    assert_eq!(rest["assets"][0]["name"], "b.txt");
    assert_eq!(rest["versionRevision"], last["versionRevision"]);
    assert!(rest.get("nextToken").is_none());
}

#[tokio::test]
async fn a_body_that_is_not_what_was_declared_leaves_nothing() {
    let world = world(Limits::default()).await;
    let lie = world.publish("my-repo", "version=1.0&asset=a.txt", b"one", b"two").await;
    lie.fails(400, "ValidationException");
    let missing = world.admin(&format!("GET /v1/package/version?{KEY}&version=1.0"), "").await;
    missing.fails(404, "ResourceNotFoundException");
    assert!(world.services.blobs.list(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn quotas_hold_for_size_and_number_of_assets() {
    let world = world(Limits { asset_size_bytes: 3, assets_per_version: 2, ..Limits::default() }).await;
    let large = put(&world, "version=1.0&asset=a.txt&unfinished=true", b"four").await;
    assert_eq!(large.fails(402, "ServiceQuotaExceededException")["resourceType"], "asset");
    for name in ["a", "b"] {
        put(&world, &format!("version=1.0&asset={name}&unfinished=true"), b"one").await.ok();
    }
    let third = put(&world, "version=1.0&asset=c&unfinished=true", b"one").await;
    assert_eq!(third.fails(402, "ServiceQuotaExceededException")["resourceType"], "package-version");
    // One that is there already does not count twice.
    put(&world, "version=1.0&asset=b", b"one").await.ok();
}

#[tokio::test]
async fn origin_controls_stop_a_publish_and_names_are_checked() {
    let world = world(Limits::default()).await;
    put(&world, "version=1.0&asset=a%2Fb", b"one").await.fails(400, "ValidationException");
    put(&world, "version=1.0&asset=a&unfinished=yes", b"one").await.fails(400, "ValidationException");
    let body = r#"{"restrictions":{"publish":"BLOCK","upstream":"ALLOW"}}"#;
    world.admin(&format!("POST /v1/package?{KEY}"), body).await.ok();
    put(&world, "version=1.0&asset=a", b"one").await.fails(403, "AccessDeniedException");
}

#[tokio::test]
async fn an_asset_is_read_with_its_facts_as_headers() {
    let world = world(Limits::default()).await;
    let revision = put(&world, "version=1.0&asset=a b.txt".replace(' ', "%20").as_str(), b"content").await.ok();
    let revision = revision["versionRevision"].as_str().unwrap();
    let get = format!("GET /v1/package/version/asset?{KEY}&version=1.0&asset=a%20b.txt");
    let answer = world.admin(&get, "").await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"content"[..]));
    assert_eq!(answer.header("x-assetname"), Some("a b.txt"));
    assert_eq!(answer.header("x-packageversion"), Some("1.0"));
    assert_eq!(answer.header("x-packageversionrevision"), Some(revision));

    let pinned = |revision: &str| {
        format!("{get}&revision={}", revision.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
    };
    assert_eq!(world.admin(&pinned(revision), "").await.status, 200);
    world.admin(&pinned("another"), "").await.fails(409, "ConflictException");
    let missing = world.admin(&get.replace("a%20b.txt", "c.txt"), "").await;
    assert_eq!(missing.fails(404, "ResourceNotFoundException")["resourceType"], "asset");
    let missing = world.admin(&get.replace("version=1.0", "version=2.0"), "").await;
    assert_eq!(missing.fails(404, "ResourceNotFoundException")["resourceType"], "package-version");

    // What is archived or disposed cannot be read.
    for call in ["update_status", "dispose"] {
        let body = r#"{"versions":["1.0"],"targetStatus":"Archived"}"#;
        world.admin(&format!("POST /v1/package/versions/{call}?{KEY}"), body).await.ok();
        world.admin(&get, "").await.fails(404, "ResourceNotFoundException");
    }
}
