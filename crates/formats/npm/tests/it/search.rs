use serde_json::json;

use crate::registry::offer_package;
use crate::samples::{body_with, tarball};
use crate::server::Server;

fn names(found: &serde_json::Value) -> Vec<&str> {
    let objects = found["objects"].as_array().expect("a list");
    objects.iter().map(|object| object["package"]["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn what_is_held_is_found_by_name_description_and_keyword() {
    let server = Server::start().await;
    for (name, description) in [("left-pad", "Fills up"), ("@s/pad", "Fills up too"), ("other", "About a pad")] {
        let mut body = body_with(name, "1.0.0", "latest", &tarball(name, "1.0.0"));
        let manifest = &mut body["versions"]["1.0.0"];
        manifest["description"] = json!(description);
        manifest["keywords"] = json!(["padding", 7]);
        manifest["author"] = json!("Ann <ann@example.test>");
        manifest["repository"] = json!({"type": "git", "url": "git+https://git.test/pad"});
        server.send("PUT", &crate::server::path_of(name), body.to_string()).await.expect(201);
    }
    let found = server.get("/-/v1/search?text=left-pad&size=20").await.expect(200).json();
    assert_eq!((names(&found), &found["total"]), (vec!["left-pad"], &json!(1)));
    let package = &found["objects"][0]["package"];
    assert_eq!(package["date"], "2026-01-02T03:04:05.678Z");
    assert_eq!(package["publisher"], json!({"username": "alice", "email": ""}));
    assert_eq!(package["links"], json!({"repository": "git+https://git.test/pad"}));
    assert_eq!((&package["keywords"], package["maintainers"].is_array()), (&json!(["padding"]), true));
    let found = server.get("/-/v1/search?text=pad").await.expect(200).json();
    assert_eq!(names(&found), ["left-pad", "@s/pad", "other"]);
    let second = server.get("/-/v1/search?text=keywords:padding&size=1&from=1").await.expect(200).json();
    assert_eq!((second["objects"].as_array().map(Vec::len), &second["total"]), (Some(1), &json!(3)));
    assert_eq!(names(&server.get("/-/v1/search?text=scope:s").await.expect(200).json()), ["@s/pad"]);
}

#[tokio::test]
async fn a_search_asks_no_registry_and_finds_what_was_kept() {
    let server = Server::start().await;
    offer_package(&server.registry, "kept", "1.0.0", "kept-1.0.0.tgz");
    offer_package(&server.registry, "kept-not", "1.0.0", "kept-not-1.0.0.tgz");
    server.get("/kept/-/kept-1.0.0.tgz").await.expect(200);
    server.settle().await;
    let asked = server.registry.asked().len();
    assert_eq!(names(&server.get("/-/v1/search?text=kept").await.expect(200).json()), ["kept"]);
    assert_eq!(server.registry.asked().len(), asked);
    server.deny("codeartifact:ReadFromRepository");
    server.get("/-/v1/search?text=kept").await.expect(403);
}
