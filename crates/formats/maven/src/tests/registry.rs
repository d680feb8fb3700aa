//! What comes from a public registry, through `maven-central-store`.

use larder_core::model::{HashAlgorithm, Origin, VersionStatus};

use super::{Server, connection, metadata, offer_file, pom};
use crate::index::digest;

const METADATA: &str = "com/acme/lib/maven-metadata.xml";
const JAR: &str = "com/acme/lib/1.0/lib-1.0.jar";
const POM: &str = "com/acme/lib/1.0/lib-1.0.pom";

fn offer(server: &Server) {
    server.registry.put(METADATA, metadata("lib", &["0.9", "1.0", "2.0-SNAPSHOT"]));
    offer_file(&server.registry, JAR, "public jar");
    offer_file(&server.registry, POM, pom("lib", "1.0"));
}

#[tokio::test]
async fn a_public_file_is_fetched_checked_and_kept() {
    let server = Server::start().await;
    offer(&server);
    let listed = server.get(&format!("my-repo/{METADATA}")).await.expect(200).text();
    assert!(listed.contains("<version>0.9</version>") && !listed.contains("SNAPSHOT"), "{listed}");
    let jar = server.get(&format!("my-repo/{JAR}")).await.expect(200);
    assert_eq!(
        (jar.text().as_str(), jar.header("x-checksum-sha1")),
        ("public jar", digest(HashAlgorithm::Sha1, b"public jar").as_str())
    );
    assert_eq!(jar.header("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    server.settle().await;
    let kept = server.version("lib", "1.0").await.unwrap();
    assert_eq!((kept.status, kept.origin), (VersionStatus::Published, Origin::external(connection())));
    // A file that is asked for later joins the version, here and in the store.
    server.get(&format!("my-repo/{POM}")).await.expect(200);
    server.settle().await;
    let kept = server.version("lib", "1.0").await.unwrap();
    assert_eq!(kept.assets.len(), 2);
    server.registry.set_down(true);
    assert_eq!(server.get(&format!("my-repo/{JAR}")).await.expect(200).text(), "public jar");
    server.get("my-repo/com/acme/other/1/other-1.jar").await.expect(502);
}

#[tokio::test]
async fn a_checksum_of_any_kind_is_computed_from_the_file_itself() {
    let server = Server::start().await;
    offer(&server);
    let sha512 = server.get(&format!("my-repo/{JAR}.sha512")).await.expect(200);
    assert_eq!(sha512.text(), digest(HashAlgorithm::Sha512, b"public jar"));
    let metadata = server.get(&format!("my-repo/{METADATA}")).await.expect(200);
    let sibling = server.get(&format!("my-repo/{METADATA}.sha1")).await.expect(200);
    assert_eq!(sibling.text(), digest(HashAlgorithm::Sha1, &metadata.body));
}

#[tokio::test]
async fn bytes_that_are_not_the_promised_ones_are_never_kept() {
    let server = Server::start().await;
    offer(&server);
    server.registry.put(JAR, "wrong jar!");
    let target = format!("my-repo/{JAR}");
    // The answer breaks off before its last byte, or is an error from the start.
    let broken = tokio::spawn({
        let checksum = server.get(&format!("{target}.md5")).await;
        async move { checksum.status }
    });
    assert_eq!(broken.await.unwrap(), 502);
    server.settle().await;
    assert!(server.version("lib", "1.0").await.is_none());
    server.registry.put(JAR, "public jar");
    assert_eq!(server.get(&target).await.expect(200).text(), "public jar");
}

#[tokio::test]
async fn a_file_without_checksum_is_not_taken_and_a_signature_is() {
    let server = Server::start().await;
    offer(&server);
    server.registry.put("com/acme/lib/1.0/lib-1.0.war", "no checksum");
    server.registry.put("com/acme/lib/1.0/lib-1.0.jar.asc", "signature");
    server.registry.put("com/acme/lib/1.0/lib-1.0.zip", "zip");
    server.registry.put("com/acme/lib/1.0/lib-1.0.zip.md5", digest(HashAlgorithm::Md5, b"zip"));
    server.get("my-repo/com/acme/lib/1.0/lib-1.0.war").await.expect(404);
    assert_eq!(server.get("my-repo/com/acme/lib/1.0/lib-1.0.jar.asc").await.expect(200).text(), "signature");
    assert_eq!(server.get("my-repo/com/acme/lib/1.0/lib-1.0.zip").await.expect(200).text(), "zip");
}

#[tokio::test]
async fn an_error_page_of_a_registry_is_no_metadata() {
    let server = Server::start().await;
    server.registry.put(METADATA, "<html><h1>Log in</h1></html>");
    server.get(&format!("my-repo/{METADATA}")).await.expect(502);
    server.registry.put(&format!("{JAR}.sha1"), "<html><h1>Log in</h1></html>");
    server.get(&format!("my-repo/{JAR}")).await.expect(502);
}

#[tokio::test]
async fn snapshots_are_never_asked_of_a_registry() {
    let server = Server::start().await;
    let file = "com/acme/lib/2.0-SNAPSHOT/lib-2.0-20260102.030405-1.jar";
    offer_file(&server.registry, file, "snapshot");
    server.get(&format!("my-repo/{file}")).await.expect(404);
    assert_eq!(server.registry.times_asked("2.0-20260102.030405-1.jar.sha1"), 0);
}

#[tokio::test]
async fn an_internal_package_hides_the_public_one() {
    let server = Server::start().await;
    server.deploy("lib", "0.5").await;
    offer(&server);
    let listed = server.get(&format!("my-repo/{METADATA}")).await.expect(200).text();
    assert!(listed.contains("<version>0.5<") && !listed.contains("<version>1.0<"), "{listed}");
    server.get(&format!("my-repo/{JAR}")).await.expect(404);
}

#[tokio::test]
async fn what_is_public_cannot_be_published_again() {
    let server = Server::start().await;
    offer(&server);
    server.put(&format!("my-repo/{JAR}"), "ours").await.expect(409);
    server.get(&format!("my-repo/{JAR}")).await.expect(200);
    server.settle().await;
    server.put("my-repo/com/acme/lib/3.0/lib-3.0.jar", "ours").await.expect(403);
}

#[tokio::test]
async fn plugin_prefixes_are_those_of_all_sources() {
    let server = Server::start().await;
    let group = "<metadata><plugins><plugin><name>Theirs</name><prefix>theirs</prefix>\
                 <artifactId>theirs-maven-plugin</artifactId></plugin></plugins></metadata>";
    server.registry.put("com/acme/maven-metadata.xml", group);
    let plugin = pom("ours-maven-plugin", "1.0").replace("</project>", "<packaging>maven-plugin</packaging></project>");
    let folder = "my-repo/com/acme/ours-maven-plugin";
    server.put(&format!("{folder}/1.0/ours-maven-plugin-1.0.pom"), plugin).await.expect(201);
    server.put(&format!("{folder}/maven-metadata.xml"), metadata("ours-maven-plugin", &["1.0"])).await.expect(201);
    let file = server.get("my-repo/com/acme/maven-metadata.xml").await.expect(200).text();
    assert!(file.contains("<prefix>ours</prefix>") && file.contains("<prefix>theirs</prefix>"), "{file}");
    server.registry.set_down(true);
    let folder = "my-repo/com/acme";
    let file = server.get(&format!("{folder}/maven-metadata.xml")).await.expect(200).text();
    assert!(file.contains("<prefix>ours</prefix>"), "what is here does not wait for a registry: {file}");
    server.get("my-repo/com/other/maven-metadata.xml").await.expect(502);
}
