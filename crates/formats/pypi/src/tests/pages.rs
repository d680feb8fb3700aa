use super::*;
use crate::archive::tests::{sdist, wheel};

async fn with_foo() -> Server {
    let server = Server::start().await;
    server.upload(&Form::new("foo-1.0.tar.gz", &sdist("foo", "1.0"))).await.expect(200);
    server
}

#[tokio::test]
async fn every_accept_form_gets_its_type() {
    let server = with_foo().await;
    for address in ["my-repo/simple/foo/", "my-repo/simple/"] {
        for (accept, expected) in [
            ("*/*", "text/html; charset=utf-8"),
            ("text/html", "text/html; charset=utf-8"),
            ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+json"),
            ("application/vnd.pypi.simple.latest+html", "application/vnd.pypi.simple.v1+html"),
        ] {
            let page = server.send(Method::GET, address, &[("accept", accept)], "").await.expect(200);
            assert_eq!(page.header("content-type"), expected);
            assert_eq!(page.header("vary"), "Accept, Accept-Encoding");
        }
        server.send(Method::GET, address, &[("accept", "application/xml")], "").await.expect(406);
        let asked = server.get(&format!("{address}?format=application/vnd.pypi.simple.v1%2Bjson")).await.expect(200);
        assert_eq!(asked.header("content-type"), "application/vnd.pypi.simple.v1+json");
    }
}

#[tokio::test]
async fn other_spellings_and_missing_slashes_are_redirected_relatively() {
    let server = with_foo().await;
    for (address, location) in [
        ("my-repo/simple/foo", "foo/"),
        ("my-repo/simple/Foo", "foo/"),
        ("my-repo/simple/F.O_-o/", "../f-o-o/"),
        ("my-repo/simple/FOO/?format=text/html", "../foo/?format=text/html"),
        ("my-repo/simple", "simple/"),
    ] {
        let answer = server.get(address).await.expect(301);
        assert_eq!(answer.header("location"), location);
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again_and_a_changed_one_is() {
    let server = with_foo().await;
    let page = server.get_json("my-repo/simple/foo/").await.expect(200);
    assert_eq!(page.header("cache-control"), "private, no-cache");
    let json = "application/vnd.pypi.simple.v1+json";
    let again = [("accept", json), ("if-none-match", page.header("etag"))];
    server.send(Method::GET, "my-repo/simple/foo/", &again, "").await.expect(304);
    server.clock.advance_seconds(1);
    server.upload(&Form::new("foo-1.1.tar.gz", &sdist("foo", "1.1"))).await.expect(200);
    let changed = server.send(Method::GET, "my-repo/simple/foo/", &again, "").await.expect(200);
    assert_ne!(changed.header("x-pypi-last-serial"), page.header("x-pypi-last-serial"));
}

#[tokio::test]
async fn head_and_ranges_work_on_files() {
    let server = with_foo().await;
    let address = "my-repo/simple/foo/1.0/foo-1.0.tar.gz";
    let whole = server.get(address).await.expect(200);
    let length = whole.body.len();
    let head = server.send(Method::HEAD, address, &[], "").await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (length.to_string().as_str(), 0));
    for (range, part) in [("bytes=0-9", 0..10), ("bytes=-4", length - 4..length), ("bytes=20-", 20..length)] {
        let answer = server.send(Method::GET, address, &[("range", range)], "").await.expect(206);
        assert_eq!(answer.body, whole.body.slice(part));
    }
    let resumed = [("range", "bytes=5-"), ("if-range", whole.header("etag"))];
    assert_eq!(server.send(Method::GET, address, &resumed, "").await.expect(206).body, whole.body.slice(5..));
    assert_eq!(whole.header("cache-control").split(", ").last(), Some("immutable"));
}

#[tokio::test]
async fn wrong_addresses_explain_themselves() {
    let server = with_foo().await;
    for (method, address, status, says) in [
        (Method::GET, "my-repo/", 405, "simple/"),
        (Method::HEAD, "my-repo/legacy/", 405, ""),
        (Method::POST, "my-repo/simple/", 405, "upload to the repository's address"),
        (Method::PUT, "my-repo/simple/foo/", 405, "read only"),
        (Method::DELETE, "my-repo/simple/foo/1.0/foo-1.0.tar.gz", 405, "read only"),
        (Method::GET, "my-repo/simple/simple/foo/", 404, "twice"),
        (Method::GET, "my-repo/simple/bar/", 404, "bar"),
        (Method::GET, "my-repo/simple/-bad-/", 404, "project name"),
        (Method::GET, "my-repo/simple/foo/1.0/foo-2.0.tar.gz", 404, "foo-2.0.tar.gz"),
        (Method::GET, "my-repo/nothing", 404, "simple/"),
    ] {
        let answer = server.send(method.clone(), address, &[], "").await.expect(status);
        assert!(answer.text().contains(says), "{method} {address}: {}", answer.text());
        assert_eq!(answer.header("allow").is_empty(), status != 405, "{method} {address}");
    }
}

#[tokio::test]
async fn the_json_api_tells_of_project_and_release() {
    let server = with_foo().await;
    server.upload(&Form::new("foo-1.1-py3-none-any.whl", &wheel("foo", "1.1"))).await.expect(200);
    let answer = server.get("my-repo/pypi/foo/json").await.expect(200);
    let document = answer.json();
    assert_eq!(document["info"]["version"], "1.1");
    assert_eq!(document["info"]["summary"], "a test");
    assert_eq!(document["info"]["description"], "Hello\n");
    assert_eq!(document["releases"]["1.0"][0]["packagetype"], "sdist");
    let file = &document["urls"][0];
    assert_eq!(
        file["url"],
        "http://larder.test/d/my-domain-123456789012/pypi/my-repo/simple/foo/1.1/foo-1.1-py3-none-any.whl"
    );
    assert_eq!((&file["packagetype"], &file["python_version"]), (&"bdist_wheel".into(), &"py3".into()));
    assert_eq!(file["upload_time"], "2026-01-02T03:04:05");
    for digest in ["md5", "sha256", "blake2b_256"] {
        assert!(file["digests"][digest].is_string(), "{digest}");
    }
    assert_eq!(answer.header("x-pypi-last-serial"), document["last_serial"].to_string());
    // An sdist has no METADATA beside it: what the API keeps of the version stands in.
    let old = server.get("my-repo/pypi/Foo/1.0.0/json").await.expect(200).json();
    assert_eq!((&old["info"]["version"], &old["info"]["summary"]), (&"1.0".into(), &"a test".into()));
    assert!(old.get("releases").is_none());
    server.get("my-repo/pypi/foo/3.0/json").await.expect(404);
}
