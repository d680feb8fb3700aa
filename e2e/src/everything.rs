//! One server with a package of the same name in every format, and every address at which it answers: for tests that
//! ask all routes the same question. The routes are the server's own list (`larder routes`), so none is forgotten.

use larder_testkit::packages::{NpmPackage, PythonPackage, SwiftPackage, multipart};
use larder_testkit::server::{DOMAIN, larder, succeeds};
use larder_testkit::{Client, Registry, Request, Response, Server};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::World;
use crate::cargo::{Crate, add_crates};
use crate::maven::{metadata, pom};
use crate::nuget::{Gallery, Nupkg, push_form};

/// The formats, as the API names them.
pub const FORMATS: [&str; 8] = ["npm", "pypi", "maven", "nuget", "swift", "ruby", "cargo", "generic"];
/// The formats that have public registries here.
pub const PUBLIC_FORMATS: [&str; 6] = ["npm", "pypi", "maven", "nuget", "ruby", "cargo"];
/// What the package is called in all formats; in Maven its group is `com.acme`, in Swift its scope is `acme`.
pub const NAME: &str = "marked";
/// A version that everybody may see.
pub const OPEN: &str = "1.0.0";
/// The version that a test takes away.
pub const HIDDEN: &str = "66.6.6";

/// The server.
#[derive(Debug)]
pub struct Everything {
    pub world: World,
    pub routes: Vec<Route>,
    gallery: Gallery,
    client: Client,
}

/// An address of the server, as `larder routes --json` has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Route {
    pub service: String,
    pub route: String,
    pub method: String,
    pub path: String,
}

/// One request of a client that publishes.
#[derive(Debug, Clone)]
pub struct Upload {
    pub method: String,
    /// Below the repository.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Upload {
    /// The same with another method.
    #[must_use]
    pub fn clone_as(&self, method: &str) -> Self {
        Self { method: method.to_owned(), ..self.clone() }
    }

    /// The request, to a target of one's choice.
    pub fn to(&self, server: &Server, target: &str) -> Request {
        let request = server.request(&self.method, target).body(self.body.clone());
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()))
    }
}

impl Everything {
    /// A server whose `my-repo` reaches stand-ins for all public registries through a store each.
    #[must_use]
    pub fn start() -> Self {
        let (registry, gallery) = (Registry::start(), Gallery::start());
        let url = registry.url();
        registry.replace("/cargo/config.json", json!({"dl": format!("{url}/crates")}).to_string().into_bytes());
        let connections = [
            ("public:crates-io", format!("{url}/cargo/")),
            ("public:maven-central", registry.maven_url()),
            ("public:ruby-gems-org", format!("{url}/ruby/")),
            ("public:nuget-org", gallery.index_url()),
        ];
        let world = World::with(registry, |builder| {
            connections.iter().fold(builder, |builder, (name, url)| builder.external(name, url))
        });
        let client = Client::new(&world.server);
        let routes = serde_json::from_str(&succeeds(&larder(&["routes", "--json"]))).expect("routes");
        Self { world, routes, gallery, client }
    }

    /// The routes of the formats.
    pub fn format_routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| FORMATS.contains(&route.service.as_str()))
    }

    /// What a client sends to publish a version, in its order.
    ///
    /// # Panics
    /// If `gem` cannot build one.
    #[must_use]
    pub fn uploads(&self, format: &str, version: &str) -> Vec<Upload> {
        let upload = |method, path: &str, headers: Vec<(&'static str, String)>, body| Upload {
            method: str::to_owned(method),
            path: path.to_owned(),
            headers,
            body,
        };
        let typed = |content_type: &str| vec![("content-type", content_type.to_owned())];
        match format {
            "npm" => {
                let body = npm(version).publish_body().to_string().into_bytes();
                vec![upload("PUT", "/marked", typed("application/json"), body)]
            }
            "pypi" => {
                let package = PythonPackage::new(NAME, version);
                let wheel = package.wheel();
                let (content_type, body) = multipart(&package.form(&wheel), Some((&wheel.name, &wheel.bytes)));
                vec![upload("POST", "/", typed(&content_type), body)]
            }
            "maven" => {
                let put = |path: String, body: String| upload("PUT", &path, Vec::new(), body.into_bytes());
                let file = |extension: &str| format!("/com/acme/marked/{version}/{NAME}-{version}.{extension}");
                vec![
                    put(file("jar"), format!("jar of {version}")),
                    put(file("pom"), pom("com.acme", NAME, version)),
                    put("/com/acme/marked/maven-metadata.xml".to_owned(), metadata("com.acme", NAME, version)),
                ]
            }
            "nuget" => {
                let (content_type, body) = push_form(&Nupkg::new(NAME, version).bytes());
                vec![upload("PUT", "/v3/publish/", typed(&content_type), body)]
            }
            "swift" => {
                let (headers, body) = SwiftPackage::new("acme.marked", version).publish_form();
                vec![upload("PUT", &format!("/acme/marked/{version}"), headers, body)]
            }
            "ruby" => vec![upload("POST", "/api/v1/gems", typed("application/octet-stream"), self.gem(version))],
            "cargo" => {
                vec![upload("PUT", "/api/v1/crates/new", Vec::new(), Crate::new(NAME, version).publish_body())]
            }
            _ => {
                let version = format!("/{NAME}/{version}/");
                let bytes = format!("bytes of {version}").into_bytes();
                vec![
                    upload("PUT", &format!("{version}file.bin"), Vec::new(), bytes),
                    upload("POST", &format!("{version}?finish"), Vec::new(), Vec::new()),
                ]
            }
        }
    }

    /// Publishes a version in one format as its client would; answers the first refusal, or the last answer.
    ///
    /// # Panics
    /// If a format has nothing to upload.
    #[must_use]
    pub fn publish(&self, format: &str, repository: &str, version: &str) -> Response {
        let mut answers = self.uploads(format, version).into_iter().map(|upload| {
            let target = format!("{}{}", self.world.server.path(format, repository), upload.path);
            upload.to(&self.world.server, &target).basic("aws", &self.world.token).send()
        });
        let mut answer = answers.next().expect("an upload");
        while answer.is_success()
            && let Some(next) = answers.next()
        {
            answer = next;
        }
        answer
    }

    /// Publishes versions in all formats.
    ///
    /// # Panics
    /// If one is refused.
    pub fn publish_all(&self, repository: &str, versions: &[&str]) {
        for format in FORMATS {
            for version in versions {
                let answer = self.publish(format, repository, version);
                assert!(answer.is_success(), "{format} {version}: {} {}", answer.status, answer.text());
            }
        }
    }

    /// Puts versions into all public registries.
    pub fn offer_all(&mut self, versions: &[&str]) {
        let registry = &self.world.registry;
        for version in versions {
            registry.add_npm(&npm(version));
            let package = PythonPackage::new(NAME, version);
            registry.add_python(&package, &package.wheel());
            registry.add_maven("com.acme", NAME, version, ".pom", pom("com.acme", NAME, version));
            registry.add_maven("com.acme", NAME, version, ".jar", format!("jar of {version}"));
            self.gallery.add(&Nupkg::new(NAME, version));
        }
        let crates: Vec<_> = versions.iter().map(|version| Crate::new(NAME, version)).collect();
        add_crates(registry, &crates);
        let mut info = "---\n".to_owned();
        for version in versions {
            let gem = self.gem(version);
            info += &format!("{version} |checksum:{}\n", larder_testkit::packages::sha256(&gem));
            registry.replace(&format!("/ruby/gems/{NAME}-{version}.gem"), gem);
        }
        let listed = format!(
            "created_at: 2024-04-01T00:00:05Z\n---\n{NAME} {} {}\n",
            versions.join(","),
            larder_testkit::packages::md5(info.as_bytes())
        );
        registry.replace("/ruby/info/marked", info.into_bytes());
        registry.replace("/ruby/versions", listed.into_bytes());
    }

    fn gem(&self, version: &str) -> Vec<u8> {
        let folder = format!("gem-{version}");
        let file = self.client.home().join(&folder).join(format!("{NAME}-{version}.gem"));
        if !file.exists() {
            let spec = format!(
                "Gem::Specification.new do |s|\n  s.name = '{NAME}'\n  s.version = '{version}'\n  s.summary = 'For \
                 tests'\n  s.authors = ['Ann']\n  s.files = []\nend\n"
            );
            self.client.write(&format!("{folder}/marked.gemspec"), spec);
            let build = self.client.system("gem").args(["build", "marked.gemspec"]);
            let _ = build.in_folder(self.client.home().join(&folder)).succeeds();
        }
        std::fs::read(file).expect("gem has built it")
    }

    /// An operation of the API on the package in one format.
    pub fn call(&self, method: &str, path: &str, format: &str, repository: &str, body: &Value) -> Response {
        let namespace = match format {
            "maven" => "&namespace=com.acme",
            "swift" => "&namespace=acme",
            "generic" => "&namespace=_",
            _ => "",
        };
        let query = format!("domain={DOMAIN}&repository={repository}&format={format}&package={NAME}{namespace}");
        self.world.server.call(method, &format!("{path}?{query}"), body)
    }

    /// The statuses of the versions that a repository holds, as the API lists them.
    ///
    /// # Panics
    /// If the API's answer is not what it is documented to be.
    #[must_use]
    pub fn held(&self, format: &str, repository: &str) -> Vec<(String, String)> {
        let answer = self.call("POST", "/v1/package/versions", format, repository, &Value::Null);
        if answer.status == 404 {
            return Vec::new();
        }
        let text = |version: &Value, member: &str| version[member].as_str().expect("text").to_owned();
        let versions = answer.expect(200).json()["versions"].as_array().cloned().expect("versions");
        versions.iter().map(|version| (text(version, "version"), text(version, "status"))).collect()
    }
}

fn npm(version: &str) -> NpmPackage {
    NpmPackage::new(NAME, version)
}

impl Route {
    /// The addresses of the route in a repository, with everything that its parameters may be.
    ///
    /// # Panics
    /// If no sample is known of a parameter: a new route needs one in [`samples`].
    #[must_use]
    pub fn targets(&self, server: &Server, repository: &str) -> Vec<String> {
        let below = self.path.split_once("{repository}").map_or("", |(_, below)| below);
        let mut targets = vec![server.path(&self.service, repository)];
        for segment in below.trim_start_matches('/').split('/') {
            let parameter = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
            let values: Vec<&str> = match parameter {
                Some(name) => samples(&self.service, name).to_vec(),
                None => vec![segment],
            };
            assert!(!values.is_empty(), "no sample of {segment} in {} {}", self.service, self.path);
            targets =
                targets.iter().flat_map(|start| values.iter().map(move |value| format!("{start}/{value}"))).collect();
        }
        targets
    }
}

/// What may stand for a parameter so that the hidden version is asked for, by itself or among others.
fn samples(format: &str, parameter: &str) -> &'static [&'static str] {
    match (format, parameter) {
        ("npm", "file") => &["marked-66.6.6.tgz", "MARKED-66.6.6.tgz", "marked-1.0.0.tgz"],
        ("npm", "version") => &["66.6.6", "latest", "v66.6.6", "%5E66.0.0"],
        ("npm", "scope") => &["@acme", "marked"],
        ("npm", "spec") => &["marked@66.6.6", "marked%4066.6.6"],
        ("npm", "tag") => &["latest", "newest"],
        ("npm", "revision") => &["1-0"],
        ("npm", "key" | "token") => &["none"],
        ("pypi", "project") => &["marked", "Marked", "MARKED"],
        ("pypi", "file") => &["marked-66.6.6-py3-none-any.whl", "marked-66.6.6-py3-none-any.whl.metadata"],
        ("maven", "path...") => &[
            "com/acme/marked/maven-metadata.xml",
            "com/acme/marked/maven-metadata.xml.sha1",
            "com/acme/marked/66.6.6/marked-66.6.6.jar",
            "com/acme/marked/66.6.6/marked-66.6.6.pom",
            "com/acme/marked/66.6.6/marked-66.6.6.jar.sha1",
            "com/acme/marked/66.6.6/marked-66.6.6.pom.sha512",
            "com/acme/marked/66.6.6/marked-66.6.6-sources.jar",
            "com/acme/marked/66.6.6/maven-metadata.xml",
            "com/acme/marked/66.6.6/",
            "com/acme/maven-metadata.xml",
        ],
        ("nuget", "hive") => &["registration", "registration-gz", "registration-gz-semver2", "registration4"],
        ("nuget", "id") => &["marked", "Marked"],
        ("nuget", "file") => {
            &["marked.66.6.6.nupkg", "marked.nuspec", "MARKED.66.6.6.NUPKG", "readme", "icon", "license"]
        }
        ("nuget", "page...") => &["index.json", "66.6.6.json", "page/66.6.6/66.6.6.json", "page/1.0.0/66.6.6.json"],
        ("nuget", "page") => &["index.json", "0.json", "marked"],
        ("nuget", "pdb" | "again") => &["marked.pdb"],
        ("nuget", "signature") => &["0123456789abcdef0123456789abcdefffffffff"],
        ("swift", "scope") => &["acme", "ACME"],
        ("swift", "name") => &["marked", "Marked", "marked.json"],
        ("swift", "version") => &["66.6.6", "66.6.6.zip", "66.6.6.json"],
        ("ruby", "gem") => &["marked-66.6.6.gem", "marked-66.6.6-ruby.gem"],
        ("ruby", "gemspec") => &["marked-66.6.6.gemspec.rz"],
        ("ruby", "file") => &["marked.json", "66.6.6.json", "marked-66.6.6.json"],
        ("generic", "path...") => &[
            "marked/66.6.6/file.bin",
            "marked/66.6.6/",
            "marked/latest/file.bin",
            "marked/latest/",
            "marked/66.6.6/SHA256SUMS",
            "Marked/66.6.6/file.bin",
            "marked/66.6.6/file.bin?upload=0",
        ],
        ("cargo", "index_path...") => &["ma/rk/marked", "MA/RK/Marked"],
        (_, "name") => &["marked", "Marked"],
        (_, "version") => &["66.6.6"],
        _ => &[],
    }
}
