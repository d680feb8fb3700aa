//! The Maven tree of the registry: files that a test made, beside recorded ones in the layout of Maven's local repository.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use md5::Md5;
use sha1::{Digest as _, Sha1};

use crate::{runner, tools};

const METADATA: &str = "maven-metadata.xml";

/// Files by path, and versions by `group/artifact`.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    versions: BTreeMap<String, Vec<String>>,
    /// `Last-Modified` of files.
    pub(crate) dates: BTreeMap<String, String>,
    /// `lastUpdated` of `group/artifact`.
    pub(crate) updated: BTreeMap<String, String>,
    /// The folder of the recorded artifacts.
    pub(crate) recording: Option<PathBuf>,
}

/// The folder of the recording. Skips the test if there is none.
pub(crate) fn recording() -> PathBuf {
    let folder = tools::folder().join("maven");
    if !folder.join("complete").is_file() {
        runner::skip("Maven's artifacts could not be recorded, see `cargo xtask clients`");
    }
    folder.join("repository")
}

impl Tree {
    pub(crate) fn add(&mut self, group: &str, artifact: &str, version: &str, rest: &str, bytes: Vec<u8>) {
        let package = format!("{}/{artifact}", group.replace('.', "/"));
        self.files.insert(format!("{package}/{version}/{artifact}-{version}{rest}"), bytes);
        let versions = self.versions.entry(package).or_default();
        if !versions.iter().any(|known| known == version) {
            versions.push(version.to_owned());
        }
    }

    pub(crate) fn date(&self, path: &str) -> Option<String> {
        let file = path.strip_suffix(".sha1").or_else(|| path.strip_suffix(".md5")).unwrap_or(path);
        self.dates.get(file).cloned()
    }

    /// A file, its checksum, or the metadata made of what is there.
    pub(crate) fn find(&self, path: &str) -> Option<Vec<u8>> {
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        if let Some(of) = path.strip_suffix(".sha1") {
            return Some(hex::encode(Sha1::digest(self.find(of)?)).into_bytes());
        }
        if let Some(of) = path.strip_suffix(".md5") {
            return Some(hex::encode(Md5::digest(self.find(of)?)).into_bytes());
        }
        if let Some(package) = path.strip_suffix(METADATA) {
            return self.metadata(package.trim_end_matches('/'));
        }
        self.files.get(path).cloned().or_else(|| fs::read(self.recording.as_ref()?.join(path)).ok())
    }

    fn metadata(&self, package: &str) -> Option<Vec<u8>> {
        let (group, artifact) = package.rsplit_once('/')?;
        let mut versions = self.versions.get(package).cloned().unwrap_or_default();
        if let Some(recording) = &self.recording {
            versions.extend(recorded_versions(&recording.join(package), artifact));
        }
        if versions.is_empty() {
            return None;
        }
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata><groupId>{}</groupId><artifactId>{artifact}</artifactId>\
             <versioning><versions>",
            group.replace('/', ".")
        );
        for version in versions {
            let _ = write!(text, "<version>{version}</version>");
        }
        let updated = self.updated.get(package).map_or("20200101000000", String::as_str);
        let _ = writeln!(text, "</versions><lastUpdated>{updated}</lastUpdated></versioning></metadata>");
        Some(text.into_bytes())
    }
}

fn recorded_versions(folder: &Path, artifact: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut versions: Vec<String> =
        names.filter(|version| folder.join(version).join(format!("{artifact}-{version}.pom")).is_file()).collect();
    versions.sort();
    versions
}
