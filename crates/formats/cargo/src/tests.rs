//! Handlers on a real store, in front of a public registry.

use std::ops::Deref;

use bytes::Bytes;
use http::Method;
use larder_core::services::Limits;
use larder_formatkit::{Answer, Registry, Setup};
use larder_http::RequestBody;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::archive::tests::crate_file;
use crate::{CargoFormat, Routes, names};

mod api;
mod bad_input;
mod index;
mod publishing;
mod registry;

/// Repository `my-repo` takes from `team-repo`, which takes from `cargo-store`, which has the external connection.
struct Server(larder_formatkit::Server<Routes>);

impl Deref for Server {
    type Target = larder_formatkit::Server<Routes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The largest crate here.
const CRATE_LIMIT_BYTES: u64 = 1 << 20;

impl Server {
    async fn start() -> Self {
        let limits = Limits { asset_size_bytes: CRATE_LIMIT_BYTES, ..Limits::default() };
        let setup =
            Setup::new(&["cargo-store", "team-repo", "my-repo"]).connected_to("public:crates-io").with_limits(limits);
        let server = larder_formatkit::Server::start(CargoFormat::default(), setup, Routes::new).await;
        server.registry.put("config.json", r#"{"dl":"https://files.test/{crate}-{version}.crate"}"#);
        Self(server)
    }

    async fn call(&self, method: &str, address: &str) -> Answer {
        self.send(method, address, &[], "").await
    }

    async fn publish_to(&self, repository: &str, publish: &Publish) -> Answer {
        self.send("PUT", &format!("{repository}/api/v1/crates/new"), &[], publish.body()).await
    }

    async fn publish(&self, publish: &Publish) -> Answer {
        self.publish_to("my-repo", publish).await
    }

    /// The lines of a crate's index file.
    async fn lines(&self, repository: &str, name: &str) -> Vec<Value> {
        let address = format!("{repository}/{}", names::index_path(name));
        let text = self.get(&address).await.expect(200).text();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

trait Detail {
    /// The sentence of a refusal that cargo prints.
    fn detail(&self) -> String;
}

impl Detail for Answer {
    #[track_caller]
    fn detail(&self) -> String {
        self.json()["errors"][0]["detail"].as_str().unwrap_or_else(|| panic!("no detail: {}", self.text())).to_owned()
    }
}

/// A publish; a correct one unless a test changes it.
#[derive(Clone)]
struct Publish {
    json: Value,
    file: Vec<u8>,
}

impl Publish {
    fn new(name: &str, version: &str) -> Self {
        let json = json!({"name": name, "vers": version, "deps": [], "features": {}, "authors": [], "description": "d",
            "documentation": null, "homepage": null, "readme": "# Read me", "readme_file": "README.md", "keywords": [],
            "categories": [], "license": "MIT", "license_file": null, "repository": null, "badges": {}, "links": null,
            "rust_version": null});
        Self { json, file: crate_file(name, version) }
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.json[member] = value;
        self
    }

    fn with_file(mut self, file: impl Into<Vec<u8>>) -> Self {
        self.file = file.into();
        self
    }

    fn body(&self) -> Vec<u8> {
        frame(self.json.to_string().as_bytes(), &self.file)
    }
}

fn frame(json: &[u8], file: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    [&length(json)[..], json, &length(file), file].concat()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Puts a version with a member that nobody knows into the public registry; answers its line.
fn offer(registry: &Registry, name: &str, version: &str) -> String {
    let file = crate_file(name, version);
    let line = format!(
        r#"{{"name": "{name}", "vers": "{version}", "deps": [], "cksum": "{}", "features": {{}}, "yanked": false, "new_member": [1.50], "pubtime": "2024-05-06T07:08:09Z"}}"#,
        sha256(&file)
    );
    registry.put(&format!("https://files.test/{name}-{version}.crate"), file);
    registry.edit(&names::index_path(name), |lines| lines.push_str(&format!("{line}\n")));
    line
}
