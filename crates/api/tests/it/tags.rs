//! Tags on domains and repositories.

use serde_json::json;

use crate::world::World;

const ARN: &str = "resourceArn=arn%3Aaws%3Acodeartifact%3Aus-west-2%3A111122223333%3Arepository%2Fmy-domain%2Fmy-repo";

#[tokio::test]
async fn tags_are_set_replaced_removed_and_listed() {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    let list = || world.admin(&LIST, "");
    assert_eq!(list().await.ok(), json!({"tags": []}));
    let tag = format!("POST /v1/tag?{ARN}");
    let body = r#"{"tags":[{"key":"team","value":"a"},{"key":"stage","value":"b"}]}"#;
    assert_eq!(world.admin(&tag, body).await.ok(), json!({}));
    world.admin(&tag, r#"{"tags":[{"key":"team","value":"c"}]}"#).await.ok();
    let both = json!([{"key": "stage", "value": "b"}, {"key": "team", "value": "c"}]);
    assert_eq!(list().await.ok(), json!({"tags": both}));
    let untag = format!("POST /v1/untag?{ARN}");
    world.admin(&untag, r#"{"tagKeys":["stage","unknown"]}"#).await.ok();
    assert_eq!(list().await.ok(), json!({"tags": [{"key": "team", "value": "c"}]}));
}

static LIST: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("POST /v1/tags?{ARN}"));

#[tokio::test]
async fn only_what_is_here_is_tagged() {
    let world = World::with_domain().await;
    world.admin(&LIST, "").await.fails(404, "ResourceNotFoundException");
    let elsewhere = LIST.replace("us-west-2", "eu-west-1");
    world.admin(&elsewhere, "").await.fails(404, "ResourceNotFoundException");
    for bad in ["resourceArn=my-repo", "resourceArn=", "arn=x", ""] {
        world.admin(&format!("POST /v1/tags?{bad}"), "").await.fails(400, "ValidationException");
    }
}

#[tokio::test]
async fn two_hundred_tags_are_enough() {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    let tags = |range: std::ops::Range<u32>| {
        let tags: Vec<_> = range.map(|n| json!({"key": format!("k{n}"), "value": ""})).collect();
        json!({"tags": tags}).to_string()
    };
    let tag = format!("POST /v1/tag?{ARN}");
    world.admin(&tag, &tags(0..200)).await.ok();
    world.admin(&tag, &tags(0..10)).await.ok();
    world.admin(&tag, &tags(200..201)).await.fails(402, "ServiceQuotaExceededException");
    world.admin(&tag, &tags(0..201)).await.fails(400, "ValidationException");
}

#[tokio::test]
async fn tags_at_creation_need_the_right_to_tag() {
    let world = World::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"codeartifact:CreateDomain","Resource":"*"},
        {"Effect":"Allow","Action":"codeartifact:TagResource","Resource":"*",
         "Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}]}"#;
    let user = world.user("111122223333", "tagger", Some(policy)).await;
    let tagged = |value: &str| json!({"tags": [{"key": "team", "value": value}]}).to_string();
    let create = "POST /v1/domain?domain=my-domain";
    world.call(&user, create, &tagged("b")).await.fails(403, "AccessDeniedException");
    world.call(&user, create, &tagged("a")).await.ok();
    world.call(&user, "POST /v1/domain?domain=untagged", "").await.ok();
}
