//! The public registry, two repositories away.

use super::*;

#[tokio::test]
async fn a_registry_s_lines_come_through_byte_for_byte() {
    let server = Server::start().await;
    let lines = [offer(&server.registry, "Public_Crate", "1.0.0"), offer(&server.registry, "Public_Crate", "1.1.0+x")];
    let path = "my-repo/pu/bl/public_crate";
    let text = server.get(path).await.expect(200).text();
    assert_eq!(text, format!("{}\n{}\n", lines[0], lines[1]));
    // And so they do when a version was kept, also as what is kept.
    server.get("my-repo/api/v1/crates/Public_Crate/1.0.0/download").await.expect(200);
    server.settle().await;
    assert_eq!(server.get(path).await.expect(200).text(), text);
    let details = server.get("my-repo/api/v1/crates/public_crate/1.0.0").await.expect(200).json();
    assert_eq!(details["version"]["created_at"], "2024-05-06T07:08:09.000Z");
}

#[tokio::test]
async fn a_crate_is_fetched_once_checked_and_kept_where_it_was_asked() {
    let server = Server::start().await;
    offer(&server.registry, "public", "1.0.0");
    let path = "my-repo/api/v1/crates/public/1.0.0/download";
    for _ in 0..3 {
        assert_eq!(server.get(path).await.expect(200).body, crate_file("public", "1.0.0"));
        server.settle().await;
    }
    assert_eq!(server.registry.times_asked("https://files.test/public-1.0.0.crate"), 1);
    for (repository, is_kept) in [("my-repo", true), ("team-repo", false), ("cargo-store", true)] {
        let id = server.target(repository).await.repository.id;
        let found = server.services.store.find_package(id, &names::crate_key("public").unwrap()).await.unwrap();
        assert_eq!(found.is_some(), is_kept, "{repository}");
    }
}

#[tokio::test]
async fn bytes_that_the_index_does_not_promise_are_never_served_or_kept() {
    let server = Server::start().await;
    offer(&server.registry, "public", "1.0.0");
    server.registry.put("https://files.test/public-1.0.0.crate", crate_file("public", "1.0.1"));
    let path = "my-repo/api/v1/crates/public/1.0.0/download";
    assert!(server.download_fails(path).await, "the body breaks off");
    server.settle().await;
    server.registry.put("https://files.test/public-1.0.0.crate", crate_file("public", "1.0.0"));
    assert_eq!(server.get(path).await.expect(200).body, crate_file("public", "1.0.0"));
}

#[tokio::test]
async fn new_versions_and_yanks_show_when_the_index_is_refreshed() {
    let server = Server::start().await;
    offer(&server.registry, "public", "1.0.0");
    server.get("my-repo/api/v1/crates/public/1.0.0/download").await.expect(200);
    server.settle().await;
    server.registry.edit("pu/bl/public", |lines| *lines = lines.replace("\"yanked\": false", "\"yanked\": true"));
    offer(&server.registry, "public", "1.1.0");
    assert_eq!(server.lines("my-repo", "public").await.len(), 1, "still fresh");
    server.clock.advance_seconds(601);
    let lines = server.lines("my-repo", "public").await;
    assert_eq!((lines.len(), &lines[0]["yanked"]), (2, &json!(true)));
    server.get("my-repo/api/v1/crates/public/1.0.0/download").await.expect(200);
}

#[tokio::test]
async fn while_the_registry_is_down_what_is_held_is_served() {
    let server = Server::start().await;
    offer(&server.registry, "public", "1.0.0");
    server.get("my-repo/api/v1/crates/public/1.0.0/download").await.expect(200);
    server.settle().await;
    server.registry.set_down(true);
    server.clock.advance_seconds(3600);
    assert_eq!(server.lines("my-repo", "public").await.len(), 1);
    server.get("my-repo/api/v1/crates/public/1.0.0/download").await.expect(200);
    let away = server.get("my-repo/ne/ve/never-asked").await.expect(502);
    assert!(!away.detail().is_empty() && !away.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn pages_that_are_no_index_are_never_kept() {
    let server = Server::start().await;
    for wrong in
        ["<html>log in</html>", "", "{\"name\":\"other\",\"vers\":\"1.0.0\",\"cksum\":\"00\"}", "{\"name\":\"pub"]
    {
        server.registry.put("pu/bl/public", wrong);
        server.get("my-repo/pu/bl/public").await.expect(502);
        server.clock.advance_seconds(20);
    }
    server.registry.put("pu/bl/public", "");
    offer(&server.registry, "public", "1.0.0");
    assert_eq!(server.lines("my-repo", "public").await.len(), 1);
}

#[tokio::test]
async fn a_name_that_no_crate_has_is_not_asked_for() {
    let server = Server::start().await;
    for path in ["my-repo/pu/bl/pub.lic", "my-repo/pu/bl/none", "my-repo/api/v1/crates/9x/versions"] {
        server.get(path).await.expect(404);
    }
    assert_eq!(server.registry.times_asked("pu/bl/none"), 0);
    server.get("my-repo/no/ne/none").await.expect(404);
    server.get("my-repo/no/ne/none").await.expect(404);
    assert_eq!(server.registry.times_asked("no/ne/none"), 1, "absence is remembered");
}

#[tokio::test]
async fn the_config_of_the_registry_is_not_asked_for_with_each_crate() {
    let server = Server::start().await;
    for number in 0..20 {
        let name = format!("public-{number}");
        offer(&server.registry, &name, "1.0.0");
        server.lines("my-repo", &name).await;
    }
    assert_eq!(server.registry.times_asked("config.json"), 1);
}
