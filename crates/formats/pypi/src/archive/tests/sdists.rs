use super::*;

const NAME: &str = "foo-1.0.tar.gz";

fn special(builder: &mut tar::Builder<impl io::Write>, kind: tar::EntryType, name: &str, link: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    builder.append(&header, io::empty()).unwrap();
}

/// A correct source distribution with one entry more.
fn with(kind: tar::EntryType, name: &str, link: &str) -> Vec<u8> {
    tar_gz(|builder| {
        append(builder, "foo-1.0/PKG-INFO", core_metadata("foo", "1.0").as_bytes());
        special(builder, kind, name, link);
    })
}

#[test]
fn a_correct_sdist_gives_its_metadata() {
    let contents = read(NAME, &sdist("foo", "1.0")).unwrap();
    assert_eq!(contents.metadata.get("Name"), Some("foo"));
    let long = format!("foo-1.0/{}/x.py", "d".repeat(200));
    let with_long_name = tar_gz(|builder| {
        append(builder, &long, b"pass");
        append(builder, "foo-1.0/PKG-INFO", core_metadata("foo", "1.0").as_bytes());
    });
    assert!(read(NAME, &with_long_name).is_ok());
    assert!(read(NAME, &with(tar::EntryType::Symlink, "foo-1.0/a/link", "../PKG-INFO")).is_ok());
    assert!(read(NAME, &with(tar::EntryType::Link, "foo-1.0/hard", "foo-1.0/PKG-INFO")).is_ok());
    assert!(read(NAME, &with(tar::EntryType::Directory, "foo-1.0/", "")).is_ok());
}

#[test]
fn zip_sdists_are_read_too() {
    let members = [("foo-1.0/PKG-INFO".to_owned(), core_metadata("foo", "1.0").into_bytes())];
    assert!(read("foo-1.0.zip", &zip_of(&members)).is_ok());
    refused("foo-1.0.zip", &zip_of(&[("foo-1.0/setup.py".to_owned(), vec![])]), "no PKG-INFO");
}

#[test]
fn what_is_not_one_whole_gzip_member_is_refused() {
    let good = sdist("foo", "1.0");
    refused(NAME, b"", "not gzip");
    refused(NAME, &wheel("foo", "1.0"), "not gzip");
    refused(NAME, &good[..good.len() / 2], "truncated or corrupt");
    refused(NAME, &good[..good.len() - 4], "truncated or corrupt");
    refused(NAME, &[&good, b"tail".as_slice()].concat(), "bytes after its end");
    refused(NAME, &[&good[..], &good[..]].concat(), "bytes after its end");
    let tail_in_tar = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut plain = Vec::new();
        io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&good[..]), &mut plain).unwrap();
        encoder.write_all(&plain).unwrap();
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    refused(NAME, &tail_in_tar, "tar archive has bytes after its end");
}

#[test]
fn links_out_of_the_tree_devices_and_sparse_files_are_refused() {
    for (kind, link) in [
        (tar::EntryType::Symlink, "/etc/passwd"),
        (tar::EntryType::Symlink, "../../etc/passwd"),
        (tar::EntryType::Symlink, ""),
        (tar::EntryType::Link, "/etc/passwd"),
        (tar::EntryType::Link, "../x"),
    ] {
        refused(NAME, &with(kind, "foo-1.0/link", link), "points out of the archive");
    }
    for kind in [tar::EntryType::Char, tar::EntryType::Block, tar::EntryType::Fifo, tar::EntryType::GNUSparse] {
        refused(NAME, &with(kind, "foo-1.0/odd", ""), "unusual entry");
    }
}

#[test]
fn names_are_checked_unique_and_below_one_folder() {
    let regular = tar::EntryType::Regular;
    refused(NAME, &with(regular, "foo-1.0/../../evil", ""), "plain path");
    refused(NAME, &with(regular, "/foo-1.0/evil", ""), "plain path");
    refused(NAME, &with(regular, "foo-1.0/PKG-INFO", ""), "two entries");
    refused(NAME, &with(regular, "bar-1.0/x", ""), "more than one top folder");
    refused(NAME, &with(regular, "loose.txt", ""), "beside the top folder");
}

#[test]
fn pax_records_may_rename_but_not_resize() {
    let with_pax = |records: &[(&str, &[u8])]| {
        tar_gz(|builder| {
            builder.append_pax_extensions(records.iter().copied()).unwrap();
            append(builder, "placeholder", core_metadata("foo", "1.0").as_bytes());
        })
    };
    assert!(read(NAME, &with_pax(&[("path", b"foo-1.0/PKG-INFO"), ("mtime", b"1.5")])).is_ok());
    refused(NAME, &with_pax(&[("path", b"../evil")]), "plain path");
    refused(NAME, &with_pax(&[("size", b"1")]), "size in a PAX record");
    refused(NAME, &with_pax(&[("GNU.sparse.major", b"1")]), "sparse");
}

#[test]
fn metadata_must_be_there_and_of_this_release() {
    refused(NAME, &tar_gz(|builder| append(builder, "foo-1.0/setup.py", b"")), "no PKG-INFO");
    refused(NAME, &tar_gz(|builder| append(builder, "foo-1.0/sub/PKG-INFO", b"Name: foo")), "no PKG-INFO");
    refused(NAME, &sdist("foo", "1.1"), "version '1.1'");
    refused(NAME, &sdist("bar", "1.0"), "of 'bar'");
    let modern = b"Metadata-Version: 2.4\nName: foo\nVersion: 1.0\n";
    refused(NAME, &tar_gz(|builder| append(builder, "foo-1.0/PKG-INFO", modern)), "pyproject.toml");
    let complete = tar_gz(|builder| {
        append(builder, "foo-1.0/PKG-INFO", modern);
        append(builder, "foo-1.0/pyproject.toml", b"");
    });
    assert!(read(NAME, &complete).is_ok());
}

#[test]
fn bombs_are_refused() {
    let zeros = tar_gz(|builder| {
        append(builder, "foo-1.0/PKG-INFO", core_metadata("foo", "1.0").as_bytes());
        append(builder, "foo-1.0/zeros", &vec![0; 70 << 20]);
    });
    refused(NAME, &zeros, "50 times its size");
    let small = Limits { unpacked_bytes: 2048, ..Limits::default() };
    assert!(read_within(NAME, &sdist("foo", "1.0"), &small).unwrap_err().contains("unpacks to more than 2048"));
    let big = format!("Name: foo\nVersion: 1.0\nX: {}\n", "x".repeat(11 << 20));
    refused(NAME, &tar_gz(|builder| append(builder, "foo-1.0/PKG-INFO", big.as_bytes())), "larger than 10485760");
}
