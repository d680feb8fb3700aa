//! Swift packages, and the form in which SwiftPM publishes them.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;

/// SwiftPM takes a new UUID for each publish.
const BOUNDARY: &str = "2E5B6C1A-7D3F-4F0E-9A55-0B7C1D2E3F40";

/// A package of one library with what the test adds.
#[derive(Debug, Clone)]
#[must_use]
pub struct SwiftPackage {
    pub scope: String,
    pub name: String,
    pub version: String,
    files: Vec<(String, Vec<u8>)>,
    links: Vec<(String, String)>,
    metadata: Option<String>,
    signatures: Option<(Vec<u8>, Option<Vec<u8>>)>,
    archive: Option<Vec<u8>>,
    file_names: bool,
}

impl SwiftPackage {
    /// `identifier` is `scope.Name`.
    pub fn new(identifier: &str, version: &str) -> Self {
        let (scope, name) = identifier.split_once('.').unwrap_or(("", identifier));
        let package = Self {
            scope: scope.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            files: Vec::new(),
            links: Vec::new(),
            metadata: None,
            signatures: None,
            archive: None,
            file_names: false,
        };
        let manifest = format!(
            "// swift-tools-version:5.9\nimport PackageDescription\nlet package = Package(name: \"{name}\", products: \
             [.library(name: \"{name}\", targets: [\"{name}\"])], targets: [.target(name: \"{name}\")])\n"
        );
        let source = format!("public let version = \"{version}\"\n");
        package
            .file("Package.swift", manifest)
            .file(&format!("Sources/{name}/{name}.swift"), source)
            .file("README.md", format!("# {name}\n"))
    }

    /// Adds or replaces a file below the top folder.
    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let path = format!("{}/{name}", self.name);
        self.files.retain(|(have, _)| *have != path);
        self.files.push((path, bytes.into()));
        self
    }

    /// Adds a file under this very name, wherever it leads.
    pub fn entry(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), bytes.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        let path = format!("{}/{name}", self.name);
        self.files.retain(|(have, _)| *have != path);
        self
    }

    /// Adds a symbolic link below the top folder.
    pub fn link(mut self, name: &str, target: &str) -> Self {
        self.links.push((format!("{}/{name}", self.name), target.to_owned()));
        self
    }

    /// Takes these bytes for the source archive.
    pub fn with_archive(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.archive = Some(bytes.into());
        self
    }

    pub fn metadata(mut self, json: impl Into<String>) -> Self {
        self.metadata = Some(json.into());
        self
    }

    /// Signatures of the archive and, if there is any, the metadata.
    pub fn signed(mut self, archive: impl Into<Vec<u8>>, metadata: Option<Vec<u8>>) -> Self {
        self.signatures = Some((archive.into(), metadata));
        self
    }

    /// Gives every part of the form a file name, as curl does and SwiftPM does not.
    pub fn with_file_names(mut self) -> Self {
        self.file_names = true;
        self
    }

    /// `scope/Name/version`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.scope, self.name, self.version)
    }

    /// What `git archive --format zip --prefix NAME/` makes.
    ///
    /// # Panics
    /// If a zip cannot be made of the files.
    #[must_use]
    pub fn archive(&self) -> Vec<u8> {
        if let Some(bytes) = &self.archive {
            return bytes.clone();
        }
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.files {
            zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
            zip.write_all(bytes).expect("its bytes");
        }
        for (name, target) in &self.links {
            zip.add_symlink(name, target, SimpleFileOptions::default()).expect("a link");
        }
        zip.finish().expect("the end").into_inner()
    }

    /// The body of SwiftPM's publish, byte for byte, and its headers, in their order.
    #[must_use]
    pub fn publish_form(&self) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let mut body = Vec::new();
        let mut part = |name: &str, media_type: &str, coding: &str, bytes: &[u8]| {
            let mut head = String::new();
            if !body.is_empty() {
                head.push_str("\r\n");
            }
            let _ = write!(head, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            if self.file_names {
                let _ = write!(head, "; filename=\"{name}\"");
            }
            let _ = write!(head, "\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
        };
        part("source-archive", "application/zip", "binary", &self.archive());
        if let Some((signature, _)) = &self.signatures {
            part("source-archive-signature", "application/octet-stream", "binary", signature);
        }
        if let Some(metadata) = &self.metadata {
            part("metadata", "application/json", "quoted-printable", metadata.as_bytes());
        }
        if let Some((_, Some(signature))) = &self.signatures {
            part("metadata-signature", "application/octet-stream", "binary", signature);
        }
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let mut headers = vec![
            ("Content-Type", format!("multipart/form-data;boundary=\"{BOUNDARY}\"")),
            ("Accept", "application/vnd.swift.registry.v1+json".to_owned()),
            ("Expect", "100-continue".to_owned()),
            ("Prefer", "respond-async".to_owned()),
        ];
        if self.signatures.is_some() {
            headers.push(("X-Swift-Package-Signature-Format", "cms-1.0.0".to_owned()));
        }
        (headers, body)
    }
}
