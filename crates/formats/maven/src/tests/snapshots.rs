//! Builds of snapshots (CodeArtifact reference 6.3).

use larder_core::model::VersionStatus::{self, Published, Unfinished, Unlisted};

use super::{Server, metadata, pom, snapshot_metadata};

const FOLDER: &str = "my-repo/com/acme/lib/1.0-SNAPSHOT";
const TIMES: [&str; 3] = ["20260102.030405", "20260102.030406", "20260102.030407"];

async fn put_files(server: &Server, build: usize) {
    for (extension, body) in [("jar", format!("jar {build}")), ("pom", pom("lib", "1.0-SNAPSHOT"))] {
        let address = format!("{FOLDER}/lib-1.0-{}-{build}.{extension}", TIMES[build - 1]);
        server.put(&address, body).await.expect(201);
    }
}

async fn deploy(server: &Server, build: usize) {
    put_files(server, build).await;
    let number = u32::try_from(build).unwrap();
    server.put(&format!("{FOLDER}/maven-metadata.xml"), snapshot_metadata(TIMES[build - 1], number)).await.expect(201);
    let versions = metadata("lib", &["1.0-SNAPSHOT"]);
    server.put("my-repo/com/acme/lib/maven-metadata.xml", versions).await.expect(201);
}

async fn statuses(server: &Server) -> Vec<Option<VersionStatus>> {
    let mut statuses = vec![server.status("lib", "1.0-SNAPSHOT").await];
    for (build, time) in TIMES.iter().enumerate() {
        statuses.push(server.status("lib", &format!("1.0-{time}-{}", build + 1)).await);
    }
    statuses
}

#[tokio::test]
async fn n_builds_are_n_and_one_versions() {
    let server = Server::start().await;
    put_files(&server, 1).await;
    assert_eq!(statuses(&server).await, [None, Some(Unfinished), None, None]);
    deploy(&server, 1).await;
    assert_eq!(statuses(&server).await, [Some(Published), Some(Unlisted), None, None]);
    deploy(&server, 2).await;
    deploy(&server, 3).await;
    assert_eq!(statuses(&server).await, [Some(Published), Some(Unlisted), Some(Unlisted), Some(Unlisted)]);
    let newest = server.version("lib", "1.0-SNAPSHOT").await.unwrap();
    let build = server.version("lib", "1.0-20260102.030407-3").await.unwrap();
    assert_eq!(newest.assets, build.assets);
    assert_eq!(newest.assets[0].name.as_str(), "lib-1.0-20260102.030407-3.jar");

    let file = server.get(&format!("{FOLDER}/maven-metadata.xml")).await.expect(200).text();
    assert!(
        file.contains("<buildNumber>3</buildNumber>") && file.contains("<value>1.0-20260102.030407-3</value>"),
        "{file}"
    );
    let listed = server.get("my-repo/com/acme/lib/maven-metadata.xml").await.expect(200).text();
    assert!(listed.contains("<version>1.0-SNAPSHOT</version>") && !listed.contains("-2026"), "{listed}");
    assert!(!listed.contains("<release>"), "{listed}");
}

#[tokio::test]
async fn a_build_is_read_by_its_own_name_and_the_newest_by_the_snapshot_s() {
    let server = Server::start().await;
    deploy(&server, 1).await;
    deploy(&server, 2).await;
    for (address, body) in [
        (format!("{FOLDER}/lib-1.0-20260102.030405-1.jar"), "jar 1"),
        (format!("{FOLDER}/lib-1.0-20260102.030406-2.jar"), "jar 2"),
        ("my-repo/com/acme/lib/1.0-20260102.030405-1/lib-1.0-20260102.030405-1.jar".to_owned(), "jar 1"),
        (format!("{FOLDER}/lib-1.0-SNAPSHOT.jar"), "jar 2"),
    ] {
        assert_eq!(server.get(&address).await.expect(200).text(), body, "{address}");
    }
    server.get(&format!("{FOLDER}/lib-1.0-SNAPSHOT.war")).await.expect(404);
    server.get("my-repo/com/acme/lib/2.0-SNAPSHOT/lib-2.0-SNAPSHOT.jar").await.expect(404);
    server.get("my-repo/com/acme/lib/2.0-SNAPSHOT/maven-metadata.xml").await.expect(404);
}

#[tokio::test]
async fn metadata_of_a_build_that_is_not_there_or_not_described_is_refused() {
    let server = Server::start().await;
    let address = format!("{FOLDER}/maven-metadata.xml");
    server.put(&address, snapshot_metadata(TIMES[0], 1)).await.expect(400);
    put_files(&server, 1).await;
    let other = snapshot_metadata(TIMES[0], 1).replace("030405-1<", "030405-9<");
    server.put(&address, other).await.expect(400);
    let plain = "<metadata><groupId>com.acme</groupId><artifactId>lib</artifactId><version>1.0-SNAPSHOT</version>\
                 <versioning><snapshot><localCopy>true</localCopy></snapshot></versioning></metadata>";
    server.put(&address, plain).await.expect(400);
    assert_eq!(statuses(&server).await, [None, Some(Unfinished), None, None]);
    let refused = server.put(&format!("{FOLDER}/lib-1.0-SNAPSHOT.jar"), "jar").await.expect(400);
    assert!(refused.text().contains("timestamp"), "{}", refused.text());
}

#[tokio::test]
async fn an_older_build_that_comes_late_does_not_replace_a_newer_one() {
    let server = Server::start().await;
    deploy(&server, 2).await;
    deploy(&server, 1).await;
    assert_eq!(statuses(&server).await[..3], [Some(Published), Some(Unlisted), Some(Unlisted)]);
    let file = server.get(&format!("{FOLDER}/maven-metadata.xml")).await.expect(200).text();
    assert!(file.contains("<buildNumber>2</buildNumber>"), "{file}");
}

#[tokio::test]
async fn files_that_are_not_deployed_again_stay_those_of_the_older_build() {
    let server = Server::start().await;
    put_files(&server, 1).await;
    server.put(&format!("{FOLDER}/lib-1.0-{}-1-bin.tar.gz", TIMES[0]), "bin").await.expect(201);
    let entry = format!(
        "<snapshotVersion><classifier>bin</classifier><extension>tar.gz</extension><value>1.0-{}-1</value>\
         <updated>20260102030405</updated></snapshotVersion></snapshotVersions>",
        TIMES[0]
    );
    let first = snapshot_metadata(TIMES[0], 1).replace("</snapshotVersions>", &entry);
    server.put(&format!("{FOLDER}/maven-metadata.xml"), first).await.expect(201);
    deploy(&server, 2).await;
    let file = server.get(&format!("{FOLDER}/maven-metadata.xml")).await.expect(200).text();
    assert!(file.contains("<value>1.0-20260102.030406-2</value>"), "{file}");
    assert!(file.contains("<classifier>bin</classifier>\n        <extension>tar.gz</extension>"), "{file}");
    assert_eq!(server.get(&format!("{FOLDER}/lib-1.0-SNAPSHOT-bin.tar.gz")).await.expect(200).text(), "bin");
}

#[tokio::test]
async fn deploying_the_same_snapshot_at_once_loses_nothing() {
    let server = Server::start().await;
    for build in 1..=3 {
        put_files(&server, build).await;
    }
    let address = format!("{FOLDER}/maven-metadata.xml");
    let put = |build: usize| server.put(&address, snapshot_metadata(TIMES[build - 1], u32::try_from(build).unwrap()));
    let (first, second, third) = tokio::join!(put(1), put(2), put(3));
    for answer in [first, second, third] {
        answer.expect(201);
    }
    assert_eq!(statuses(&server).await, [Some(Published), Some(Unlisted), Some(Unlisted), Some(Unlisted)]);
    let file = server.get(&address).await.expect(200).text();
    assert!(file.contains("<buildNumber>3</buildNumber>"), "{file}");
}
