use super::*;

const NAME: &str = "foo-1.0-py3-none-any.whl";

#[test]
fn a_correct_wheel_gives_its_metadata() {
    let contents = read(NAME, &wheel("foo", "1.0")).unwrap();
    assert_eq!(contents.metadata_bytes, core_metadata("foo", "1.0").into_bytes());
    assert_eq!(contents.metadata.get("Requires-Python"), Some(">=3.8"));
}

#[test]
fn spellings_of_name_and_version_may_differ() {
    let mut members = wheel_members("Foo", "1.0.0");
    members[1].1 = core_metadata("FOO", "v1.0").into_bytes();
    members[3].1 = record_of(&members[..3], "Foo-1.0.0.dist-info");
    assert!(read(NAME, &zip_of(&members)).is_ok());
}

#[test]
fn bytes_before_behind_or_between_entries_are_refused() {
    let good = wheel("foo", "1.0");
    refused(NAME, &[b"#!/bin/sh\n".as_slice(), &good].concat(), "central directory is not where");
    refused(NAME, &[&good, b"tail".as_slice()].concat(), "bytes after its end");
    refused(NAME, &good[..good.len() - 5], "truncated");
    refused(NAME, b"", "not a zip");
    refused(NAME, b"not a zip archive at all, just text", "not a zip");
    refused(NAME, &sdist("foo", "1.0"), "not a zip");
    // A prefix for which all offsets were corrected.
    let mut prefixed = b"prefix".to_vec();
    prefixed.extend_from_slice(&good);
    shift_offsets(&mut prefixed, 6);
    refused(NAME, &prefixed, "belong to no entry");
}

/// Adds `by` to every offset in central directory and end record.
fn shift_offsets(bytes: &mut [u8], by: u32) {
    let end = bytes.len() - 22;
    let add = |bytes: &mut [u8], at: usize| {
        let value = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) + by;
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    add(bytes, end + 16);
    let directory = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize;
    let headers: Vec<usize> = (directory..end).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).collect();
    for header in headers {
        add(bytes, header + 42);
    }
}

#[test]
fn headers_that_disagree_are_refused() {
    let good = wheel("foo", "1.0");
    let end = good.len() - 22;
    let directory = u32::from_le_bytes(good[end + 16..end + 20].try_into().unwrap()) as usize;
    let patched = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    refused(NAME, &patched(30, b'g'), "headers of entry");
    refused(NAME, &patched(14, good[14] ^ 1), "headers of entry");
    refused(NAME, &patched(8, 0), "headers of entry");
    refused(NAME, &patched(directory + 10, 12), "neither stored nor deflated");
    refused(NAME, &patched(directory + 8, 1), "encrypted");
    refused(NAME, &patched(directory + 46, b'/'), "plain path");
    refused(NAME, &patched(end + 10, 9), "zip64 and split");
    refused(NAME, &patched(directory, 0), "corrupt");
    // The data itself: flip a bit in the deflate stream of the first entry.
    let data = 30 + "foo.py".len();
    assert!(read(NAME, &patched(data + 4, good[data + 4] ^ 0x10)).is_err());
}

#[test]
fn links_and_devices_are_refused() {
    let mut bytes = wheel("foo", "1.0");
    let end = bytes.len() - 22;
    let directory = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize;
    bytes[directory + 5] = 3;
    bytes[directory + 40..directory + 42].copy_from_slice(&0o120_777_u16.to_le_bytes());
    refused(NAME, &bytes, "link or a device");
}

#[test]
fn entry_names_are_checked_and_unique() {
    for (name, because) in
        [("../evil", "plain path"), ("/etc/passwd", "plain path"), ("C:/x", "plain path"), ("a\\b", "backslash")]
    {
        let mut members = wheel_members("foo", "1.0");
        members.push((name.to_owned(), b"x".to_vec()));
        refused(NAME, &zip_of(&members), because);
    }
    // The writer refuses duplicates, so one is made by renaming in place.
    let mut members = wheel_members("foo", "1.0");
    members.push(("fop.py".to_owned(), b"x".to_vec()));
    let mut bytes = zip_of(&members);
    while let Some(at) = bytes.windows(6).position(|window| window == b"fop.py") {
        bytes[at + 2] = b'o';
    }
    refused(NAME, &bytes, "two entries named 'foo.py'");
}

#[test]
fn dist_info_must_be_there_once_whole_and_of_this_release() {
    for missing in ["METADATA", "WHEEL", "RECORD"] {
        let mut members = wheel_members("foo", "1.0");
        members.retain(|(name, _)| !name.ends_with(missing));
        refused(NAME, &zip_of(&members), missing);
    }
    let mut members = wheel_members("foo", "1.0");
    members.extend(wheel_members("bar", "1.0"));
    refused(NAME, &zip_of(&members), "more than one .dist-info");
    refused(NAME, &zip_of(&[("foo.py".to_owned(), vec![])]), "no .dist-info");
    refused(NAME, &wheel("foo", "2.0"), "not of what its file name says");
    refused(NAME, &wheel("bar", "1.0"), "not of what its file name says");
    let mut members = wheel_members("foo", "1.0");
    members[1].1 = core_metadata("foo", "2.0").into_bytes();
    members[3].1 = record_of(&members[..3], "foo-1.0.dist-info");
    refused(NAME, &zip_of(&members), "version '2.0'");
}

#[test]
fn record_must_agree_with_the_files() {
    let changed = |change: fn(&mut Vec<Member>)| {
        let mut members = wheel_members("foo", "1.0");
        change(&mut members);
        zip_of(&members)
    };
    refused(NAME, &changed(|members| members[0].1[0] ^= 1), "another SHA-256");
    refused(NAME, &changed(|members| members[0].1.push(b'x')), "another size");
    refused(NAME, &changed(|members| members.push(("extra.py".to_owned(), vec![]))), "does not list 'extra.py'");
    refused(NAME, &changed(|members| drop(members.remove(0))), "lists 'foo.py', which");
    refused(NAME, &changed(|members| members[3].1.extend_from_slice(b"foo.py,,\n")), "twice");
    refused(NAME, &changed(|members| members[3].1.extend_from_slice(b"nonsense\n")), "malformed line");
}

#[test]
fn bombs_and_crowds_are_refused() {
    let mut members = wheel_members("foo", "1.0");
    members.push(("zeros".to_owned(), vec![0; 70 << 20]));
    refused(NAME, &zip_of(&members), "50 times its size");
    let few = Limits { entries: 3, ..Limits::default() };
    assert!(read_within(NAME, &wheel("foo", "1.0"), &few).unwrap_err().contains("more than 3 entries"));
}

#[test]
fn the_metadata_of_a_registrys_wheel_is_found_without_checking_record() {
    let mut members = wheel_members("foo", "1.0");
    members[3].1 = b"nonsense".to_vec();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), zip_of(&members)).unwrap();
    assert_eq!(read_metadata(file.path(), DistributionKind::Wheel).unwrap(), members[1].1);
    std::fs::write(file.path(), b"not a wheel").unwrap();
    assert_eq!(read_metadata(file.path(), DistributionKind::Wheel), None);
}
