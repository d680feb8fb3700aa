//! Repositories, their upstreams and external connections.

use larder_core::services::Limits;
use serde_json::{Value, json};

use crate::world::{ACCOUNT, World};

fn upstreams(repository: &Value) -> Vec<&str> {
    let upstreams = repository["repository"]["upstreams"].as_array().unwrap();
    upstreams.iter().map(|upstream| upstream["repositoryName"].as_str().unwrap()).collect()
}

async fn update(world: &World, name: &str, names: &[&str]) -> crate::world::Answer {
    let upstreams: Vec<_> = names.iter().map(|name| json!({"repositoryName": name})).collect();
    let body = json!({"upstreams": upstreams}).to_string();
    world.admin(&format!("PUT /v1/repository?domain=my-domain&repository={name}"), &body).await
}

#[tokio::test]
async fn a_repository_keeps_its_upstreams_in_order() {
    let world = World::with_domain().await;
    for name in ["store-a", "store-b"] {
        world.create_repository(name, &[]).await;
    }
    let created = world.create_repository("my-repo", &["store-b", "store-a"]).await;
    assert_eq!(upstreams(&created), ["store-b", "store-a"]);
    assert_eq!(created["repository"]["externalConnections"], json!([]));
    assert_eq!(created["repository"]["administratorAccount"], ACCOUNT);
    assert!(created["repository"].get("description").is_none());

    // An absent list stays, another replaces it, an empty one removes all.
    let put = "PUT /v1/repository?domain=my-domain&repository=my-repo";
    let updated = world.admin(put, r#"{"description":"team repo"}"#).await.ok();
    assert_eq!(upstreams(&updated), ["store-b", "store-a"]);
    assert_eq!(upstreams(&update(&world, "my-repo", &["store-a"]).await.ok()), ["store-a"]);
    let described = world.admin("GET /v1/repository?domain=my-domain&repository=my-repo", "").await.ok();
    assert_eq!(described["repository"]["description"], "team repo");
    assert_eq!(upstreams(&described), ["store-a"]);
    assert!(upstreams(&update(&world, "my-repo", &[]).await.ok()).is_empty());
}

#[tokio::test]
async fn upstreams_that_break_a_rule_are_refused() {
    let world = World::with_domain().await;
    for name in ["one", "two", "three"] {
        world.create_repository(name, &[]).await;
    }
    update(&world, "one", &["two"]).await.ok();
    update(&world, "two", &["three"]).await.ok();
    for (name, names) in
        [("three", &["one"][..]), ("two", &["one"]), ("one", &["one"]), ("one", &["two", "two"]), ("one", &["x"])]
    {
        let answer = update(&world, name, names).await;
        assert!(matches!(answer.status, 400), "{name} {names:?}: {answer:?}");
    }
    let missing = update(&world, "one", &["nowhere"]).await.fails(404, "ResourceNotFoundException");
    assert_eq!(missing["resourceType"], "repository");
    let eleven: Vec<_> = (0..11).map(|n| format!("up-{n}")).collect();
    let eleven: Vec<_> = eleven.iter().map(String::as_str).collect();
    update(&world, "one", &eleven).await.fails(400, "ValidationException");
}

#[tokio::test]
async fn a_repository_has_one_connection_or_upstreams() {
    let world = World::with_domain().await;
    world.create_repository("npm-store", &[]).await;
    world.create_repository("my-repo", &["npm-store"]).await;
    let connection = |method: &str, repository: &str, name: &str| world_call(method, repository, name);
    let attach = connection("POST", "npm-store", "public:npmjs");
    let attached = world.admin(&attach, "").await.ok();
    assert_eq!(
        attached["repository"]["externalConnections"],
        json!([{"externalConnectionName": "public:npmjs", "packageFormat": "npm", "status": "Available"}])
    );
    let second = world.admin(&connection("POST", "npm-store", "public:pypi"), "").await;
    let body = second.fails(400, "ValidationException");
    assert_eq!(body["message"], "ExternalConnections for repositories are currently limited to 1");
    world.admin(&connection("POST", "my-repo", "public:npmjs"), "").await.fails(400, "ValidationException");
    update(&world, "npm-store", &["my-repo"]).await.fails(400, "ValidationException");
    world.admin(&connection("POST", "npm-store", "public:unknown"), "").await.fails(400, "ValidationException");

    let other = world.admin(&connection("DELETE", "npm-store", "public:pypi"), "").await;
    other.fails(404, "ResourceNotFoundException");
    let detached = world.admin(&connection("DELETE", "npm-store", "public:npmjs"), "").await.ok();
    assert_eq!(detached["repository"]["externalConnections"], json!([]));
}

fn world_call(method: &str, repository: &str, name: &str) -> String {
    format!(
        "{method} /v1/repository/external-connection?domain=my-domain&repository={repository}&external-connection={name}"
    )
}

#[tokio::test]
async fn deleting_an_upstream_leaves_a_link_and_deleting_nothing_succeeds() {
    let world = World::with_domain().await;
    world.create_repository("store", &[]).await;
    world.create_repository("my-repo", &["store"]).await;
    let delete = "DELETE /v1/repository?domain=my-domain&repository=store";
    assert_eq!(world.admin(delete, "").await.ok()["repository"]["name"], "store");
    assert_eq!(world.admin(delete, "").await.ok(), json!({}));
    let described = world.admin("GET /v1/repository?domain=my-domain&repository=my-repo", "").await.ok();
    assert_eq!(upstreams(&described), ["store"]);
    let missing = world.admin("GET /v1/repository?domain=my-domain&repository=store", "").await;
    assert_eq!(missing.fails(404, "ResourceNotFoundException")["resourceType"], "repository");
    world
        .admin("DELETE /v1/repository?domain=nowhere&repository=store", "")
        .await
        .fails(404, "ResourceNotFoundException");
}

#[tokio::test]
async fn names_are_taken_and_limited_per_domain() {
    let world = World::with_limits(Limits { repositories_per_domain: 1, ..Limits::default() }).await;
    world.admin("POST /v1/domain?domain=my-domain", "").await.ok();
    world.create_repository("my-repo", &[]).await;
    let create = |name: &str| format!("POST /v1/repository?domain=my-domain&repository={name}");
    world.admin(&create("my-repo"), "").await.fails(409, "ConflictException");
    world.admin(&create("another"), "").await.fails(402, "ServiceQuotaExceededException");
}

#[tokio::test]
async fn repositories_are_listed_by_account_and_by_domain() {
    let world = World::with_domain().await;
    world.admin("POST /v1/domain?domain=second", "").await.ok();
    for name in ["npm-b", "npm-a", "pypi"] {
        world.create_repository(name, &[]).await;
    }
    world.admin("POST /v1/repository?domain=second&repository=npm-a", "").await.ok();
    let names = |list: &Value| {
        let repositories = list["repositories"].as_array().unwrap();
        let name = |one: &Value| format!("{}/{}", one["domainName"].as_str().unwrap(), one["name"].as_str().unwrap());
        repositories.iter().map(name).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page =
            world.admin(&format!("POST /v1/repositories?repository-prefix=npm&max-results=1{token}"), "").await.ok();
        all.extend(names(&page));
        let Some(next) = page.get("nextToken") else { break };
        token = format!("&next-token={}", next.as_str().unwrap());
    }
    assert_eq!(all, ["my-domain/npm-a", "second/npm-a", "my-domain/npm-b"]);

    let list = "POST /v1/domain/repositories?domain=my-domain";
    assert_eq!(names(&world.admin(list, "").await.ok()), ["my-domain/npm-a", "my-domain/npm-b", "my-domain/pypi"]);
    let others = world.admin(&format!("{list}&administrator-account=444455556666"), "").await.ok();
    assert_eq!(others, json!({"repositories": []}));
    world.admin(&format!("{list}&max-results=0"), "").await.fails(400, "ValidationException");
}

#[tokio::test]
async fn an_endpoint_is_given_for_every_format() {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    let endpoint = "GET /v1/repository/endpoint?domain=my-domain&repository=my-repo&format=";
    for format in ["npm", "pypi", "maven", "nuget", "generic", "ruby", "swift", "cargo"] {
        let answer = world.admin(&format!("{endpoint}{format}&endpointType=dualstack"), "").await.ok();
        let expected = format!("http://larder.test:5273/d/my-domain-111122223333/{format}/my-repo/");
        assert_eq!(answer, json!({"repositoryEndpoint": expected}));
    }
    world.admin(&format!("{endpoint}cobol"), "").await.fails(400, "ValidationException");
    world.admin(&format!("{endpoint}npm&endpointType=ipv6"), "").await.fails(400, "ValidationException");
}
