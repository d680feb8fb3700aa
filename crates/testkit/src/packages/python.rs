//! Python distributions and the form that uploads them.

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use base64::Engine;
use sha2::Digest;
use zip::write::SimpleFileOptions;

use super::{md5, sha256, tarball_of};

/// A project with one module, named like the project.
#[derive(Debug, Clone)]
#[must_use]
pub struct PythonPackage {
    pub name: String,
    pub version: String,
    metadata: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

/// A distribution file.
#[derive(Debug, Clone)]
pub struct PythonFile {
    pub name: String,
    pub bytes: Vec<u8>,
    /// `bdist_wheel` or `sdist`.
    pub filetype: &'static str,
    /// `py3` or `source`.
    pub pyversion: &'static str,
}

impl PythonPackage {
    pub fn new(name: &str, version: &str) -> Self {
        let module = name.replace(['-', '.'], "_").to_lowercase();
        let code = format!("NAME = {name:?}\nVERSION = {version:?}\n");
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            metadata: Vec::new(),
            files: vec![(format!("{module}.py"), code.into_bytes())],
        }
    }

    /// Adds a line to the core metadata, such as `Requires-Python`.
    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.metadata.push((field.to_owned(), value.to_owned()));
        self
    }

    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    /// The name as it stands in file names.
    #[must_use]
    pub fn file_stem(&self) -> String {
        self.name.replace(['-', '.'], "_").to_lowercase()
    }

    /// The core metadata, as `METADATA` and `PKG-INFO` hold it.
    #[must_use]
    pub fn core_metadata(&self) -> String {
        let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        let _ = write!(text, "Summary: the project {}\nLicense: MIT\n", self.name);
        for (field, value) in &self.metadata {
            let _ = writeln!(text, "{field}: {value}");
        }
        text + "Description-Content-Type: text/markdown\n\n# Read me\n"
    }

    #[must_use]
    pub fn wheel(&self) -> PythonFile {
        let info = format!("{}-{}.dist-info", self.file_stem(), self.version);
        let wheel = "Wheel-Version: 1.0\nGenerator: larder\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let mut entries = self.files.clone();
        entries.push((format!("{info}/METADATA"), self.core_metadata().into_bytes()));
        entries.push((format!("{info}/WHEEL"), wheel.as_bytes().to_vec()));
        let record = record_of(&entries, &info);
        entries.push((format!("{info}/RECORD"), record.into_bytes()));
        PythonFile {
            name: format!("{}-{}-py3-none-any.whl", self.file_stem(), self.version),
            bytes: zip_of(&entries),
            filetype: "bdist_wheel",
            pyversion: "py3",
        }
    }

    #[must_use]
    pub fn sdist(&self) -> PythonFile {
        let top = format!("{}-{}", self.file_stem(), self.version);
        let mut entries = vec![(format!("{top}/PKG-INFO"), self.core_metadata().into_bytes())];
        entries.push((format!("{top}/pyproject.toml"), self.pyproject().into_bytes()));
        entries.extend(self.files.iter().map(|(name, bytes)| (format!("{top}/{name}"), bytes.clone())));
        PythonFile {
            name: format!("{top}.tar.gz"),
            bytes: tarball_of(&entries),
            filetype: "sdist",
            pyversion: "source",
        }
    }

    fn pyproject(&self) -> String {
        let modules = self.files.iter().filter_map(|(name, _)| name.strip_suffix(".py"));
        let modules: Vec<String> = modules.map(|name| format!("{name:?}")).collect();
        format!(
            "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
             [project]\nname = {:?}\nversion = {:?}\ndescription = \"the project {}\"\n\n\
             [tool.setuptools]\npy-modules = [{}]\n",
            self.name,
            self.version,
            self.name,
            modules.join(", ")
        )
    }

    /// The fields and the file of the form that uploads a file, in twine's words.
    #[must_use]
    pub fn form(&self, file: &PythonFile) -> Vec<(String, String)> {
        let mut fields = vec![
            (":action", "file_upload".to_owned()),
            ("protocol_version", "1".to_owned()),
            ("filetype", file.filetype.to_owned()),
            ("pyversion", file.pyversion.to_owned()),
            ("metadata_version", "2.1".to_owned()),
            ("name", self.name.clone()),
            ("version", self.version.clone()),
            ("summary", format!("the project {}", self.name)),
            ("md5_digest", md5(&file.bytes)),
            ("sha256_digest", sha256(&file.bytes)),
        ];
        for (field, value) in &self.metadata {
            if field == "Requires-Python" {
                fields.push(("requires_python", value.clone()));
            }
        }
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Writes a project folder with a `pyproject.toml` for setuptools.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_to(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder for the project");
        fs::write(folder.join("pyproject.toml"), self.pyproject()).expect("pyproject.toml");
        for (name, bytes) in &self.files {
            fs::write(folder.join(name), bytes).expect("a module");
        }
    }

    /// Writes wheel and sdist into a folder, as a build would.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn write_dist(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder for the distributions");
        for file in [self.wheel(), self.sdist()] {
            fs::write(folder.join(&file.name), &file.bytes).expect("a distribution");
        }
    }
}

fn record_of(entries: &[(String, Vec<u8>)], info: &str) -> String {
    let mut record = String::new();
    for (name, bytes) in entries {
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes));
        let _ = writeln!(record, "{name},sha256={hash},{}", bytes.len());
    }
    record + &format!("{info}/RECORD,,\n")
}

/// A zip archive of regular files.
///
/// # Panics
/// If an entry cannot be written, such as one whose name is there already.
#[must_use]
pub fn zip_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in entries {
        writer.start_file(name.as_str(), options).expect("an entry");
        writer.write_all(bytes).expect("writing to memory");
    }
    writer.finish().expect("writing to memory").into_inner()
}

/// A `multipart/form-data` body with one file part named `content`: content type and bytes.
#[must_use]
pub fn multipart(fields: &[(String, String)], file: Option<(&str, &[u8])>) -> (String, Vec<u8>) {
    let boundary = "larder-test-boundary-7d1f";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    if let Some((name, bytes)) = file {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}
