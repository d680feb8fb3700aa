//! Cargo: crates that tests make, the stand-in registry's sparse index, and a home in which cargo is logged in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use larder_testkit::packages::sha256;
use larder_testkit::server::REPOSITORY;
use larder_testkit::{Client, Registry, Request, Response, runner, tools};
use serde_json::{Value, json};

use crate::World;

/// A crate that a test makes.
#[derive(Debug, Clone)]
pub struct Crate {
    pub name: String,
    pub version: String,
    /// Lines of the manifest's `[package]`, and sections behind it.
    package: String,
    sections: String,
    files: BTreeMap<String, String>,
    /// Members of the index line.
    line: Value,
}

impl Crate {
    /// A library with a function that says what it is.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        let code = format!("pub fn who() -> &'static str {{\n    \"{name} {version}\"\n}}\n");
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            package: String::new(),
            sections: String::new(),
            files: BTreeMap::from([("src/lib.rs".to_owned(), code)]),
            line: json!({}),
        }
    }

    /// A line of `[package]`.
    #[must_use]
    pub fn package(mut self, line: &str) -> Self {
        let _ = writeln!(self.package, "{line}");
        self
    }

    /// A whole section, such as `[dependencies]`.
    #[must_use]
    pub fn section(mut self, text: &str) -> Self {
        let _ = writeln!(self.sections, "\n{text}");
        self
    }

    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// A member of the line in the stand-in's index.
    #[must_use]
    pub fn line_member(mut self, name: &str, value: Value) -> Self {
        self.line[name] = value;
        self
    }

    /// A normal dependency of the line in the stand-in's index.
    #[must_use]
    pub fn depends_on(mut self, name: &str, requirement: &str) -> Self {
        let dependency = json!({"name": name, "req": requirement, "features": [], "optional": false,
            "default_features": true, "target": null, "kind": "normal", "registry": null, "package": null});
        match self.line["deps"].as_array_mut() {
            Some(all) => all.push(dependency),
            None => self.line["deps"] = json!([dependency]),
        }
        if !self.sections.contains("[dependencies]") {
            self.sections.push_str("\n[dependencies]\n");
        }
        let _ = writeln!(self.sections, "{name} = \"{requirement}\"");
        self
    }

    #[must_use]
    pub fn manifest(&self) -> String {
        let Self { name, version, package, sections, .. } = self;
        format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\ndescription = \"{name} for tests\"\n\
             license = \"MIT\"\n{package}{sections}"
        )
    }

    /// Writes the crate's folder.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn write_to(&self, folder: &Path) {
        for (path, text) in self.files.iter().chain([(&"Cargo.toml".to_owned(), &self.manifest())]) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder)).expect("a folder of the crate");
            fs::write(path, text).expect("a file of the crate");
        }
    }

    /// The `.crate` file.
    ///
    /// # Panics
    /// Never: it is written to memory.
    #[must_use]
    pub fn archive(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text) in self.files.iter().chain([(&"Cargo.toml".to_owned(), &self.manifest())]) {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            let path = format!("{}-{}/{path}", self.name, self.version);
            tar.append_data(&mut header, path, text.as_bytes()).expect("an entry");
        }
        tar.into_inner().expect("a tar").finish().expect("a gzip stream")
    }

    /// The line in the stand-in's index.
    #[must_use]
    pub fn index_line(&self) -> Value {
        let mut line = json!({"name": self.name, "vers": self.version, "deps": [], "cksum": sha256(&self.archive()),
            "features": {}, "yanked": false});
        for (name, value) in self.line.as_object().into_iter().flatten() {
            line[name] = value.clone();
        }
        line
    }

    /// What `cargo publish` would send.
    #[must_use]
    pub fn publish_body(&self) -> Vec<u8> {
        let json = json!({"name": self.name, "vers": self.version, "deps": [], "features": {}, "authors": [],
            "description": "raw", "documentation": null, "homepage": null, "readme": null, "readme_file": null,
            "keywords": [], "categories": [], "license": "MIT", "license_file": null, "repository": null, "badges": {},
            "links": null, "rust_version": null});
        frame(json.to_string().as_bytes(), &self.archive())
    }
}

/// A publish of any JSON and file.
///
/// # Panics
/// If one of them has more than 4 GiB.
#[must_use]
pub fn frame(json: &[u8], file: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a short file").to_le_bytes();
    [&length(json)[..], json, &length(file), file].concat()
}

/// The path of a crate's index file.
#[must_use]
pub fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// Puts crates into the stand-in registry; those of one name have to come together, oldest first.
pub fn add_crates(registry: &Registry, crates: &[Crate]) {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for one in crates {
        let _ = writeln!(files.entry(index_path(&one.name)).or_default(), "{}", one.index_line());
        registry.replace(&download_path(&one.name, &one.version), one.archive());
    }
    for (path, lines) in files {
        registry.replace(&format!("/cargo/{path}"), lines.into_bytes());
    }
}

/// Where the stand-in registry has a crate's file.
#[must_use]
pub fn download_path(name: &str, version: &str) -> String {
    format!("/crates/{name}/{version}/download")
}

/// The folder of the recorded crates. Skips the test if there are none.
#[must_use]
pub fn recording() -> PathBuf {
    let folder = tools::folder().join("crates");
    if !folder.join("complete").is_file() {
        runner::skip("the crates of the public registry could not be recorded, see `cargo xtask clients`");
    }
    folder
}

fn add_recording(registry: &Registry) {
    let folder = recording();
    let entries = |name: &str| {
        let found = fs::read_dir(folder.join(name)).expect("a recorded folder").flatten();
        found.map(|entry| {
            let name = entry.file_name().to_string_lossy().trim_start_matches('=').to_owned();
            (name, fs::read(entry.path()).expect("a recorded file"))
        })
    };
    for (name, lines) in entries("index") {
        let path = index_path(&name);
        // The name in the lines is spelled as the crate's file is.
        let text = String::from_utf8_lossy(&lines).into_owned();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("a recorded line");
            let (spelled, version) =
                (line["name"].as_str().expect("a name"), line["vers"].as_str().expect("a version"));
            if let Ok(bytes) = fs::read(folder.join(format!("files/={spelled}-{version}.crate"))) {
                registry.replace(&download_path(spelled, version), bytes);
            }
        }
        registry.replace(&format!("/cargo/{path}"), lines);
    }
}

impl World {
    /// A world whose `my-repo` reaches a stand-in crates registry through `cargo-store`.
    #[must_use]
    pub fn cargo() -> Self {
        Self::cargo_with(Registry::start())
    }

    /// The same with the recorded crates. Skips the test if there are none.
    #[must_use]
    pub fn cargo_recorded() -> Self {
        let registry = Registry::start();
        add_recording(&registry);
        Self::cargo_with(registry)
    }

    fn cargo_with(registry: Registry) -> Self {
        let config = json!({"dl": format!("{}/crates", registry.url()), "api": registry.url()});
        registry.replace("/cargo/config.json", config.to_string().into_bytes());
        let address = format!("{}/cargo/", registry.url());
        Self::with(registry, |builder| builder.external("public:crates-io", &address))
    }

    /// A request to `my-repo` as cargo makes it. `path` follows the endpoint's slash.
    pub fn cargo_request(&self, method: &str, path: &str) -> Request {
        self.cargo_request_to(REPOSITORY, method, path)
    }

    /// The same to another repository.
    pub fn cargo_request_to(&self, repository: &str, method: &str, path: &str) -> Request {
        let target = format!("{}/{path}", self.server.path("cargo", repository));
        self.server.request(method, &target).header("authorization", &*self.token)
    }

    /// Publishes over raw HTTP what `cargo publish` would send.
    #[must_use]
    pub fn publish_crate(&self, one: &Crate) -> Response {
        self.cargo_request("PUT", "api/v1/crates/new").body(one.publish_body()).send()
    }

    /// The lines of a crate's index file in `my-repo`.
    ///
    /// # Panics
    /// If there is no such file.
    #[must_use]
    pub fn index_lines(&self, name: &str) -> Vec<Value> {
        let text = self.cargo_request("GET", &index_path(name)).send().expect(200).text();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The index as cargo has it configured: `sparse+http://…/cargo/my-repo/`.
    #[must_use]
    pub fn cargo_index(&self) -> String {
        format!("sparse+{}", self.server.endpoint("cargo", REPOSITORY))
    }

    /// A home in which cargo takes every crate from `my-repo` and is logged in to it.
    #[must_use]
    pub fn cargo_client(&self) -> Client {
        let client = self.cargo_client_without_token();
        client.write(".cargo/credentials.toml", format!("[registries.larder]\ntoken = \"{}\"\n", self.token));
        client
    }

    /// The same before `cargo login`.
    #[must_use]
    pub fn cargo_client_without_token(&self) -> Client {
        self.cargo_client_of(REPOSITORY, "[\"cargo:token\"]")
    }

    /// A home whose cargo takes every crate from a repository, with this credential provider (TOML).
    #[must_use]
    pub fn cargo_client_of(&self, repository: &str, provider: &str) -> Client {
        let mut client = Client::new(&self.server);
        let own = tools::folder().join("bin");
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let folders = [toolchain().join("bin"), own].into_iter().chain(std::env::split_paths(&machine));
        client.set("PATH", &std::env::join_paths(folders).unwrap_or_default().to_string_lossy());
        client.set("CARGO_INCREMENTAL", "0");
        // Whatever would leave this machine fails at once instead.
        client.set("HTTPS_PROXY", "http://127.0.0.1:9");
        client.write(
            ".cargo/config.toml",
            format!(
                "[registries.larder]\nindex = \"sparse+{}\"\ncredential-provider = {provider}\n\n\
                 [registry]\ndefault = \"larder\"\n\n[source.crates-io]\nreplace-with = \"larder\"\n\n\
                 [net]\nretry = 1\n\n[profile.dev]\ndebug = false\n",
                self.server.endpoint("cargo", repository)
            ),
        );
        client
    }
}

/// The toolchain that the machine's cargo belongs to; a clean home has no configuration for a tool that chooses one.
fn toolchain() -> &'static Path {
    static SYSROOT: OnceLock<PathBuf> = OnceLock::new();
    SYSROOT.get_or_init(|| {
        let output = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc is installed");
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    })
}
