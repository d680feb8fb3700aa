//! Maven: requests as its clients make them, homes in which they are logged in, and builds from `e2e/fixtures/maven`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use larder_testkit::client::Run;
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::{Client, Registry, Request, Response, runner, tools};
use serde_json::{Value, json};

use crate::World;

/// A first build on a busy machine, with an empty local repository.
const PATIENCE: Duration = Duration::from_secs(400);

/// The plugins that the recording holds, in the versions that are called from the command line.
pub const DEPLOY_FILE: &str = "org.apache.maven.plugins:maven-deploy-plugin:3.1.1:deploy-file";
/// The same of the years before.
pub const OLD_DEPLOY_FILE: &str = "org.apache.maven.plugins:maven-deploy-plugin:2.8.2:deploy-file";
/// Fetches one artifact.
pub const GET: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get";

impl World {
    /// A server whose `my-repo` reaches an empty stand-in for Maven Central through `maven-central-store`.
    #[must_use]
    pub fn maven_empty() -> Self {
        Self::maven_with(Registry::start())
    }

    /// The same with the recorded artifacts. Skips the test if there are none.
    #[must_use]
    pub fn maven_recorded() -> Self {
        let registry = Registry::start();
        registry.serve_recorded_maven();
        Self::maven_with(registry)
    }

    fn maven_with(registry: Registry) -> Self {
        let url = registry.maven_url();
        Self::with(registry, |builder| builder.external("public:maven-central", &url))
    }

    /// A request to `my-repo` as Maven makes it. `path` follows the endpoint's slash.
    pub fn maven(&self, method: &str, path: &str) -> Request {
        self.maven_in(REPOSITORY, method, path)
    }

    /// The same to another repository.
    pub fn maven_in(&self, repository: &str, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("maven", repository));
        self.server.request(method, &target).basic("aws", &self.token)
    }

    /// Puts a file over raw HTTP.
    #[must_use]
    pub fn put(&self, path: &str, body: impl Into<Vec<u8>>) -> Response {
        self.maven("PUT", path).body(body).send()
    }

    /// Deploys jar, POM and metadata over raw HTTP, in Maven's order.
    pub fn deploy(&self, group: &str, artifact: &str, version: &str, jar: &str) {
        let folder = format!("{}/{artifact}", group.replace('.', "/"));
        let file = |extension: &str| format!("{folder}/{version}/{artifact}-{version}.{extension}");
        let _ = self.put(&file("jar"), jar).expect(201);
        let _ = self.put(&file("pom"), pom(group, artifact, version)).expect(201);
        let _ = self.put(&format!("{folder}/maven-metadata.xml"), metadata(group, artifact, version)).expect(201);
    }

    /// Deploys a build of a snapshot of `com.acme` over raw HTTP.
    pub fn put_build(&self, repository: &str, artifact: &str, base: &str, number: u32, jar: &str) {
        let put = |path: &str, body: String| self.maven_in(repository, "PUT", path).body(body).send().expect(201);
        let (folder, value) =
            (format!("com/acme/{artifact}/{base}-SNAPSHOT"), format!("{base}-20260102.03040{number}-{number}"));
        put(&format!("{folder}/{artifact}-{value}.jar"), jar.to_owned());
        put(&format!("{folder}/{artifact}-{value}.pom"), pom("com.acme", artifact, &format!("{base}-SNAPSHOT")));
        let entry = |extension: &str| {
            format!(
                "<snapshotVersion><extension>{extension}</extension><value>{value}</value>\
                 <updated>2026010203040{number}</updated></snapshotVersion>"
            )
        };
        put(
            &format!("{folder}/maven-metadata.xml"),
            format!(
                "<metadata modelVersion=\"1.1.0\"><groupId>com.acme</groupId><artifactId>{artifact}</artifactId>\
                 <version>{base}-SNAPSHOT</version><versioning><snapshot><timestamp>20260102.03040{number}</timestamp>\
                 <buildNumber>{number}</buildNumber></snapshot><lastUpdated>2026010203040{number}</lastUpdated>\
                 <snapshotVersions>{}{}</snapshotVersions></versioning></metadata>",
                entry("jar"),
                entry("pom")
            ),
        );
    }

    /// The text of a metadata file of `my-repo`.
    #[must_use]
    pub fn maven_metadata(&self, folder: &str) -> String {
        self.maven("GET", &format!("{folder}/maven-metadata.xml")).send().expect(200).text()
    }

    /// A version's status as the API tells it, if there is such a version.
    #[must_use]
    pub fn maven_status(&self, group: &str, artifact: &str, version: &str) -> Option<String> {
        let answer = self.describe_maven(group, artifact, version);
        (answer.status == 200).then(|| answer.json()["packageVersion"]["status"].as_str().map(str::to_owned))?
    }

    /// DescribePackageVersion.
    #[must_use]
    pub fn describe_maven(&self, group: &str, artifact: &str, version: &str) -> Response {
        let query = format!(
            "domain=my-domain&repository={REPOSITORY}&format=maven&namespace={group}&package={artifact}&version={version}"
        );
        self.server.call("GET", &format!("/v1/package/version?{query}"), &Value::Null)
    }

    /// A repository in front of others.
    pub fn create_repository(&self, name: &str, upstreams: &[&str]) {
        let upstreams: Vec<Value> = upstreams.iter().map(|name| json!({"repositoryName": name})).collect();
        let target = format!("/v1/repository?domain=my-domain&repository={name}");
        let _ = self.server.call("POST", &target, &json!({"upstreams": upstreams})).expect(200);
    }

    /// Gives `my-repo` a tag.
    pub fn tag_repository(&self, key: &str, value: &str) {
        let arn = format!("arn:aws:codeartifact:us-east-1:{ACCOUNT}:repository/{DOMAIN}/{REPOSITORY}");
        let arn = arn.replace(':', "%3A").replace('/', "%2F");
        let tags = json!({"tags": [{"key": key, "value": value}]});
        let _ = self.server.call("POST", &format!("/v1/tag?resourceArn={arn}"), &tags).expect(200);
    }

    /// A home in which Maven takes everything from `my-repo`, with an empty local repository.
    #[must_use]
    pub fn maven_client(&self) -> Client {
        self.maven_client_of(REPOSITORY)
    }

    /// The same with another repository.
    #[must_use]
    pub fn maven_client_of(&self, repository: &str) -> Client {
        tools::need_system("mvn");
        let mut client = Client::new(&self.server);
        java_home(&mut client);
        let (home, endpoint) = (client.home().display(), self.server.endpoint("maven", repository));
        client.write(
            ".m2/settings.xml",
            format!(
                "<settings><localRepository>{home}/.m2/repository</localRepository>\
                 <pluginGroups><pluginGroup>com.acme.build</pluginGroup></pluginGroups>\
                 <servers><server><id>larder</id><username>aws</username><password>{}</password></server></servers>\
                 <mirrors><mirror><id>larder</id><mirrorOf>*</mirrorOf><url>{endpoint}</url></mirror></mirrors>\
                 <profiles><profile><id>snapshots</id><activation><activeByDefault>true</activeByDefault></activation>\
                 <repositories><repository><id>central</id><url>http://central.invalid/</url>\
                 <snapshots><enabled>true</enabled><updatePolicy>always</updatePolicy></snapshots>\
                 <releases><updatePolicy>always</updatePolicy></releases></repository></repositories></profile></profiles>\
                 </settings>",
                self.token
            ),
        );
        client
    }

    /// The same with a local repository that holds the recorded artifacts, as if they had been built here: Maven then
    /// asks for nothing but what the test is about.
    #[must_use]
    pub fn seeded_maven_client(&self) -> Client {
        let client = self.maven_client();
        seed(&client);
        client
    }

    /// What makes a build deploy to `my-repo`.
    #[must_use]
    pub fn deployment(&self) -> String {
        format!("-DaltDeploymentRepository=larder::default::{}", self.server.endpoint("maven", REPOSITORY))
    }

    /// `deploy-file` of a jar to `my-repo`.
    pub fn deploy_file<'a>(&self, client: &'a Client, goal: &str, coordinate: [&str; 3], jar: &str) -> Run<'a> {
        let [group, artifact, version] = coordinate;
        client.write(&format!("{artifact}.jar"), jar);
        mvn(client).args([
            goal.to_owned(),
            format!("-Dfile={artifact}.jar"),
            format!("-DgroupId={group}"),
            format!("-DartifactId={artifact}"),
            format!("-Dversion={version}"),
            "-Dpackaging=jar".to_owned(),
            "-DrepositoryId=larder".to_owned(),
            format!("-Durl={}", self.server.endpoint("maven", REPOSITORY)),
        ])
    }
}

/// Tells Java programs where home is: they ask the user database, not the environment.
pub fn java_home(client: &mut Client) {
    let options = format!("-Duser.home={}", client.home().display());
    client.set("JAVA_TOOL_OPTIONS", &options);
}

/// Fills a home's local repository with the recorded artifacts.
pub fn seed(client: &Client) {
    let _ = client.folder(".m2");
    let recorded = recorded("repository");
    let lines = format!("cp -al '{0}' .m2/repository || cp -a '{0}' .m2/repository", recorded.display());
    let _ = client.shell(&lines).succeeds();
}

/// A file or folder of the recording. Skips the test if there is none.
#[must_use]
pub fn recorded(name: &str) -> PathBuf {
    let folder = tools::folder().join("maven");
    if !folder.join("complete").is_file() {
        runner::skip("Maven's artifacts could not be recorded, see `cargo xtask clients`");
    }
    folder.join(name)
}

/// The machine's Maven.
pub fn mvn(client: &Client) -> Run<'_> {
    client.system("mvn").args(["-B", "-ntp"]).limit(PATIENCE)
}

/// A newer Maven, with the resolver's own transport.
pub fn mvn39(client: &Client) -> Run<'_> {
    let program = recorded("maven/bin/mvn");
    client.system(&program.to_string_lossy()).args(["-B", "-ntp"]).limit(PATIENCE)
}

/// Copies a build from the fixtures into a home, with another version.
///
/// # Panics
/// If it cannot be read.
pub fn copy_build(client: &Client, name: &str, version: &str) {
    let from = tools::repository().join("e2e/fixtures/maven").join(name);
    copy(client, &from, name, version);
}

fn copy(client: &Client, from: &Path, to: &str, version: &str) {
    for entry in std::fs::read_dir(from).expect("a build").flatten() {
        let to = format!("{to}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            copy(client, &entry.path(), &to, version);
        } else {
            let text = std::fs::read_to_string(entry.path()).expect("a file of a build");
            client.write(&to, text.replace("1.0-SNAPSHOT", version));
        }
    }
}

/// A POM.
#[must_use]
pub fn pom(group: &str, artifact: &str, version: &str) -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version></project>"
    )
}

/// The metadata of an artifact with one version.
#[must_use]
pub fn metadata(group: &str, artifact: &str, version: &str) -> String {
    format!(
        "<metadata><groupId>{group}</groupId><artifactId>{artifact}</artifactId><versioning><versions>\
         <version>{version}</version></versions></versioning></metadata>"
    )
}

/// A project that depends on one artifact and copies it to `out`.
#[must_use]
pub fn consumer(group: &str, artifact: &str, version: &str) -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>c</groupId><artifactId>c</artifactId><version>1</version>\
         <packaging>pom</packaging><dependencies><dependency><groupId>{group}</groupId>\
         <artifactId>{artifact}</artifactId><version>{version}</version></dependency></dependencies></project>"
    )
}

/// The names of the files in a folder of a home, in order.
#[must_use]
pub fn names(client: &Client, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(client.home().join(folder)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
