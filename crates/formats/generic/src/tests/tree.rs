//! Uploads, downloads, lists and removal.

use sha2::{Digest as _, Sha256};

use super::Server;

#[tokio::test]
async fn an_asset_is_read_as_it_was_sent_also_while_its_version_is_unfinished() {
    let server = Server::start().await;
    let sent = server.put("tool/1.0/a%20b.html", "<b>").await.expect(201);
    let told = sent.json();
    assert_eq!(told["status"], "Unfinished");
    assert_eq!((&told["namespace"], &told["package"]), (&"_".into(), &"tool".into()));
    assert_eq!(told["asset"]["hashes"]["SHA-256"], hex::encode(Sha256::digest("<b>")));
    assert!(sent.header("location").ends_with("/my-repo/tool/1.0/a%20b.html"));
    let read = server.get("tool/1.0/a%20b.html").await.expect(200);
    assert_eq!(&read.body[..], b"<b>");
    assert_eq!(read.header("content-type"), "application/octet-stream");
    assert_eq!(read.header("content-disposition"), "attachment; filename=\"a b.html\"");
    assert_eq!(read.header("x-checksum-sha256"), hex::encode(Sha256::digest("<b>")));
    assert!(read.header("repr-digest").starts_with("sha-256=:"));
    assert_eq!(read.header("etag"), sent.header("etag"));
    let part = server.send("GET", "tool/1.0/a%20b.html", &[("range", "bytes=1-")], "").await.expect(206);
    assert_eq!(&part.body[..], b"b>");
    let known = [("if-none-match", read.header("etag"))];
    server.send("GET", "tool/1.0/a%20b.html", &known, "").await.expect(304);
    let head = server.send("HEAD", "tool/1.0/a%20b.html", &[], "").await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("3", 0));
}

#[tokio::test]
async fn a_version_takes_assets_until_it_is_finished() {
    let server = Server::start().await;
    server.put("team/tool/1.0/a", "a").await.expect(201);
    server.put("team/tool/1.0/a", "a").await.expect(200);
    server.put("team/tool/1.0/a", "b").await.expect(409);
    server.put("team/tool/1.0/b?unfinished=true", "b").await.expect(201);
    server.send("PUT", "team/tool/1.0/b", &[("if-none-match", "*")], "b").await.expect(412);
    server.send("POST", "team/tool/1.0/?finish", &[], "").await.expect(200);
    let again = server.send("POST", "team/tool/1.0/?finish", &[], "").await.expect(200);
    assert_eq!(again.json()["status"], "Published");
    server.put("team/tool/1.0/c", "c").await.expect(409);
    server.put("team/tool/1.0/a", "a").await.expect(200);
    server.put("team/tool/1.0/a", "b").await.expect(409);
    server.put("team/tool/2.0/c?unfinished=false", "c").await.expect(201);
    server.put("team/tool/2.0/d", "d").await.expect(409);
}

#[tokio::test]
async fn every_upload_may_be_the_last_one_if_so_configured() {
    let server = Server::start_with(crate::Routes::with_final_uploads).await;
    assert_eq!(server.put("tool/1.0/a?unfinished=true", "a").await.expect(201).json()["status"], "Unfinished");
    assert_eq!(server.put("tool/1.0/b", "b").await.expect(201).json()["status"], "Published");
    server.put("tool/1.0/c", "c").await.expect(409);
}

#[tokio::test]
async fn a_version_is_listed_for_tools_and_for_people() {
    let server = Server::start().await;
    server.put("tool/1.0/b", "b").await.expect(201);
    server.put("tool/1.0/a%26b", "a").await.expect(201);
    for address in ["tool/1.0/", "tool/1.0"] {
        let list = server.get(address).await.expect(200).json();
        let names: Vec<_> = list["assets"].as_array().unwrap().iter().map(|asset| &asset["name"]).collect();
        assert_eq!(names, ["a&b", "b"]);
        assert_eq!(list["assets"][1]["size"], 1);
        assert!(list["assets"][0]["url"].as_str().unwrap().ends_with("/my-repo/tool/1.0/a%26b"));
    }
    let page = server.send("GET", "tool/1.0/", &[("accept", "text/html,*/*")], "").await.expect(200);
    assert!(page.text().contains("/my-repo/tool/1.0/a%26b\">a&amp;b</a>"), "{}", page.text());
    let sums = server.get("tool/1.0/SHA256SUMS").await.expect(200).text();
    let line = |name: &str, content: &str| format!("{}  {name}\n", hex::encode(Sha256::digest(content)));
    assert_eq!(sums, line("a&b", "a") + &line("b", "b"));
    // Somebody's own file has precedence.
    server.put("tool/1.0/SHA256SUMS", "own").await.expect(201);
    assert_eq!(server.get("tool/1.0/SHA256SUMS").await.expect(200).text(), "own");
    server.get("tool/2.0/").await.expect(404);
    server.get("tool/2.0/SHA256SUMS").await.expect(404);
}

#[tokio::test]
async fn latest_leads_to_the_newest_published_version() {
    let server = Server::start().await;
    server.get("tool/latest/a").await.expect(404);
    for version in ["1.9.0", "1.10.0", "2.0.0-rc.1"] {
        server.put(&format!("tool/{version}/a%20b?unfinished=false"), "a").await.expect(201);
    }
    server.put("tool/3.0.0/a%20b", "not yet").await.expect(201);
    let found = server.get("tool/latest/a%20b").await.expect(302);
    assert!(found.header("location").ends_with("/generic/my-repo/tool/1.10.0/a%20b"), "{}", found.header("location"));
    assert!(server.get("tool/latest/").await.expect(302).header("location").ends_with("/tool/1.10.0/"));
    server.send("POST", "tool/3.0.0/?finish", &[], "").await.expect(200);
    assert!(server.get("tool/latest/a").await.expect(302).header("location").ends_with("/tool/3.0.0/a"));
    // Names that are no numbers go by time.
    for (version, seconds) in [("zebra", 0), ("ape", 5)] {
        server.clock.advance_seconds(seconds);
        server.put(&format!("animal/{version}/a?unfinished=false"), "a").await.expect(201);
    }
    assert!(server.get("animal/latest/a").await.expect(302).header("location").ends_with("/animal/ape/a"));
}

#[tokio::test]
async fn assets_and_versions_are_removed() {
    let server = Server::start().await;
    server.put("tool/1.0/a", "a").await.expect(201);
    server.put("tool/1.0/b", "b").await.expect(201);
    server.send("DELETE", "tool/1.0/a", &[], "").await.expect(204);
    server.get("tool/1.0/a").await.expect(404);
    server.send("DELETE", "tool/1.0/a", &[], "").await.expect(404);
    server.get("tool/1.0/b").await.expect(200);
    server.send("DELETE", "tool/1.0/", &[], "").await.expect(204);
    server.get("tool/1.0/b").await.expect(404);
    server.send("DELETE", "tool/1.0", &[], "").await.expect(404);
    server.put("tool/1.0/a", "other").await.expect(201);
}
