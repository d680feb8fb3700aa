//! Protocol reference 3.8, row by row.

use http::Method;

use super::{Server, metadata, pom};

const FOLDER: &str = "my-repo/com/acme/lib";

#[tokio::test]
async fn paths_that_are_nothing_in_the_layout_are_refused() {
    let server = Server::start().await;
    for path in [
        "lib-1.0.jar",
        "acme/1.0/acme-1.0.jar/",
        "com/acme/lib/1.0/other-1.0.jar",
        "com/acme/lib/1.0/lib-2.0.jar",
        "com/acme/lib/1.0/lib-1.0",
        "com/acme/lib/1.0/",
        "com/acme/lib/1.0/index.html",
        ".meta/prefixes.txt",
        "maven-metadata.xml",
        "com/acme/lib/1.0/lib-1.0.jar.sha1.md5",
        "archetype-catalog.xml",
        "com.acme/lib/1.0/lib-1.0.jar",
    ] {
        let address = format!("my-repo/{path}");
        server.put(&address, "x").await.expect(400);
        server.get(&address).await.expect(404);
    }
    server.put(&format!("{FOLDER}/1.0/lib-1.0.jar?x=1"), "x").await.expect(400);
}

#[tokio::test]
async fn poms_that_are_none_or_another_s_are_refused() {
    let server = Server::start().await;
    let entity_bomb = "<!DOCTYPE project [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><project>&b;</project>";
    let inherited = "<project><parent><groupId>com.acme</groupId><artifactId>p</artifactId><version>1.0</version></parent>\
                     <artifactId>lib</artifactId></project>";
    let address = format!("{FOLDER}/1.0/lib-1.0.pom");
    for body in ["no xml", "<metadata/>", entity_bomb, &pom("lob", "1.0"), &pom("lib", "1.1"), "<project/>"] {
        server.put(&address, body.to_owned()).await.expect(400);
    }
    server.put(&address, inherited).await.expect(201);
    let large = format!("<project>{}</project>", " ".repeat(1 << 20));
    server.put(&format!("{FOLDER}/2.0/lib-2.0.pom"), large).await.expect(413);
}

#[tokio::test]
async fn metadata_that_is_none_or_another_s_is_refused() {
    let server = Server::start().await;
    server.deploy("lib", "1.0").await;
    let address = format!("{FOLDER}/maven-metadata.xml");
    for body in [
        "",
        "no xml",
        "<html/>",
        "<!DOCTYPE metadata><metadata/>",
        &metadata("lob", &["1.0"]),
        &metadata("lib", &["1.0"]).replace("com.acme", "com.other"),
    ] {
        server.put(&address, body.to_owned()).await.expect(400);
    }
    server.put("my-repo/com/acme/nothing/maven-metadata.xml", metadata("nothing", &["1"])).await.expect(404);
    server.put(&address, vec![b' '; (10 << 20) + 1]).await.expect(413);
}

#[tokio::test]
async fn checksums_that_are_none_are_refused() {
    let server = Server::start().await;
    let jar = format!("{FOLDER}/1.0/lib-1.0.jar");
    for (suffix, body) in
        [("sha1", "0".repeat(39)), ("sha1", "xyz".repeat(14)), ("md5", String::new()), ("sha512", "0".repeat(40))]
    {
        server.put(&format!("{jar}.{suffix}"), body).await.expect(400);
    }
    server.put(&format!("{jar}.sha1"), "0".repeat(5000)).await.expect(413);
    server.put(&format!("{FOLDER}/maven-metadata.xml.sha1"), "nothing").await.expect(400);
}

#[tokio::test]
async fn a_case_twin_is_refused() {
    let server = Server::start().await;
    server.deploy("lib", "1.0").await;
    let refused = server.put("my-repo/com/acme/LIB/1.0/LIB-1.0.jar", "x").await.expect(409);
    assert!(refused.text().contains("only in case"), "{}", refused.text());
    server.put("my-repo/com/acme/l-ib/1.0/l-ib-1.0.jar", "x").await.expect(201);
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_not() {
    let server = Server::start().await;
    let refused = server.send(Method::DELETE, &format!("{FOLDER}/1.0/lib-1.0.jar"), &[], "").await.expect(405);
    assert_eq!(refused.header("allow"), "GET, HEAD, PUT");
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_and_any_content_is_taken() {
    let server = Server::start().await;
    server.put(&format!("{FOLDER}/1.0/lib-1.0.jar"), vec![0; (1 << 20) + 1]).await.expect(413);
    server.put(&format!("{FOLDER}/1.0/lib-1.0.jar"), "no zip").await.expect(201);
}
