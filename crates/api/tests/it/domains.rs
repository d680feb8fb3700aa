//! Domains from creation to deletion.

use larder_core::services::Limits;
use serde_json::json;

use crate::world::{ACCOUNT, OTHER_ACCOUNT, World};

#[tokio::test]
async fn a_domain_is_created_described_and_deleted() {
    let world = World::new().await;
    let created = world.admin("POST /v1/domain?domain=my-domain", "").await.ok();
    let domain = &created["domain"];
    assert_eq!(domain["name"], "my-domain");
    assert_eq!(domain["owner"], ACCOUNT);
    assert_eq!(domain["arn"], "arn:aws:codeartifact:us-west-2:111122223333:domain/my-domain");
    assert_eq!((&domain["status"], &domain["repositoryCount"]), (&json!("Active"), &json!(0)));
    assert!(domain["encryptionKey"].as_str().unwrap().starts_with("arn:aws:kms:us-west-2:111122223333:key/"));

    world.create_repository("my-repo", &[]).await;
    let described = world.admin("GET /v1/domain?domain=my-domain&domain-owner=111122223333", "").await.ok();
    assert_eq!(described["domain"]["repositoryCount"], 1);
    assert_eq!(described["domain"]["s3BucketArn"], domain["s3BucketArn"]);

    let body = world.admin("DELETE /v1/domain?domain=my-domain", "").await.fails(409, "ConflictException");
    assert_eq!(body["message"], "Domain must contain 0 repositories before deletion");
    world.admin("DELETE /v1/repository?domain=my-domain&repository=my-repo", "").await.ok();
    assert_eq!(world.admin("DELETE /v1/domain?domain=my-domain", "").await.ok()["domain"]["name"], "my-domain");
    let body = world.admin("GET /v1/domain?domain=my-domain", "").await.fails(404, "ResourceNotFoundException");
    assert_eq!(
        body,
        json!({
            "message": "Domain not found. Domain 'my-domain' owned by account '111122223333' does not exist",
            "resourceId": "my-domain",
            "resourceType": "domain",
        })
    );
    // Deleting what is not there succeeds.
    assert_eq!(world.admin("DELETE /v1/domain?domain=my-domain", "").await.ok(), json!({}));
}

#[tokio::test]
async fn a_name_is_taken_within_an_account_only() {
    let world = World::with_domain().await;
    let body = world.admin("POST /v1/domain?domain=my-domain", "").await.fails(409, "ConflictException");
    assert_eq!(body["resourceType"], "domain");
    let other = world.user(OTHER_ACCOUNT, "other", Some(crate::world::ALL)).await;
    let created = world.call(&other, "POST /v1/domain?domain=my-domain", "").await.ok();
    assert_eq!(created["domain"]["owner"], OTHER_ACCOUNT);
}

#[tokio::test]
async fn keys_and_tags_are_checked() {
    let world = World::new().await;
    let create = |body: &'static str| world.admin("POST /v1/domain?domain=my-domain", body);
    let body = create(r#"{"encryptionKey":"not-a-key"}"#).await.fails(400, "ValidationException");
    assert_eq!(body["reason"], "ENCRYPTION_KEY_ERROR");
    let twice = r#"{"tags":[{"key":"a","value":"1"},{"key":"a","value":"2"}]}"#;
    create(twice).await.fails(400, "ValidationException");
    let created = create(r#"{"encryptionKey":"alias/mine","tags":[{"key":"a","value":"1"}]}"#).await.ok();
    assert_eq!(created["domain"]["encryptionKey"], "arn:aws:kms:us-west-2:111122223333:alias/mine");
}

#[tokio::test]
async fn an_account_has_a_limited_number_of_domains() {
    let world = World::with_limits(Limits { domains_per_account: 1, ..Limits::default() }).await;
    world.admin("POST /v1/domain?domain=first", "").await.ok();
    world.admin("POST /v1/domain?domain=second", "").await.fails(402, "ServiceQuotaExceededException");
}

#[tokio::test]
async fn domains_are_listed_page_by_page() {
    let world = World::new().await;
    for name in ["bb", "aa", "cc"] {
        world.admin(&format!("POST /v1/domain?domain={name}"), "").await.ok();
    }
    let mut names = Vec::new();
    let mut body = json!({"maxResults": 1});
    loop {
        let page = world.admin("POST /v1/domains", &body.to_string()).await.ok();
        let domains = page["domains"].as_array().unwrap();
        assert_eq!(domains.len(), 1);
        names.push(domains[0]["name"].as_str().unwrap().to_owned());
        let Some(token) = page.get("nextToken") else { break };
        body = json!({"maxResults": 1, "nextToken": token});
    }
    assert_eq!(names, ["aa", "bb", "cc"]);
    let all = world.admin("POST /v1/domains", "").await.ok();
    assert_eq!(all["domains"].as_array().unwrap().len(), 3);
    assert!(all.get("nextToken").is_none());
    world.admin("POST /v1/domains", r#"{"nextToken":"bogus"}"#).await.fails(400, "ValidationException");
}
