//! The bad-input table of protocol reference 2.12, through the handler.

use super::*;
use crate::archive::tests::{append, core_metadata, sdist, tar_gz, wheel, wheel_members, zip_of};

const WHEEL: &str = "foo-1.0-py3-none-any.whl";
const SDIST: &str = "foo-1.0.tar.gz";

fn good() -> Form {
    Form::new(SDIST, &sdist("foo", "1.0"))
}

fn renamed(file_name: &str) -> Form {
    good().without("content").with_file("content", file_name, &sdist("foo", "1.0"))
}

async fn refused(server: &Server, forms: Vec<(u16, Form)>) {
    for (number, (status, form)) in forms.into_iter().enumerate() {
        let answer = server.upload(&form).await;
        assert_eq!(answer.status, status, "form {number}: {}", answer.text());
        assert_eq!(answer.text().trim_end().lines().count(), 1, "one sentence: {}", answer.text());
    }
    assert_eq!(server.get_json("my-repo/simple/").await.json()["projects"], serde_json::json!([]), "nothing is stored");
}

#[tokio::test]
async fn forms_that_are_not_an_upload_are_refused() {
    let server = Server::start().await;
    let twice = good().with_file("content", SDIST, &sdist("foo", "1.0"));
    let forms = vec![
        (400, good().without(":action")),
        (410, good().set(":action", "submit")),
        (400, good().set(":action", "doc_upload")),
        (400, good().set(":action", "verify")),
        (400, good().with(":action", "file_upload")),
        (400, good().without("protocol_version")),
        (400, good().set("protocol_version", "2")),
        (400, good().without("content")),
        (400, good().without("content").with("content", "no file name")),
        (400, twice),
        (400, good().without("filetype")),
        (400, good().set("filetype", "bdist_wheel")),
        (400, good().set("filetype", "bdist_egg")),
        (400, good().set("pyversion", "py3")),
        (400, good().without("name")),
        (400, good().without("version")),
    ];
    refused(&server, forms).await;
}

#[tokio::test]
async fn names_versions_and_file_names_that_do_not_fit_are_refused() {
    let server = Server::start().await;
    let mut forms = vec![
        (400, good().set("name", "-foo")),
        (400, good().set("name", "foo\u{200b}")),
        (400, good().set("name", "bar")),
        (400, good().set("version", "latest")),
        (400, good().set("version", "1.1")),
    ];
    for file_name in [
        "../foo-1.0.tar.gz",
        "a\\foo-1.0.tar.gz",
        "foo-1.0\u{202e}.tar.gz",
        "foo\u{200b}-1.0.tar.gz",
        "bar-1.0.tar.gz",
        "foo-1.1.tar.gz",
        "foo.tar.gz",
        "foo-1.0.egg",
        "foo-1.0.msi",
        "foo-1.0.rpm",
        "foo-1.0.win32.exe",
        "foo-1.0.tar.bz2",
        "foo-1.0-py3-none.whl",
    ] {
        forms.push((400, renamed(file_name)));
    }
    refused(&server, forms).await;
}

#[tokio::test]
async fn digests_that_do_not_match_are_refused() {
    let server = Server::start().await;
    let forms = ["md5_digest", "sha256_digest", "blake2_256_digest"].into_iter().flat_map(|field| {
        let zeros = if field == "md5_digest" { "0".repeat(32) } else { "0".repeat(64) };
        [
            (400, good().with(field, &zeros)),
            (400, good().with(field, "not hexadecimal")),
            (400, good().with(field, "00")),
        ]
    });
    refused(&server, forms.collect()).await;
}

#[tokio::test]
async fn archives_that_are_not_what_they_should_be_are_refused() {
    let server = Server::start().await;
    let wheel_with = |change: fn(&mut Vec<(String, Vec<u8>)>)| {
        let mut members = wheel_members("foo", "1.0");
        change(&mut members);
        Form::new(WHEEL, &zip_of(&members))
    };
    let no_pkg_info = tar_gz(|builder| append(builder, "foo-1.0/setup.py", b""));
    let other_version = tar_gz(|builder| append(builder, "foo-1.0/PKG-INFO", core_metadata("foo", "2.0").as_bytes()));
    let forms = vec![
        (400, Form::new(SDIST, b"not an archive")),
        (400, Form::new(SDIST, b"")),
        (400, Form::new(SDIST, &wheel("foo", "1.0"))),
        (400, Form::new(WHEEL, &sdist("foo", "1.0"))),
        (400, Form::new(SDIST, &[sdist("foo", "1.0"), b"tail".to_vec()].concat())),
        (400, Form::new(WHEEL, &[b"#!prefix".to_vec(), wheel("foo", "1.0")].concat())),
        (400, Form::new(SDIST, &no_pkg_info)),
        (400, Form::new(SDIST, &other_version)),
        (400, wheel_with(|members| members.retain(|(name, _)| !name.ends_with("METADATA")))),
        (400, wheel_with(|members| members[0].1.push(b'x'))),
        (400, Form::new(WHEEL, &wheel("foo", "1.1"))),
    ];
    refused(&server, forms).await;
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let server = Server::start().await;
    let mut many = good();
    for _ in 0..1000 {
        many = many.with("classifiers", "x");
    }
    let forms = vec![
        (413, Form::new(SDIST, &vec![0; (1 << 20) + 1])),
        (413, many),
        (413, good().with("description", &"x".repeat((10 << 20) + 1))),
        (413, good().with_file("gpg_signature", "foo-1.0.tar.gz.asc", &vec![b'x'; 70 << 10])),
    ];
    refused(&server, forms).await;
}

#[tokio::test]
async fn malformed_attestations_are_refused() {
    let server = Server::start().await;
    refused(&server, vec![(400, good().with("attestations", "{}")), (400, good().with("attestations", "[1]"))]).await;
}

#[tokio::test]
async fn only_multipart_forms_are_read_and_broken_ones_refused() {
    let server = Server::start().await;
    let post = async |content_type: &str, body: Vec<u8>| {
        server.send(Method::POST, "my-repo/legacy/", &[("content-type", content_type)], body).await.status
    };
    assert_eq!(post("application/json", b"{}".to_vec()).await, 415);
    assert_eq!(post("multipart/form-data", good().body()).await, 415);
    assert_eq!(post("text/xml", b"<methodCall/>".to_vec()).await, 405);
    assert_eq!(server.send(Method::POST, "my-repo/", &[], good().body()).await.status, 415);
    let mut cut = good().body();
    cut.truncate(cut.len() - 40);
    assert_eq!(post(FORM_TYPE, cut).await, 400);
    assert_eq!(post(FORM_TYPE, b"--frontier\r\nX: ".iter().copied().chain([b'a'; 4096]).collect()).await, 400);
    assert_eq!(post(FORM_TYPE, good().body()).await, 200, "'/legacy/' takes the same form");
}

#[tokio::test]
async fn a_part_with_an_endless_header_is_given_up() {
    let server = Server::start().await;
    let chunks = std::iter::once(Bytes::from_static(b"--frontier\r\nContent-Disposition: "))
        .chain(std::iter::repeat_n(Bytes::from(vec![b'x'; 64 << 10]), 1000));
    let body: larder_core::ports::ByteStream = Box::pin(futures_util::stream::iter(chunks.map(Ok)));
    let headers = [("content-type", FORM_TYPE)];
    let request = server.request("POST", "my-repo/", &headers, RequestBody::streamed(body)).await;
    assert_eq!(server.handle(request).await.status(), 400);
}

#[tokio::test]
async fn uv_gets_its_refusal_as_json() {
    let server = Server::start().await;
    let headers =
        [("content-type", FORM_TYPE), ("accept", "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7")];
    let refused =
        server.send(Method::POST, "my-repo/", &headers, good().set("version", "1.1").body()).await.expect(400);
    assert_eq!(refused.json()["code"], "file name 'foo-1.0.tar.gz' is of version '1.0', not of '1.1'");
}
