use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::*;

/// Adds a file.
pub(crate) fn append(builder: &mut Builder<Vec<u8>>, path: &str, content: &[u8]) {
    append_kind(builder, path, content, EntryType::Regular);
}

fn append_kind(builder: &mut Builder<Vec<u8>>, path: &str, content: &[u8], kind: EntryType) {
    let mut header = Header::new_gnu();
    // Set by hand: the library refuses to write some of the paths that have to be refused here.
    let name = &mut header.as_old_mut().name;
    let length = path.len().min(name.len());
    name[..length].copy_from_slice(&path.as_bytes()[..length]);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A compressed archive of what the closure adds.
pub(crate) fn tar_gz(add: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    add(&mut builder);
    gzip(&builder.into_inner().unwrap())
}

/// The manifest of a crate.
pub(crate) fn manifest(name: &str, version: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n")
}

/// A crate as cargo packs it.
pub(crate) fn crate_file(name: &str, version: &str) -> Vec<u8> {
    tar_gz(|builder| {
        append(builder, &format!("{name}-{version}/Cargo.toml"), manifest(name, version).as_bytes());
        append(builder, &format!("{name}-{version}/src/lib.rs"), b"pub fn one() -> u8 { 1 }\n");
    })
}

fn refusal(bytes: &[u8]) -> Option<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    match check(file.path(), "foo", "1.0.0") {
        Ok(()) => None,
        Err(Error::Invalid(invalid)) => Some(invalid.to_string()),
        Err(error) => panic!("{error:?}"),
    }
}

fn with(path: &str, kind: EntryType) -> Vec<u8> {
    tar_gz(|builder| {
        append(builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
        append_kind(builder, path, b"", kind);
    })
}

#[test]
fn crates_as_cargo_packs_them_are_taken() {
    assert_eq!(refusal(&crate_file("foo", "1.0.0")), None);
    assert_eq!(refusal(&with("foo-1.0.0/", EntryType::Directory)), None);
    assert_eq!(refusal(&with("foo-1.0.0/src/", EntryType::Directory)), None);
    let long = format!("foo-1.0.0/{}/x.rs", "d".repeat(150));
    let with_long_name = tar_gz(|builder| {
        append(builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
        let mut header = Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        builder.append_data(&mut header, &long, &b"x"[..]).unwrap();
    });
    assert_eq!(refusal(&with_long_name), None);
}

#[test]
fn what_is_no_crate_is_refused() {
    let good = crate_file("foo", "1.0.0");
    let plain_tar = {
        let mut builder = Builder::new(Vec::new());
        append(&mut builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
        builder.into_inner().unwrap()
    };
    let mut behind_the_tar = plain_tar.clone();
    behind_the_tar.extend_from_slice(&[1; 512]);
    for (bytes, why) in [
        (b"".to_vec(), "gzip"),
        (b"no crate".to_vec(), "gzip"),
        (plain_tar.clone(), "gzip"),
        (good[..good.len() / 2].to_vec(), "readable"),
        ([&good[..], b"tail"].concat(), "behind the end of its gzip"),
        ([&good[..], &good[..]].concat(), "behind the end of its gzip"),
        (gzip(&behind_the_tar), "behind the end of its tar"),
        (gzip(b"not a tar, but long enough to be taken for the header of one".repeat(20).as_slice()), "readable"),
        (tar_gz(|builder| append(builder, "foo-1.0.0/src/lib.rs", b"")), "no Cargo.toml"),
        (crate_file("bar", "1.0.0"), "outside of 'foo-1.0.0/'"),
        (crate_file("foo", "1.0.1"), "outside of 'foo-1.0.0/'"),
    ] {
        let refusal = refusal(&bytes).expect(why);
        assert!(refusal.contains(why), "{why}: {refusal}");
    }
}

#[test]
fn manifests_of_something_else_are_refused() {
    for (text, why) in [
        (manifest("bar", "1.0.0"), "of 'bar'"),
        (manifest("foo", "1.0.1"), "version '1.0.1'"),
        (manifest("Foo", "1.0.0"), "of 'Foo'"),
        ("[package]\nname = \"foo\"\nversion.workspace = true\n".to_owned(), "cannot be read"),
        ("[dependencies]\n".to_owned(), "cannot be read"),
        ("\u{0}".to_owned(), "cannot be read"),
        (format!("x = {}", "[".repeat(100_000)), "cannot be read"),
    ] {
        let bytes = tar_gz(|builder| append(builder, "foo-1.0.0/Cargo.toml", text.as_bytes()));
        let refusal = refusal(&bytes).expect(why);
        assert!(refusal.contains(why), "{why}: {refusal}");
    }
}

#[test]
fn entries_that_cargo_would_not_pack_are_refused() {
    for (path, kind) in [
        ("foo-1.0.0/../x", EntryType::Regular),
        ("/foo-1.0.0/x", EntryType::Regular),
        ("../x", EntryType::Regular),
        ("foo-1.0.0//x", EntryType::Regular),
        ("foo-1.0.0/./x", EntryType::Regular),
        ("foo-1.0.0/a\\b", EntryType::Regular),
        ("foo-1.0.0/a\nb", EntryType::Regular),
        ("C:/x", EntryType::Regular),
        ("foo-1.0.0", EntryType::Regular),
        ("foo-1.0.1/x", EntryType::Regular),
        ("foo-1.0.0x/x", EntryType::Regular),
        ("foo-1.0.0/Cargo.toml", EntryType::Regular),
        ("foo-1.0.0/Cargo.toml/", EntryType::Directory),
        ("foo-1.0.0/l", EntryType::Symlink),
        ("foo-1.0.0/l", EntryType::Link),
        ("foo-1.0.0/dev", EntryType::Char),
        ("foo-1.0.0/fifo", EntryType::Fifo),
        ("foo-1.0.0/sparse", EntryType::GNUSparse),
    ] {
        assert!(refusal(&with(path, kind)).is_some(), "{path} {kind:?}");
    }
}

#[test]
fn pax_headers_may_name_an_entry_and_nothing_else() {
    let with_pax = |record: &str, name: &str| {
        let record = format!("{} {record}\n", record.len() + 4);
        tar_gz(|builder| {
            append(builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
            append_kind(builder, "pax", record.as_bytes(), EntryType::XHeader);
            append(builder, name, b"");
        })
    };
    assert_eq!(refusal(&with_pax("path=foo-1.0.0/x", "elsewhere")), None);
    assert_eq!(refusal(&with_pax("mtime=1234567", "foo-1.0.0/x")), None);
    for record in ["path=../elsewhere", "size=123456789", "linkpath=/etc/pass", "GNU.sparse.major=1"] {
        assert!(refusal(&with_pax(record, "foo-1.0.0/x")).is_some(), "{record}");
    }
}

#[test]
fn a_bomb_is_given_up() {
    let zeros = vec![0; 70 << 20];
    let bytes = tar_gz(|builder| {
        append(builder, "foo-1.0.0/Cargo.toml", manifest("foo", "1.0.0").as_bytes());
        append(builder, "foo-1.0.0/zeros", &zeros);
    });
    assert!(refusal(&bytes).unwrap().contains("unpacks to more than"));
    let large_manifest = tar_gz(|builder| append(builder, "foo-1.0.0/Cargo.toml", &zeros[..11 << 20]));
    assert!(refusal(&large_manifest).unwrap().contains("10 MiB"));
}

#[test]
fn a_registry_s_crate_tells_of_itself_whatever_it_is() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "[package]\nname = \"foo\"\nversion = \"1.0.0\"\ndescription = \"does things\"\nlicense = \"MIT\"\n\
                repository = \"https://git.test/foo\"\nreadme = \"docs/READ.md\"\n";
    let bytes = tar_gz(|builder| {
        append(builder, "foo-1.0.0/Cargo.toml", text.as_bytes());
        append(builder, "foo-1.0.0/README.md", b"# not this one");
        append(builder, "foo-1.0.0/docs/READ.md", b"# Foo");
    });
    std::fs::write(file.path(), &bytes).unwrap();
    let details = inspect(file.path());
    assert_eq!(details.summary.as_deref(), Some("does things"));
    assert_eq!(details.readme.as_deref(), Some("# Foo"));
    assert_eq!(details.licenses[0].name, "MIT");
    assert_eq!(details.source_code_repository.as_deref(), Some("https://git.test/foo"));
    // Broken behind what is looked for, or no archive at all.
    std::fs::write(file.path(), &bytes[..bytes.len() - 20]).unwrap();
    assert_eq!(inspect(file.path()).summary.as_deref(), Some("does things"));
    std::fs::write(file.path(), b"nothing").unwrap();
    assert_eq!(inspect(file.path()), VersionDetails::default());
}
