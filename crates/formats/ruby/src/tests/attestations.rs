//! `gem push --attestation`, and what of it is answered.

use larder_core::model::Sha256;
use serde_json::{Value, json};

use super::*;
use crate::attestations::tests::of_file;

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=border");

/// A form with these parts, as Ruby writes it.
fn form(parts: Parts<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let head = format!("--border\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n");
        body.extend_from_slice(&[head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend_from_slice(b"--border--\r\n");
    body
}

type Parts<'a> = &'a [(&'a str, &'a [u8])];

async fn push(server: &Server, parts: Parts<'_>) -> Answer {
    server.send("POST", "my-repo/api/v1/gems", &[FORM], form(parts)).await
}

fn bundle_of(file: &[u8]) -> Value {
    of_file(&Sha256(sha2::Sha256::digest(file).into()))
}

#[tokio::test]
async fn attestations_are_kept_beside_the_gem_and_answered_as_they_were_sent() {
    let server = Server::start().await;
    let file = gem("foo", "1.0.0", "java");
    let sent = format!("[{},\n {}]", bundle_of(&file), bundle_of(&file));
    let said = push(&server, &[("gem", &file), ("attestations", sent.as_bytes())]).await.expect(200).text();
    assert_eq!(said, "Successfully registered gem: foo (1.0.0-java)\n");
    assert_eq!(server.get("my-repo/gems/foo-1.0.0-java.gem").await.expect(200).body, file);
    let answer = server.get("my-repo/api/v1/attestations/foo-1.0.0-java.json").await.expect(200);
    assert_eq!((answer.text(), answer.header("content-type")), (sent, "application/json; charset=utf-8"));
    // In whichever order the parts come.
    let other = gem("bar", "1.0.0", "ruby");
    let sent = json!([bundle_of(&other)]).to_string();
    push(&server, &[("attestations", sent.as_bytes()), ("x", b"y"), ("gem", &other)]).await.expect(200);
    server.get("my-repo/api/v1/attestations/bar-1.0.0.json").await.expect(200);
    push(&server, &[("gem", &gem("none", "1.0.0", "ruby")), ("attestations", b"[]")]).await.expect(200);
    for path in ["none-1.0.0.json", "nothing-1.0.0.json", "-.json"] {
        server.get(&format!("my-repo/api/v1/attestations/{path}")).await.expect(404);
    }
}

#[tokio::test]
async fn a_form_that_is_none_of_a_gem_is_refused() {
    let server = Server::start().await;
    let file = gem("foo", "1.0.0", "ruby");
    let of_other = json!([bundle_of(b"another file")]).to_string();
    let large = vec![b' '; 3 << 20];
    let parts: [(u16, Parts<'_>); 7] = [
        (422, &[("gem", &file), ("attestations", of_other.as_bytes())]),
        (422, &[("gem", &file), ("attestations", b"{}")]),
        (422, &[("gem", b"gem")]),
        (400, &[("attestations", b"[]")]),
        (400, &[("gem", &file), ("gem", &file)]),
        (400, &[("gem", &file), ("attestations", b"[]"), ("attestations", b"[]")]),
        (413, &[("attestations", &large), ("gem", &file)]),
    ];
    for (status, parts) in parts {
        push(&server, parts).await.expect(status);
    }
    let padded = [&file[..], &vec![0; 2 << 20]].concat();
    push(&server, &[("gem", &padded)]).await.expect(413);
    let whole = form(&[("gem", &file)]);
    let cut = whole[..whole.len() - 20].to_vec();
    server.send("POST", "my-repo/api/v1/gems", &[FORM], cut).await.expect(400);
    let no_boundary = [("content-type", "multipart/form-data")];
    server.send("POST", "my-repo/api/v1/gems", &no_boundary, whole).await.expect(415);
    server.get("my-repo/info/foo").await.expect(404);
}

#[tokio::test]
async fn attestations_of_a_gem_of_the_registry_are_relayed_and_those_of_another_file_are_not() {
    let server = Server::start().await;
    offer(&server.registry, "rack", "3.0.0");
    let path = "my-repo/api/v1/attestations/rack-3.0.0.json";
    server.get(path).await.expect(404);
    server.registry.put("api/v1/attestations/rack-3.0.0.json", "[{\"a\":1}]");
    assert_eq!(server.text(path).await, "[{\"a\":1}]");
    server.registry.put("api/v1/attestations/rack-3.0.0.json", "<html>");
    server.get(path).await.expect(502);
    // What is pushed here hides the registry's.
    server.push(gem("ours", "1.0.0", "ruby")).await.expect(200);
    offer(&server.registry, "ours", "1.0.0");
    server.registry.put("api/v1/attestations/ours-1.0.0.json", "[]");
    server.get("my-repo/api/v1/attestations/ours-1.0.0.json").await.expect(404);
}
