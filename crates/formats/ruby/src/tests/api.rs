//! What tools ask of the web API.

use serde_json::{Value, json};

use super::*;

impl Server {
    async fn json(&self, address: &str) -> Value {
        serde_json::from_slice(&self.get(address).await.expect(200).body).unwrap()
    }
}

#[tokio::test]
async fn versions_are_told_newest_first_with_platform_and_checksum() {
    let server = Server::start().await;
    for (number, platform) in [("1.10.0", "ruby"), ("1.9.0", "ruby"), ("2.0.0.rc1", "ruby"), ("1.10.0", "java")] {
        server.push(gem("foo", number, platform)).await.expect(200);
    }
    let versions = server.json("my-repo/api/v1/versions/foo.json").await;
    let told: Vec<_> = versions.as_array().unwrap().iter().map(|one| (&one["number"], &one["platform"])).collect();
    let expected = [("1.10.0", "java"), ("1.10.0", "ruby"), ("1.9.0", "ruby"), ("2.0.0.rc1", "ruby")];
    assert_eq!(json!(told), json!(expected));
    assert_eq!(versions[2]["sha"], sha256(&gem("foo", "1.9.0", "ruby")));
    assert_eq!(server.json("my-repo/api/v1/versions/foo/latest.json").await, json!({"version": "1.10.0"}));
    assert_eq!(server.json("my-repo/api/v1/versions/none/latest.json").await, json!({"version": "unknown"}));
    let one = server.json("my-repo/api/v2/rubygems/foo/versions/1.10.0.json?platform=java").await;
    assert_eq!((&one["version"], &one["platform"], &one["info"]), (&json!("1.10.0"), &json!("java"), &json!("A gem")));
    assert_eq!(one["dependencies"]["runtime"][0], json!({"name": "rake", "requirements": "~> 13.0"}));
    assert!(one["gem_uri"].as_str().unwrap().ends_with("/ruby/my-repo/gems/foo-1.10.0-java.gem"));
    for missing in ["versions/none.json", "gems/none.json", "versions/-.json"] {
        server.get(&format!("my-repo/api/v1/{missing}")).await.expect(404);
    }
    server.get("my-repo/api/v2/rubygems/foo/versions/9.json").await.expect(404);
}

#[tokio::test]
async fn a_search_looks_for_the_name_itself_first() {
    let server = Server::start().await;
    for name in ["a-foo", "foo", "foobar", "other"] {
        server.push(gem(name, "1.0.0", "ruby")).await.expect(200);
    }
    let found = server.json("my-repo/api/v1/search.json?query=FOO&page=1").await;
    let names: Vec<_> = found.as_array().unwrap().iter().map(|gem| &gem["name"]).collect();
    assert_eq!(json!(names), json!(["foo", "foobar", "a-foo"]));
    assert_eq!(server.json("my-repo/api/v1/search.json?query=foo&page=2").await, json!([]));
}

#[tokio::test]
async fn owners_are_told_as_far_as_they_are_known_and_not_changed() {
    let server = Server::start().await;
    server.push(gem("foo", "1.0.0", "ruby")).await.expect(200);
    assert_eq!(server.json("my-repo/api/v1/gems/foo/owners.json").await.as_array().unwrap().len(), 1);
    server.get("my-repo/api/v1/gems/foo/owners.yaml").await.expect(200);
    server.get("my-repo/api/v1/gems/none/owners.json").await.expect(404);
    for method in ["POST", "DELETE"] {
        let form = "email=x@example.test";
        server.send(method, "my-repo/api/v1/gems/foo/owners", &[], form).await.expect(403);
    }
}

#[tokio::test]
async fn whoever_signs_in_with_a_token_gets_it_as_the_key() {
    let server = Server::start().await;
    let basic = [("authorization", "Basic YXdzOnRvaw==")];
    let sent = server.send("POST", "my-repo/api/v1/api_key", &basic, "").await.expect(200);
    assert_eq!((sent.text().as_str(), sent.header("cache-control")), ("tok", "no-store"));
    let sent = server.send("GET", "my-repo/api/v1/api_key.json", &basic, "").await.expect(200);
    assert_eq!(sent.text(), r#"{"rubygems_api_key":"tok"}"#);
}

#[tokio::test]
async fn the_md5_of_info_is_in_versions_after_pushes_at_the_same_time() {
    let server = Server::start().await;
    let pushes = (0..20).map(|number| server.push(gem("foo", &format!("1.0.{number}"), "ruby")));
    for answer in futures_util::future::join_all(pushes).await {
        answer.expect(200);
    }
    let info = server.text("my-repo/info/foo").await;
    assert_eq!(info.lines().count(), 21);
    let versions = server.text("my-repo/versions").await;
    assert!(versions.lines().last().unwrap().ends_with(&md5(&info)), "{versions}");
}
