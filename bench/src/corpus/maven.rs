//! Maven artifacts, as the requests that deploy them.

use std::fmt::Write as _;

use larder_testkit::packages::{sha1, zip_of};

use super::noise;

/// The artifact with a hundred versions.
const VERSIONS: &str = "bench-versions";
const VERSION_COUNT: usize = 100;
/// The artifact with a jar of 1 MB.
const JAR: &str = "bench-jar";
/// The artifact with ten builds of a snapshot.
const SNAPSHOT: &str = "bench-snapshot";
const BUILDS: usize = 10;
const GROUP: &str = "com.acme.bench";
const FOLDER: &str = "com/acme/bench";

/// `maven-metadata.xml` of [`VERSIONS`].
pub(crate) const METADATA_PATH: &str = "com/acme/bench/bench-versions/maven-metadata.xml";
/// `maven-metadata.xml` of [`SNAPSHOT`].
pub(crate) const SNAPSHOT_PATH: &str = "com/acme/bench/bench-snapshot/1.0-SNAPSHOT/maven-metadata.xml";
/// The jar; its POM and its checksum are beside it.
pub(crate) const JAR_PATH: &str = "com/acme/bench/bench-jar/1.0/bench-jar-1.0.jar";
/// The POM of the jar.
pub(crate) const POM_PATH: &str = "com/acme/bench/bench-jar/1.0/bench-jar-1.0.pom";

/// Paths and contents in the order of `mvn deploy`: files with their checksums, then metadata.
pub(crate) fn deployments() -> Vec<(String, Vec<u8>)> {
    let mut sent = Vec::new();
    let mut listed = String::new();
    for number in 0..VERSION_COUNT {
        let version = format!("1.{number}.0");
        release(&mut sent, VERSIONS, &version, &zip_of(&[("a".to_owned(), noise(number as u64, 500))]), &mut listed);
    }
    release(&mut sent, JAR, "1.0", &zip_of(&[("data.bin".to_owned(), noise(3, 1_048_000))]), &mut String::new());
    for number in 1..=BUILDS {
        build(&mut sent, number);
    }
    sent
}

/// A file, with its checksum beside it.
fn put(sent: &mut Vec<(String, Vec<u8>)>, path: &str, bytes: Vec<u8>) {
    let checksum = sha1(&bytes).into_bytes();
    sent.push((path.to_owned(), bytes));
    sent.push((format!("{path}.sha1"), checksum));
}

fn release(sent: &mut Vec<(String, Vec<u8>)>, artifact: &str, version: &str, jar: &[u8], listed: &mut String) {
    let folder = format!("{FOLDER}/{artifact}");
    put(sent, &format!("{folder}/{version}/{artifact}-{version}.jar"), jar.to_vec());
    put(sent, &format!("{folder}/{version}/{artifact}-{version}.pom"), pom(artifact, version));
    let _ = write!(listed, "<version>{version}</version>");
    let metadata = format!(
        "<metadata><groupId>{GROUP}</groupId><artifactId>{artifact}</artifactId><versioning><release>{version}</release>\
         <versions>{listed}</versions><lastUpdated>20260102030405</lastUpdated></versioning></metadata>"
    );
    put(sent, &format!("{folder}/maven-metadata.xml"), metadata.into_bytes());
}

fn build(sent: &mut Vec<(String, Vec<u8>)>, number: usize) {
    let timestamp = format!("20260102.0304{number:02}");
    let value = format!("1.0-{timestamp}-{number}");
    let folder = format!("{FOLDER}/{SNAPSHOT}/1.0-SNAPSHOT");
    let jar = zip_of(&[("data.bin".to_owned(), noise(number as u64, 2000))]);
    put(sent, &format!("{folder}/{SNAPSHOT}-{value}.jar"), jar);
    put(sent, &format!("{folder}/{SNAPSHOT}-{value}.pom"), pom(SNAPSHOT, "1.0-SNAPSHOT"));
    let file = |extension: &str| {
        format!(
            "<snapshotVersion><extension>{extension}</extension><value>{value}</value>\
             <updated>202601020304{number:02}</updated></snapshotVersion>"
        )
    };
    let metadata = format!(
        "<metadata modelVersion=\"1.1.0\"><groupId>{GROUP}</groupId><artifactId>{SNAPSHOT}</artifactId>\
         <version>1.0-SNAPSHOT</version><versioning><snapshot><timestamp>{timestamp}</timestamp><buildNumber>{number}\
         </buildNumber></snapshot><lastUpdated>202601020304{number:02}</lastUpdated><snapshotVersions>{}{}\
         </snapshotVersions></versioning></metadata>",
        file("jar"),
        file("pom")
    );
    put(sent, &format!("{folder}/maven-metadata.xml"), metadata.into_bytes());
}

fn pom(artifact: &str, version: &str) -> Vec<u8> {
    let mut dependencies = String::new();
    for number in 0..15 {
        let _ = write!(
            dependencies,
            "    <dependency>\n      <groupId>org.example.some</groupId>\n      <artifactId>some-dependency-{number}\
             </artifactId>\n      <version>{number}.2.1</version>\n      <scope>runtime</scope>\n    </dependency>\n"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n  <groupId>{GROUP}</groupId>\n  <artifactId>{artifact}</artifactId>\n  \
         <version>{version}</version>\n  <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
    .into_bytes()
}
