//! Packages and their origin controls.

use serde_json::{Value, json};

use crate::world::World;

const KEY: &str = "domain=my-domain&repository=my-repo";

async fn world() -> World {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    world
}

async fn put(world: &World, package: &str, publish: &str, upstream: &str) -> Value {
    let body = json!({"restrictions": {"publish": publish, "upstream": upstream}}).to_string();
    world.admin(&format!("POST /v1/package?{KEY}&{package}"), &body).await.ok()
}

#[tokio::test]
async fn a_name_can_be_blocked_before_it_has_versions() {
    let world = world().await;
    let package = "format=npm&namespace=acme&package=ui";
    let stored = put(&world, package, "BLOCK", "BLOCK").await;
    let restrictions = json!({"restrictions": {"publish": "BLOCK", "upstream": "BLOCK"}});
    assert_eq!(stored, json!({"originConfiguration": restrictions}));
    let described = world.admin(&format!("GET /v1/package?{KEY}&{package}"), "").await.ok();
    let expected = json!({"format": "npm", "namespace": "acme", "name": "ui", "originConfiguration": restrictions});
    assert_eq!(described, json!({"package": expected}));

    let versions = world.admin(&format!("POST /v1/package/versions?{KEY}&{package}"), "").await.ok();
    assert_eq!(versions, json!({"format": "npm", "namespace": "acme", "package": "ui", "versions": []}));

    let deleted = world.admin(&format!("DELETE /v1/package?{KEY}&{package}"), "").await.ok();
    let expected = json!({"format": "npm", "namespace": "acme", "package": "ui", "originConfiguration": restrictions});
    assert_eq!(deleted, json!({"deletedPackage": expected}));
    let missing = world.admin(&format!("GET /v1/package?{KEY}&{package}"), "").await;
    let missing = missing.fails(404, "ResourceNotFoundException");
    assert_eq!(missing["resourceType"], "package");
    assert!(missing["message"].as_str().unwrap().starts_with("Package not found in repository. RepoId: "));
}

#[tokio::test]
async fn packages_are_listed_filtered_and_paged() {
    let world = world().await;
    put(&world, "format=npm&package=left-pad", "ALLOW", "BLOCK").await;
    put(&world, "format=npm&namespace=acme&package=ui", "BLOCK", "ALLOW").await;
    put(&world, "format=npm&namespace=acme-labs&package=ux", "ALLOW", "ALLOW").await;
    put(&world, "format=pypi&package=left-pad", "ALLOW", "BLOCK").await;
    let list = |more: &str| {
        let call = format!("POST /v1/packages?{KEY}{more}");
        let world = &world;
        async move {
            let found = world.admin(&call, "").await.ok();
            let packages = found["packages"].as_array().unwrap().clone();
            let name =
                |one: &Value| format!("{}:{}", one["format"].as_str().unwrap(), one["package"].as_str().unwrap());
            (packages.iter().map(name).collect::<Vec<_>>(), found.get("nextToken").cloned())
        }
    };
    assert_eq!(list("").await.0, ["npm:left-pad", "npm:ui", "npm:ux", "pypi:left-pad"]);
    assert_eq!(list("&format=npm&namespace=acme").await.0, ["npm:ui", "npm:ux"]);
    assert_eq!(list("&format=npm&namespace=acme-").await.0, ["npm:ux"]);
    assert_eq!(list("&package-prefix=left").await.0, ["npm:left-pad", "pypi:left-pad"]);
    assert_eq!(list("&publish=ALLOW&upstream=BLOCK").await.0, ["npm:left-pad", "pypi:left-pad"]);

    let mut walked = Vec::new();
    let mut token = String::new();
    loop {
        let (names, next) = list(&format!("&max-results=1{token}")).await;
        walked.extend(names);
        let Some(next) = next else { break };
        token = format!("&next-token={}", next.as_str().unwrap());
    }
    assert_eq!(walked, ["npm:left-pad", "npm:ui", "npm:ux", "pypi:left-pad"]);

    let alone = world.admin(&format!("POST /v1/packages?{KEY}&namespace=acme"), "").await;
    alone.fails(400, "ValidationException");
}

#[tokio::test]
async fn names_that_a_format_does_not_have_are_refused() {
    let world = world().await;
    for package in ["format=maven&package=junit", "format=pypi&namespace=a&package=b", "format=npm&package=a%2Fb"] {
        let answer = world.admin(&format!("GET /v1/package?{KEY}&{package}"), "").await;
        answer.fails(400, "ValidationException");
    }
}
