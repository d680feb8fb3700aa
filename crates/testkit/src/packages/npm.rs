//! npm packages.

use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use super::{integrity, sha1};

/// A package with an `index.js`, a README and what the test adds.
#[derive(Debug, Clone)]
#[must_use]
pub struct NpmPackage {
    pub name: String,
    pub version: String,
    manifest: Map<String, Value>,
    files: Vec<(String, Vec<u8>)>,
}

impl NpmPackage {
    pub fn new(name: &str, version: &str) -> Self {
        let mut manifest = Map::new();
        manifest.insert("name".into(), name.into());
        manifest.insert("version".into(), version.into());
        manifest.insert("description".into(), format!("the package {name}").into());
        manifest.insert("license".into(), "MIT".into());
        manifest.insert("main".into(), "index.js".into());
        let code = format!("module.exports = {:?};\n", format!("{name}@{version}"));
        let readme = format!("# {name}\n");
        let files = vec![("index.js".into(), code.into_bytes()), ("README.md".into(), readme.into_bytes())];
        Self { name: name.to_owned(), version: version.to_owned(), manifest, files }
    }

    /// Sets a member of `package.json`.
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.manifest.insert(member.to_owned(), value);
        self
    }

    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    #[must_use]
    pub fn manifest(&self) -> Value {
        Value::Object(self.manifest.clone())
    }

    /// The name without its scope.
    #[must_use]
    pub fn basename(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// `basename-version.tgz`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}.tgz", self.basename(), self.version)
    }

    #[must_use]
    pub fn tarball(&self) -> Vec<u8> {
        let mut entries = vec![("package/package.json".to_owned(), self.manifest().to_string().into_bytes())];
        entries.extend(self.files.iter().map(|(name, bytes)| (format!("package/{name}"), bytes.clone())));
        tarball_of(&entries)
    }

    /// The entry of `versions` in a packument that lists the package at `tarball_url`.
    #[must_use]
    pub fn version_entry(&self, tarball_url: &str) -> Value {
        let tarball = self.tarball();
        let mut entry = self.manifest.clone();
        entry.insert("_id".into(), format!("{}@{}", self.name, self.version).into());
        entry.insert(
            "dist".into(),
            json!({"tarball": tarball_url, "shasum": sha1(&tarball), "integrity": integrity(&tarball)}),
        );
        Value::Object(entry)
    }

    /// What `npm publish` sends.
    #[must_use]
    pub fn publish_body(&self) -> Value {
        let tarball = self.tarball();
        let attachment = format!("{}-{}.tgz", self.name, self.version);
        json!({
            "_id": self.name,
            "name": self.name,
            "description": self.manifest["description"],
            "dist-tags": {"latest": self.version},
            "versions": {(self.version.as_str()): self.version_entry("http://placeholder.invalid/x.tgz")},
            "access": null,
            "readme": format!("# {}\n", self.name),
            "_attachments": {(attachment): {
                "content_type": "application/octet-stream",
                "data": base64::engine::general_purpose::STANDARD.encode(&tarball),
                "length": tarball.len(),
            }},
        })
    }

    /// Writes the package as a folder that `npm publish` can be run in.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_to(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder for the package");
        let manifest = serde_json::to_string_pretty(&self.manifest).expect("JSON");
        fs::write(folder.join("package.json"), manifest + "\n").expect("package.json");
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder)).expect("a folder of the package");
            fs::write(path, bytes).expect("a file of the package");
        }
    }
}

/// A gzipped tar of regular files. Names go in as they are, so that a test can send what no packer would write.
///
/// # Panics
/// Never: it is written to memory.
#[must_use]
pub fn tarball_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        let field = &mut header.as_old_mut().name;
        let length = name.len().min(field.len());
        field[..length].copy_from_slice(&name.as_bytes()[..length]);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(499_162_500);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&tar).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}
