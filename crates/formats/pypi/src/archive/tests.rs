//! Archives are built here and then broken in one place each.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::*;

mod sdists;
mod wheels;

/// A file of an archive to build.
pub(crate) type Member = (String, Vec<u8>);

pub(crate) fn core_metadata(name: &str, version: &str) -> String {
    format!(
        "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: a test\nRequires-Python: >=3.8\n\nHello\n"
    )
}

/// The members of a correct wheel, `RECORD` last.
pub(crate) fn wheel_members(name: &str, version: &str) -> Vec<Member> {
    let info = format!("{name}-{version}.dist-info");
    let mut members = vec![
        (format!("{name}.py"), b"print('hello')\n".repeat(50)),
        (format!("{info}/METADATA"), core_metadata(name, version).into_bytes()),
        (format!("{info}/WHEEL"), b"Wheel-Version: 1.0\nTag: py3-none-any\n".to_vec()),
    ];
    members.push((format!("{info}/RECORD"), record_of(&members, &info)));
    members
}

pub(crate) fn record_of(members: &[Member], info: &str) -> Vec<u8> {
    let mut record = String::new();
    for (name, bytes) in members {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        record += &format!("{name},sha256={hash},{}\n", bytes.len());
    }
    (record + &format!("{info}/RECORD,,\n")).into_bytes()
}

pub(crate) fn zip_of(members: &[Member]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A correct wheel's bytes.
pub(crate) fn wheel(name: &str, version: &str) -> Vec<u8> {
    zip_of(&wheel_members(name, version))
}

pub(crate) fn tar_gz(build: impl FnOnce(&mut tar::Builder<flate2::write::GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    build(&mut builder);
    builder.into_inner().unwrap().finish().unwrap()
}

pub(crate) fn append(builder: &mut tar::Builder<impl io::Write>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, bytes).unwrap();
}

/// A correct source distribution's bytes.
pub(crate) fn sdist(name: &str, version: &str) -> Vec<u8> {
    tar_gz(|builder| {
        append(builder, &format!("{name}-{version}/setup.py"), b"pass");
        append(builder, &format!("{name}-{version}/PKG-INFO"), core_metadata(name, version).as_bytes());
    })
}

/// Reads the bytes as an upload of project `foo` under this file name.
fn read(file_name: &str, bytes: &[u8]) -> Result<Contents, String> {
    read_within(file_name, bytes, &Limits::default())
}

fn read_within(file_name: &str, bytes: &[u8], limits: &Limits) -> Result<Contents, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let distribution = Distribution::parse(file_name, "foo").unwrap();
    read_upload(file.path(), &distribution, limits).map_err(|error| match error {
        Error::Invalid(invalid) => invalid.to_string(),
        Error::Io(error) => panic!("not the archive's fault: {error}"),
    })
}

#[track_caller]
fn refused(file_name: &str, bytes: &[u8], because: &str) {
    let refusal = read(file_name, bytes).err().unwrap_or_else(|| panic!("accepted, though: {because}"));
    assert!(refusal.contains(because), "refused with '{refusal}', not because of '{because}'");
}

#[test]
fn archives_as_other_programs_write_them_are_accepted() {
    let corpus = |path: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz-corpus");
        std::fs::read(format!("{folder}/{path}")).unwrap()
    };
    for (name, path) in [
        ("foo-1.0-py3-none-any.whl", "wheel/deflated"),
        ("foo-1.0-py3-none-any.whl", "wheel/stored"),
        // Written to a pipe: sizes follow the data.
        ("foo-1.0-py3-none-any.whl", "wheel/streamed"),
        ("foo-1.0.tar.gz", "sdist/gnu"),
        ("foo-1.0.tar.gz", "sdist/pax"),
    ] {
        assert_eq!(read(name, &corpus(path)).map(|contents| contents.metadata.get("Summary").is_some()), Ok(true));
    }
}
