//! Releases: files, checksums, metadata, in the orders in which clients send them.

use http::Method;
use larder_core::model::{HashAlgorithm, VersionStatus};
use larder_core::ports::Change;

use super::{Server, metadata, pom};
use crate::index::{CHECKSUM_HEADERS, digest};

const JAR: &str = "my-repo/com/acme/lib/1.0/lib-1.0.jar";
const POM: &str = "my-repo/com/acme/lib/1.0/lib-1.0.pom";
const METADATA: &str = "my-repo/com/acme/lib/maven-metadata.xml";

#[tokio::test]
async fn a_release_is_unfinished_until_the_artifact_s_metadata_lists_it() {
    let server = Server::start().await;
    server.put(JAR, "jar").await.expect(201);
    server.put(POM, pom("lib", "1.0")).await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Unfinished));
    server.get(JAR).await.expect(404);
    server.get(METADATA).await.expect(404);
    server.put(METADATA, metadata("lib", &["0.9"])).await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Unfinished), "another version was listed");
    server.put(METADATA, metadata("lib", &["0.9", "1.0"])).await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Published));
    assert_eq!(server.get(JAR).await.expect(200).text(), "jar");
    let listed = server.get(METADATA).await.expect(200).text();
    assert!(listed.contains("<release>1.0</release>") && !listed.contains("0.9"), "{listed}");
    let version = server.version("lib", "1.0").await.unwrap();
    let details = server.services.store.version_details(version.id).await.unwrap();
    assert_eq!(details.display_name.as_deref(), Some("The lib"));
    server.put("my-repo/com/acme/lib/1.0/lib-1.0-sources.jar", "sources").await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Published), "late files change no status");
}

#[tokio::test]
async fn checksums_are_computed_for_files_and_metadata_alike() {
    let server = Server::start().await;
    server.deploy("lib", "1.0").await;
    for address in [JAR, POM, METADATA] {
        let file = server.get(address).await.expect(200);
        for (algorithm, header) in CHECKSUM_HEADERS {
            let expected = digest(algorithm, &file.body);
            assert_eq!(file.header(header), expected, "{address}");
            let suffix = crate::layout::algorithm_name(algorithm);
            let sibling = format!("{address}.{suffix}");
            assert_eq!(server.get(&sibling).await.expect(200).text(), expected, "{sibling}");
            let head = server.send(Method::HEAD, &sibling, &[], "").await.expect(200);
            assert_eq!(head.header("content-length"), expected.len().to_string());
            assert!(head.body.is_empty());
        }
    }
    server.get("my-repo/com/acme/lib/1.0/lib-1.0.war.sha1").await.expect(404);
}

#[tokio::test]
async fn a_wrong_checksum_keeps_the_version_from_being_published() {
    let server = Server::start().await;
    server.put(JAR, "jar").await.expect(201);
    let right = digest(HashAlgorithm::Sha1, b"jar");
    let refused = server.put(&format!("{JAR}.sha1"), "0".repeat(40)).await.expect(400);
    assert!(refused.text().contains(&right), "{}", refused.text());
    server.put(METADATA, metadata("lib", &["1.0"])).await.expect(400);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Unfinished));
    // Deployed again, all is well.
    server.put(JAR, "jar").await.expect(201);
    server.put(&format!("{JAR}.sha1"), right.to_uppercase()).await.expect(201);
    server.put(METADATA, metadata("lib", &["1.0"])).await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Published));
    server.put(&format!("{JAR}.md5"), "0".repeat(32)).await.expect(400);
    assert_eq!(server.get(&format!("{JAR}.md5")).await.expect(200).text(), digest(HashAlgorithm::Md5, b"jar"));
}

#[tokio::test]
async fn a_checksum_that_comes_first_is_held_and_compared() {
    let server = Server::start().await;
    server.put(&format!("{JAR}.sha1"), digest(HashAlgorithm::Sha1, b"jar")).await.expect(201);
    server
        .put(&format!("{JAR}.sha512"), format!("{}  lib-1.0.jar\n", digest(HashAlgorithm::Sha512, b"jar")))
        .await
        .expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Unfinished));
    server.put(METADATA, metadata("lib", &["1.0"])).await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Unfinished), "a version without files");
    server.put(JAR, "another jar").await.expect(400);
    server.put(JAR, "jar").await.expect(201);
    server.put(METADATA, metadata("lib", &["1.0"])).await.expect(201);
    let version = server.version("lib", "1.0").await.unwrap();
    assert_eq!((version.status, version.metadata.len()), (VersionStatus::Published, 0));
}

#[tokio::test]
async fn a_file_is_never_replaced_by_other_bytes() {
    let server = Server::start().await;
    server.deploy("lib", "1.0").await;
    server.put(JAR, "jar of 1.0").await.expect(201);
    let refused = server.put(JAR, "other").await.expect(409);
    assert!(refused.text().contains("lib-1.0.jar"), "{}", refused.text());
    assert_eq!(server.get(JAR).await.expect(200).text(), "jar of 1.0");
}

#[tokio::test]
async fn the_checksum_of_sent_metadata_is_of_what_was_sent() {
    let server = Server::start().await;
    server.put(JAR, "jar").await.expect(201);
    let sent = metadata("lib", &["0.1", "1.0"]);
    server.put(METADATA, sent.clone()).await.expect(201);
    server.put(&format!("{METADATA}.sha1"), digest(HashAlgorithm::Sha1, sent.as_bytes())).await.expect(201);
    server.put(&format!("{METADATA}.md5"), "0".repeat(32)).await.expect(400);
    let served = server.get(METADATA).await.expect(200);
    let sibling = server.get(&format!("{METADATA}.sha1")).await.expect(200);
    assert_eq!(sibling.text(), digest(HashAlgorithm::Sha1, &served.body));
}

#[tokio::test]
async fn versions_are_listed_in_maven_s_order() {
    let server = Server::start().await;
    for version in ["1.10", "1.9", "2.0-rc1", "1.0"] {
        server.deploy("lib", version).await;
    }
    let listed = server.get(METADATA).await.expect(200).text();
    let order: Vec<&str> = listed.split("<version>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(order, ["1.0", "1.9", "1.10", "2.0-rc1"]);
    server.deploy("lib", "1.5").await;
    let listed = server.get(METADATA).await.expect(200).text();
    assert!(listed.contains("<release>2.0-rc1</release>") && listed.contains("<latest>2.0-rc1</latest>"), "{listed}");
}

#[tokio::test]
async fn plugins_are_found_by_their_prefix() {
    let server = Server::start().await;
    let group = "my-repo/com/acme/maven-metadata.xml";
    server.get(group).await.expect(404);
    server.deploy("lib", "1.0").await;
    let folder = "my-repo/com/acme/acme-maven-plugin";
    let plugin = pom("acme-maven-plugin", "1.0").replace("</project>", "<packaging>maven-plugin</packaging></project>");
    server.put(&format!("{folder}/1.0/acme-maven-plugin-1.0.pom"), plugin).await.expect(201);
    server.put(&format!("{folder}/maven-metadata.xml"), metadata("acme-maven-plugin", &["1.0"])).await.expect(201);
    let derived = server.get(group).await.expect(200);
    assert!(derived.text().contains("<prefix>acme</prefix>") && !derived.text().contains("lib"), "{}", derived.text());
    let sent = "<metadata><plugins><plugin><name>P</name><prefix>special</prefix>\
                <artifactId>acme-maven-plugin</artifactId></plugin><plugin><name>X</name><prefix>x</prefix>\
                <artifactId>elsewhere</artifactId></plugin></plugins></metadata>";
    server.put(group, sent).await.expect(201);
    let told = server.get(group).await.expect(200);
    assert!(told.text().contains("<prefix>special</prefix>") && !told.text().contains("elsewhere"), "{}", told.text());
    let sibling = server.get(&format!("{group}.sha256")).await.expect(200);
    assert_eq!(sibling.text(), digest(HashAlgorithm::Sha256, &told.body));
}

async fn tag(server: &Server, key: &str, value: &str) {
    let resource = "arn:aws:codeartifact:us-east-1:123456789012:repository/my-domain/my-repo".to_owned();
    let actor = larder_formatkit::machine().actor("TagResource", server.services.clock.now());
    let tag = larder_core::model::Tag { key: key.to_owned(), value: value.to_owned() };
    server.services.store.apply(&actor, Change::Tag { resource, tags: vec![tag] }).await.unwrap();
}

#[tokio::test]
async fn a_tagged_repository_takes_only_its_kind() {
    let server = Server::start().await;
    tag(&server, "larder:maven", "snapshots").await;
    let refused = server.put(JAR, "jar").await.expect(400);
    assert!(refused.text().contains("takes snapshots only"), "{}", refused.text());
    let snapshot = "my-repo/com/acme/lib/1.0-SNAPSHOT/lib-1.0-20260102.030405-1.jar";
    server.put(snapshot, "jar").await.expect(201);
    tag(&server, "larder:maven", "releases").await;
    server.put(snapshot, "jar").await.expect(400);
    server.put(JAR, "jar").await.expect(201);
}

#[tokio::test]
async fn a_tagged_repository_publishes_without_metadata() {
    let server = Server::start().await;
    tag(&server, "larder:maven-publish", "without-metadata").await;
    server.put(POM, pom("lib", "1.0")).await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Unfinished));
    server.put(JAR, "jar").await.expect(201);
    assert_eq!(server.status("lib", "1.0").await, Some(VersionStatus::Published));
    assert!(server.get(METADATA).await.expect(200).text().contains("<version>1.0<"));
    server.put("my-repo/com/acme/lib/1.0/lib-1.0-sources.jar", "late").await.expect(201);
}
