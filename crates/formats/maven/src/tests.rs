//! Handlers on a real store, in front of a public registry.

use std::ops::Deref;

use bytes::Bytes;
use larder_core::model::{ExternalConnection, HashAlgorithm, PackageVersion, VersionStatus, VersionText};
use larder_formatkit::{Answer, Registry, Setup};

use crate::maven_metadata::{self, Snapshot, SnapshotVersion};
use crate::names::{self, Build};
use crate::{MavenFormat, Routes};

mod bad_input;
mod deploying;
mod registry;
mod snapshots;

const CONNECTION: &str = "public:maven-central";

/// Repository `my-repo` takes from `maven-central-store`, which has the external connection.
pub(crate) struct Server(larder_formatkit::Server<Routes>);

impl Deref for Server {
    type Target = larder_formatkit::Server<Routes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let setup = Setup::new(&["maven-central-store", "my-repo"]).connected_to(CONNECTION);
        Self(larder_formatkit::Server::start(MavenFormat, setup, Routes::new).await)
    }

    pub(crate) async fn put(&self, address: &str, body: impl Into<Bytes>) -> Answer {
        self.send("PUT", address, &[], body).await
    }

    /// A version as `my-repo` holds it.
    pub(crate) async fn version(&self, artifact: &str, version: &str) -> Option<PackageVersion> {
        let repository = self.target("my-repo").await.repository.id;
        let key = names::package_key("com.acme", artifact).unwrap();
        let version = VersionText::new(version).unwrap();
        self.services.store.find_version(repository, &key, &version).await.unwrap()
    }

    /// Its status.
    pub(crate) async fn status(&self, artifact: &str, version: &str) -> Option<VersionStatus> {
        self.version(artifact, version).await.map(|version| version.status)
    }

    /// Deploys jar, POM and metadata of a release of `com.acme`.
    pub(crate) async fn deploy(&self, artifact: &str, version: &str) {
        let folder = format!("my-repo/com/acme/{artifact}");
        for (extension, body) in [("jar", format!("jar of {version}")), ("pom", pom(artifact, version))] {
            let address = format!("{folder}/{version}/{artifact}-{version}.{extension}");
            self.put(&address, body).await.expect(201);
        }
        self.put(&format!("{folder}/maven-metadata.xml"), metadata(artifact, &[version])).await.expect(201);
    }
}

pub(crate) fn connection() -> ExternalConnection {
    ExternalConnection::parse(CONNECTION).unwrap()
}

/// A POM of `com.acme`.
pub(crate) fn pom(artifact: &str, version: &str) -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>com.acme</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version><name>The {artifact}</name></project>"
    )
}

/// The metadata of an artifact of `com.acme`, as a client sends it.
pub(crate) fn metadata(artifact: &str, versions: &[&str]) -> String {
    let versions: Vec<String> = versions.iter().map(|version| (*version).to_owned()).collect();
    maven_metadata::write_artifact("com.acme", artifact, &versions, "20260102030405")
}

/// The metadata of a build of `1.0-SNAPSHOT` of `com.acme:lib` with jar and POM.
pub(crate) fn snapshot_metadata(timestamp: &str, number: u32) -> String {
    let file = |extension: &str| SnapshotVersion {
        classifier: String::new(),
        extension: extension.to_owned(),
        value: format!("1.0-{timestamp}-{number}"),
        updated: timestamp.replace('.', ""),
    };
    maven_metadata::write_snapshot(&Snapshot {
        group: "com.acme",
        artifact: "lib",
        version: "1.0-SNAPSHOT",
        build: Build { timestamp, number },
        last_updated: &timestamp.replace('.', ""),
        files: &[file("jar"), file("pom")],
    })
}

/// Puts a file and its SHA-1 into the public registry.
pub(crate) fn offer_file(registry: &Registry, path: &str, bytes: impl Into<Bytes>) {
    let bytes = bytes.into();
    registry.put(&format!("{path}.sha1"), crate::index::digest(HashAlgorithm::Sha1, &bytes));
    registry.put(path, bytes);
}
