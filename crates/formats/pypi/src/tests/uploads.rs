use super::*;
use crate::archive::tests::{sdist, wheel};
use crate::attestations::tests::{PUBLISH, attestation};

const WHEEL: &str = "foo-1.0-py3-none-any.whl";
const SDIST: &str = "foo-1.0.tar.gz";

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[tokio::test]
async fn a_wheel_and_an_sdist_are_uploaded_listed_and_downloaded() {
    let server = Server::start().await;
    let (wheel, sdist) = (wheel("foo", "1.0"), sdist("foo", "1.0"));
    server.upload(&Form::new(WHEEL, &wheel)).await.expect(200);
    server.upload(&Form::new(SDIST, &sdist)).await.expect(200);

    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    assert_eq!(page.header("content-type"), "application/vnd.pypi.simple.v1+json");
    let page = page.json();
    assert_eq!(page["versions"], serde_json::json!(["1.0"]));
    let files = page["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    for (file, name, bytes) in [(&files[0], WHEEL, &wheel), (&files[1], SDIST, &sdist)] {
        assert_eq!((file["filename"].as_str(), file["size"].as_u64()), (Some(name), Some(bytes.len() as u64)));
        assert_eq!(file["hashes"]["sha256"], sha256(bytes));
        assert_eq!(file["requires-python"], ">=3.8");
        assert_eq!(file["upload-time"], "2026-01-02T03:04:05.678000Z");
        let address = format!("my-repo/simple/foo/{}", file["url"].as_str().unwrap());
        let downloaded = server.get(&address).await.expect(200);
        assert_eq!((&downloaded.body[..], downloaded.header("accept-ranges")), (&bytes[..], "bytes"));
        assert_eq!(downloaded.header("content-encoding"), "");
    }
    assert_eq!(files[1].get("core-metadata"), None, "an sdist has no metadata sibling");
    let advertised = files[0]["core-metadata"]["sha256"].as_str().unwrap();
    assert_eq!(files[0]["dist-info-metadata"]["sha256"], advertised);
    let metadata = server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}.metadata")).await.expect(200);
    assert_eq!(sha256(&metadata.body), advertised);
    server.get(&format!("my-repo/simple/foo/1.1/{WHEEL}.metadata")).await.expect(404);
    server.get(&format!("my-repo/simple/foo/1.0/{SDIST}.metadata")).await.expect(404);
    server.get(&format!("my-repo/simple/foo/1.0/{SDIST}.asc")).await.expect(404);
}

#[tokio::test]
async fn the_same_file_again_is_fine_and_other_bytes_are_not() {
    let server = Server::start().await;
    server.upload(&Form::new(SDIST, &sdist("foo", "1.0"))).await.expect(200);
    server.upload(&Form::new(SDIST, &sdist("foo", "1.0"))).await.expect(200);
    let other = crate::archive::tests::tar_gz(|builder| {
        let metadata = crate::archive::tests::core_metadata("foo", "1.0");
        crate::archive::tests::append(builder, "foo-1.0/PKG-INFO", metadata.as_bytes());
    });
    let refused = server.upload(&Form::new(SDIST, &other)).await.expect(400);
    assert!(refused.text().starts_with("File already exists"), "{}", refused.text());
    let kept = server.get(&format!("my-repo/simple/foo/1.0/{SDIST}")).await.expect(200);
    assert_eq!(kept.body, sdist("foo", "1.0"));
}

#[tokio::test]
async fn spellings_of_project_and_version_collide_in_one_release() {
    let server = Server::start().await;
    server.upload(&Form::new("Foo_Bar-1.0.tar.gz", &sdist("Foo_Bar", "1.0"))).await.expect(200);
    let wheel = wheel("foo.bar", "1.0.0");
    server.upload(&Form::new("foo.bar-1.0.0-py3-none-any.whl", &wheel)).await.expect(200);
    let page = server.get_json("my-repo/simple/foo-bar/").await.expect(200).json();
    assert_eq!((page["versions"].clone(), page["files"].as_array().unwrap().len()), (serde_json::json!(["1.0"]), 2));
    let again = server.upload(&Form::new("foo_bar-1.0.0.tar.gz", &sdist("foo_bar", "1.0.0"))).await.expect(400);
    assert!(again.text().contains("source distribution already"), "{}", again.text());
    let list = server.get_json("my-repo/simple/").await.expect(200).json();
    assert_eq!(list["projects"][0]["name"], "Foo_Bar", "the first spelling is shown");
    // People write versions in other spellings than the page does.
    server.get("my-repo/simple/foo-bar/1/Foo_Bar-1.0.tar.gz").await.expect(200);
    server.get("my-repo/simple/foo-bar/2/Foo_Bar-1.0.tar.gz").await.expect(404);
}

#[tokio::test]
async fn parts_may_come_in_any_order_and_digests_in_either_case() {
    let server = Server::start().await;
    let bytes = wheel("foo", "1.0");
    let mut form = Form::new(WHEEL, &bytes)
        .with("sha256_digest", &sha256(&bytes).to_uppercase())
        .with("requires_dist", "a")
        .with("requires_dist", "b")
        .with("classifier", "unknown to this server");
    form.parts.reverse();
    server.upload(&form).await.expect(200);
}

#[tokio::test]
async fn a_look_alike_of_a_project_is_refused() {
    let server = Server::start().await;
    server.upload(&Form::new("foo1-1.0.tar.gz", &sdist("foo1", "1.0"))).await.expect(200);
    for name in ["fool", "f0o1", "f00i"] {
        let refused = server.upload(&Form::new(&format!("{name}-1.0.tar.gz"), &sdist(name, "1.0"))).await.expect(400);
        assert!(refused.text().contains("too similar to 'foo1'"), "{}", refused.text());
    }
    server.upload(&Form::new("foo1-1.1.tar.gz", &sdist("foo1", "1.1"))).await.expect(200);
}

#[tokio::test]
async fn signatures_and_attestations_are_kept_beside_the_file() {
    let server = Server::start().await;
    let bytes = wheel("foo", "1.0");
    let attestation = attestation(WHEEL, &sha256(&bytes), PUBLISH);
    let form = Form::new(WHEEL, &bytes).with("attestations", &format!("[{attestation}]")).with_file(
        "gpg_signature",
        &format!("{WHEEL}.asc"),
        b"signed",
    );
    server.upload(&form).await.expect(200);
    let page = server.get_json("my-repo/simple/foo/").await.expect(200).json();
    let file = &page["files"][0];
    assert_eq!(file["gpg-sig"], true);
    assert_eq!(server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}.asc")).await.expect(200).text(), "signed");
    let address = file["provenance"].as_str().unwrap();
    let path = address.strip_prefix("http://larder.test/d/my-domain-123456789012/pypi/").unwrap();
    let provenance = server.get(path).await.expect(200);
    assert_eq!(provenance.header("content-type"), "application/vnd.pypi.integrity.v1+json");
    let kept: serde_json::Value = serde_json::from_str(&attestation).unwrap();
    assert_eq!(provenance.json()["attestation_bundles"][0]["attestations"][0], kept);
    server.get(&format!("my-repo/integrity/foo/1.1/{WHEEL}/provenance")).await.expect(404);
}

#[tokio::test]
async fn a_yanked_release_says_so_until_it_is_unyanked_and_a_new_file_of_it_too() {
    let server = Server::start().await;
    server.upload(&Form::new(WHEEL, &wheel("foo", "1.0"))).await.expect(200);
    let yank = "my-repo/-/yank/Foo/1.0.0";
    let yanked = async || server.get_json("my-repo/simple/foo/").await.json()["files"][0]["yanked"].clone();
    server.send(Method::PUT, yank, &[], r#"{"reason":"broken"}"#).await.expect(200);
    assert_eq!(yanked().await, "broken");
    server.upload(&Form::new(SDIST, &sdist("foo", "1.0"))).await.expect(200);
    let page = server.get_json("my-repo/simple/foo/").await.json();
    assert_eq!((&page["files"][0]["yanked"], &page["files"][1]["yanked"]), (&"broken".into(), &"broken".into()));
    server.send(Method::DELETE, yank, &[], "").await.expect(200);
    assert_eq!(yanked().await, false);
    server.send(Method::PUT, yank, &[], "").await.expect(200);
    assert_eq!(yanked().await, true);
    server.send(Method::PUT, yank, &[], r#"{"why":"broken"}"#).await.expect(400);
    server.send(Method::PUT, "my-repo/-/yank/foo/2.0", &[], "").await.expect(404);
    server.send(Method::GET, yank, &[], "").await.expect(405);
}

#[tokio::test]
async fn many_uploads_of_one_new_project_at_once_all_succeed() {
    let server = Server::start().await;
    let names: Vec<String> = (0..8).map(|n| format!("foo-1.0-{n}-py3-none-any.whl")).collect();
    let bytes = wheel("foo", "1.0");
    let uploads = names.iter().chain(&names).map(|name| {
        let form = Form::new(name, &bytes);
        let server = &server;
        async move { server.upload(&form).await.expect(200) }
    });
    futures_util::future::join_all(uploads).await;
    let page = server.get_json("my-repo/simple/foo/").await.expect(200).json();
    assert_eq!(page["files"].as_array().unwrap().len(), 8);
}
