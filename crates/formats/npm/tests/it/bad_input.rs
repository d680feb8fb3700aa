//! The table of protocols 1.13, and what else a publish can get wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use larder_http::RequestBody;
use serde_json::{Value, json};

use crate::registry::offer_package;
use crate::samples::{body_with, gzip, integrity, noise, publish_body, tarball, tgz};
use crate::server::{Server, path_of};

/// A publish of n@1.0.0 with one thing changed.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut body = publish_body("n", "1.0.0", "latest");
    change(&mut body);
    body.to_string()
}

fn manifest(body: &mut Value) -> &mut Value {
    &mut body["versions"]["1.0.0"]
}

fn attachment(body: &mut Value) -> &mut Value {
    &mut body["_attachments"]["n-1.0.0.tgz"]
}

fn with_tarball(tarball: &[u8]) -> String {
    body_with("n", "1.0.0", "latest", tarball).to_string()
}

#[tokio::test]
async fn a_malformed_publish_is_refused_and_leaves_nothing() {
    let server = Server::start().await;
    let other = |name: &str, version: &str| with_tarball(&tarball(name, version));
    let bomb =
        tgz(&[("package/package.json", b"{\"name\":\"n\",\"version\":\"1.0.0\"}"), ("package/0", &vec![0; 65 << 20])]);
    let good = tarball("n", "1.0.0");
    let deep = format!(r#"{{"name":"n","version":"1.0.0","x":{}{}}}"#, "[".repeat(80), "]".repeat(80));
    let cases: Vec<(&str, String)> = vec![
        ("not JSON", "<html>".to_owned()),
        ("not an object", "[]".to_owned()),
        ("cut off", publish_body("n", "1.0.0", "latest").to_string()[..200].to_owned()),
        ("two documents", changed(|_| ()) + "{}"),
        ("nested too deeply", changed(|body| body["x"] = (0..80).fold(json!(1), |inner, _| json!([inner])))),
        ("no versions", changed(|body| drop(body.as_object_mut().expect("an object").remove("versions")))),
        ("no version", changed(|body| body["versions"] = json!({}))),
        ("two versions", changed(|body| body["versions"]["2.0.0"] = json!({"name": "n", "version": "2.0.0"}))),
        ("a version that is null", changed(|body| *manifest(body) = Value::Null)),
        ("key and manifest differ", changed(|body| manifest(body)["version"] = json!("1.0.1"))),
        ("no name", changed(|body| drop(body.as_object_mut().expect("an object").remove("name")))),
        ("another name in the body", changed(|body| body["name"] = json!("m"))),
        ("another id in the body", changed(|body| body["_id"] = json!("m"))),
        ("another name in the manifest", changed(|body| manifest(body)["name"] = json!("m"))),
        ("another name in the tarball", other("m", "1.0.0")),
        ("another version in the tarball", other("n", "1.0.1")),
        ("no attachment data", changed(|body| *attachment(body) = json!({"length": 3}))),
        ("attachment is no object", changed(|body| *attachment(body) = json!("QQ=="))),
        ("data is no string", changed(|body| attachment(body)["data"] = json!(7))),
        ("data is not Base64", changed(|body| attachment(body)["data"] = json!("***"))),
        ("data is cut", changed(|body| attachment(body)["data"] = json!(STANDARD.encode(&good)[1..].to_owned()))),
        ("wrong length", changed(|body| attachment(body)["length"] = json!(3))),
        ("length is no number", changed(|body| attachment(body)["length"] = json!("3"))),
        ("two tarballs", changed(|body| body["_attachments"]["m.tgz"] = json!({"data": "QQ==", "length": 1}))),
        ("an attachment without data", changed(|body| body["_attachments"]["m.tgz"] = json!({"length": 1}))),
        ("wrong SHA-1", changed(|body| manifest(body)["dist"]["shasum"] = json!("0".repeat(40)))),
        ("wrong SHA-512", changed(|body| manifest(body)["dist"]["integrity"] = json!(integrity(b"other")))),
        ("unreadable integrity", changed(|body| manifest(body)["dist"]["integrity"] = json!("sha512-x"))),
        ("a tag that is a range", changed(|body| body["dist-tags"] = json!({"1.x": "1.0.0"}))),
        ("a tag to another version", changed(|body| body["dist-tags"] = json!({"latest": "0.9.0"}))),
        ("provenance without data", changed(|body| body["_attachments"]["n.sigstore"] = json!({"length": 1}))),
        ("not gzip", with_tarball(b"PK\x03\x04")),
        ("empty", with_tarball(b"")),
        ("truncated", with_tarball(&good[..good.len() / 2])),
        ("trailing bytes", with_tarball(&[&good[..], b"x"].concat())),
        ("no package.json", with_tarball(&tgz(&[("package/index.js", b"")]))),
        ("package.json is not JSON", with_tarball(&tgz(&[("package/package.json", b"{")]))),
        (
            "a byte order mark hides nothing",
            with_tarball(&tgz(&[("package/package.json", b"\xef\xbb\xbf{\"name\":\"m\"}")])),
        ),
        ("package.json nested too deeply", with_tarball(&tgz(&[("package/package.json", deep.as_bytes())]))),
        ("traversal", with_tarball(&tgz(&[("package/package.json", b"{}"), ("package/../../x", b"")]))),
        ("two package.json", with_tarball(&tgz(&[("package/package.json", b"{}"), ("p/package.json", b"{}")]))),
        ("a bomb", with_tarball(&bomb)),
    ];
    for (what, body) in cases {
        let answer = server.send("PUT", "/n", body).await;
        assert_eq!(answer.status, 400, "{what}: {}", String::from_utf8_lossy(&answer.body));
        answer.expect(400);
    }
    server.get("/n").await.expect(404);
    server.publish("n", "1.0.0", "latest").await.expect(201);
}

#[tokio::test]
async fn versions_that_are_not_semantic_are_refused() {
    let server = Server::start().await;
    for version in ["1.0", "v1.0.0", "=1.0.0", "01.0.0", "1.0.0-", "latest", "1.0.0 ", ""] {
        server.publish("n", version, "latest").await.expect(400);
    }
}

#[tokio::test]
async fn names_that_break_the_rules_are_refused() {
    let server = Server::start().await;
    let long = "a".repeat(215);
    for name in ["Capital", "@S/x", "@s/X", ".hidden", "_private", "-dash", "node_modules", "favicon.ico", "a~b", &long]
    {
        server.publish(name, "1.0.0", "latest").await.expect(400);
        server.get(&path_of(name)).await.expect(404);
    }
    for path in ["/@a/b/c", "/@a", "/a%20b", "/%C3%A4"] {
        let answer = server.send("PUT", path, publish_body("n", "1.0.0", "latest").to_string()).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let server = Server::start().await;
    let noise = noise(5 << 20);
    let large = tgz(&[("package/package.json", b"{\"name\":\"n\",\"version\":\"1.0.0\"}"), ("package/noise", &noise)]);
    server.send("PUT", "/n", with_tarball(&large)).await.expect(413);
    let text = changed(|body| body["readme"] = json!("x".repeat(33 << 20)));
    server.send("PUT", "/n", text).await.expect(413);
    server.get("/n").await.expect(404);
}

#[tokio::test]
async fn a_name_that_looks_like_another_is_refused() {
    let server = Server::start().await;
    server.publish("left-pad", "1.0.0", "latest").await.expect(201);
    server.publish("@s/left-pad", "1.0.0", "latest").await.expect(201);
    for twin in ["leftpad", "left_pad", "left.pad", "l-e-f-t-p-a-d", "@s/leftpad"] {
        server.publish(twin, "1.0.0", "latest").await.expect(403);
    }
    server.publish("left-pads", "1.0.0", "latest").await.expect(201);
    server.publish("@t/leftpad", "1.0.0", "latest").await.expect(201);
    // What was only fetched from outside stands in nobody's way.
    offer_package(&server.registry, "pub-lic", "1.0.0", "pub-lic-1.0.0.tgz");
    server.get("/pub-lic/-/pub-lic-1.0.0.tgz").await.expect(200);
    server.services.background.drain().await;
    server.publish("public", "1.0.0", "latest").await.expect(201);
}

#[tokio::test]
async fn an_encoding_that_is_not_understood_is_refused() {
    let server = Server::start().await;
    let put = async |encoding: &str, body: Vec<u8>| {
        let headers = [("content-encoding", encoding)];
        server.send_with("PUT", "/n", &headers, RequestBody::full(body), server.caller.clone()).await
    };
    put("br", changed(|_| ()).into_bytes()).await.expect(415);
    put("gzip", changed(|_| ()).into_bytes()).await.expect(400);
    put("gzip", gzip(&vec![b' '; 40 << 20])).await.expect(413);
    put("gzip", gzip(changed(|_| ()).as_bytes())).await.expect(201);
}
