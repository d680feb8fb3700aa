use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

use super::*;

/// A gemspec as `gem build` writes it.
pub(crate) fn spec_yaml(name: &str, number: &str, platform: &str) -> String {
    format!(
        "--- !ruby/object:Gem::Specification\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: '{number}'\n\
         platform: {platform}\nauthors:\n- Ann\ndate: 2026-01-02 00:00:00.000000000 Z\ndependencies:\n\
         - !ruby/object:Gem::Dependency\n  name: rake\n  requirement: !ruby/object:Gem::Requirement\n    requirements:\n\
         \x20   - - \"~>\"\n      - !ruby/object:Gem::Version\n        version: '13.0'\n  type: :runtime\n  prerelease: false\n\
         summary: A gem\nlicenses:\n- MIT\nmetadata: {{}}\nrequired_ruby_version: !ruby/object:Gem::Requirement\n\
         \x20 requirements:\n  - - \">=\"\n    - !ruby/object:Gem::Version\n      version: '2.7'\nrubygems_version: 3.3.15\n"
    )
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn sums(metadata: &[u8], data: &[u8]) -> Vec<u8> {
    let sha = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    gzip(format!("---\nSHA256:\n  metadata.gz: {}\n  data.tar.gz: {}\n", sha(metadata), sha(data)).as_bytes())
}

/// A gem with this gemspec and these files.
pub(crate) fn gem_of(yaml: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let (metadata, data) = (gzip(yaml.as_bytes()), gzip(&tar(files)));
    let checksums = sums(&metadata, &data);
    tar(&[(METADATA, &metadata), (DATA, &data), (CHECKSUMS, &checksums)])
}

/// The members of a tar, by name.
pub(crate) fn members_of(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = Archive::new(bytes);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), content)
    };
    archive.entries().unwrap().map(read).collect()
}

pub(crate) fn gem(name: &str, number: &str, platform: &str) -> Vec<u8> {
    gem_of(&spec_yaml(name, number, platform), &[("lib/a.rb", b"# a")])
}

fn check_bytes(bytes: &[u8]) -> Result<Gemspec, Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    check(file.path())
}

#[test]
fn a_gem_says_what_it_is() {
    let spec = check_bytes(&gem("foo", "1.0.0", "x86_64-linux")).unwrap();
    assert_eq!(spec.full_name(), "foo-1.0.0-x86_64-linux");
    assert_eq!(spec.dependencies[0].requirement.line(), "~> 13.0");
}

#[test]
fn what_is_no_clean_gem_is_refused() {
    let yaml = spec_yaml("foo", "1", "ruby");
    let (metadata, data) = (gzip(yaml.as_bytes()), gzip(&tar(&[("a", b"a")])));
    let good = sums(&metadata, &data);
    let wrong = sums(&data, &metadata);
    let members: [(&str, &[u8]); 3] = [(METADATA, &metadata), (DATA, &data), (CHECKSUMS, &good)];
    let twice: Vec<_> = members.into_iter().chain([(METADATA, &metadata[..])]).collect();
    let extra: Vec<_> = members.into_iter().chain([("extra", &b"x"[..])]).collect();
    let whole = tar(&members);
    assert!(check_bytes(&whole).is_ok());
    for (what, bytes) in [
        ("no tar", b"gem".to_vec()),
        ("missing member", tar(&members[..2])),
        ("twice", tar(&twice)),
        ("extra", tar(&extra)),
        ("truncated", whole[..1500].to_vec()),
        ("checksums", tar(&[(METADATA, &metadata), (DATA, &data), (CHECKSUMS, &wrong)])),
        ("traversal", gem_of(&yaml, &[("../a", b"a")])),
        ("absolute", gem_of(&yaml, &[("/a", b"a")])),
        ("same name", gem_of(&yaml, &[("a", b"a"), ("a", b"b")])),
        ("object tag", gem_of(&yaml.replace("Gem::Version\n  ", "Kernel\n  "), &[])),
        ("alias", gem_of(&yaml.replace("name: foo", "name: &a foo\nb: *a"), &[])),
        ("name", gem_of(&yaml.replace("name: foo", "name: -foo"), &[])),
        ("version", gem_of(&yaml.replace("version: '1'", "version: '1-a'"), &[])),
        ("no gemspec", gem_of("--- 1\n", &[])),
        ("bomb", gem_of(&yaml, &[("a", &vec![0; 80 << 20])])),
    ] {
        assert!(matches!(check_bytes(&bytes), Err(Error::Invalid(_))), "{what}");
    }
}
