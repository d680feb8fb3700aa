//! Uploads in pieces.

use sha2::{Digest as _, Sha256};

use super::{Answer, LARGEST, Server};

impl Server {
    /// Begins an upload and answers the address of its pieces, below the repository.
    async fn begin(&self, asset: &str) -> String {
        below(&self.send("POST", &format!("{asset}?uploads"), &[], "").await.expect(202))
    }
}

fn below(answer: &Answer) -> String {
    answer.header("location").split_once("/my-repo/").expect("an address below the repository").1.to_owned()
}

fn digest(of: &str) -> String {
    format!("digest=sha256:{}", hex::encode(Sha256::digest(of)))
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stopped() {
    let server = Server::start().await;
    let upload = server.begin("tool/1.0/a%20b").await;
    let first = server.send("PATCH", &upload, &[("content-range", "bytes 0-4/*")], "01234").await.expect(202);
    assert_eq!((first.header("range"), first.header("upload-offset")), ("0-4", "5"));
    let wrong = server.send("PATCH", &upload, &[("content-range", "9-10")], "9X").await.expect(416);
    assert_eq!(wrong.header("content-range"), "bytes */5");
    server.send("PATCH", &upload, &[("content-range", "5-9")], "567").await.expect(400);
    assert_eq!(server.send("HEAD", &upload, &[], "").await.expect(204).header("upload-offset"), "5");
    server.send("PATCH", &upload, &[], "567").await.expect(202);
    server.get("tool/1.0/a%20b").await.expect(404);
    server.send("PUT", &upload, &[], "89").await.expect(400);
    let done = server.send("PUT", &format!("{upload}&{}", digest("0123456789")), &[], "89").await.expect(201);
    assert_eq!(done.json()["asset"]["size"], 10);
    assert_eq!(server.get("tool/1.0/a%20b").await.expect(200).text(), "0123456789");
    server.send("HEAD", &upload, &[], "").await.expect(404);
    assert_eq!(server.staged(), 0);
}

#[tokio::test]
async fn an_upload_with_another_digest_is_given_up() {
    let server = Server::start().await;
    let upload = server.begin("tool/1.0/a").await;
    server.send("PUT", &format!("{upload}&{}", digest("other")), &[], "this").await.expect(400);
    server.send("PATCH", &upload, &[], "this").await.expect(404);
    server.get("tool/1.0/a").await.expect(404);
    assert_eq!(server.staged(), 0);
}

#[tokio::test]
async fn an_upload_is_bound_to_its_asset_and_its_size_and_rests_for_an_hour_at_most() {
    let server = Server::start().await;
    let upload = server.begin("tool/1.0/a").await;
    server.send("PATCH", &upload.replace("/a?", "/b?"), &[], "x").await.expect(404);
    server.send("PATCH", &upload, &[], "x".repeat(600)).await.expect(202);
    let large = "x".repeat(usize::try_from(LARGEST).unwrap() - 599);
    server.send("PATCH", &upload, &[], large).await.expect(413);
    assert_eq!(server.send("GET", &upload, &[], "").await.expect(204).header("upload-offset"), "600");
    server.clock.advance_seconds(3599);
    server.send("HEAD", &upload, &[], "").await.expect(204);
    server.clock.advance_seconds(3600);
    assert!(server.send("PATCH", &upload, &[], "x").await.expect(404).text().contains("begin it again"));
    let other = server.begin("tool/1.0/a").await;
    assert_eq!(server.staged(), 1);
    server.send("DELETE", &other, &[], "").await.expect(204);
    assert_eq!(server.staged(), 0);
}

#[tokio::test]
async fn one_principal_has_so_many_uploads_at_once() {
    let server = Server::start().await;
    for _ in 0..32 {
        server.begin("tool/1.0/a").await;
    }
    server.send("POST", "tool/1.0/a?uploads", &[], "").await.expect(429);
    server.clock.advance_seconds(3600);
    server.begin("tool/1.0/a").await;
    server.put("tool/1.0/a?unfinished=false", "a").await.expect(201);
    server.send("POST", "tool/1.0/b?uploads", &[], "").await.expect(409);
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let server = Server::start().await;
    let upload = server.begin("tool/1.0/a").await;
    server.send("PATCH", &upload, &[], "01234").await.expect(202);
    let server = server.restarted();
    assert_eq!(server.send("HEAD", &upload, &[], "").await.expect(204).header("upload-offset"), "5");
    server.send("HEAD", &upload.replace("/a?", "/b?"), &[], "").await.expect(404);
    let end = format!("{upload}&{}", digest("0123456789"));
    server.send("PUT", &end, &[], "56789").await.expect(201);
    assert_eq!(server.get("tool/1.0/a").await.expect(200).text(), "0123456789");
    assert_eq!(server.staged(), 0);
    for wrong in ["", "x", "../../larder.db", &"0".repeat(32)] {
        server.send("HEAD", &format!("tool/1.0/a?upload={wrong}"), &[], "").await.expect(404);
    }
}
