//! The index, downloads, and their HTTP behaviour.

use super::*;

#[tokio::test]
async fn the_config_names_addresses_below_the_repository() {
    let server = Server::start().await;
    let config = server.get("my-repo/config.json").await.expect(200).json();
    let base = server.base("my-repo");
    assert_eq!(config, json!({"dl": format!("{base}/api/v1/crates"), "api": base, "auth-required": true}));
}

#[tokio::test]
async fn an_index_file_is_found_by_its_path_in_any_case_and_by_no_other() {
    let server = Server::start().await;
    for name in ["a", "Ab", "aBc", "FooBar"] {
        server.publish(&Publish::new(name, "1.0.0")).await.expect(200);
        let found = server.get(&format!("my-repo/{}", names::index_path(name))).await.expect(200);
        assert!(found.text().ends_with("}\n") && found.header("content-type").starts_with("text/plain"));
    }
    server.get("my-repo/FO/OB/FOOBAR").await.expect(200);
    for path in ["fo/ob/bar", "fo/o/foobar", "3/f/foobar", "foobar", "1/foobar", "fo/ob/foobar/x", "fo/ob/none"] {
        server.get(&format!("my-repo/{path}")).await.expect(404).detail();
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again_and_a_changed_one_is() {
    let server = Server::start().await;
    server.publish(&Publish::new("foo", "1.0.0")).await.expect(200);
    let first = server.get("my-repo/3/f/foo").await.expect(200);
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{etag}");
    let get = async || {
        let headers = [("if-none-match", &*etag)];
        server.send(Method::GET, "my-repo/3/f/foo", &headers, "").await
    };
    assert_eq!(get().await.expect(304).body.len(), 0);
    server.publish(&Publish::new("foo", "1.0.1")).await.expect(200);
    assert_eq!(get().await.expect(200).text().lines().count(), 2, "at once");
    let head = server.send(Method::HEAD, "my-repo/3/f/foo", &[], "").await.expect(200);
    assert!(head.body.is_empty() && head.header("content-length") != "0");
}

#[tokio::test]
async fn crates_have_ranges_and_are_found_by_their_exact_name_only() {
    let server = Server::start().await;
    let publish = Publish::new("Foo", "1.0.0+b");
    server.publish(&publish).await.expect(200);
    let path = "my-repo/api/v1/crates/Foo/1.0.0+b/download";
    let part = server.send(Method::GET, path, &[("range", "bytes=2-5")], "").await.expect(206);
    assert_eq!(part.body, publish.file[2..6]);
    for wrong in ["foo/1.0.0+b", "Foo/1.0.0", "Foo/1.0.0+c", "Foo/2.0.0", "Fo/1.0.0+b", "Foo/x"] {
        server.get(&format!("my-repo/api/v1/crates/{wrong}/download")).await.expect(404).detail();
    }
}

#[tokio::test]
async fn versions_that_are_not_listed_leave_the_index() {
    use larder_core::access::Action;
    use larder_core::model::{VersionStatus, VersionText};
    use larder_core::ports::{BatchSelection, VersionSelector};

    let server = Server::start().await;
    server.publish(&Publish::new("foo", "1.0.0")).await.expect(200);
    let key = names::crate_key("foo").unwrap();
    let allowed = server.allowed(Action::UpdatePackageVersionsStatus, "my-repo", key).await;
    for (status, download) in [(VersionStatus::Unlisted, 200), (VersionStatus::Archived, 404)] {
        let version = VersionText::new("1.0.0").unwrap();
        let selection =
            BatchSelection { versions: vec![VersionSelector { version, revision: None }], expected_status: None };
        server.services.versions.update_status(&allowed, selection, status).await.unwrap();
        server.get("my-repo/3/f/foo").await.expect(404);
        server.get("my-repo/api/v1/crates/foo/1.0.0/download").await.expect(download);
        let refused = server.publish(&Publish::new("foo", "1.0.0")).await.expect(409);
        assert!(refused.detail().contains("already exists"));
    }
}
