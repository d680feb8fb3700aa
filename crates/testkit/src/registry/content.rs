//! What the registry serves: `/npm/`, `/pypi/` and `/maven/`, made or recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::maven::Tree;
use crate::packages::{NpmPackage, PythonFile, PythonPackage, sha256};
use crate::{runner, tools};

/// Stands in recorded documents for the address that serves them.
const PLACEHOLDER: &str = "http://registry.invalid";

/// A body and its type.
pub(crate) struct Found {
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) last_modified: Option<String>,
}

/// Everything that is served.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Documents of npm packages by decoded name.
    packuments: BTreeMap<String, Value>,
    /// Pages of Python projects by normalized name.
    pages: BTreeMap<String, Value>,
    /// Everything else by path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The folder of the recorded packages.
    pub(crate) recording: Option<PathBuf>,
    pub(crate) maven: Tree,
}

/// The folder of the recording. Skips the test if there is none.
pub(crate) fn recording() -> PathBuf {
    let folder = tools::folder().join("fixtures");
    if !folder.join("complete").is_file() {
        runner::skip("the packages of public registries could not be recorded, see `cargo xtask clients`");
    }
    folder
}

impl Content {
    pub(crate) fn add_npm(&mut self, package: &NpmPackage, base: &str) {
        let tarball = format!("{}/-/{}", package.name, package.file_name());
        self.files.insert(format!("/npm/{tarball}"), package.tarball());
        let document = self.packuments.entry(package.name.clone()).or_insert_with(
            || json!({"_id": package.name, "name": package.name, "dist-tags": {}, "versions": {}, "time": {"created": "2020-01-01T00:00:00.000Z"}}),
        );
        document["versions"][&package.version] = package.version_entry(&format!("{base}{tarball}"));
        document["dist-tags"]["latest"] = json!(package.version);
        let count = document["versions"].as_object().map_or(0, Map::len);
        let time = format!("2020-01-01T{:02}:{:02}:00.000Z", count / 60 % 24, count % 60);
        document["time"][&package.version] = json!(time);
        document["time"]["modified"] = json!(time);
    }

    pub(crate) fn date_npm(&mut self, name: &str, version: &str, published_at: Option<&str>) {
        let Some(time) = self.packuments.get_mut(name).and_then(|document| document["time"].as_object_mut()) else {
            return;
        };
        match published_at {
            Some(at) => drop(time.insert(version.to_owned(), json!(at))),
            None => drop(time.shift_remove(version)),
        }
    }

    pub(crate) fn remove_npm(&mut self, name: &str, version: &str) {
        let Some(document) = self.packuments.get_mut(name) else { return };
        for member in ["versions", "time"] {
            if let Some(members) = document[member].as_object_mut() {
                members.shift_remove(version);
            }
        }
    }

    pub(crate) fn add_python(&mut self, package: &PythonPackage, file: &PythonFile) {
        let name = normalize(&package.name);
        self.files.insert(format!("/pypi/files/{}", file.name), file.bytes.clone());
        let mut listing = json!({
            "filename": file.name,
            "url": format!("../../files/{}", file.name),
            "hashes": {"sha256": sha256(&file.bytes)},
            "size": file.bytes.len(),
            "upload-time": "2020-01-01T00:00:00.000000Z",
            "yanked": false,
        });
        if file.filetype == "bdist_wheel" {
            let metadata = package.core_metadata().into_bytes();
            listing["core-metadata"] = json!({"sha256": sha256(&metadata)});
            self.files.insert(format!("/pypi/files/{}.metadata", file.name), metadata);
        }
        let requires = package.form(file).into_iter().find(|(field, _)| field == "requires_python");
        if let Some((_, requires)) = requires {
            listing["requires-python"] = json!(requires);
        }
        let page = self
            .pages
            .entry(name.clone())
            .or_insert_with(|| json!({"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": []}));
        if let Some(files) = page["files"].as_array_mut() {
            files.push(listing);
        }
        if let Some(versions) = page["versions"].as_array_mut() {
            let version = json!(package.version);
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
    }

    pub(crate) fn change_python(&mut self, project: &str, file: &str, member: &str, value: &Value) {
        let files = self.pages.get_mut(&normalize(project)).and_then(|page| page["files"].as_array_mut());
        for listing in files.into_iter().flatten().filter(|listing| listing["filename"] == file) {
            listing[member] = value.clone();
        }
    }

    pub(crate) fn set_project_status(&mut self, project: &str, status: &str) {
        if let Some(page) = self.pages.get_mut(&normalize(project)) {
            page["meta"]["api-version"] = json!("1.4");
            page["project-status"] = json!({"status": status});
        }
    }

    /// The answer to a path below this registry, whose address is `base`.
    pub(crate) fn find(&self, path: &str, base: &str) -> Option<Found> {
        let decoded = path.replace("%2f", "/").replace("%2F", "/").replace("%40", "@");
        if let Some(bytes) = self.files.get(&decoded) {
            return Some(Found { content_type: "application/octet-stream", body: bytes.clone(), last_modified: None });
        }
        if let Some(path) = decoded.strip_prefix("/maven/") {
            let last_modified = self.maven.date(path);
            let found = |body| Found { content_type: "application/octet-stream", body, last_modified };
            return self.maven.find(path).map(found);
        }
        if let Some(name) = decoded.strip_prefix("/npm/") {
            return self.find_npm(name, base);
        }
        self.find_python(decoded.strip_prefix("/pypi/")?, base)
    }

    fn find_npm(&self, name: &str, base: &str) -> Option<Found> {
        if let Some(document) = self.packuments.get(name) {
            return Some(Found {
                content_type: "application/json",
                body: document.to_string().into_bytes(),
                last_modified: None,
            });
        }
        let folder = self.recording.as_ref()?.join("npm");
        if name.contains("/-/") {
            let body = fs::read(folder.join("tarballs").join(file_name(name))).ok()?;
            return Some(Found { content_type: "application/octet-stream", body, last_modified: None });
        }
        let text = fs::read_to_string(folder.join("packuments").join(file_name(name))).ok()?;
        Some(Found {
            content_type: "application/json",
            body: text.replace(PLACEHOLDER, base).into_bytes(),
            last_modified: None,
        })
    }

    fn find_python(&self, path: &str, base: &str) -> Option<Found> {
        const JSON: &str = "application/vnd.pypi.simple.v1+json";
        if let Some(project) = path.strip_prefix("simple/").map(|rest| rest.trim_end_matches('/')) {
            if let Some(page) = self.pages.get(project) {
                return Some(Found { content_type: JSON, body: page.to_string().into_bytes(), last_modified: None });
            }
            let folder = self.recording.as_ref()?.join("pypi/pages");
            let text = fs::read_to_string(folder.join(file_name(project))).ok()?;
            return Some(Found {
                content_type: JSON,
                body: text.replace(PLACEHOLDER, base).into_bytes(),
                last_modified: None,
            });
        }
        let file = path.strip_prefix("files/")?;
        let body = fs::read(self.recording.as_ref()?.join("pypi/files").join(file_name(file))).ok()?;
        Some(Found { content_type: "application/octet-stream", body, last_modified: None })
    }
}

/// The name under which a recorded document or file is kept: no slash, and no name that means something to the system.
fn file_name(path: &str) -> String {
    format!("={}", path.replace('/', "!"))
}

/// The normalized name of a Python project (PEP 503).
fn normalize(name: &str) -> String {
    let mut normalized = String::new();
    for c in name.chars() {
        if !matches!(c, '-' | '_' | '.') {
            normalized.extend(c.to_lowercase());
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    normalized
}
