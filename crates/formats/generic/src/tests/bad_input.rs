//! What is refused, with a sentence, and leaves nothing behind (protocol reference 8.5).

use super::{LARGEST, Server};

/// Method, address, headers, and the status that answers them.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test]
async fn bad_requests_are_refused_with_a_sentence_and_leave_nothing() {
    let server = Server::start().await;
    let long = "x".repeat(250);
    let wrong_sum = "0".repeat(64);
    let rows: &[Row<'_>] = &[
        ("PUT", "tool/1.0/a:b", &[], 400),
        ("PUT", "tool/1.0/a%3Bb%3A", &[], 400),
        ("PUT", "tool/1.0/a.", &[], 400),
        ("PUT", "tool/1.0/a%20", &[], 400),
        ("PUT", "tool/1.0/%20a", &[], 400),
        ("PUT", "tool/1.0/a%20%20b", &[], 400),
        ("PUT", "tool/1.0/cafe%CC%81", &[], 400),
        ("PUT", "cafe%CC%81/1.0/a", &[], 400),
        ("PUT", "tool/cafe%CC%81/a", &[], 400),
        ("PUT", "to%23ol/1.0/a", &[], 400),
        ("PUT", "tool/1%200/a", &[], 400),
        ("PUT", "tool/latest/a", &[], 400),
        ("POST", "tool/latest/?finish", &[], 400),
        ("PUT", "_/tool/1.0/a", &[], 400),
        ("PUT", "team/tool/1.0/a?namespace=team", &[], 400),
        ("PUT", "team/tool/1.0/a?unfinished=perhaps", &[], 400),
        ("PUT", "tool", &[], 404),
        ("PUT", "a/b/c/d/e", &[], 404),
        ("PUT", "tool/1.0", &[], 405),
        ("PATCH", "tool/1.0/a", &[], 405),
        ("POST", "tool/1.0/a", &[], 400),
        ("POST", "tool/1.0/", &[], 400),
        ("POST", "tool/1.0/?finish", &[], 404),
        ("DELETE", "tool/1.0/", &[], 404),
        ("DELETE", "tool/1.0/a", &[], 404),
        ("PUT", "tool/1.0/a", &[("x-checksum-sha256", &wrong_sum)], 400),
        ("PUT", "tool/1.0/a", &[("x-checksum-sha256", "abc")], 400),
        ("PUT", "tool/1.0/a", &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], 400),
        ("PUT", "tool/1.0/a", &[("repr-digest", "sha-256=no")], 400),
        ("PUT", "tool/1.0/a", &[("content-range", "bytes 0-1/2")], 400),
        ("PUT", "tool/1.0/a", &[("content-encoding", "gzip")], 415),
    ];
    for (method, address, headers, status) in rows {
        let answer = server.send(method, address, headers, "some bytes").await;
        assert_eq!(answer.status, *status, "{method} {address}: {}", answer.text());
        assert!(answer.json()["message"].as_str().unwrap().len() > 10, "{method} {address}");
    }
    let large = "x".repeat(usize::try_from(LARGEST).unwrap() + 1);
    server.send("PUT", "tool/1.0/a", &[], large).await.expect(413);
    server.get("tool/1.0/").await.expect(404);
    assert_eq!(server.staged(), 0);
    // What looks odd and is right.
    server.put(&format!("tool/1.0/{long}"), "").await.expect(201);
    server.put("tool/1.0/~!@%5E&()-_+%5B%5D%7B%7D%3B,.%60.tgz", "").await.expect(201);
}

#[tokio::test]
async fn a_version_has_room_for_so_many_assets_and_a_name_is_told_from_its_twin() {
    let server = Server::start().await;
    for asset in ["a", "b", "c"] {
        server.put(&format!("tool/1.0/{asset}"), "same").await.expect(201);
    }
    server.put("tool/1.0/d", "d").await.expect(409);
    server.put("Tool/1.0/a", "a").await.expect(409);
    server.put("to-ol/1.0/a", "a").await.expect(201);
}
