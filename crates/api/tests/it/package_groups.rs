//! Package groups: what they look like, who may do what to them, and what they keep out.

use serde_json::{Value, json};

use crate::world::World;

const REGION_ARN: &str = "arn:aws:codeartifact:us-west-2:111122223333:package-group/my-domain";

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn create(world: &World, pattern: &str) -> Value {
    let body = json!({ "packageGroup": pattern }).to_string();
    world.admin("POST /v1/package-group?domain=my-domain", &body).await.ok()["packageGroup"].clone()
}

/// A call on one group: method, path and further parameters.
fn on(method_and_path: &str, pattern: &str) -> String {
    format!("{method_and_path}?domain=my-domain&package-group={}", escape(pattern))
}

async fn describe(world: &World, pattern: &str) -> Value {
    world.admin(&on("GET /v1/package-group", pattern), "").await.ok()["packageGroup"].clone()
}

async fn update_origin(world: &World, pattern: &str, body: &Value) -> Value {
    let call = on("PUT /v1/package-group-origin-configuration", pattern);
    world.admin(&call, &body.to_string()).await.ok()
}

#[tokio::test]
async fn a_group_is_described_with_what_it_inherits() {
    let world = World::with_domain().await;
    world.create_repository("my-repo", &[]).await;
    let root = describe(&world, "/*").await;
    let allow = json!({"mode": "ALLOW", "effectiveMode": "ALLOW", "repositoriesCount": 0});
    assert_eq!(root["arn"], format!("{REGION_ARN}/%2a"));
    assert_eq!(
        root["originConfiguration"]["restrictions"],
        json!({"PUBLISH": allow, "EXTERNAL_UPSTREAM": allow, "INTERNAL_UPSTREAM": allow})
    );
    assert_eq!((&root["pattern"], root.get("parent")), (&json!("/*"), None));

    create(&world, "/npm/*").await;
    let made = create(&world, "/npm//react$").await;
    assert_eq!(made["arn"], format!("{REGION_ARN}/npm//react%24"));
    let updated = update_origin(
        &world,
        "/npm/*",
        &json!({"restrictions": {"PUBLISH": "ALLOW_SPECIFIC_REPOSITORIES"},
                "addAllowedRepositories": [{"repositoryName": "my-repo", "originRestrictionType": "PUBLISH"}]}),
    )
    .await;
    assert_eq!(updated["allowedRepositoryUpdates"], json!({"PUBLISH": {"ADDED": ["my-repo"]}}));
    assert_eq!(updated["packageGroup"]["originConfiguration"]["restrictions"]["PUBLISH"]["repositoriesCount"], 1);
    let react = describe(&world, "/npm//react$").await;
    let parent = json!({"arn": format!("{REGION_ARN}/npm/%2a"), "pattern": "/npm/*"});
    assert_eq!(react["parent"], parent);
    assert_eq!(
        react["originConfiguration"]["restrictions"]["PUBLISH"],
        json!({"mode": "INHERIT", "effectiveMode": "ALLOW_SPECIFIC_REPOSITORIES", "inheritedFrom": parent,
               "repositoriesCount": 0})
    );
    let listed = world
        .admin(
            &format!("{}&originRestrictionType=PUBLISH", on("GET /v1/package-group-allowed-repositories", "/npm/*")),
            "",
        )
        .await
        .ok();
    assert_eq!(listed, json!({"allowedRepositories": ["my-repo"]}));

    world.admin(&on("DELETE /v1/package-group", "/npm/*"), "").await.ok();
    assert_eq!(describe(&world, "/npm//react$").await["parent"]["pattern"], "/*");
}

#[tokio::test]
async fn texts_change_apart_and_lists_have_pages() {
    let world = World::with_domain().await;
    for pattern in ["/npm/*", "/npm//a$", "/npm//b$", "/pypi/*"] {
        create(&world, pattern).await;
    }
    let put = |body: Value| {
        let body = body.to_string();
        let world = &world;
        async move { world.admin("PUT /v1/package-group?domain=my-domain", &body).await.ok()["packageGroup"].clone() }
    };
    put(json!({"packageGroup": "/npm/*", "contactInfo": "team a", "description": "all of npm"})).await;
    let changed = put(json!({"packageGroup": "/npm/*", "description": "npm"})).await;
    assert_eq!((&changed["contactInfo"], &changed["description"]), (&json!("team a"), &json!("npm")));

    let pages = |call: String| {
        let world = &world;
        async move {
            let (mut found, mut token) = (Vec::new(), None::<String>);
            loop {
                let next = token.as_ref().map_or_else(String::new, |token| format!("&next-token={token}"));
                let page = world.admin(&format!("{call}&max-results=1{next}"), "").await.ok();
                let groups = page["packageGroups"].as_array().unwrap();
                assert!(groups.len() <= 1);
                found.extend(groups.iter().map(|group| group["pattern"].as_str().unwrap().to_owned()));
                match page["nextToken"].as_str() {
                    Some(next) => token = Some(next.to_owned()),
                    None => return found,
                }
            }
        }
    };
    let all = pages("POST /v1/package-groups?domain=my-domain".into()).await;
    assert_eq!(all, ["/*", "/npm/*", "/npm//a$", "/npm//b$", "/pypi/*"]);
    assert_eq!(
        pages("POST /v1/package-groups?domain=my-domain&prefix=%2Fnpm%2F%2F".into()).await,
        ["/npm//a$", "/npm//b$"]
    );
    assert_eq!(pages(on("POST /v1/package-groups/sub-groups", "/*")).await, ["/npm/*", "/pypi/*"]);
    assert_eq!(pages(on("POST /v1/package-groups/sub-groups", "/npm/*")).await, ["/npm//a$", "/npm//b$"]);
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let world = World::with_domain().await;
    create(&world, "/npm/*").await;
    let post = "POST /v1/package-group?domain=my-domain";
    world.admin(post, r#"{"packageGroup":"/npm/*"}"#).await.fails(409, "ConflictException");
    for bad in [r#"{"packageGroup":"/npm"}"#, "{}", r#"{"packageGroup":"/pypi//Upper$"}"#] {
        world.admin(post, bad).await.fails(400, "ValidationException");
    }
    world.admin(&on("DELETE /v1/package-group", "/*"), "").await.fails(400, "ValidationException");
    let inherit = r#"{"restrictions":{"PUBLISH":"INHERIT"}}"#;
    let origin = on("PUT /v1/package-group-origin-configuration", "/*");
    world.admin(&origin, inherit).await.fails(400, "ValidationException");
    let absent = r#"{"addAllowedRepositories":[{"repositoryName":"no-such","originRestrictionType":"PUBLISH"}]}"#;
    world.admin(&origin, absent).await.fails(404, "ResourceNotFoundException");
    for (call, body) in [
        (on("GET /v1/package-group", "/pypi/*"), ""),
        (on("DELETE /v1/package-group", "/pypi/*"), ""),
        (on("POST /v1/package-groups/sub-groups", "/pypi/*"), ""),
        (on("GET /v1/list-associated-packages", "/pypi/*"), ""),
        (on("PUT /v1/package-group-origin-configuration", "/pypi/*"), "{}"),
        ("PUT /v1/package-group?domain=my-domain".to_owned(), r#"{"packageGroup":"/pypi/*"}"#),
    ] {
        world.admin(&call, body).await.fails(404, "ResourceNotFoundException");
    }
    let preview = format!("{}&preview=true", on("GET /v1/list-associated-packages", "/pypi/*"));
    assert_eq!(world.admin(&preview, "").await.ok(), json!({"packages": []}));
}

#[tokio::test]
async fn rights_to_a_group_are_by_its_arn_and_its_tags() {
    let world = World::with_domain().await;
    for (pattern, team) in [("/npm//a$", "blue"), ("/npm//b$", "red")] {
        let body = json!({"packageGroup": pattern, "tags": [{"key": "team", "value": team}]}).to_string();
        world.admin("POST /v1/package-group?domain=my-domain", &body).await.ok();
    }
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "codeartifact:DescribePackageGroup", "Resource": format!("{REGION_ARN}/npm//a%24")},
        {"Effect": "Allow", "Action": "codeartifact:UpdatePackageGroup", "Resource": "*",
         "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}},
        {"Effect": "Allow", "Action": ["codeartifact:CreatePackageGroup", "codeartifact:TagResource"], "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestTag/team": "blue"}}}]});
    let user = world.user("111122223333", "limited", Some(&policy.to_string())).await;
    world.call(&user, &on("GET /v1/package-group", "/npm//a$"), "").await.ok();
    world.call(&user, &on("GET /v1/package-group", "/npm//b$"), "").await.fails(403, "AccessDeniedException");
    let update = |pattern: &str| json!({"packageGroup": pattern, "description": "x"}).to_string();
    let put = "PUT /v1/package-group?domain=my-domain";
    world.call(&user, put, &update("/npm//b$")).await.ok();
    world.call(&user, put, &update("/npm//a$")).await.fails(403, "AccessDeniedException");
    let create = |team: &str| json!({"packageGroup": "/npm//c$", "tags": [{"key": "team", "value": team}]}).to_string();
    let post = "POST /v1/package-group?domain=my-domain";
    world.call(&user, post, &create("red")).await.fails(403, "AccessDeniedException");
    world.call(&user, post, &create("blue")).await.ok();

    let arn = escape(&format!("{REGION_ARN}/npm//a%24"));
    world.admin(&format!("POST /v1/tag?resourceArn={arn}"), r#"{"tags":[{"key":"b","value":"c"}]}"#).await.ok();
    world.admin(&format!("POST /v1/untag?resourceArn={arn}"), r#"{"tagKeys":["team"]}"#).await.ok();
    let tags = world.admin(&format!("POST /v1/tags?resourceArn={arn}"), "").await.ok();
    assert_eq!(tags, json!({"tags": [{"key": "b", "value": "c"}]}));
    let gone = escape(&format!("{REGION_ARN}/npm//no-such%24"));
    world.admin(&format!("POST /v1/tags?resourceArn={gone}"), "").await.fails(404, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_group_decides_what_is_published_and_copied() {
    let world = World::with_domain().await;
    for name in ["my-repo", "other"] {
        world.create_repository(name, &[]).await;
    }
    world.publish("my-repo", "version=1.0&asset=a.txt", b"one", b"one").await.ok();
    create(&world, "/generic/team/tool$").await;
    let associated = |package: &str| {
        let call = format!(
            "GET /v1/get-associated-package-group?domain=my-domain&format=generic&namespace=team&package={package}"
        );
        let world = &world;
        async move {
            let found = world.admin(&call, "").await.ok();
            (found["packageGroup"]["pattern"].clone(), found["associationType"].clone())
        }
    };
    assert_eq!(associated("tool").await, (json!("/generic/team/tool$"), json!("STRONG")));
    assert_eq!(associated("Tool").await, (json!("/generic/team/tool$"), json!("WEAK")));
    assert_eq!(associated("tools").await, (json!("/*"), json!("STRONG")));
    let listed = world.admin(&on("GET /v1/list-associated-packages", "/generic/team/tool$"), "").await.ok();
    let tool = json!({"format": "generic", "namespace": "team", "package": "tool", "associationType": "STRONG"});
    assert_eq!(listed, json!({"packages": [tool]}));

    update_origin(&world, "/generic/team/tool$", &json!({"restrictions": {"PUBLISH": "BLOCK"}})).await;
    let refused = world.publish("my-repo", "version=2.0&asset=a.txt", b"two", b"two").await;
    let message = refused.fails(403, "AccessDeniedException")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("'/generic/team/tool$' (PUBLISH=BLOCK)"), "{message}");
    update_origin(&world, "/generic/team/tool$", &json!({"restrictions": {"INTERNAL_UPSTREAM": "BLOCK"}})).await;
    let copy = "POST /v1/package/versions/copy?domain=my-domain&source-repository=my-repo&destination-repository=other\
                &format=generic&namespace=team&package=tool";
    let copied = world.admin(copy, r#"{"versions":["1.0"]}"#).await.ok();
    assert_eq!(copied["failedVersions"]["1.0"]["errorCode"], "NOT_ALLOWED");
    // What is there stays there.
    let described = "GET /v1/package/version?domain=my-domain&repository=my-repo&format=generic&namespace=team\
                     &package=tool&version=1.0";
    world.admin(described, "").await.ok();
}
