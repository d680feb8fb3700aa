use std::io::{Cursor, Write as _};

use ::zip::write::SimpleFileOptions;

use super::*;

/// A zip of plain files and of links, each with its target.
fn zip_of(files: &[(&str, &[u8])], links: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    for (name, target) in links {
        writer.add_symlink(*name, *target, SimpleFileOptions::default()).unwrap();
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&writer.finish().unwrap().into_inner()).unwrap();
    file
}

fn open(file: &tempfile::NamedTempFile, links: Links) -> Result<Zip, Error> {
    Zip::open(file.path(), &Limits::default(), links)
}

#[test]
fn files_are_found_and_unpacked() {
    let file = zip_of(&[("a/b.txt", b"text"), ("a/c.txt", b"")], &[]);
    let zip = open(&file, Links::Refused).unwrap();
    let entry = zip.find("a/b.txt").unwrap();
    assert_eq!((entry.kind, zip.read(entry, 4).unwrap()), (EntryKind::File, b"text".to_vec()));
    assert!(zip.read(entry, 3).is_err(), "over the limit");
    assert!(zip.find("a").is_none());
}

#[test]
fn links_inside_are_allowed_where_the_format_has_them_and_others_never() {
    let inside = zip_of(&[("a/b.txt", b"text")], &[("a/x/link", "../b.txt")]);
    assert!(open(&inside, Links::Refused).is_err());
    let zip = open(&inside, Links::Inside).unwrap();
    assert!(zip.entries.iter().any(|entry| entry.kind == EntryKind::Link && entry.name == "a/x/link"));
    assert!(zip.find("a/x/link").is_none(), "a link is no file");
    for target in ["../../b.txt", "/etc/passwd", "..", "C:\\x"] {
        let outside = zip_of(&[("a/b.txt", b"text")], &[("a/link", target)]);
        assert!(open(&outside, Links::Inside).is_err(), "{target}");
    }
}

#[test]
fn what_was_sent_is_read_whatever_its_names() {
    let file = zip_of(&[("a.txt", b"hello"), ("../b.txt", b"there"), ("c\\d.txt", b"back")], &[]);
    assert!(open(&file, Links::Refused).is_err());
    let zip = Zip::open_as_sent(file.path(), &Limits::default()).unwrap();
    for (name, text) in [("a.txt", "hello"), ("../b.txt", "there"), ("c\\d.txt", "back")] {
        assert_eq!(zip.read(zip.find(name).unwrap(), 100).unwrap(), text.as_bytes());
    }
    assert!(zip.check_contents(&Limits::default()).is_ok());
}

#[test]
fn a_changed_byte_in_what_was_sent_never_changes_a_file_that_is_read() {
    let content = b"hello ".repeat(100);
    let file = zip_of(&[("a.txt", &content)], &[]);
    let good = std::fs::read(file.path()).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x20;
        std::fs::write(file.path(), &bytes).unwrap();
        let Ok(zip) = Zip::open_as_sent(file.path(), &Limits::default()) else { continue };
        if let Some(entry) = zip.find("a.txt")
            && let Ok(read) = zip.read(entry, 1 << 20)
        {
            assert_eq!(read, content, "byte {at}");
        }
    }
    std::fs::write(file.path(), &good[..good.len() - 1]).unwrap();
    assert!(Zip::open_as_sent(file.path(), &Limits::default()).is_err());
}
