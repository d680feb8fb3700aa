use sha2::{Digest as _, Sha256};

use larder_core::model::VersionText;

use super::*;
use crate::archive::tests::{core_metadata, sdist, wheel};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const WHEEL: &str = "foo-1.0-py3-none-any.whl";
const SDIST: &str = "foo-1.0.tar.gz";

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The registry's page of `foo` 1.0 with a wheel and an sdist.
fn page(yanked: &str, status: &str) -> String {
    format!(
        r#"{{"meta":{{"api-version":"1.3"}},"name":"foo","versions":["1.0"],{status}"files":[
        {{"filename":"{WHEEL}","url":"../../f/{WHEEL}","hashes":{{"sha256":"{}"}},"size":{},"yanked":{yanked},
          "upload-time":"2020-02-03T04:05:06.123456Z","core-metadata":{{"sha256":"{}"}},"gpg-sig":true,
          "provenance":"http://registry.test/integrity/foo"}},
        {{"filename":"{SDIST}","url":"../../f/{SDIST}","hashes":{{"sha256":"{}"}},"yanked":{yanked}}}]}}"#,
        sha256(&wheel("foo", "1.0")),
        wheel("foo", "1.0").len(),
        sha256(core_metadata("foo", "1.0").as_bytes()),
        sha256(&sdist("foo", "1.0")),
    )
}

async fn with_registry() -> Server {
    with_registry_and(Limits::default()).await
}

async fn with_registry_and(limits: Limits) -> Server {
    let server = Server::start_with(limits).await;
    server.registry.put_typed("foo/", JSON, page("false", ""));
    server.registry.put(&format!("f/{WHEEL}"), wheel("foo", "1.0"));
    server.registry.put(&format!("f/{SDIST}"), sdist("foo", "1.0"));
    server.registry.put(&format!("f/{WHEEL}.metadata"), core_metadata("foo", "1.0"));
    server.registry.put(&format!("f/{WHEEL}.asc"), "signed");
    server.registry.put("http://registry.test/integrity/foo", r#"{"version":1}"#);
    server
}

fn file(answer: &Answer, name: &str) -> serde_json::Value {
    let page = answer.json();
    let files = page["files"].as_array().unwrap();
    files.iter().find(|file| file["filename"] == name).unwrap_or_else(|| panic!("no {name} in {page}")).clone()
}

#[tokio::test]
async fn a_registrys_files_are_listed_and_downloaded_as_it_has_them() {
    let server = with_registry().await;
    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    assert_eq!(page.header("cache-control"), "private, max-age=600");
    let listed = file(&page, WHEEL);
    assert_eq!(listed["url"], format!("1.0/{WHEEL}"));
    assert_eq!(listed["upload-time"], "2020-02-03T04:05:06.123456Z");
    assert_eq!(file(&page, SDIST).get("size"), None, "what the registry does not say is not guessed");
    let downloaded = server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(200);
    assert_eq!(downloaded.body, wheel("foo", "1.0"));
}

#[tokio::test]
async fn small_files_beside_a_file_are_passed_on_without_keeping_the_version() {
    let server = with_registry().await;
    let metadata = format!("my-repo/simple/foo/1.0/{WHEEL}.metadata");
    for _ in 0..2 {
        assert_eq!(server.get(&metadata).await.expect(200).text(), core_metadata("foo", "1.0"));
    }
    assert_eq!(server.registry.times_asked(".metadata"), 1, "the second answer comes from memory");
    let head = server.send(Method::HEAD, &metadata, &[], "").await.expect(200);
    assert_eq!(head.header("content-length"), core_metadata("foo", "1.0").len().to_string());
    assert_eq!(server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}.asc")).await.expect(200).text(), "signed");
    let provenance = server.get(&format!("my-repo/integrity/foo/1.0/{WHEEL}/provenance")).await.expect(200);
    assert_eq!(provenance.text(), r#"{"version":1}"#);
    server.get(&format!("my-repo/simple/foo/1.0/{SDIST}.metadata")).await.expect(404);
    server.settle().await;
    let list = server.get_json("my-repo/simple/").await.json();
    assert_eq!(list["projects"], serde_json::json!([]), "nothing was retained");
}

#[tokio::test]
async fn metadata_that_is_not_what_the_index_promises_is_never_served() {
    let server = with_registry().await;
    server.registry.put(&format!("f/{WHEEL}.metadata"), "Name: evil");
    let refused = server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}.metadata")).await.expect(502);
    assert!(!refused.text().contains("evil"));
}

#[tokio::test]
async fn a_retained_release_is_listed_whole_and_served_without_the_registry() {
    let server = with_registry().await;
    server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(200);
    server.settle().await;
    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    assert_eq!(page.json()["files"].as_array().unwrap().len(), 2, "no file of the release is hidden");
    server.registry.set_down(true);
    server.clock.advance_seconds(3600);
    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    let listed = file(&page, WHEEL);
    assert_eq!(listed["core-metadata"]["sha256"], sha256(core_metadata("foo", "1.0").as_bytes()));
    assert_eq!(server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(200).body, wheel("foo", "1.0"));
    let metadata = server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}.metadata")).await.expect(200);
    assert_eq!(metadata.text(), core_metadata("foo", "1.0"));
}

#[tokio::test]
async fn all_files_of_a_version_are_kept_everywhere_if_whole_versions_are_fetched() {
    for whole in [false, true] {
        let server = with_registry_and(Limits { fetches_whole_versions: whole, ..Limits::default() }).await;
        server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(200);
        server.settle().await;
        for repository in ["pypi-store", "my-repo"] {
            let id = server.target(repository).await.repository.id;
            let (key, version) = (crate::names::project_key("foo").unwrap(), VersionText::new("1.0").unwrap());
            let kept = server.services.store.find_version(id, &key, &version).await.unwrap().unwrap();
            let has_sdist = kept.assets.iter().any(|asset| asset.name.as_str() == SDIST);
            assert_eq!(has_sdist, whole, "{repository}: {:?}", kept.assets);
        }
    }
}

#[tokio::test]
async fn a_yank_at_the_registry_shows_after_the_next_refresh_on_retained_files_too() {
    let server = with_registry().await;
    server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(200);
    server.settle().await;
    server.registry.put_typed("foo/", JSON, page("\"broken\"", ""));
    server.clock.advance_seconds(3600);
    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    assert_eq!((&file(&page, WHEEL)["yanked"], &file(&page, SDIST)["yanked"]), (&"broken".into(), &"broken".into()));
    let yank = format!("pypi-store/-/yank/foo/{}", "1.0");
    server.send(Method::PUT, &yank, &[], "").await.expect(409);
}

#[tokio::test]
async fn a_file_that_is_not_what_the_index_promises_is_never_kept() {
    let server = with_registry().await;
    server.registry.put(&format!("f/{SDIST}"), sdist("foo", "1.1"));
    let address = format!("my-repo/simple/foo/1.0/{SDIST}");
    let target = server.target("my-repo").await;
    let allowed =
        server.services.access.authorize(&machine(), larder_core::access::Action::ReadFromRepository, target).await;
    let key = crate::names::project_key("foo").unwrap();
    let version = VersionText::new("1.0").unwrap();
    let name = larder_core::model::AssetName::new(SDIST).unwrap();
    let opened = server.services.downloads.open(&allowed.unwrap(), &key, &version, &name).await;
    if let Ok(opened) = opened {
        let content = opened.read(None).await;
        let larder_core::ports::Blob::Stream(stream) = content.unwrap() else { panic!("an arriving file") };
        let read: Vec<_> = futures_util::StreamExt::collect(stream).await;
        assert!(read.last().is_some_and(Result::is_err), "the transfer breaks off");
    }
    server.settle().await;
    server.registry.set_down(true);
    server.clock.advance_seconds(3600);
    assert_eq!(server.get(&address).await.status, 502);
}

#[tokio::test]
async fn a_version_of_the_registry_cannot_be_published_and_an_archived_project_not_at_all() {
    let server = with_registry().await;
    let refused = server.upload(&Form::new(SDIST, &sdist("foo", "1.0"))).await.expect(409);
    assert!(refused.text().contains("public registry"), "{}", refused.text());
    let archived = r#""project-status":{"status":"archived"},"#;
    server.registry.put_typed("foo/", JSON, page("false", archived));
    server.clock.advance_seconds(3600);
    let refused = server.upload(&Form::new("foo-2.0.tar.gz", &sdist("foo", "2.0"))).await.expect(403);
    assert!(refused.text().contains("archived"), "{}", refused.text());
}

#[tokio::test]
async fn an_internal_project_hides_the_public_one_of_its_name() {
    let server = Server::start().await;
    server.upload(&Form::new("foo-0.1.tar.gz", &sdist("foo", "0.1"))).await.expect(200);
    server.registry.put_typed("foo/", JSON, page("false", ""));
    server.registry.put(&format!("f/{WHEEL}"), wheel("foo", "1.0"));
    let page = server.get_json("my-repo/simple/foo/").await.expect(200).json();
    assert_eq!(page["versions"], serde_json::json!(["0.1"]));
    server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(404);
    server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}.metadata")).await.expect(404);
}

#[tokio::test]
async fn an_html_only_registry_is_read_and_rendered_as_json() {
    let server = Server::start().await;
    let hash = sha256(&wheel("foo", "1.0"));
    let html = format!(
        r#"<!DOCTYPE html><body><a href="../../f/{WHEEL}#sha256={hash}" data-requires-python="&gt;=3.8">{WHEEL}</a></body>"#
    );
    server.registry.put_typed("foo/", "text/html; charset=utf-8", html);
    server.registry.put(&format!("f/{WHEEL}"), wheel("foo", "1.0"));
    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    let listed = file(&page, WHEEL);
    assert_eq!((&listed["requires-python"], &listed["hashes"]["sha256"]), (&">=3.8".into(), &hash.into()));
    server.get(&format!("my-repo/simple/foo/1.0/{WHEEL}")).await.expect(200);
}

#[tokio::test]
async fn a_login_page_is_no_index_and_an_unreachable_registry_is_said() {
    let server = Server::start().await;
    server.registry.put_typed("foo/", "text/html", "<form><input type=password></form>");
    server.get("my-repo/simple/foo/").await.expect(502);
    server.registry.set_down(true);
    server.get("my-repo/simple/bar/").await.expect(502);
}

#[tokio::test]
async fn a_quarantined_project_offers_no_files() {
    let server = with_registry().await;
    server.registry.put_typed(
        "foo/",
        JSON,
        page("false", r#""project-status":{"status":"quarantined","reason":"malware"},"#),
    );
    let page = server.get_json("my-repo/simple/foo/").await.expect(200).json();
    assert_eq!(page["files"], serde_json::json!([]));
    assert_eq!(page["project-status"]["reason"], "malware");
}
