//! Publishing, names, yanking, owners.

use super::*;

#[tokio::test]
async fn a_published_crate_is_in_the_index_and_can_be_downloaded() {
    let server = Server::start().await;
    let publish = Publish::new("Foo-Bar", "0.1.0+build")
        .with("links", json!("foo"))
        .with("rust_version", json!("1.70"))
        .with("features", json!({"std": [], "extra": ["dep:rand"]}))
        .with(
            "deps",
            json!([{"name": "rand", "version_req": "^0.6", "features": ["i128"], "optional": true,
                "default_features": true, "target": null, "kind": "normal",
                "registry": format!("sparse+{}/", server.base("my-repo")), "explicit_name_in_toml": "dice"}]),
        );
    let answer = server.publish(&publish).await.expect(200).json();
    assert_eq!(answer, json!({"warnings": {"invalid_categories": [], "invalid_badges": [], "other": []}}));
    let line = json!({
        "name": "Foo-Bar", "vers": "0.1.0+build",
        "deps": [{"name": "dice", "req": "^0.6", "features": ["i128"], "optional": true, "default_features": true,
            "target": null, "kind": "normal", "registry": null, "package": "rand"}],
        "cksum": sha256(&publish.file), "features": {"std": []}, "features2": {"extra": ["dep:rand"]},
        "yanked": false, "links": "foo", "v": 2, "rust_version": "1.70", "pubtime": "2026-01-02T03:04:05Z",
    });
    assert_eq!(server.lines("my-repo", "foo-bar").await, [line]);
    let file = server.get("my-repo/api/v1/crates/Foo-Bar/0.1.0+build/download").await.expect(200);
    assert_eq!((file.body.to_vec(), file.header("content-type")), (publish.file, "application/gzip"));
    assert_eq!(file.header("content-encoding"), "");
}

#[tokio::test]
async fn a_version_is_published_once_whatever_its_build_metadata() {
    let server = Server::start().await;
    server.publish(&Publish::new("foo", "1.0.0+a")).await.expect(200);
    for again in ["1.0.0+a", "1.0.0+b", "1.0.0"] {
        let refused = server.publish(&Publish::new("foo", again)).await.expect(409);
        assert!(refused.detail().contains("already exists"), "{}", refused.detail());
    }
    server.publish(&Publish::new("foo", "1.0.1")).await.expect(200);
    assert_eq!(server.lines("my-repo", "foo").await.len(), 2);
}

#[tokio::test]
async fn publishes_at_the_same_time_are_each_answered() {
    let server = Server::start().await;
    let one = Publish::new("foo", "1.0.0");
    let mut statuses: Vec<u16> = futures_util::future::join_all((0..6).map(|_| server.publish(&one)))
        .await
        .iter()
        .map(|one| one.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    let versions: Vec<Publish> = (1..7).map(|number| Publish::new("bar", &format!("1.{number}.0"))).collect();
    let answers = futures_util::future::join_all(versions.iter().map(|version| server.publish(version))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(server.lines("my-repo", "bar").await.len(), 6);
}

#[tokio::test]
async fn names_that_could_be_mistaken_for_another_are_refused() {
    let server = Server::start().await;
    server.publish(&Publish::new("foo-bar", "1.0.0")).await.expect(200);
    for twin in ["foo_bar", "Foo-Bar", "FOO_BAR"] {
        let refused = server.publish(&Publish::new(twin, "2.0.0")).await.expect(409);
        assert!(refused.detail().contains("too similar"), "{}", refused.detail());
    }
    server.publish(&Publish::new("foobar", "1.0.0")).await.expect(200);
    // More spellings than are looked at one by one.
    server.publish(&Publish::new("a-b-c-d-e-f-g", "1.0.0")).await.expect(200);
    for twin in ["a_b_c_d_e_f_g", "a-b_c-d_e-f_g"] {
        server.publish(&Publish::new(twin, "1.0.0")).await.expect(409);
    }
}

#[tokio::test]
async fn names_of_public_crates_are_refused_unless_upstream_is_blocked() {
    let server = Server::start().await;
    offer(&server.registry, "serde_like", "1.0.0");
    for (name, why) in [("serde_like", "exists in a public registry"), ("serde-like", "too similar")] {
        let refused = server.publish(&Publish::new(name, "9.0.0")).await.expect(409);
        assert!(refused.detail().contains(why), "{}", refused.detail());
    }
    // Not even after a version was fetched, which also blocks publishing.
    server.get("my-repo/api/v1/crates/serde_like/1.0.0/download").await.expect(200);
    server.settle().await;
    let refused = server.publish(&Publish::new("serde_like", "9.0.0")).await;
    assert!(matches!(refused.status, 403 | 409), "{}", refused.text());
}

#[tokio::test]
async fn what_is_published_here_hides_what_a_registry_publishes_later() {
    let server = Server::start().await;
    server.publish(&Publish::new("ours", "1.0.0")).await.expect(200);
    offer(&server.registry, "ours", "99.0.0");
    assert_eq!(server.lines("my-repo", "ours").await.len(), 1);
    server.get("my-repo/api/v1/crates/ours/99.0.0/download").await.expect(404);
    server.publish(&Publish::new("ours", "1.0.1")).await.expect(200);
}

#[tokio::test]
async fn a_registry_that_is_away_stops_no_publish() {
    let server = Server::start().await;
    server.registry.set_down(true);
    server.publish(&Publish::new("foo-bar", "1.0.0")).await.expect(200);
    assert_eq!(server.lines("my-repo", "foo-bar").await.len(), 1);
    server.publish(&Publish::new("a-b-c-d", "1.0.0")).await.expect(200);
    assert!(server.registry.asked().len() < 6, "it is not waited for again and again");
}

#[tokio::test]
async fn a_crate_of_an_upstream_repository_gets_new_versions_only() {
    let server = Server::start().await;
    server.publish_to("team-repo", &Publish::new("tool", "1.0.0")).await.expect(200);
    let refused = server.publish(&Publish::new("tool", "1.0.0")).await.expect(409);
    assert!(refused.detail().contains("exists in an upstream repository"), "{}", refused.detail());
    server.publish(&Publish::new("tool", "1.1.0")).await.expect(200);
}

#[tokio::test]
async fn names_are_not_mistaken_for_those_of_upstream_repositories_either() {
    let server = Server::start().await;
    server.publish_to("team-repo", &Publish::new("My-Tool", "1.0.0")).await.expect(200);
    for twin in ["my-tool", "My_Tool", "my_tool"] {
        let refused = server.publish(&Publish::new(twin, "2.0.0")).await.expect(409);
        assert!(refused.detail().contains("too similar"), "{}", refused.detail());
    }
    server.publish(&Publish::new("My-Tool", "2.0.0")).await.expect(200);
}

#[tokio::test]
async fn a_crate_stays_as_it_was_spelled_though_nothing_of_it_is_listed() {
    use larder_core::access::Action;
    use larder_core::model::{AllowPublish, AllowUpstream, OriginRestrictions};

    let server = Server::start().await;
    // A name that was reserved before its first version takes that version's spelling.
    let key = names::crate_key("Ours").unwrap();
    let allowed = server.allowed(Action::PutPackageOriginConfiguration, "my-repo", key).await;
    let restrictions = OriginRestrictions { publish: AllowPublish::Allow, upstream: AllowUpstream::Block };
    server.services.packages.put_origin_configuration(&allowed, restrictions).await.unwrap();
    offer(&server.registry, "ours", "1.0.0");
    for version in ["1.0.0", "1.1.0"] {
        server.publish(&Publish::new("Ours", version)).await.expect(200);
    }
    server.publish(&Publish::new("ours", "1.2.0")).await.expect(409);
    assert_eq!(server.lines("my-repo", "ours").await[0]["name"], "Ours");
}

#[tokio::test]
async fn yanking_flips_the_flag_and_nothing_else() {
    let server = Server::start().await;
    server.publish(&Publish::new("foo", "1.0.0+b")).await.expect(200);
    let before = server.lines("my-repo", "foo").await;
    for _ in 0..2 {
        let answer = server.call("DELETE", "my-repo/api/v1/crates/foo/1.0.0+b/yank").await.expect(200);
        assert_eq!(answer.json(), json!({"ok": true}));
    }
    let mut yanked = before.clone();
    yanked[0]["yanked"] = json!(true);
    assert_eq!(server.lines("my-repo", "foo").await, yanked);
    server.get("my-repo/api/v1/crates/foo/1.0.0+b/download").await.expect(200);
    server.call("PUT", "my-repo/api/v1/crates/foo/1.0.0/unyank").await.expect(200);
    assert_eq!(server.lines("my-repo", "foo").await, before);
}

#[tokio::test]
async fn only_what_was_published_here_is_yanked_here() {
    let server = Server::start().await;
    offer(&server.registry, "public", "1.0.0");
    server.publish_to("team-repo", &Publish::new("tool", "1.0.0")).await.expect(200);
    for path in ["public/1.0.0", "tool/1.0.0"] {
        server.call("DELETE", &format!("my-repo/api/v1/crates/{path}/yank")).await.expect(404);
        server.get(&format!("my-repo/api/v1/crates/{path}/download")).await.expect(200);
        server.settle().await;
        server.call("DELETE", &format!("my-repo/api/v1/crates/{path}/yank")).await.expect(409);
    }
    // A yank at the source shows downstream, where a copy was kept.
    server.call("DELETE", "team-repo/api/v1/crates/tool/1.0.0/yank").await.expect(200);
    assert_eq!(server.lines("my-repo", "tool").await[0]["yanked"], true);
}

#[tokio::test]
async fn owners_are_told_honestly() {
    let server = Server::start().await;
    server.publish(&Publish::new("foo", "1.0.0")).await.expect(200);
    let owners = "my-repo/api/v1/crates/foo/owners";
    let users = server.get(owners).await.expect(200).json();
    let login = users["users"][0]["login"].as_str().unwrap().to_owned();
    let change =
        async |method: Method, user: &str| server.send(method, owners, &[], json!({"users": [user]}).to_string()).await;
    let answer = change(Method::PUT, &login).await.expect(200).json();
    assert!(answer["ok"] == true && answer["msg"].is_string());
    for (method, user) in [(Method::PUT, "somebody"), (Method::DELETE, &*login)] {
        let refused = change(method, user).await.expect(403);
        assert!(refused.detail().contains("policies"), "{}", refused.detail());
    }
    server.get("my-repo/api/v1/crates/none/owners").await.expect(404);
}
