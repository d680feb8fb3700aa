use serde_json::{Value, json};

use crate::registry::offer_package;
use crate::server::Server;

/// What `npm unpublish n@version` does.
async fn unpublish(server: &Server, version: &str) {
    let mut document = server.get("/n?write=true").await.expect(200).json();
    let revision = document["_rev"].as_str().expect("a revision").to_owned();
    document["versions"].as_object_mut().expect("an object").remove(version);
    if document["dist-tags"]["latest"] == version {
        let last = document["versions"].as_object().and_then(|versions| versions.keys().next_back().cloned());
        document["dist-tags"]["latest"] = last.map_or(Value::Null, Value::from);
    }
    server.send("PUT", &format!("/n/-rev/{revision}"), document.to_string()).await.expect(200);
    let revision = server.get("/n?write=true").await.expect(200).json()["_rev"].as_str().expect("there").to_owned();
    server.send("DELETE", &format!("/n/-/n-{version}.tgz/-rev/{revision}"), "").await.expect(200);
}

#[tokio::test]
async fn an_unpublished_version_is_gone_and_its_number_used_up() {
    let server = Server::start().await;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        server.publish("n", version, "latest").await.expect(201);
    }
    unpublish(&server, "1.2.0").await;
    let document = server.get("/n").await.expect(200).json();
    assert_eq!(document["dist-tags"], json!({"latest": "1.1.0"}));
    assert_eq!(document["versions"].as_object().map(serde_json::Map::len), Some(2));
    server.get("/n/-/n-1.2.0.tgz").await.expect(404);
    server.get("/n/-/n-1.1.0.tgz").await.expect(200);
    server.publish("n", "1.2.0", "latest").await.expect(409);
    server.publish("n", "1.3.0", "latest").await.expect(201);
}

#[tokio::test]
async fn a_whole_package_goes_at_once() {
    let server = Server::start().await;
    server.publish("@s/n", "1.0.0", "latest").await.expect(201);
    server.publish("@s/n", "1.1.0", "latest").await.expect(201);
    let revision = server.get("/@s%2fn").await.expect(200).json()["_rev"].as_str().expect("there").to_owned();
    server.send("DELETE", &format!("/@s%2fn/-rev/{revision}"), "").await.expect(200);
    server.get("/@s%2fn").await.expect(404);
    server.get("/@s/n/-/n-1.0.0.tgz").await.expect(404);
    server.publish("@s/n", "1.0.0", "latest").await.expect(409);
    server.publish("@s/n", "2.0.0", "latest").await.expect(201);
}

#[tokio::test]
async fn a_revision_that_is_not_current_is_a_conflict() {
    let server = Server::start().await;
    server.publish("@s/n", "1.0.0", "latest").await.expect(201);
    let old = server.get("/@s%2fn").await.expect(200);
    let revision = old.json()["_rev"].as_str().expect("there").to_owned();
    server.publish("@s/n", "1.1.0", "latest").await.expect(201);
    server.send("PUT", &format!("/@s%2fn/-rev/{revision}"), old.body).await.expect(409);
    server.send("DELETE", &format!("/@s%2fn/-rev/{revision}"), "").await.expect(409);
    server.send("DELETE", &format!("/@s/n/-/n-1.0.0.tgz/-rev/{revision}"), "").await.expect(409);
    assert_eq!(
        server.get("/@s%2fn").await.expect(200).json()["versions"].as_object().map(serde_json::Map::len),
        Some(2)
    );
}

#[tokio::test]
async fn deleting_a_tarball_alone_unpublishes_its_version() {
    let server = Server::start().await;
    server.publish("@s/n", "1.0.0", "latest").await.expect(201);
    server.publish("@s/n", "1.1.0", "next").await.expect(201);
    let revision = server.get("/@s%2fn").await.expect(200).json()["_rev"].as_str().expect("there").to_owned();
    let path = format!("/@s/n/-/n-1.1.0.tgz/-rev/{revision}");
    server.send("DELETE", &path, "").await.expect(200);
    let document = server.get("/@s%2fn").await.expect(200).json();
    assert_eq!(document["dist-tags"], json!({"latest": "1.0.0"}));
    // Again, with what is by now an old revision: there is nothing left to do.
    server.send("DELETE", &path, "").await.expect(200);
}

#[tokio::test]
async fn only_what_is_stored_here_can_be_unpublished() {
    let server = Server::start().await;
    offer_package(&server.registry, "n", "1.0.0", "n-1.0.0.tgz");
    let document = server.get("/n").await.expect(200).json();
    let revision = document["_rev"].as_str().expect("there").to_owned();
    let without = json!({"_id": "n", "name": "n", "versions": {}}).to_string();
    server.send("PUT", &format!("/n/-rev/{revision}"), without).await.expect(404);
    server.send("DELETE", &format!("/n/-rev/{revision}"), "").await.expect(404);
    server.send("DELETE", &format!("/n/-/n-1.0.0.tgz/-rev/{revision}"), "").await.expect(404);
    server.send("DELETE", &format!("/n/-/m-1.0.0.tgz/-rev/{revision}"), "").await.expect(404);
}

#[tokio::test]
async fn unpublishing_needs_the_right_to_dispose() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    let document = server.get("/n").await.expect(200);
    let revision = document.json()["_rev"].as_str().expect("there").to_owned();
    server.deny("codeartifact:DisposePackageVersions");
    server.send("PUT", &format!("/n/-rev/{revision}"), document.body).await.expect(403);
    server.send("DELETE", &format!("/n/-rev/{revision}"), "").await.expect(403);
    server.send("DELETE", &format!("/n/-/n-1.0.0.tgz/-rev/{revision}"), "").await.expect(403);
    server.get("/n/-/n-1.0.0.tgz").await.expect(200);
}
