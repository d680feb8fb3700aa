//! The bad-input table of protocols 7.7, through the handler.

use super::*;
use crate::archive::tests::{append, gzip, manifest, tar_gz};

fn good() -> Publish {
    Publish::new("foo", "1.0.0")
}

async fn put(server: &Server, body: impl Into<Bytes>) -> Answer {
    server.send(Method::PUT, "my-repo/api/v1/crates/new", &[], body).await
}

async fn nothing_is_stored(server: &Server) {
    let found = server.get("my-repo/api/v1/crates?q=").await.expect(200).json();
    assert_eq!(found["meta"]["total"], 0, "{found}");
}

#[tokio::test]
async fn lengths_that_lie_are_refused() {
    let server = Server::start().await;
    let (json, file) = (good().json.to_string(), good().file);
    let with_lengths = |json_length: u32, file_length: u32| {
        [&json_length.to_le_bytes()[..], json.as_bytes(), &file_length.to_le_bytes(), &file].concat()
    };
    let (json_length, file_length) = (u32::try_from(json.len()).unwrap(), u32::try_from(file.len()).unwrap());
    for (status, body) in [
        (400, Vec::new()),
        (400, vec![0; 3]),
        (400, vec![0; 8]),
        (400, with_lengths(json_length + 10, file_length)),
        (400, with_lengths(json_length - 10, file_length)),
        (400, with_lengths(json_length, file_length + 1)),
        (400, with_lengths(json_length, file_length - 1)),
        (400, with_lengths(json_length, 0)),
        (400, [with_lengths(json_length, file_length), b"x".to_vec()].concat()),
        (413, with_lengths(u32::MAX, file_length)),
        (413, with_lengths(json_length, u32::MAX)),
    ] {
        put(&server, body).await.expect(status).detail();
    }
    let whole = good().body();
    for end in [1, 4, 5, json.len(), json.len() + 4, json.len() + 8, whole.len() - 1] {
        put(&server, whole[..end].to_vec()).await.expect(400).detail();
    }
    nothing_is_stored(&server).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let large = good().with_file(vec![0; usize::try_from(CRATE_LIMIT_BYTES).unwrap() + 1]);
    server.publish(&large).await.expect(413).detail();
    let chunks = std::iter::repeat_n(Bytes::from(vec![b' '; 64 << 10]), 1000);
    let head = Bytes::copy_from_slice(&(9_u32 << 20).to_le_bytes());
    let body: larder_core::ports::ByteStream =
        Box::pin(futures_util::stream::iter(std::iter::once(head).chain(chunks).map(Ok)));
    let request = server.request("PUT", "my-repo/api/v1/crates/new", &[], RequestBody::streamed(body)).await;
    server.answer(request).await.expect(400).detail();
    nothing_is_stored(&server).await;
}

#[tokio::test]
async fn metadata_that_cannot_be_is_refused() {
    let server = Server::start().await;
    let dependency = |member: &str, value: Value| {
        let mut dependency = json!({"name": "rand", "version_req": "^0.6", "features": [], "optional": false,
            "default_features": true, "target": null, "kind": "normal", "registry": null});
        dependency[member] = value;
        good().with("deps", json!([dependency]))
    };
    for publish in [
        good().with("vers", json!("1.0")),
        good().with("vers", json!("v1.0.0")),
        good().with("vers", json!("")),
        good().with("name", json!("9foo")),
        good().with("name", json!("foo/bar")),
        good().with("name", json!("f\u{f6}\u{f6}")),
        good().with("name", json!("x".repeat(65))),
        good().with("name", json!(null)),
        good().with("deps", json!("rand")),
        good().with("features", json!({"a b": []})),
        dependency("version_req", json!("newest")),
        dependency("kind", json!("peer")),
        dependency("name", json!("..")),
        dependency("explicit_name_in_toml", json!("")),
        Publish::new("nul", "1.0.0"),
        Publish::new("std", "1.0.0"),
        Publish::new("Proc-Macro", "1.0.0"),
    ] {
        server.publish(&publish).await.expect(400).detail();
    }
    for json in [&b"{"[..], b"[]", b"\xff\xfe", b"null"] {
        put(&server, frame(json, &good().file)).await.expect(400).detail();
    }
    let deep = format!("{{\"name\":\"foo\",\"vers\":\"1.0.0\",\"x\":{}}}", "[".repeat(100_000));
    put(&server, frame(deep.as_bytes(), &good().file)).await.expect(400).detail();
    nothing_is_stored(&server).await;
}

#[tokio::test]
async fn archives_that_are_not_what_they_should_be_are_refused() {
    let server = Server::start().await;
    let with = |path: &'static str| {
        tar_gz(move |builder| {
            append(builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
            append(builder, path, b"x");
        })
    };
    let bomb = tar_gz(|builder| {
        append(builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
        append(builder, "foo-1.0.0/zeros", &vec![0; 80 << 20]);
    });
    assert!(bomb.len() as u64 <= CRATE_LIMIT_BYTES);
    for file in [
        Vec::new(),
        b"no archive".to_vec(),
        gzip(b"no tar"),
        crate_file("bar", "1.0.0"),
        crate_file("foo", "1.0.1"),
        with("elsewhere/x"),
        with("foo-1.0.0/../../x"),
        with("foo-1.0.0/Cargo.toml"),
        tar_gz(|builder| append(builder, "foo-1.0.0/src/lib.rs", b"")),
        tar_gz(|builder| append(builder, "foo-1.0.0/Cargo.toml", manifest("bar", "1.0.0").as_bytes())),
        [good().file, b"tail".to_vec()].concat(),
        bomb,
    ] {
        server.publish(&good().with_file(file)).await.expect(400).detail();
    }
    nothing_is_stored(&server).await;
    server.publish(&good()).await.expect(200);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_yanked() {
    let server = Server::start().await;
    server.publish(&good()).await.expect(200);
    for (method, path) in [
        ("DELETE", "none/1.0.0/yank"),
        ("DELETE", "foo/2.0.0/yank"),
        ("DELETE", "foo/latest/yank"),
        ("PUT", "none/1.0.0/unyank"),
        ("DELETE", "9/1.0.0/yank"),
    ] {
        server.call(method, &format!("my-repo/api/v1/crates/{path}")).await.expect(404).detail();
    }
}

#[tokio::test]
async fn owner_changes_that_cannot_be_read_are_refused() {
    let server = Server::start().await;
    server.publish(&good()).await.expect(200);
    for body in ["", "{}", "[]", "{\"users\":\"a\"}"] {
        server.send(Method::PUT, "my-repo/api/v1/crates/foo/owners", &[], body).await.expect(400).detail();
    }
    let body = vec![b' '; 100 << 10];
    server.send(Method::PUT, "my-repo/api/v1/crates/foo/owners", &[], body).await.expect(413).detail();
}
