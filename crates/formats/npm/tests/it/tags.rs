use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn tags_are_set_moved_and_removed() {
    let server = Server::start().await;
    server.publish("@s/n", "1.0.0", "latest").await.expect(201);
    server.publish("@s/n", "1.1.0", "latest").await.expect(201);
    server.send("PUT", "/-/package/@s%2fn/dist-tags/beta", "\"1.0.0\"").await.expect(201);
    server.send("POST", "/-/package/@s/n/dist-tags/beta", "\"1.1.0\"").await.expect(200);
    let tags = server.get("/-/package/@s%2fn/dist-tags").await.expect(200).json();
    assert_eq!(tags, json!({"beta": "1.1.0", "latest": "1.1.0"}));
    server.send("DELETE", "/-/package/@s%2fn/dist-tags/beta", "").await.expect(200);
    server.send("DELETE", "/-/package/@s%2fn/dist-tags/beta", "").await.expect(404);
    server.get("/-/package/absent/dist-tags").await.expect(404);
}

#[tokio::test]
async fn a_tag_that_makes_no_sense_is_refused() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    let put =
        async |tag: &str, body: &'static str| server.send("PUT", &format!("/-/package/n/dist-tags/{tag}"), body).await;
    put("beta", "\"9.9.9\"").await.expect(404);
    put("1.x", "\"1.0.0\"").await.expect(400);
    put("v1.0.0", "\"1.0.0\"").await.expect(400);
    put("beta", "1.0.0").await.expect(400);
    put("beta", "{}").await.expect(400);
    put("beta", "\"a/b\"").await.expect(400);
    server.send("DELETE", "/-/package/n/dist-tags/latest", "").await.expect(400);
    server.deny("codeartifact:PutPackageMetadata");
    put("beta", "\"1.0.0\"").await.expect(403);
}

#[tokio::test]
async fn deprecating_is_putting_the_document_back_with_a_message() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    server.publish("n", "1.1.0", "latest").await.expect(201);
    let mut document = server.get("/n?write=true").await.expect(200).json();
    let tarball = document["versions"]["1.0.0"]["dist"]["tarball"].clone();
    document["versions"]["1.0.0"]["deprecated"] = json!("old \"one\"");
    // Nothing else in the body counts.
    document["versions"]["1.0.0"]["description"] = json!("changed");
    document["versions"]["1.0.0"]["dist"] = json!({"tarball": "http://elsewhere.test/x.tgz"});
    document["time"] = json!({});
    server.send("PUT", "/n", document.to_string()).await.expect(200);
    let manifest = server.get("/n/1.0.0").await.expect(200).json();
    assert_eq!(manifest["deprecated"], "old \"one\"");
    assert_eq!(manifest["dist"]["tarball"], tarball);
    assert_eq!(manifest.get("description"), None);
    assert_eq!(server.get("/n/1.1.0").await.expect(200).json().get("deprecated"), None);

    let mut document = server.get("/n?write=true").await.expect(200).json();
    document["versions"]["1.0.0"]["deprecated"] = json!("");
    server.send("PUT", "/n", document.to_string()).await.expect(200);
    assert_eq!(server.get("/n/1.0.0").await.expect(200).json().get("deprecated"), None);
}

#[tokio::test]
async fn old_clients_move_tags_with_the_document() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    server.publish("n", "1.1.0", "latest").await.expect(201);
    let mut document = server.get("/n").await.expect(200).json();
    document["dist-tags"]["stable"] = json!("1.0.0");
    server.send("PUT", "/n", document.to_string()).await.expect(200);
    let tags = server.get("/-/package/n/dist-tags").await.expect(200).json();
    assert_eq!(tags, json!({"latest": "1.1.0", "stable": "1.0.0"}));
}

#[tokio::test]
async fn metadata_cannot_bring_a_version() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    let mut document = server.get("/n").await.expect(200).json();
    document["versions"]["2.0.0"] = json!({"name": "n", "version": "2.0.0"});
    server.send("PUT", "/n", document.to_string()).await.expect(200);
    server.get("/n/2.0.0").await.expect(404);
    server.send("PUT", "/n", r#"{"name":"n","versions":{"2.0.0":{}}}"#).await.expect(400);
    server.send("PUT", "/n", r#"{"name":"n","versions":{}}"#).await.expect(400);
    server.send("PUT", "/m", r#"{"name":"m","versions":{"1.0.0":{}}}"#).await.expect(400);
    server.send("PUT", "/m", r#"{"name":"m"}"#).await.expect(400);
    server.get("/m").await.expect(404);
}
