//! The web API beside publishing.

use super::*;

#[tokio::test]
async fn search_finds_what_the_repositories_hold() {
    let server = Server::start().await;
    server.publish_to("team-repo", &Publish::new("my-tool", "1.0.0")).await.expect(200);
    for (name, version) in [("tool", "0.9.0"), ("tool", "1.0.0-rc.1"), ("Tool_kit", "2.0.0"), ("other", "1.0.0")] {
        server.publish(&Publish::new(name, version)).await.expect(200);
    }
    let search = async |query: &str| server.get(&format!("my-repo/api/v1/crates?{query}")).await.expect(200).json();
    let found = search("q=TOOL&per_page=10").await;
    let names: Vec<_> = found["crates"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(names, ["tool", "Tool_kit", "my-tool"]);
    assert_eq!(found["meta"]["total"], 3);
    assert_eq!(found["crates"][0]["max_version"], "1.0.0-rc.1");
    assert_eq!(found["crates"][0]["description"], "d");
    assert_eq!(search("q=tool-kit").await["meta"]["total"], 1);
    let second = search("q=tool&per_page=2&page=2").await;
    assert_eq!((second["crates"].as_array().unwrap().len(), &second["meta"]["total"]), (1, &json!(3)));
    assert_eq!(search("q=none").await, json!({"crates": [], "meta": {"total": 0}}));
    server.call("DELETE", "my-repo/api/v1/crates/tool/1.0.0-rc.1/yank").await.expect(200);
    assert_eq!(search("q=tool&per_page=1").await["crates"][0]["max_version"], "0.9.0");
}

#[tokio::test]
async fn versions_say_when_they_were_published() {
    let server = Server::start().await;
    server.publish(&Publish::new("foo", "1.0.0").with("rust_version", json!("1.70"))).await.expect(200);
    server.clock.advance_seconds(60);
    server.publish(&Publish::new("foo", "1.1.0-rc.1")).await.expect(200);
    let answer = server.get("my-repo/api/v1/crates/foo/versions").await.expect(200).json();
    let versions = answer["versions"].as_array().unwrap();
    assert_eq!(versions[0]["num"], "1.1.0-rc.1");
    assert_eq!(versions[1]["created_at"], "2026-01-02T03:04:05.000Z");
    assert_eq!((&versions[1]["rust_version"], &versions[1]["yanked"]), (&json!("1.70"), &json!(false)));
    assert_eq!(versions[1]["checksum"], sha256(&crate_file("foo", "1.0.0")));
    let answer = server.get("my-repo/api/v1/crates/Foo").await.expect(200).json();
    let summary = &answer["crate"];
    assert_eq!(summary["max_version"], "1.1.0-rc.1");
    assert_eq!((&summary["max_stable_version"], &summary["description"]), (&json!("1.0.0"), &json!("d")));
    let one = server.get("my-repo/api/v1/crates/foo/1.0.0").await.expect(200).json();
    assert_eq!((&one["version"]["license"], &one["version"]["num"]), (&json!("MIT"), &json!("1.0.0")));
    for missing in ["none", "none/versions", "foo/9.9.9", "foo/9.9.9/dependencies"] {
        server.get(&format!("my-repo/api/v1/crates/{missing}")).await.expect(404).detail();
    }
}

#[tokio::test]
async fn dependencies_and_readme_are_told() {
    let server = Server::start().await;
    let dependency = json!({"name": "rand", "version_req": "^0.6", "features": [], "optional": false,
        "default_features": true, "target": null, "kind": "dev", "registry": null, "explicit_name_in_toml": "dice"});
    server.publish(&Publish::new("foo", "1.0.0").with("deps", json!([dependency]))).await.expect(200);
    let answer = server.get("my-repo/api/v1/crates/foo/1.0.0/dependencies").await.expect(200).json();
    let found = &answer["dependencies"][0];
    assert_eq!((&found["crate_id"], &found["kind"], &found["req"]), (&json!("rand"), &json!("dev"), &json!("^0.6")));
    let readme = server.get("my-repo/api/v1/crates/foo/1.0.0/readme").await.expect(200);
    assert_eq!((readme.text().as_str(), readme.header("content-type")), ("# Read me", "text/plain; charset=utf-8"));
    server.publish(&Publish::new("bare", "1.0.0").with("readme", Value::Null)).await.expect(200);
    server.get("my-repo/api/v1/crates/bare/1.0.0/readme").await.expect(404);
}

#[tokio::test]
async fn wrong_methods_and_addresses_are_told_apart() {
    let server = Server::start().await;
    for (method, path) in [
        ("PUT", "config.json"),
        ("POST", "3/f/foo"),
        ("POST", "api/v1/crates/new"),
        ("PUT", "api/v1/crates"),
        ("GET", "api/v1/crates/foo/1.0.0/yank"),
        ("POST", "api/v1/crates/foo/1.0.0/unyank"),
        ("PUT", "api/v1/crates/foo/1.0.0/download"),
        ("POST", "api/v1/crates/foo/owners"),
        ("DELETE", "api/v1/crates/foo"),
    ] {
        let refused = server.call(method, &format!("my-repo/{path}")).await.expect(405);
        assert!(!refused.header("allow").is_empty() && !refused.detail().is_empty(), "{method} {path}");
    }
    for path in ["", "api/v1", "api/v2/crates", "index.json", "api/v1/crates/a/1.0.0/x"] {
        server.get(&format!("my-repo/{path}")).await.expect(404).detail();
    }
}
