use insta::assert_snapshot;
use serde_json::json;

use crate::samples::{body_with, noise, tarball, tgz};
use crate::server::{BASE, Server};

#[tokio::test]
async fn a_published_version_is_there_at_once_in_every_spelling_of_its_path() {
    let server = Server::start().await;
    server.publish("@s/n", "1.0.0", "latest").await.expect(201);
    for path in ["/@s%2fn", "/@s%2Fn", "/@s/n", "/%40s%2fn"] {
        let document = server.get(path).await.expect(200).json();
        assert_eq!(document["dist-tags"], json!({"latest": "1.0.0"}));
        assert_eq!(document["versions"]["1.0.0"]["dist"]["tarball"], format!("{BASE}/@s/n/-/n-1.0.0.tgz"));
        assert_eq!(document["readme"], "# Read me\n");
    }
    for path in [
        "/@s/n/-/n-1.0.0.tgz",
        "/@s%2fn/-/n-1.0.0.tgz",
        "/@s/n/-/@s/n-1.0.0.tgz",
        "/@s%2fn/-/@s%2fn-1.0.0.tgz",
        "/@s/n/-/n-1.0.0+build.tgz",
    ] {
        let answer = server.get(path).await.expect(200);
        assert_eq!(answer.body, tarball("@s/n", "1.0.0"));
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
    }
    assert_eq!(server.get("/@s/n/1.0.0").await.expect(200).json()["version"], "1.0.0");
    assert_eq!(server.get("/@s%2fn/latest").await.expect(200).json()["version"], "1.0.0");
    server.get("/@s/n/2.0.0").await.expect(404);
    server.get("/@s/n/-/n-2.0.0.tgz").await.expect(404);
    server.get("/@s/n/-/other.zip").await.expect(404);
    server.get("/absent").await.expect(404);
}

#[tokio::test]
async fn what_is_stored_of_a_publish() {
    let server = Server::start().await;
    let package = tgz(&[
        ("package/package.json", br#"{"name":"n","version":"1.0.0"}"#),
        ("package/binding.gyp", b"{}"),
        ("package/npm-shrinkwrap.json", b"{}"),
    ]);
    let mut body = body_with("n", "1.0.0", "latest", &package);
    let manifest = &mut body["versions"]["1.0.0"];
    manifest["license"] = json!("MIT");
    manifest["deprecated"] = json!("");
    manifest["_npmUser"] = json!({"name": "mallory"});
    manifest["maintainers"] = json!([{"name": "mallory"}]);
    manifest["hasInstallScript"] = json!(false);
    manifest["dist"]["signatures"] = json!([{"keyid": "forged"}]);
    manifest["dist"]["fileCount"] = json!(99);
    server.send("PUT", "/n", body.to_string()).await.expect(201);
    let manifest = server.get("/n/1.0.0").await.expect(200).json();
    insta::with_settings!({filters => vec![(r"sha512-[^\x22]+", "[integrity]"), (r"[0-9a-f]{40}", "[sha1]")]}, {
        assert_snapshot!(serde_json::to_string_pretty(&manifest).expect("a value"));
    });
    // Without a README in the tarball, what the client sent of it counts.
    assert_eq!(server.get("/n").await.json()["readme"], "from the body");
}

#[tokio::test]
async fn a_version_is_published_once() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    let first = server.get("/n/-/n-1.0.0.tgz").await.expect(200).body;
    server.publish("n", "1.0.0", "latest").await.expect(409);
    server.publish("n", "1.0.0+build", "latest").await.expect(409);
    let other = tgz(&[("package/package.json", br#"{"name":"n","version":"1.0.0","x":1}"#)]);
    server.send("PUT", "/n", body_with("n", "1.0.0", "latest", &other).to_string()).await.expect(409);
    assert_eq!(server.get("/n/-/n-1.0.0.tgz").await.expect(200).body, first);
}

#[tokio::test]
async fn build_metadata_is_shown_but_does_not_make_another_version() {
    let server = Server::start().await;
    server.publish("n", "1.0.0+build", "latest").await.expect(201);
    let document = server.get("/n").await.expect(200).json();
    assert_eq!(document["versions"]["1.0.0+build"]["version"], "1.0.0+build");
    assert_eq!(document["dist-tags"]["latest"], "1.0.0+build");
    server.publish("n", "1.0.0", "latest").await.expect(409);
    server.get("/n/-/n-1.0.0.tgz").await.expect(200);
}

#[tokio::test]
async fn the_first_publish_sets_latest_whatever_its_tag() {
    let server = Server::start().await;
    server.publish("n", "1.0.0-rc.1", "next").await.expect(201);
    server.publish("n", "1.0.0-rc.2", "next").await.expect(201);
    let tags = server.get("/-/package/n/dist-tags").await.expect(200).json();
    assert_eq!(tags, json!({"latest": "1.0.0-rc.1", "next": "1.0.0-rc.2"}));
}

#[tokio::test]
async fn forms_have_their_own_type_and_validators() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    let corgi = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
    let short = server.get_with("/n", &[("accept", corgi)]).await.expect(200);
    let full = server.get_with("/n", &[("accept", "application/json")]).await.expect(200);
    assert_eq!(short.header("content-type"), "application/vnd.npm.install-v1+json");
    assert_eq!(full.header("content-type"), "application/json");
    assert_ne!(short.header("etag"), full.header("etag"));
    assert_eq!(short.header("vary").to_ascii_lowercase(), "accept, accept-encoding");
    assert!(short.json().get("readme").is_none() && short.json()["time"]["1.0.0"].is_string());
    let etag = full.header("etag").to_owned();
    server.get_with("/n", &[("if-none-match", &etag)]).await.expect(304);
    server.publish("n", "1.1.0", "latest").await.expect(201);
    let changed = server.get_with("/n", &[("if-none-match", &etag)]).await.expect(200);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn tarballs_answer_head_and_ranges() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    let whole = tarball("n", "1.0.0");
    let head = server.send("HEAD", "/n/-/n-1.0.0.tgz", "").await.expect(200);
    assert_eq!(head.header("content-length"), whole.len().to_string());
    assert!(head.body.is_empty());
    let part = server.get_with("/n/-/n-1.0.0.tgz", &[("range", "bytes=3-9")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &whole[3..10]));
    let etag = head.header("etag").to_owned();
    server.get_with("/n/-/n-1.0.0.tgz", &[("if-none-match", &etag)]).await.expect(304);
}

#[tokio::test]
async fn a_large_tarball_does_not_pass_through_memory_whole() {
    let server = Server::start().await;
    let noise = noise(3 << 20);
    let package = tgz(&[("package/package.json", br#"{"name":"n","version":"1.0.0"}"#), ("package/noise", &noise)]);
    let body = body_with("n", "1.0.0", "latest", &package).to_string();
    let chunks: Vec<_> = body.as_bytes().chunks(1021).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect();
    let stream = larder_http::RequestBody::streamed(Box::pin(futures_util::stream::iter(chunks)));
    server.send_with("PUT", "/n", &[], stream, server.caller.clone()).await.expect(201);
    assert_eq!(server.get("/n/-/n-1.0.0.tgz").await.expect(200).body, package);
}

#[tokio::test]
async fn publishing_and_metadata_are_two_rights() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    server.deny("codeartifact:PublishPackageVersion");
    server.publish("n", "1.1.0", "latest").await.expect(403);
    let document = server.get("/n").await.expect(200);
    server.send("PUT", "/n", document.body.clone()).await.expect(200);
    server.deny("codeartifact:PutPackageMetadata");
    server.send("PUT", "/n", document.body).await.expect(403);
    server.deny("codeartifact:ReadFromRepository");
    for path in ["/", "/-/ping", "/n", "/n/1.0.0", "/n/-/n-1.0.0.tgz", "/-/package/n/dist-tags", "/-/npm/v1/keys"] {
        server.get(path).await.expect(403);
    }
}

#[tokio::test]
async fn provenance_is_kept_with_its_version() {
    use base64::Engine as _;
    let server = Server::start().await;
    let package = tarball("@s/n", "1.0.0");
    let bundle = |name: &str, package: &[u8]| {
        use sha2::Digest as _;
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
            "subject": [{"name": name, "digest": {"sha512": hex::encode(sha2::Sha512::digest(package))}}],
        });
        let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
        json!({"mediaType": "m", "dsseEnvelope": {"payload": payload, "signatures": []}}).to_string()
    };
    let with = |bundle: String| {
        let mut body = body_with("@s/n", "1.0.0", "latest", &package);
        body["_attachments"]["@s/n-1.0.0.sigstore"] =
            json!({"content_type": "m", "data": bundle, "length": bundle.len()});
        body.to_string()
    };
    for (name, of) in [("pkg:npm/%40s/n@1.0.1", &package[..]), ("pkg:npm/%40s/n@1.0.0", b"other")] {
        server.send("PUT", "/@s%2fn", with(bundle(name, of))).await.expect(400);
    }
    server.send("PUT", "/@s%2fn", with("{}".to_owned())).await.expect(400);
    server.send("PUT", "/@s%2fn", with(bundle("pkg:npm/%40s/n@1.0.0", &package))).await.expect(201);
    let dist = server.get("/@s%2fn/1.0.0").await.expect(200).json()["dist"].clone();
    assert_eq!(dist["attestations"]["url"], format!("{BASE}/-/npm/v1/attestations/@s/n@1.0.0"));
    assert_eq!(dist["attestations"]["provenance"]["predicateType"], "https://slsa.dev/provenance/v1");
    for path in ["/-/npm/v1/attestations/@s/n@1.0.0", "/-/npm/v1/attestations/@s%2fn@1.0.0"] {
        let attestations = server.get(path).await.expect(200).json();
        assert_eq!(attestations["attestations"][0]["bundle"]["mediaType"], "m");
    }
    server.get("/-/npm/v1/attestations/@s/n@2.0.0").await.expect(404);
    server.get("/-/npm/v1/attestations/nothing").await.expect(404);
}

#[tokio::test]
async fn what_is_not_offered_says_so() {
    let server = Server::start().await;
    server.publish("n", "1.0.0", "latest").await.expect(201);
    for (method, path) in [
        ("GET", "/-/all"),
        ("POST", "/-/npm/v1/security/audits/quick"),
        ("GET", "/-/_view/starredByUser"),
        ("POST", "/-/v1/login"),
        ("POST", "/-/npm/v1/oidc/token/exchange/package/n"),
        ("GET", "/-/stage"),
        ("GET", "/-/package/n/trust"),
        ("POST", "/-/package/n/access"),
        ("GET", "/-/org/o/user"),
        ("PUT", "/-/team/s/t/user"),
        ("GET", "/-/whatever"),
        ("PATCH", "/n"),
    ] {
        server.send(method, path, "{}").await.expect(404);
    }
    server.send("PUT", "/n", r#"{"_id":"n","_rev":"1","users":{"alice":true}}"#).await.expect(404);
    server.send("PUT", "/n", r#"{"_id":"n","_rev":"1","maintainers":[]}"#).await.expect(404);
    assert_eq!(server.get("/-/package/n/visibility").await.expect(200).json(), json!({"public": false}));
    assert_eq!(server.get("/-/package/n/collaborators").await.expect(200).json(), json!({"alice": "read-write"}));
}
