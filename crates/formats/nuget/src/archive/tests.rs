//! Packages are built here and then broken in one place each.

use std::io::{Cursor, Write as _};

use super::*;
use crate::nuspec::tests::manifest;
use crate::pdb::tests::portable;

/// A file of an archive to build.
pub(crate) type Member<'a> = (&'a str, Vec<u8>);

pub(crate) fn zip_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A correct package.
pub(crate) fn package(id: &str, version: &str) -> Vec<u8> {
    package_with(&manifest(id, version, ""), &[])
}

pub(crate) fn package_with(manifest: &str, more: &[Member<'_>]) -> Vec<u8> {
    let mut members = vec![
        ("_rels/.rels", b"<x/>".to_vec()),
        ("Acme.Lib.nuspec", manifest.as_bytes().to_vec()),
        ("lib/net6.0/Acme%20Lib.dll", b"MZ".repeat(500)),
        ("[Content_Types].xml", b"<Types/>".to_vec()),
    ];
    members.extend_from_slice(more);
    zip_of(&members)
}

fn in_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(file.path())
}

fn read(bytes: &[u8]) -> Result<Contents, String> {
    in_file(bytes, |path| read_package(path, &Limits::default())).map_err(|error| match error {
        Error::Invalid(invalid) => invalid.to_string(),
        Error::Io(error) => panic!("{error}"),
    })
}

#[test]
fn a_package_is_read_with_its_readme() {
    let text = manifest("Acme.Lib", "1.0", "<readme>docs\\Read Me.md</readme><icon>icon.png</icon>");
    let more = [("docs/Read%20Me.md", b"# Acme".to_vec()), ("icon.png", vec![1])];
    let contents = read(&package_with(&text, &more)).unwrap();
    assert_eq!((contents.manifest.version.as_str(), contents.readme.as_deref()), ("1.0.0", Some("# Acme")));
    assert_eq!(contents.manifest_bytes, text.as_bytes());
}

#[test]
fn every_broken_package_is_refused_with_a_reason() {
    let good = manifest("Acme.Lib", "1.0.0", "");
    let bomb = zip_of(&[("a.nuspec", good.clone().into_bytes()), ("zeros", vec![0; 80 << 20])]);
    let mut flipped = package("Acme.Lib", "1.0.0");
    flipped[120] ^= 0xff;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("not a zip", b"<html>".to_vec(), "not a zip"),
        ("truncated", package("A", "1.0.0")[..400].to_vec(), "not a zip"),
        ("no manifest", zip_of(&[("lib/a.dll", vec![1])]), "no .nuspec"),
        ("manifest below the top", zip_of(&[("x/a.nuspec", good.clone().into_bytes())]), "no .nuspec"),
        ("two manifests", package_with(&good, &[("Other.nuspec", good.clone().into_bytes())]), "more than one .nuspec"),
        ("no XML", package_with("{}", &[]), "well-formed"),
        ("a DTD", package_with("<!DOCTYPE x [<!ENTITY a 'b'>]><package/>", &[]), "DTD"),
        ("no version", package_with(&manifest("A", "", ""), &[]), "no <version>"),
        ("a bad version", package_with(&manifest("A", "one", ""), &[]), "not a NuGet version"),
        ("a bad id", package_with(&manifest("A..B", "1.0.0", ""), &[]), "not a package id"),
        ("traversal", package_with(&good, &[("../evil", vec![1])]), "not a plain path"),
        ("escaped traversal", package_with(&good, &[("lib/%2e%2e/%2e%2e/evil", vec![1])]), "not a plain path"),
        ("an absolute path", package_with(&good, &[("/etc/passwd", vec![1])]), "not a plain path"),
        ("case twins", package_with(&good, &[("LIB/net6.0/acme lib.DLL", vec![1])]), "two entries"),
        ("a bomb", bomb, "times its size"),
        ("a missing README", package_with(&manifest("A", "1.0.0", "<readme>a.md</readme>"), &[]), "readme file 'a.md'"),
        ("a missing icon", package_with(&manifest("A", "1.0.0", "<icon>i.png</icon>"), &[]), "icon file"),
        (
            "a missing licence",
            package_with(&manifest("A", "1.0.0", "<license type='file'>L</license>"), &[]),
            "license file",
        ),
        ("a flipped byte", flipped, ""),
    ];
    for (what, bytes, reason) in cases {
        let refused = read(&bytes).expect_err(what);
        assert!(refused.contains(reason), "{what}: {refused}");
    }
}

#[test]
fn what_a_registry_sent_without_a_digest_has_to_be_the_package_that_was_asked_for() {
    let key = names::package_key("Acme.Lib").unwrap();
    let version = VersionText::new("1.0.0").unwrap();
    let check = |bytes: &[u8]| in_file(bytes, |path| check_sent(path, &key, &version));
    assert!(check(&package("ACME.lib", "1.0.0.0")).is_ok());
    // Old tools wrote names that no upload may have.
    assert!(check(&package_with(&manifest("Acme.Lib", "1.0", ""), &[("content\\a.txt", vec![1])])).is_ok());
    assert!(check(&package("Acme.Other", "1.0.0")).is_err() && check(&package("Acme.Lib", "1.0.1")).is_err());
    assert!(check(b"<html>").is_err());
    let good = package("Acme.Lib", "1.0.0");
    assert!(check(&good[..good.len() / 2]).is_err());
}

#[test]
fn a_symbol_package_holds_portable_debug_files_only() {
    let text = manifest("Acme.Lib", "1.0.0", "").into_bytes();
    let read = |more: &[Member<'_>]| {
        let bytes = zip_of(&[&[("Acme.Lib.nuspec", text.clone())][..], more].concat());
        in_file(&bytes, |path| read_symbols(path, &Limits::default()))
    };
    let symbols = read(&[("lib/Acme.Lib.pdb", portable([1; 16])), ("_rels/.rels", vec![])]).unwrap();
    assert_eq!(symbols.manifest.version.as_str(), "1.0.0");
    assert_eq!(symbols.metadata.files[0].id, "01".repeat(16));
    assert!(read(&[("lib/a.dll", vec![1])]).is_err() && read(&[("LICENSE", vec![1])]).is_err());
    assert!(read(&[("lib/a.pdb", b"Microsoft C/C++ MSF 7.00".to_vec())]).is_err());
    assert!(read(&[("lib/a.pdb", b"nothing".to_vec())]).is_err());
}
