use larder_core::ports::Format as _;
use larder_npm::Npm;
use serde_json::json;

use crate::registry::{offer, offer_package};
use crate::samples::{body_with, tgz};
use crate::server::{BASE, Server};

#[tokio::test]
async fn a_public_package_is_passed_on_and_kept() {
    let server = Server::start().await;
    let tarball = offer_package(&server.registry, "@s/n", "1.0.0", "n-1.0.0.tgz");
    let document = server.get("/@s%2fn").await.expect(200).json();
    assert_eq!(document["versions"]["1.0.0"]["dist"]["tarball"], format!("{BASE}/@s/n/-/n-1.0.0.tgz"));
    assert_eq!(document["time"]["1.0.0"], "2020-01-02T03:04:05.678Z");
    assert_eq!(server.get("/@s/n/-/n-1.0.0.tgz").await.expect(200).body, tarball);
    server.services.background.drain().await;
    let again = server.get("/@s/n/-/n-1.0.0.tgz").await.expect(200);
    assert_eq!(again.body, tarball);
    assert_eq!(again.header("last-modified"), "Thu, 02 Jan 2020 03:04:05 GMT");
    assert_eq!(server.registry.asked(), ["@s%2fn", "http://registry.test/@s/n/-/n-1.0.0.tgz"]);
    // Retaining it here changed nothing that a client sees.
    let after = server.get("/@s%2fn").await.expect(200).json();
    assert_eq!(after["time"], document["time"]);
    assert_eq!(after["dist-tags"], json!({"latest": "1.0.0", "next": "1.0.0"}));
}

#[tokio::test]
async fn tags_of_the_registry_go_on_moving_after_a_version_is_kept() {
    let server = Server::start().await;
    offer_package(&server.registry, "n", "1.0.0", "n-1.0.0.tgz");
    server.get("/n/-/n-1.0.0.tgz").await.expect(200);
    server.services.background.drain().await;
    let key = Npm.package_key(None, "n").expect("a name");
    let kept = server.services.store.find_package(server.target("repo").await.repository.id, &key);
    assert_eq!(kept.await.expect("read").expect("kept").tags, []);
}

#[tokio::test]
async fn an_old_file_name_leads_to_its_version() {
    let server = Server::start().await;
    let tarball = offer_package(&server.registry, "JSONStream", "1.0.0-beta", "JSONStream-1.0.0beta.tgz");
    let document = server.get("/JSONStream").await.expect(200).json();
    let address = format!("{BASE}/JSONStream/-/JSONStream-1.0.0-beta.tgz");
    assert_eq!(document["versions"]["1.0.0-beta"]["dist"]["tarball"], address);
    for file in ["JSONStream-1.0.0-beta.tgz", "JSONStream-1.0.0beta.tgz"] {
        assert_eq!(server.get(&format!("/JSONStream/-/{file}")).await.expect(200).body, tarball);
    }
    server.get("/JSONStream/-/JSONStream-2.0.0.tgz").await.expect(404);
}

#[tokio::test]
async fn the_package_that_is_called_like_a_path_can_be_had() {
    let server = Server::start().await;
    let tarball = offer_package(&server.registry, "-", "0.0.1", "--0.0.1.tgz");
    let document = server.get("/-").await.expect(200).json();
    assert_eq!(document["versions"]["0.0.1"]["dist"]["tarball"], format!("{BASE}/-/-/--0.0.1.tgz"));
    assert_eq!(server.get("/-/-/--0.0.1.tgz").await.expect(200).body, tarball);
}

#[tokio::test]
async fn publishing_over_a_public_package_is_refused() {
    let server = Server::start().await;
    offer_package(&server.registry, "n", "1.0.0", "n-1.0.0.tgz");
    server.publish("n", "1.0.0", "latest").await.expect(409);
    server.get("/n/-/n-1.0.0.tgz").await.expect(200);
    server.services.background.drain().await;
    server.publish("n", "2.0.0", "latest").await.expect(403);
}

#[tokio::test]
async fn a_published_package_hides_a_public_namesake() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    offer_package(&server.registry, "n", "99.0.0", "n-99.0.0.tgz");
    let document = server.get("/n").await.expect(200).json();
    assert_eq!(document["dist-tags"], json!({"latest": "1.0.0"}));
    server.get("/n/-/n-99.0.0.tgz").await.expect(404);
}

#[tokio::test]
async fn what_the_registry_signs_can_be_verified_through_us() {
    let server = Server::start().await;
    offer_package(&server.registry, "@s/n", "1.0.0", "n-1.0.0.tgz");
    server.get("/-/npm/v1/keys").await.expect(404);
    server.get("/-/npm/v1/attestations/@s%2fn@1.0.0").await.expect(404);
    offer(&server.registry, "-/npm/v1/keys", &json!({"keys": [{"keyid": "k"}]}));
    offer(&server.registry, "-/npm/v1/attestations/@s%2fn@1.0.0", &json!({"attestations": []}));
    assert_eq!(server.get("/-/npm/v1/keys").await.expect(200).json()["keys"][0]["keyid"], "k");
    assert_eq!(server.get("/-/npm/v1/attestations/@s/n@1.0.0").await.expect(200).json()["attestations"], json!([]));
    offer(&server.registry, "-/npm/v1/keys", &json!("an error page"));
    server.get("/-/npm/v1/keys").await.expect(502);
}

#[tokio::test]
async fn versions_that_are_not_stored_here_cannot_be_deprecated_here() {
    let server = Server::start().await;
    offer_package(&server.registry, "n", "1.0.0", "n-1.0.0.tgz");
    let mut document = server.get("/n").await.expect(200).json();
    document["versions"]["1.0.0"]["deprecated"] = json!("no");
    server.send("PUT", "/n", document.to_string()).await.expect(403);
}

#[tokio::test]
async fn a_registry_that_lies_about_a_tarball_is_found_out() {
    let server = Server::start().await;
    offer_package(&server.registry, "n", "1.0.0", "n-1.0.0.tgz");
    let other = tgz(&[("package/package.json", b"{}")]);
    let mut document = body_with("n", "1.0.0", "latest", &other);
    document["versions"]["1.0.0"]["dist"]["tarball"] = json!("http://registry.test/n/-/n-1.0.0.tgz");
    offer(&server.registry, "n", &document);
    let caught = server.download_fails("/n/-/n-1.0.0.tgz").await;
    assert!(caught, "the wrong bytes must not arrive whole");
    server.services.background.drain().await;
    assert!(server.download_fails("/n/-/n-1.0.0.tgz").await, "and must not be kept");
}
