//! Versions: lists, statuses, disposal, deletion, copies.

use serde_json::{Value, json};

use crate::world::World;

const PACKAGE: &str = "format=generic&namespace=team&package=tool";
const KEY: &str = "domain=my-domain&repository=my-repo&format=generic&namespace=team&package=tool";

/// `my-repo` with versions 1.0 and 2.0.
async fn world() -> World {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    for version in ["1.0", "2.0"] {
        let content = format!("content of {version}");
        world
            .publish("my-repo", &format!("version={version}&asset=a.txt"), content.as_bytes(), content.as_bytes())
            .await
            .ok();
    }
    world
}

async fn batch(world: &World, call: &str, body: Value) -> Value {
    world.admin(&format!("POST /v1/package/versions/{call}?{KEY}"), &body.to_string()).await.ok()
}

async fn status(world: &World, version: &str) -> String {
    let described = world.admin(&format!("GET /v1/package/version?{KEY}&version={version}"), "").await.ok();
    described["packageVersion"]["status"].as_str().unwrap().to_owned()
}

fn codes(outcome: &Value) -> Vec<(&str, &str)> {
    let failed = outcome["failedVersions"].as_object().unwrap();
    failed.iter().map(|(version, failure)| (version.as_str(), failure["errorCode"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_version_is_described_and_listed() {
    let world = world().await;
    let described = world.admin(&format!("GET /v1/package/version?{KEY}&version=1.0"), "").await.ok();
    let version = &described["packageVersion"];
    assert_eq!((&version["packageName"], &version["displayName"]), (&json!("tool"), &json!("tool")));
    assert_eq!(version["origin"], json!({"domainEntryPoint": {"repositoryName": "my-repo"}, "originType": "INTERNAL"}));
    let list = world.admin(&format!("POST /v1/package/versions?{KEY}&sortBy=PUBLISHED_TIME"), "").await.ok();
    assert_eq!(list["defaultDisplayVersion"], "2.0");
    let versions: Vec<_> = list["versions"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, ["2.0", "1.0"]);
    let page = world.admin(&format!("POST /v1/package/versions?{KEY}&max-results=1"), "").await.ok();
    let next = format!("POST /v1/package/versions?{KEY}&next-token={}", page["nextToken"].as_str().unwrap());
    let rest = world.admin(&next, "").await.ok();
    assert_eq!(rest["versions"].as_array().unwrap().len(), 1);
    assert_ne!(rest["versions"][0], page["versions"][0]);
    assert_eq!(rest["defaultDisplayVersion"], "2.0");
    // A token of this list is no token of another.
    let other = next.replace("package/versions", "packages");
    world.admin(&other, "").await.fails(400, "ValidationException");
}

#[tokio::test]
async fn a_generic_version_has_no_readme_and_no_dependencies() {
    let world = world().await;
    let dependencies = world.admin(&format!("POST /v1/package/version/dependencies?{KEY}&version=1.0"), "").await.ok();
    assert_eq!(dependencies["dependencies"], json!([]));
    let readme = world.admin(&format!("GET /v1/package/version/readme?{KEY}&version=1.0"), "").await;
    readme.fails(404, "ResourceNotFoundException");
}

#[tokio::test]
async fn statuses_change_all_together_or_not_at_all() {
    let world = world().await;
    let done = batch(&world, "update_status", json!({"versions": ["1.0", "2.0"], "targetStatus": "Unlisted"})).await;
    assert_eq!(done["successfulVersions"]["1.0"]["status"], "Unlisted");
    assert_eq!(done["failedVersions"], json!({}));
    assert_eq!(status(&world, "1.0").await, "Unlisted");

    let archive = |more: Value| {
        let mut body = json!({"versions": ["1.0", "2.0"], "targetStatus": "Archived"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let failed = batch(&world, "update_status", archive(json!({"versions": ["1.0", "3.0"]}))).await;
    assert_eq!(codes(&failed), [("1.0", "SKIPPED"), ("3.0", "NOT_FOUND")]);
    let failed = batch(&world, "update_status", archive(json!({"expectedStatus": "Published"}))).await;
    assert_eq!(codes(&failed), [("1.0", "MISMATCHED_STATUS"), ("2.0", "MISMATCHED_STATUS")]);
    assert_eq!(failed["failedVersions"]["1.0"]["errorMessage"], "current status: Unlisted, expected status: Published");
    let revision = &done["successfulVersions"]["1.0"]["revision"];
    let pinned = json!({"versionRevisions": {"1.0": revision, "2.0": "other"}});
    let failed = batch(&world, "update_status", archive(pinned)).await;
    assert_eq!(codes(&failed), [("1.0", "SKIPPED"), ("2.0", "MISMATCHED_REVISION")]);
    assert_eq!(status(&world, "1.0").await, "Unlisted");

    for target in ["Disposed", "Deleted", "Unfinished"] {
        let body = json!({"versions": ["1.0"], "targetStatus": target}).to_string();
        let answer = world.admin(&format!("POST /v1/package/versions/update_status?{KEY}"), &body).await;
        answer.fails(400, "ValidationException");
    }
    let elsewhere = format!("POST /v1/package/versions/update_status?{}", KEY.replace("tool", "other"));
    let body = r#"{"versions":["1.0"],"targetStatus":"Archived"}"#;
    world.admin(&elsewhere, body).await.fails(404, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_disposed_version_stays_known_and_a_deleted_one_does_not() {
    let world = world().await;
    let disposed = batch(&world, "dispose", json!({"versions": ["1.0"]})).await;
    assert_eq!(disposed["successfulVersions"]["1.0"]["status"], "Disposed");
    let assets = world.admin(&format!("POST /v1/package/version/assets?{KEY}&version=1.0"), "").await.ok();
    assert_eq!(assets["assets"], json!([]));
    let back = batch(&world, "update_status", json!({"versions": ["1.0"], "targetStatus": "Published"})).await;
    assert_eq!(codes(&back), [("1.0", "NOT_ALLOWED")]);

    let deleted = batch(&world, "delete", json!({"versions": ["1.0"], "expectedStatus": "Disposed"})).await;
    assert_eq!(deleted["successfulVersions"]["1.0"]["status"], "Deleted");
    let gone = world.admin(&format!("GET /v1/package/version?{KEY}&version=1.0"), "").await;
    gone.fails(404, "ResourceNotFoundException");
    world.publish("my-repo", "version=1.0&asset=a.txt", b"new", b"new").await.ok();
}

#[tokio::test]
async fn versions_are_copied_once_and_overwritten_on_request() {
    let world = world().await;
    world.create_repository("other", &[]).await;
    let copy = async |body: Value| {
        let call = format!(
            "POST /v1/package/versions/copy?domain=my-domain&source-repository=my-repo&destination-repository=other&{PACKAGE}"
        );
        world.admin(&call, &body.to_string()).await
    };
    let missing = copy(json!({"versions": ["1.0", "9.0"]})).await.ok();
    assert_eq!(codes(&missing), [("1.0", "SKIPPED"), ("9.0", "NOT_FOUND")]);
    assert_eq!(missing["failedVersions"]["9.0"]["errorMessage"], "Could not find version 9.0");
    assert_eq!(missing["failedVersions"]["1.0"]["errorMessage"], "Version 1.0 was skipped");

    let copied = copy(json!({"versions": ["1.0"]})).await.ok();
    assert_eq!(copied["successfulVersions"]["1.0"]["status"], "Published");
    let nothing = json!({"successfulVersions": {}, "failedVersions": {}});
    assert_eq!(copy(json!({"versions": ["1.0"]})).await.ok(), nothing);

    batch(&world, "delete", json!({"versions": ["1.0"]})).await;
    world.publish("my-repo", "version=1.0&asset=a.txt", b"new", b"new").await.ok();
    assert_eq!(codes(&copy(json!({"versions": ["1.0"]})).await.ok()), [("1.0", "ALREADY_EXISTS")]);
    let over = copy(json!({"versions": ["1.0"], "allowOverwrite": true})).await.ok();
    assert_eq!(over["successfulVersions"]["1.0"]["status"], "Published");

    copy(json!({})).await.fails(400, "ValidationException");
    copy(json!({"versions": ["1.0"], "versionRevisions": {"1.0": "x"}})).await.fails(400, "ValidationException");
    let pinned = copy(json!({"versionRevisions": {"1.0": "x"}})).await.ok();
    assert_eq!(codes(&pinned), [("1.0", "MISMATCHED_REVISION")]);
}

#[tokio::test]
async fn a_copy_looks_upstream_when_asked_and_as_far_as_origin_controls_let_it() {
    let world = World::with_domain().await;
    for (name, upstreams) in [("far", &[][..]), ("near", &["far"]), ("source", &["near"]), ("target", &[])] {
        world.create_repository(name, upstreams).await;
    }
    world.publish_npm("far", "1.0.0").await;
    let package = "format=npm&package=pkg";
    let copy = async |from_upstream: bool| {
        let call = format!(
            "POST /v1/package/versions/copy?domain=my-domain&source-repository=source&destination-repository=target&{package}"
        );
        let body = json!({"versions": ["1.0.0"], "includeFromUpstream": from_upstream});
        world.admin(&call, &body.to_string()).await
    };
    copy(false).await.fails(404, "ResourceNotFoundException");

    // A package record that blocks upstream stops the walk, even halfway.
    let control = format!("/v1/package?domain=my-domain&repository=near&{package}");
    let block = r#"{"restrictions":{"publish":"ALLOW","upstream":"BLOCK"}}"#;
    world.admin(&format!("POST {control}"), block).await.ok();
    assert_eq!(codes(&copy(true).await.ok()), [("1.0.0", "NOT_FOUND")]);
    world.admin(&format!("DELETE {control}"), "").await.ok();

    let copied = copy(true).await.ok();
    assert_eq!(copied["successfulVersions"]["1.0.0"]["status"], "Published");
    let key = format!("domain=my-domain&repository=target&{package}");
    let listed = world.admin(&format!("POST /v1/package/versions?{key}"), "").await.ok();
    // The dist-tag came along, and the origin stayed.
    assert_eq!(listed["defaultDisplayVersion"], "1.0.0");
    assert_eq!(listed["versions"][0]["origin"]["domainEntryPoint"], json!({"repositoryName": "far"}));
    let described = world.admin(&format!("GET /v1/package?{key}"), "").await.ok();
    let restrictions = &described["package"]["originConfiguration"]["restrictions"];
    assert_eq!(restrictions, &json!({"publish": "ALLOW", "upstream": "BLOCK"}));
    let readme = world.admin(&format!("GET /v1/package/version/readme?{key}&version=1.0.0"), "").await.ok();
    assert_eq!((&readme["readme"], &readme["package"]), (&json!("# pkg 1.0.0"), &json!("pkg")));
}
