//! Archives are built here and then broken in one place each.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;

use super::*;

pub(crate) const MANIFEST: &str =
    "// swift-tools-version:5.9\nimport PackageDescription\nlet package = Package(name: \"Lib\")\n";

/// A zip of files in the order given.
pub(crate) fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    zip_with_links(files, &[])
}

pub(crate) fn zip_with_links(files: &[(&str, &str)], links: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    for (name, target) in links {
        writer.add_symlink(*name, *target, SimpleFileOptions::default()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A correct source archive.
pub(crate) fn package() -> Vec<u8> {
    zip_of(&[
        ("Lib/Package.swift", MANIFEST),
        ("Lib/Sources/Lib/Lib.swift", "public let x = 1\n"),
        ("Lib/README.md", "# Lib"),
    ])
}

fn read_bytes(bytes: &[u8]) -> Result<Contents, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(file.path(), &Limits::default()).map_err(|error| match error {
        Error::Invalid(invalid) => invalid.to_string(),
        Error::Io(error) => panic!("{error}"),
    })
}

#[test]
fn manifests_and_read_me_are_taken_from_the_top_folder_only() {
    let nested = "// swift-tools-version:4.0\n";
    let bytes = zip_with_links(
        &[
            ("Lib/Examples/Package.swift", nested),
            ("Lib/Package@swift-5.10.swift", "// swift-tools-version:5.10\n"),
            ("Lib/Examples/Package@swift-5.8.swift", nested),
            ("Lib/Package.swift", MANIFEST),
            ("Lib/README.md", "# Lib"),
        ],
        &[("Lib/Sources/link", "../README.md")],
    );
    let contents = read_bytes(&bytes).unwrap();
    let found: Vec<(&str, &str)> =
        contents.manifests.iter().map(|file| (file.name.as_str(), file.tools_version.as_str())).collect();
    assert_eq!(found, [("Package.swift", "5.9"), ("Package@swift-5.10.swift", "5.10")]);
    assert_eq!(contents.manifests[0].bytes, MANIFEST.as_bytes());
    assert_eq!(contents.readme.as_deref(), Some("# Lib"));
}

#[test]
fn archives_that_are_no_package_are_refused() {
    let mut cut = package();
    cut.truncate(cut.len() - 5);
    let corrupt = {
        let mut bytes = zip_of(&[("Lib/Package.swift", MANIFEST), ("Lib/data", "0123456789abcdef0123456789abcdef")]);
        let at = bytes.windows(4).position(|window| window == b"data").unwrap() + 6;
        bytes[at] ^= 0xff;
        bytes
    };
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("no zip", b"not a zip".to_vec()),
        ("cut off", cut),
        ("trailing bytes", [package(), b"tail".to_vec()].concat()),
        ("leading bytes", [b"#!".to_vec(), package()].concat()),
        ("corrupt contents", corrupt),
        ("empty", zip_of(&[])),
        ("no top folder", zip_of(&[("Package.swift", MANIFEST)])),
        ("two top folders", zip_of(&[("Lib/Package.swift", MANIFEST), ("__MACOSX/x", "")])),
        ("a file beside the top folder", zip_of(&[("Lib/Package.swift", MANIFEST), ("x", "")])),
        ("no manifest", zip_of(&[("Lib/Sources/x.swift", "")])),
        ("a nested manifest only", zip_of(&[("Lib/Sub/Package.swift", MANIFEST)])),
        ("a manifest without its first line", zip_of(&[("Lib/Package.swift", "import PackageDescription")])),
        (
            "a variant without its first line",
            zip_of(&[("Lib/Package.swift", MANIFEST), ("Lib/Package@swift-5.swift", "x")]),
        ),
        ("a name that climbs", zip_of(&[("Lib/Package.swift", MANIFEST), ("Lib/../../x", "")])),
        ("an absolute name", zip_of(&[("Lib/Package.swift", MANIFEST), ("/etc/x", "")])),
        ("a link that climbs", zip_with_links(&[("Lib/Package.swift", MANIFEST)], &[("Lib/x", "../../etc")])),
        ("an absolute link", zip_with_links(&[("Lib/Package.swift", MANIFEST)], &[("Lib/x", "/etc/passwd")])),
        (
            "a manifest that is a link",
            zip_with_links(&[("Lib/Other.swift", MANIFEST)], &[("Lib/Package.swift", "Other.swift")]),
        ),
    ] {
        assert!(read_bytes(&bytes).is_err(), "{what}");
    }
}

#[test]
fn a_bomb_is_refused() {
    let zeros = "0".repeat(70 << 20);
    let refused = read_bytes(&zip_of(&[("Lib/Package.swift", MANIFEST), ("Lib/zeros", &zeros)])).unwrap_err();
    assert!(refused.contains("times its size"), "{refused}");
}
