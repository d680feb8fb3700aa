//! What is written, read again and compared with what Ruby itself writes of the same: `testdata/make.rb` made those files.
//! That Ruby reads it is for the end-to-end tests to show.

mod reader;

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::*;
use reader::{Value, read};

fn inflate(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn gemspecs_are_what_ruby_writes() {
    let cases: [(&str, &[u8]); 2] = [
        (include_str!("testdata/foo-bar.yaml"), include_bytes!("testdata/foo-bar.gemspec.rz")),
        (include_str!("testdata/bar.yaml"), include_bytes!("testdata/bar.gemspec.rz")),
    ];
    for (yaml, of_ruby) in cases {
        let spec = Gemspec::parse(yaml).unwrap();
        let ours = inflate(&quick(&spec).unwrap());
        assert_eq!(read(&ours).simplified(), read(&inflate(of_ruby)).simplified(), "{}", spec.name);
    }
}

#[test]
fn lists_of_releases_of_the_newest_and_of_prereleases_are_what_ruby_writes() {
    let gems = BTreeMap::from([("a", vec!["1.0", "1.1", "1.1-java", "2.0.rc1"]), ("b", vec!["1"])]);
    let cases: [(Whole, &[u8]); 3] = [
        (Whole::Specs, include_bytes!("testdata/specs.4.8")),
        (Whole::Latest, include_bytes!("testdata/latest.4.8")),
        (Whole::Prereleases, include_bytes!("testdata/prereleases.4.8")),
    ];
    for (which, of_ruby) in cases {
        assert_eq!(read(&specs(which, &gems)), read(of_ruby), "{which:?}");
    }
}

#[test]
fn counts_are_written_as_ruby_writes_them() {
    for line in include_str!("testdata/counts").lines() {
        let (count, of_ruby) = line.split_once(' ').unwrap();
        let mut writer = Writer::new();
        writer.count(count.parse().unwrap());
        assert_eq!(hex::encode(&writer.out[2..]), of_ruby, "{count}");
    }
}

#[test]
fn long_lists_are_whole() {
    let versions: Vec<String> = (0..70_000).map(|number| format!("1.{number}")).collect();
    let gems = BTreeMap::from([("a", versions.iter().map(String::as_str).collect())]);
    let Value::List(list) = read(&specs(Whole::Specs, &gems)) else { panic!("no list") };
    assert_eq!(list.len(), 70_000);
}
