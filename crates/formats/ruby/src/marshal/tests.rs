use std::process::{Command, Stdio};

use super::*;
use crate::archive::tests::spec_yaml;

/// What Ruby says to a document on its standard input; `None` without a Ruby on this machine.
fn ruby(script: &str, input: &[u8]) -> Option<String> {
    let mut child = Command::new("ruby")
        .args(["-rzlib", "-rrubygems", "-e", &format!("d = $stdin.binmode.read; {script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input).ok()?;
    let output = child.wait_with_output().ok()?;
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn ruby_loads_what_is_written() {
    let spec = Gemspec::parse(&spec_yaml("foo", "1.2.0.rc1", "java")).unwrap();
    let script = "s = Marshal.load(Zlib::Inflate.inflate(d)); \
        print [s.full_name, s.date.year, s.summary, s.authors, s.dependencies.map(&:to_s), s.required_ruby_version.to_s].inspect";
    let Some(said) = ruby(script, &quick(&spec).unwrap()) else { return };
    assert_eq!(said, r#"["foo-1.2.0.rc1-java", 2026, "A gem", ["Ann"], ["rake (~> 13.0)"], ">= 2.7"]"#);
}

#[test]
fn lists_are_of_releases_of_the_newest_and_of_prereleases() {
    let gems = BTreeMap::from([("a", vec!["1.0", "1.1", "1.1-java", "2.0.rc1"]), ("b", vec!["1"])]);
    let script = "print Marshal.load(d).map { |n, v, p| [n, v.to_s, p].join(' ') }.join(', ')";
    for (which, expected) in [
        (Whole::Specs, "a 1.0 ruby, a 1.1 ruby, a 1.1 java, b 1 ruby"),
        (Whole::Latest, "a 1.1 java, a 1.1 ruby, b 1 ruby"),
        (Whole::Prereleases, "a 2.0.rc1 ruby"),
    ] {
        let Some(said) = ruby(script, &specs(which, &gems)) else { return };
        assert_eq!(said, expected);
    }
}

#[test]
fn long_lists_have_long_counts() {
    let versions: Vec<String> = (0..70_000).map(|number| format!("1.{number}")).collect();
    let gems = BTreeMap::from([("a", versions.iter().map(String::as_str).collect())]);
    let Some(said) = ruby("print Marshal.load(d).size", &specs(Whole::Specs, &gems)) else { return };
    assert_eq!(said, "70000");
}
