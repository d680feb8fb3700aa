//! Pushing, yanking, the compact index and its HTTP behaviour.

use super::*;
use crate::archive::tests::{gem_of, spec_yaml};
use crate::names;

#[tokio::test]
async fn a_pushed_gem_is_in_every_index_and_can_be_downloaded() {
    let server = Server::start().await;
    let file = gem("foo", "1.0.0", "java");
    let said = server.push(file.clone()).await.expect(200).text();
    assert_eq!(said, "Successfully registered gem: foo (1.0.0-java)\n");
    let info = server.text("my-repo/info/foo").await;
    let line =
        format!("1.0.0-java rake:~> 13.0|checksum:{},ruby:>= 2.7,created_at:2026-01-02T03:04:05Z", sha256(&file));
    assert_eq!(info, format!("---\n{line}\n"));
    assert!(server.text("my-repo/versions").await.ends_with(&format!("---\nfoo 1.0.0-java {}\n", md5(&info))));
    assert_eq!(server.text("my-repo/names").await, "---\nfoo\n");
    assert_eq!(server.get("my-repo/gems/foo-1.0.0-java.gem").await.expect(200).body, file);
    for path in ["quick/Marshal.4.8/foo-1.0.0-java.gemspec.rz", "specs.4.8.gz", "latest_specs.4.8.gz", ""] {
        server.get(&format!("my-repo/{path}")).await.expect(200);
    }
    for path in ["info/none", "gems/foo-1.0.0.gem", "gems/none-1.gem", "api/v1/dependencies", "info/-"] {
        server.get(&format!("my-repo/{path}")).await.expect(404);
    }
}

#[tokio::test]
async fn the_same_bytes_may_be_pushed_again_and_others_may_not() {
    let server = Server::start().await;
    let file = gem("foo", "1.0.0", "ruby");
    server.push(file.clone()).await.expect(200);
    server.push(file).await.expect(200);
    let other = gem_of(&spec_yaml("foo", "1.0.0", "ruby"), &[("b", b"b")]);
    server.push(other).await.expect(409);
    server.push(gem("foo", "1.0", "ruby")).await.expect(409);
    for twin in ["Foo", "FOO"] {
        server.push(gem(twin, "1.0.0", "ruby")).await.expect(403);
    }
    server.push(b"gem".to_vec()).await.expect(422);
    server.push(vec![0; 2 << 20]).await.expect(413);
}

#[tokio::test]
async fn a_number_is_taken_in_every_spelling() {
    let server = Server::start().await;
    server.push(gem("foo", "1.0.0", "java")).await.expect(200);
    server.push(gem("foo", "1.0", "ruby")).await.expect(200);
    let said = server.push(gem("foo", "1.00", "java")).await.expect(409).text();
    assert_eq!(
        said,
        "already exists: version 1.00-java of foo is there as 1.0.0-java, which is the same version to every client\n"
    );
    server.push(gem("foo", "1.0.0.a", "java")).await.expect(200);
    server.push(gem("foo", "1.a.0", "java")).await.expect(409);
    server.push(gem("foo", "1.0.1", "java")).await.expect(200);
}

#[tokio::test]
async fn a_gem_of_before_canonical_texts_were_kept_takes_no_second_spelling() {
    let server = Server::start().await;
    server.push(gem("foo", "1.0.0", "ruby")).await.expect(200);
    let (store, key) = (&server.services.store, names::gem_key("foo").unwrap());
    let target = server.target("my-repo").await.repository.id;
    let version = names::version_key("1.0.0").unwrap();
    let stored = store.find_version(target, &key, &version).await.unwrap().expect("pushed");
    store.put_canonical_versions(vec![(stored.id, "?".to_owned())]).await.unwrap();
    server.push(gem("foo", "1.0", "ruby")).await.expect(409);
    server.push(gem("foo", "1.1", "ruby")).await.expect(200);
}

#[tokio::test]
async fn a_yank_hits_one_platform_and_its_number_is_gone_for_good() {
    let server = Server::start().await;
    let file = gem("foo", "1.0.0", "java");
    server.push(file.clone()).await.expect(200);
    server.push(gem("foo", "1.0.0", "ruby")).await.expect(200);
    let yank = async || {
        let form = "gem_name=foo&version=1.0.0&platform=java";
        server.send("DELETE", "my-repo/api/v1/gems/yank", &[], form).await
    };
    yank().await.expect(200);
    yank().await.expect(404);
    let info = server.text("my-repo/info/foo").await;
    assert!(info.lines().count() == 2 && info.contains("1.0.0 "), "{info}");
    assert!(server.text("my-repo/versions").await.contains(&format!("foo 1.0.0 {}", md5(&info))));
    server.get("my-repo/gems/foo-1.0.0-java.gem").await.expect(200);
    server.push(file).await.expect(409);
}

#[tokio::test]
async fn a_push_appends_to_versions_and_the_part_carries_the_digest_of_all() {
    let server = Server::start().await;
    server.push(gem("foo", "1.0.0", "ruby")).await.expect(200);
    let before = server.get("my-repo/versions").await.expect(200);
    server.clock.advance_seconds(1);
    server.push(gem("bar", "1.0.0", "ruby")).await.expect(200);
    server.clock.advance_seconds(1);
    server.push(gem("foo", "1.1.0", "ruby")).await.expect(200);
    let after = server.get("my-repo/versions").await.expect(200);
    assert!(after.text().starts_with(&before.text()), "{}", after.text());
    assert_eq!(after.header("etag"), format!("\"{}\"", md5(&after.text())));
    let headers =
        [("range", format!("bytes={}-", before.body.len() - 1)), ("if-none-match", before.header("etag").to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let part = server.send("GET", "my-repo/versions", &headers, "").await.expect(206);
    assert_eq!(part.body, after.body[before.body.len() - 1..]);
    assert_eq!(part.header("repr-digest"), after.header("repr-digest"));
    assert!(after.text().ends_with(&format!("foo 1.1.0 {}\n", md5(&server.text("my-repo/info/foo").await))));
    let beyond = [("range", "bytes=99999-")];
    server.send("GET", "my-repo/versions", &beyond, "").await.expect(416);
    let held = [("if-none-match", after.header("etag"))];
    server.send("GET", "my-repo/versions", &held, "").await.expect(304);
}
