//! What the end-to-end tests share: a Larder in front of a stand-in for the public registries, and clients that are
//! logged in to it. The tests are in `tests/it`.

pub mod cargo;
pub mod everything;
pub mod maven;
pub mod nuget;
pub mod python;
pub mod receiver;
pub mod roles;
pub mod ruby;
pub mod swift;
pub mod tunnel;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use larder_testkit::packages::{NpmPackage, PythonFile, PythonPackage, multipart};
use larder_testkit::server::{REPOSITORY, ServerBuilder};
use larder_testkit::{Client, Registry, Request, Response, Server};

/// A server whose `my-repo` reaches a stand-in registry through `npm-store` and `pypi-store`.
#[derive(Debug)]
pub struct World {
    pub registry: Registry,
    pub server: Server,
    pub token: String,
}

impl World {
    /// With an empty registry.
    #[must_use]
    pub fn empty() -> Self {
        Self::with(Registry::start(), |builder| builder)
    }

    /// With the recorded packages. Skips the test if there are none.
    #[must_use]
    pub fn recorded() -> Self {
        Self::with(Registry::recorded(), |builder| builder)
    }

    /// With this registry and a server that is started differently.
    pub fn with(registry: Registry, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let builder = Server::builder()
            .external("public:npmjs", &registry.npm_url())
            .external("public:pypi", &registry.pypi_url());
        let server = change(builder).start();
        let token = server.token();
        Self { registry, server, token }
    }

    /// A request to `my-repo` as npm makes it. `path` follows the endpoint's slash.
    pub fn npm(&self, method: &str, path: &str) -> Request {
        self.npm_in(REPOSITORY, method, path)
    }

    /// The same to another repository.
    pub fn npm_in(&self, repository: &str, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("npm", repository));
        self.server.request(method, &target).token(&self.token)
    }

    /// A request to `my-repo` as pip makes it. `path` follows the endpoint's slash.
    pub fn pypi(&self, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("pypi", REPOSITORY));
        self.server.request(method, &target).basic("aws", &self.token)
    }

    /// Publishes over raw HTTP what `npm publish` would send.
    #[must_use]
    pub fn publish_npm(&self, package: &NpmPackage) -> Response {
        self.npm("PUT", &package.name.replace('/', "%2f")).json(&package.publish_body()).send()
    }

    /// Uploads over raw HTTP what twine would send.
    #[must_use]
    pub fn upload(&self, package: &PythonPackage, file: &PythonFile) -> Response {
        self.upload_form(&package.form(file), Some((&file.name, &file.bytes)))
    }

    /// Uploads any form.
    #[must_use]
    pub fn upload_form(&self, fields: &[(String, String)], file: Option<(&str, &[u8])>) -> Response {
        let (content_type, body) = multipart(fields, file);
        self.pypi("POST", "").header("content-type", content_type).body(body).send()
    }

    /// The document of an npm package, full form.
    #[must_use]
    pub fn packument(&self, name: &str) -> serde_json::Value {
        let path = name.replace('/', "%2f");
        self.npm("GET", &path).header("accept", "application/json").send().expect(200).json()
    }

    /// Waits until `my-repo` itself holds a version that was fetched through it. Keeping happens after the answer.
    ///
    /// # Panics
    /// If it does not within ten seconds.
    pub fn wait_until_retained(&self, format: &str, package: &str, version: &str) {
        let query =
            format!("domain=my-domain&repository={REPOSITORY}&format={format}&package={package}&version={version}");
        let started = Instant::now();
        while self.server.call("GET", &format!("/v1/package/version?{query}"), &serde_json::Value::Null).status != 200 {
            assert!(started.elapsed() < Duration::from_secs(10), "{package} {version} was not retained");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the server and starts it again on its data: what it only remembered is gone.
    #[must_use]
    pub fn restarted(self) -> Self {
        let Self { registry, server, .. } = self;
        let server = server.stop().start();
        let token = server.token();
        Self { registry, server, token }
    }

    /// The page of a Python project as JSON.
    #[must_use]
    pub fn page(&self, project: &str) -> serde_json::Value {
        let path = format!("simple/{project}/");
        self.pypi("GET", &path).header("accept", "application/vnd.pypi.simple.v1+json").send().expect(200).json()
    }

    /// A home in which npm and its kin are logged in to `my-repo`.
    #[must_use]
    pub fn npm_client(&self) -> Client {
        let client = Client::new(&self.server);
        self.npm_login(&client, REPOSITORY, &self.token);
        client
    }

    /// Writes what `aws codeartifact login --tool npm` writes.
    pub fn npm_login(&self, client: &Client, repository: &str, token: &str) {
        let endpoint = self.server.endpoint("npm", repository);
        let bound = endpoint.trim_start_matches("http:");
        client.write(".npmrc", format!("registry={endpoint}\n{bound}:_authToken={token}\n{bound}:always-auth=true\n"));
    }

    /// A home in which pip, twine, uv and their kin are logged in to `my-repo`.
    #[must_use]
    pub fn python_client(&self) -> Client {
        let mut client = Client::new(&self.server);
        let index = self.index_url();
        client.write(".config/pip/pip.conf", format!("[global]\nindex-url = {index}\n"));
        let mut pypirc = String::from("[distutils]\nindex-servers = codeartifact\n\n[codeartifact]\n");
        let _ = writeln!(pypirc, "repository = {}", self.server.endpoint("pypi", REPOSITORY));
        let _ = writeln!(pypirc, "username = aws\npassword = {}", self.token);
        client.write(".pypirc", pypirc);
        client.set("UV_DEFAULT_INDEX", &index);
        client
    }

    /// The URL of `my-repo`'s simple index with the token in it.
    #[must_use]
    pub fn index_url(&self) -> String {
        let endpoint = self.server.endpoint("pypi", REPOSITORY);
        format!("{}simple/", endpoint.replace("http://", &format!("http://aws:{}@", self.token)))
    }
}

/// Makes a virtual environment without pip and returns the path of its Python.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn virtual_environment(client: &Client, name: &str) -> String {
    let folder = client.home().join(name);
    let _ = client.system("python3").args(["-m", "venv", "--without-pip"]).arg(&folder).succeeds();
    folder.join("bin/python").to_string_lossy().into_owned()
}

/// Copies the files of a folder, not its folders.
///
/// # Panics
/// If one cannot be copied.
pub fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the target folder");
    for entry in std::fs::read_dir(from).expect("the source folder").flatten() {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copied file");
        }
    }
}
