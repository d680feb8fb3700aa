use tar::Builder;

use super::*;
use crate::samples::{append, gzip, tgz};

const MANIFEST: (&str, &[u8]) = ("package/package.json", b"{\"name\":\"n\"}");

fn read_bytes(bytes: &[u8]) -> Result<Contents, Invalid> {
    read_stream(bytes, bytes.len() as u64)
}

fn refusal(bytes: &[u8]) -> String {
    read_bytes(bytes).expect_err("must be refused").to_string()
}

/// A tarball with a manifest and one more entry.
fn with_entry(kind: EntryType, name: &str, link: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    append(&mut tar, EntryType::Regular, MANIFEST.0, "", MANIFEST.1);
    append(&mut tar, kind, name, link, content);
    gzip(&tar.into_inner().expect("in memory"))
}

fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

#[test]
fn the_top_folder_may_have_any_name() {
    for top in ["package", "left-pad", "x.y"] {
        let manifest = format!("{top}/package.json");
        let contents = read_bytes(&tgz(&[(&manifest, b"{}"), (&format!("{top}/lib/package.json"), b"[]")])).expect(top);
        assert_eq!(contents.package_json, b"{}");
        assert_eq!((contents.file_count, contents.unpacked_size_bytes), (2, 4));
    }
}

#[test]
fn what_the_registry_tells_of_a_package_is_found_at_its_top_only() {
    let files: [(&str, &[u8]); 6] = [
        ("package/readme", b"plain"),
        ("package/README.md", b"# Markdown"),
        ("package/README.txt", b"text"),
        ("package/src/README.md", b"elsewhere"),
        ("package/src/binding.gyp", b""),
        ("package/npm-shrinkwrap.json", b"{}"),
    ];
    let contents = read_bytes(&tgz(&[&[MANIFEST], &files[..]].concat())).expect("a package");
    assert_eq!(contents.readme.as_deref(), Some("# Markdown"));
    assert_eq!(contents.readme_name.as_deref(), Some("README.md"));
    assert!(contents.has_shrinkwrap && !contents.has_binding_gyp);
    assert!(read_bytes(&tgz(&[MANIFEST, ("package/binding.gyp", b"")])).expect("a package").has_binding_gyp);
}

#[test]
fn what_is_not_a_tarball_is_refused() {
    let good = tgz(&[MANIFEST]);
    assert!(refusal(b"").contains("not a readable .tgz"));
    assert!(refusal(b"PK\x03\x04").contains("not a readable .tgz"));
    assert!(refusal(&gzip(b"no tar")).contains("not a readable .tgz"));
    assert!(refusal(&good[..good.len() / 2]).contains("not a readable .tgz"));
    assert!(refusal(&good[..good.len() - 4]).contains("not a readable .tgz"));
    assert!(refusal(&[&good[..], b"rest"].concat()).contains("behind the end of its gzip"));
    assert!(refusal(&[&good[..], &good].concat()).contains("behind the end of its gzip"));
    assert!(refusal(&gzip(&[])).contains("no package.json"));
    assert!(refusal(&tgz(&[("package.json", b"{}")])).contains("no package.json"));
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    for name in ["/etc/x", "../x", "package/../../x", "package/a/../b", "C:/x", "package\\x", "package/x\\..\\y"] {
        assert!(!refusal(&with_entry(EntryType::Regular, name, "", b"x")).contains("readable"), "{name}");
    }
    let mut tar = Builder::new(Vec::new());
    append(&mut tar, EntryType::XHeader, "pax", "", &pax("path", &format!("package/{}", "d/".repeat(2100))));
    append(&mut tar, EntryType::Regular, "short", "", b"x");
    assert!(refusal(&gzip(&tar.into_inner().expect("in memory"))).contains("4 KiB"));
}

#[test]
fn extension_headers_rename_and_are_checked_as_names() {
    let long = format!("package/{}/x", "d".repeat(200));
    for (kind, content) in
        [(EntryType::XHeader, pax("path", &long)), (EntryType::GNULongName, [long.as_bytes(), b"\0"].concat())]
    {
        let mut tar = Builder::new(Vec::new());
        append(&mut tar, EntryType::Regular, MANIFEST.0, "", MANIFEST.1);
        append(&mut tar, kind, "header", "", &content);
        append(&mut tar, EntryType::Regular, "../ignored", "", b"x");
        assert_eq!(read_bytes(&gzip(&tar.into_inner().expect("in memory"))).expect("renamed").file_count, 2);
    }
    let bad: [(EntryType, Vec<u8>, &str); 6] = [
        (EntryType::XHeader, pax("path", "../x"), "climbs"),
        (EntryType::XHeader, pax("size", "7"), "two sizes"),
        (EntryType::XHeader, pax("GNU.sparse.major", "1"), "sparse"),
        (EntryType::XHeader, b"99999999999999999999 path=x\n".to_vec(), "malformed"),
        (EntryType::XHeader, b"7 path=".to_vec(), "malformed"),
        (EntryType::XGlobalHeader, pax("path", "package/x"), "global"),
    ];
    for (kind, content, why) in bad {
        let mut tar = Builder::new(Vec::new());
        append(&mut tar, kind, "header", "", &content);
        append(&mut tar, EntryType::Regular, "package/x", "", b"x");
        let refused = refusal(&gzip(&tar.into_inner().expect("in memory")));
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn links_stay_in_the_package() {
    let cases = [
        (EntryType::Symlink, "package/a", "b", true),
        (EntryType::Symlink, "package/d/a", "../b", true),
        (EntryType::Symlink, "package/a", "../package/b", false),
        (EntryType::Symlink, "package/d/a", "../../b", false),
        (EntryType::Symlink, "package/a", "/etc/passwd", false),
        (EntryType::Symlink, "package/a", "", false),
        (EntryType::Link, "package/a", "package/package.json", true),
        (EntryType::Link, "package/a", "package.json", false),
        (EntryType::Link, "package/a", "package/../../b", false),
        (EntryType::Char, "package/a", "", false),
        (EntryType::Fifo, "package/a", "", false),
    ];
    for (kind, name, link, is_good) in cases {
        assert_eq!(read_bytes(&with_entry(kind, name, link, b"")).is_ok(), is_good, "{kind:?} {name} -> {link}");
    }
}

#[test]
fn two_entries_at_one_place_are_refused() {
    for twin in ["package/package.json", "other/package.json", "package/./package.json", "package//package.json"] {
        assert!(refusal(&with_entry(EntryType::Regular, twin, "", b"{}")).contains("two entries"), "{twin}");
    }
    let folders = with_entry(EntryType::Directory, "package/", "", b"");
    assert!(read_bytes(&folders).is_ok());
}

#[test]
fn a_bomb_is_refused_early_and_a_large_package_is_not() {
    let zeros = vec![0; 65 << 20];
    let bomb = tgz(&[MANIFEST, ("package/zeros", &zeros)]);
    assert!(bomb.len() < 1 << 20);
    assert!(refusal(&bomb).contains("out of proportion"));
    // The same bytes in a file that says it is large: what counts is the proportion.
    assert!(read_stream(&bomb[..], 10 << 20).is_ok());
    let late = tgz(&[("package/zeros", &zeros), MANIFEST]);
    assert!(refusal(&late).contains("out of proportion"));
}

#[test]
fn too_many_entries_are_refused() {
    let mut tar = Builder::new(Vec::new());
    for _ in 0..=ENTRY_LIMIT {
        append(&mut tar, EntryType::Directory, "package/d/", "", b"");
    }
    let bytes = gzip(&tar.into_inner().expect("in memory"));
    let refused = read_stream(&bytes[..], 50 << 20).expect_err("too many").to_string();
    assert!(refused.contains("100000 entries"), "{refused}");
}

#[test]
fn a_large_manifest_is_refused_and_a_large_readme_left_out() {
    let large = vec![b' '; (10 << 20) + 1];
    assert!(refusal(&tgz(&[("package/package.json", &large)])).contains("larger than 10 MiB"));
    assert_eq!(read_bytes(&tgz(&[MANIFEST, ("package/README", &large)])).expect("a package").readme, None);
}

#[test]
fn the_readme_of_a_broken_archive_is_what_was_read_before_it_broke() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("package.tgz");
    let whole = tgz(&[("package/readme", b"plain"), ("package/README.md", b"# Markdown"), MANIFEST]);
    std::fs::write(&path, &whole[..whole.len() - 3]).expect("written");
    assert_eq!(find_readme(&path).as_deref(), Some("# Markdown"));
    std::fs::write(&path, b"nothing").expect("written");
    assert_eq!(find_readme(&path), None);
    assert_eq!(find_readme(&folder.path().join("missing")), None);
}
