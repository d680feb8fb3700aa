//! Resource policies, and what they let another account do.

use serde_json::{Value, json};

use crate::world::{ALL, OTHER_ACCOUNT, World};

fn allow(account: &str, action: &str) -> String {
    let statement = json!({
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
        "Action": format!("codeartifact:{action}"),
        "Resource": "*",
    });
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

async fn put_domain_policy(world: &World, document: &str, revision: Option<&Value>) -> crate::world::Answer {
    let body = json!({"domain": "my-domain", "policyDocument": document, "policyRevision": revision});
    world.admin("PUT /v1/domain/permissions/policy", &body.to_string()).await
}

#[tokio::test]
async fn a_policy_is_put_read_replaced_and_deleted() {
    let world = World::with_domain().await;
    let get = "GET /v1/domain/permissions/policy?domain=my-domain";
    let missing = world.admin(get, "").await.fails(404, "ResourceNotFoundException");
    assert_eq!(missing["message"], "No policy found for (domain): (my-domain)");

    let document = allow(OTHER_ACCOUNT, "DescribeDomain");
    let put = put_domain_policy(&world, &document, None).await.ok();
    assert_eq!(put["policy"]["document"], document);
    assert_eq!(put["policy"]["resourceArn"], "arn:aws:codeartifact:us-west-2:111122223333:domain/my-domain");
    assert_eq!(world.admin(get, "").await.ok(), put);

    let first = &put["policy"]["revision"];
    let second = put_domain_policy(&world, &document, Some(first)).await.ok();
    assert_ne!(&second["policy"]["revision"], first);
    put_domain_policy(&world, &document, Some(first)).await.fails(409, "ConflictException");

    let delete = "DELETE /v1/domain/permissions/policy?domain=my-domain";
    world.admin(&format!("{delete}&policy-revision=other"), "").await.fails(409, "ConflictException");
    assert_eq!(world.admin(delete, "").await.ok(), second);
    world.admin(delete, "").await.fails(404, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_repositorys_policy_is_deleted_under_a_plural() {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    let key = "domain=my-domain&repository=my-repo";
    let body = json!({"policyDocument": allow(OTHER_ACCOUNT, "ReadFromRepository")}).to_string();
    let put = world.admin(&format!("PUT /v1/repository/permissions/policy?{key}"), &body).await.ok();
    assert_eq!(world.admin(&format!("GET /v1/repository/permissions/policy?{key}"), "").await.ok(), put);
    assert_eq!(world.admin(&format!("DELETE /v1/repository/permissions/policies?{key}"), "").await.ok(), put);
    world
        .admin(&format!("DELETE /v1/repository/permissions/policy?{key}"), "")
        .await
        .fails(404, "UnknownOperationException");
}

#[tokio::test]
async fn documents_that_are_no_resource_policies_are_refused() {
    let world = World::with_domain().await;
    for (document, reason) in [
        ("not json", "CANNOT_PARSE"),
        ("{}", "FIELD_VALIDATION_FAILED"),
        // No principal.
        (ALL, "FIELD_VALIDATION_FAILED"),
        (&allow(OTHER_ACCOUNT, "NoSuchAction"), "FIELD_VALIDATION_FAILED"),
    ] {
        let body = put_domain_policy(&world, document, None).await.fails(400, "ValidationException");
        assert_eq!(body["reason"], reason, "{document}");
    }
}

#[tokio::test]
async fn another_account_comes_in_through_the_domains_policy_and_only_as_far() {
    let world = World::with_domain().await;
    let guest = world.user(OTHER_ACCOUNT, "guest", Some(ALL)).await;
    let describe = "GET /v1/domain?domain=my-domain&domain-owner=111122223333";
    let create = "POST /v1/repository?domain=my-domain&domain-owner=111122223333&repository=guests";
    world.call(&guest, describe, "").await.fails(403, "AccessDeniedException");
    world.call(&guest, create, "").await.fails(403, "AccessDeniedException");

    put_domain_policy(&world, &allow(OTHER_ACCOUNT, "*Repository"), None).await.ok();
    let created = world.call(&guest, create, "").await.ok();
    assert_eq!(created["repository"]["administratorAccount"], OTHER_ACCOUNT);
    assert_eq!(created["repository"]["domainOwner"], "111122223333");
    world.call(&guest, describe, "").await.fails(403, "AccessDeniedException");

    put_domain_policy(&world, &allow(OTHER_ACCOUNT, "DescribeDomain"), None).await.ok();
    world.call(&guest, describe, "").await.ok();
    // The repository is its own now, whatever the domain's policy no longer says.
    let own = "GET /v1/repository?domain=my-domain&domain-owner=111122223333&repository=guests";
    world.call(&guest, own, "").await.ok();
    // The policy cannot give away the right to change it.
    put_domain_policy(&world, &allow(OTHER_ACCOUNT, "*"), None).await.ok();
    let body =
        json!({"domain": "my-domain", "domainOwner": "111122223333", "policyDocument": allow(OTHER_ACCOUNT, "*")});
    let put = world.call(&guest, "PUT /v1/domain/permissions/policy", &body.to_string()).await;
    put.fails(403, "AccessDeniedException");
}
