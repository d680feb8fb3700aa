//! `maven-metadata.xml` (protocol reference 3.4): read strictly, written from what is stored.

use larder_core::error::Invalid;
use larder_core::model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::xml::{Element, escape};

/// The largest metadata file that is read, in bytes.
pub(crate) const LIMIT_BYTES: usize = 10 << 20;

/// What a metadata file says, at whichever level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MavenMetadata {
    pub(crate) group: Option<String>,
    pub(crate) artifact: Option<String>,
    /// Of the version level only.
    pub(crate) version: Option<String>,
    pub(crate) versions: Vec<String>,
    /// `yyyyMMddHHmmss`
    pub(crate) last_updated: Option<String>,
    pub(crate) snapshot: Option<SnapshotBuild>,
    pub(crate) snapshot_versions: Vec<SnapshotVersion>,
    pub(crate) plugins: Vec<Plugin>,
}

/// The newest build of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotBuild {
    /// `yyyyMMdd.HHmmss`; absent where builds have no names of their own.
    pub(crate) timestamp: Option<String>,
    pub(crate) number: Option<u32>,
}

/// Which build the newest file of a kind is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotVersion {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) classifier: String,
    pub(crate) extension: String,
    /// `1.0-20261122.192108-1`
    pub(crate) value: String,
    /// `yyyyMMddHHmmss`
    pub(crate) updated: String,
}

/// A plugin that can be called by its prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plugin {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) artifact: String,
}

impl MavenMetadata {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Invalid`] saying why it is none.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, Invalid> {
        let root = Element::parse(document)?;
        if root.name != "metadata" {
            return Err(Invalid::new("its root element is not 'metadata'"));
        }
        let owned = |element: &Element, name: &str| element.value(name).map(str::to_owned);
        let nothing = Element::default();
        let versioning = root.child("versioning").unwrap_or(&nothing);
        let snapshot_version = |entry: &Element| {
            Some(SnapshotVersion {
                classifier: entry.value("classifier").unwrap_or_default().to_owned(),
                extension: entry.value("extension")?.to_owned(),
                value: entry.value("value")?.to_owned(),
                updated: entry.value("updated").unwrap_or_default().to_owned(),
            })
        };
        let plugin = |entry: &Element| {
            Some(Plugin {
                name: entry.value("name").unwrap_or_default().to_owned(),
                prefix: entry.value("prefix")?.to_owned(),
                artifact: entry.value("artifactId")?.to_owned(),
            })
        };
        Ok(Self {
            group: owned(&root, "groupId"),
            artifact: owned(&root, "artifactId"),
            version: owned(&root, "version"),
            versions: versioning
                .items("versions", "version")
                .map(|version| version.text.clone())
                .filter(|version| !version.is_empty())
                .collect(),
            last_updated: owned(versioning, "lastUpdated").filter(|text| is_time(text)),
            snapshot: versioning.child("snapshot").map(|snapshot| SnapshotBuild {
                timestamp: owned(snapshot, "timestamp"),
                number: snapshot.value("buildNumber").and_then(|number| number.parse().ok()),
            }),
            snapshot_versions: versioning
                .items("snapshotVersions", "snapshotVersion")
                .filter_map(snapshot_version)
                .collect(),
            plugins: root.items("plugins", "plugin").filter_map(plugin).collect(),
        })
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit())
}

/// An instant as `lastUpdated` has it: `yyyyMMddHHmmss`, UTC.
pub(crate) fn time(instant: Timestamp) -> String {
    instant.rfc3339().bytes().filter(u8::is_ascii_digit).take(14).map(char::from).collect()
}

/// Reads such a time, in UTC; `None` if it is none.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| &text[from..to];
    let (date, time) = ([part(0, 4), part(4, 6), part(6, 8)], [part(8, 10), part(10, 12), part(12, 14)]);
    Timestamp::parse_rfc3339(&format!("{}T{}Z", date.join("-"), time.join(":")))
}

/// Writes one file.
struct Writer(String);

impl Writer {
    fn new(attributes: &str) -> Self {
        Self(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata{attributes}>\n"))
    }

    fn leaf(&mut self, depth: usize, name: &str, text: &str) {
        self.0.push_str(&format!("{:1$}<{name}>{2}</{name}>\n", "", depth * 2, escape(text)));
    }

    fn line(&mut self, depth: usize, line: &str) {
        self.0.push_str(&format!("{:1$}{line}\n", "", depth * 2));
    }

    fn finish(mut self) -> String {
        self.0.push_str("</metadata>\n");
        self.0
    }
}

/// The file of an artifact. `versions` ascend.
pub(crate) fn write_artifact(group: &str, artifact: &str, versions: &[String], last_updated: &str) -> String {
    let mut out = Writer::new("");
    out.leaf(1, "groupId", group);
    out.leaf(1, "artifactId", artifact);
    out.line(1, "<versioning>");
    if let Some(latest) = versions.last() {
        out.leaf(2, "latest", latest);
    }
    if let Some(release) = versions.iter().rev().find(|version| !crate::names::is_snapshot(version)) {
        out.leaf(2, "release", release);
    }
    out.line(2, "<versions>");
    for version in versions {
        out.leaf(3, "version", version);
    }
    out.line(2, "</versions>");
    out.leaf(2, "lastUpdated", last_updated);
    out.line(1, "</versioning>");
    out.finish()
}

/// A snapshot as its file shows it.
pub(crate) struct Snapshot<'a> {
    pub(crate) group: &'a str,
    pub(crate) artifact: &'a str,
    /// `1.0-SNAPSHOT`
    pub(crate) version: &'a str,
    pub(crate) build: crate::names::Build<'a>,
    pub(crate) last_updated: &'a str,
    pub(crate) files: &'a [SnapshotVersion],
}

/// The file of a snapshot.
pub(crate) fn write_snapshot(snapshot: &Snapshot<'_>) -> String {
    let mut out = Writer::new(" modelVersion=\"1.1.0\"");
    out.leaf(1, "groupId", snapshot.group);
    out.leaf(1, "artifactId", snapshot.artifact);
    out.leaf(1, "version", snapshot.version);
    out.line(1, "<versioning>");
    out.line(2, "<snapshot>");
    out.leaf(3, "timestamp", snapshot.build.timestamp);
    out.leaf(3, "buildNumber", &snapshot.build.number.to_string());
    out.line(2, "</snapshot>");
    out.leaf(2, "lastUpdated", snapshot.last_updated);
    out.line(2, "<snapshotVersions>");
    for file in snapshot.files {
        out.line(3, "<snapshotVersion>");
        if !file.classifier.is_empty() {
            out.leaf(4, "classifier", &file.classifier);
        }
        out.leaf(4, "extension", &file.extension);
        out.leaf(4, "value", &file.value);
        out.leaf(4, "updated", &file.updated);
        out.line(3, "</snapshotVersion>");
    }
    out.line(2, "</snapshotVersions>");
    out.line(1, "</versioning>");
    out.finish()
}

/// The file of a group.
pub(crate) fn write_group(plugins: &[Plugin]) -> String {
    let mut out = Writer::new("");
    out.line(1, "<plugins>");
    for plugin in plugins {
        out.line(2, "<plugin>");
        let name = if plugin.name.is_empty() { &plugin.artifact } else { &plugin.name };
        out.leaf(3, "name", name);
        out.leaf(3, "prefix", &plugin.prefix);
        out.leaf(3, "artifactId", &plugin.artifact);
        out.line(2, "</plugin>");
    }
    out.line(1, "</plugins>");
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Build;

    #[test]
    fn an_artifact_s_file_is_read_back() {
        let versions: Vec<String> = ["1.0", "1.1", "1.2-SNAPSHOT"].map(str::to_owned).into();
        let text = write_artifact("g.h", "a", &versions, "20261122192112");
        assert!(text.contains("<latest>1.2-SNAPSHOT</latest>") && text.contains("<release>1.1</release>"), "{text}");
        let read = MavenMetadata::parse(text.as_bytes()).unwrap();
        assert_eq!((read.group.as_deref(), read.artifact.as_deref()), (Some("g.h"), Some("a")));
        assert_eq!((read.versions, read.last_updated.as_deref()), (versions, Some("20261122192112")));
    }

    #[test]
    fn a_snapshot_s_file_is_read_back() {
        let entry = |classifier: &str, extension: &str| SnapshotVersion {
            classifier: classifier.to_owned(),
            extension: extension.to_owned(),
            value: "1.0-20261122.192112-2".to_owned(),
            updated: "20261122192112".to_owned(),
        };
        let files = [entry("", "pom"), entry("bin", "tar.gz")];
        let text = write_snapshot(&Snapshot {
            group: "g",
            artifact: "a",
            version: "1.0-SNAPSHOT",
            build: Build { timestamp: "20261122.192112", number: 2 },
            last_updated: "20261122192112",
            files: &files,
        });
        let read = MavenMetadata::parse(text.as_bytes()).unwrap();
        assert_eq!((read.snapshot_versions, read.version.as_deref()), (files.to_vec(), Some("1.0-SNAPSHOT")));
        let build = SnapshotBuild { timestamp: Some("20261122.192112".to_owned()), number: Some(2) };
        assert_eq!(read.snapshot, Some(build));
    }

    #[test]
    fn a_group_s_file_is_read_back() {
        let plugins =
            [Plugin { name: "A & B".to_owned(), prefix: "acme".to_owned(), artifact: "acme-maven-plugin".to_owned() }];
        assert_eq!(MavenMetadata::parse(write_group(&plugins).as_bytes()).unwrap().plugins, plugins);
    }

    #[test]
    fn what_is_no_metadata_is_refused() {
        for bad in ["", "<html/>", "<metadata", "<!DOCTYPE metadata><metadata/>", "{}"] {
            assert!(MavenMetadata::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(MavenMetadata::parse(b"<metadata/>"), Ok(MavenMetadata::default()));
    }

    #[test]
    fn instants_are_written_as_maven_writes_them() {
        assert_eq!(time(Timestamp(1_767_323_045_678)), "20260102030405");
    }
}
