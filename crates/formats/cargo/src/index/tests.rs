use std::sync::Arc;

use bytes::Bytes;
use larder_core::model::{
    AccountId, DomainId, DomainName, ExternalConnection, Origin, OriginRestrictions, Package, PackageId, Repository,
    RepositoryId, RepositoryName, Revision, VersionId, VersionText,
};
use larder_core::ports::{HostedPackage, StoredIndex};

use super::*;
use crate::names;

fn connection() -> ExternalConnection {
    ExternalConnection::parse("public:crates-io").unwrap()
}

fn repository(id: i64) -> Arc<Repository> {
    Arc::new(Repository {
        id: RepositoryId(id),
        domain: DomainId(1),
        domain_owner: AccountId::new("123456789012").unwrap(),
        domain_name: DomainName::new("my-domain").unwrap(),
        name: RepositoryName::new(format!("repo-{id}")).unwrap(),
        administrator: AccountId::new("123456789012").unwrap(),
        description: None,
        created_at: Timestamp(0),
        upstreams: Vec::new(),
        external_connection: None,
        policy: None,
    })
}

/// A line whose checksum is one digit, many times. `more` goes into the object.
fn line(version: &str, digit: char, yanked: bool, more: &str) -> String {
    let cksum = digit.to_string().repeat(64);
    format!(r#"{{"name":"foo","vers":"{version}","cksum":"{cksum}","yanked":{yanked}{more}}}"#)
}

fn version(origin: &Origin, line: &str) -> PackageVersion {
    let text = Head::parse(line.as_bytes()).unwrap().version_key().to_owned();
    PackageVersion {
        id: VersionId(1),
        version: VersionText::new(text).unwrap(),
        status: VersionStatus::Published,
        revision: Revision("r".to_owned()),
        origin: origin.clone(),
        source_published_at: None,
        first_seen_at: Timestamp(0),
        published_at: Timestamp(1_700_000_000_000),
        metadata: Bytes::copy_from_slice(line.as_bytes()),
        assets: Vec::new(),
    }
}

fn hosted(id: i64, versions: Vec<PackageVersion>) -> Layer {
    let package = Package {
        id: PackageId(id),
        key: names::crate_key("foo").unwrap(),
        display_name: "foo".to_owned(),
        restrictions: OriginRestrictions::PUBLISHED,
        tags: Vec::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        revision: 1,
    };
    Layer::Hosted { repository: repository(id), package: HostedPackage { package, versions } }
}

fn registry(id: i64, lines: &[String]) -> Layer {
    let body = format!("{{\"dl\":\"https://files.test/\"}}\n{}\n", lines.join("\n"));
    let index = StoredIndex {
        body: Some(body.into()),
        content_type: String::new(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 1,
    };
    Layer::Registry { repository: repository(id), connection: connection(), index: Arc::new(index) }
}

fn published_in(id: i64) -> Origin {
    Origin::internal(RepositoryName::new(format!("repo-{id}")).unwrap())
}

fn lines(layers: &[Layer]) -> Vec<String> {
    merge(layers).unwrap().iter().map(|listed| String::from_utf8_lossy(listed.raw).into_owned()).collect()
}

#[test]
fn a_registry_s_lines_are_relayed_as_they_are() {
    let file = [
        line("1.0.0", '1', false, r#","rust_version":"1.70","later":{"a":[null, 1.50]}"#),
        line("1.1.0", '2', true, r#","v":99"#),
    ];
    assert_eq!(lines(&[registry(1, &file)]), file);
}

#[test]
fn the_nearest_layer_supplies_a_version_or_hides_it() {
    let (near, far) = (line("1.0.0+near", '1', false, ""), line("1.0.0+far", '2', false, ""));
    let other = line("2.0.0", '3', false, "");
    let far = registry(2, &[far, other.clone()]);
    let layers = |status| {
        let version = PackageVersion { status, ..version(&published_in(1), &near) };
        [hosted(1, vec![version]), far.clone()]
    };
    assert_eq!(lines(&layers(VersionStatus::Published)), [near.clone(), other.clone()]);
    for hidden in [VersionStatus::Unlisted, VersionStatus::Archived, VersionStatus::Disposed] {
        assert_eq!(lines(&layers(hidden)), std::slice::from_ref(&other), "{hidden}");
    }
}

#[test]
fn what_is_retained_keeps_its_place_and_shows_its_source_s_yanks() {
    let (old, new) = (line("1.0.0", '1', false, ""), line("1.1.0", '2', false, ""));
    let yanked = line("1.1.0", '2', true, "");
    let kept = || version(&Origin::external(connection()), &new);
    assert_eq!(lines(&[hosted(1, vec![kept()]), registry(2, &[old.clone(), yanked.clone()])]), [old.clone(), yanked]);
    // Another file under the same version is not what is kept here.
    let other = line("1.1.0", '9', true, "");
    assert_eq!(lines(&[hosted(1, vec![kept()]), registry(2, &[old.clone(), other])]), [old, new.clone()]);
    // The registry has lost it, or is closed by origin controls.
    assert_eq!(lines(&[hosted(1, vec![kept()])]), [new]);
}

#[test]
fn a_copy_of_another_repository_s_version_shows_that_repository_s_yank() {
    let (plain, yanked) = (line("1.0.0", '1', false, ""), line("1.0.0", '1', true, ""));
    let copy = hosted(1, vec![version(&published_in(2), &plain)]);
    let source = hosted(2, vec![version(&published_in(2), &yanked)]);
    assert_eq!(lines(&[copy.clone(), source.clone()]), std::slice::from_ref(&yanked));
    assert_eq!(lines(&[copy]), [plain]);
    assert_eq!(lines(&[source]), [yanked]);
}

#[test]
fn versions_without_a_line_are_not_listed() {
    let raw = PackageVersion { metadata: Bytes::new(), ..version(&published_in(1), &line("1.0.0", '1', false, "")) };
    assert!(lines(&[hosted(1, vec![raw])]).is_empty());
}

#[test]
fn a_version_is_listed_once_and_sources_keep_their_order() {
    let line = |version: &str| line(version, '1', false, "");
    let far = registry(3, &[line("1.0.0"), line("1.0.0+again"), line("0.9.0")]);
    let near = hosted(1, vec![version(&published_in(1), &line("3.0.0")), version(&published_in(1), &line("2.0.0"))]);
    assert_eq!(lines(&[near, far]), [line("1.0.0"), line("0.9.0"), line("3.0.0"), line("2.0.0")]);
}

#[test]
fn times_are_those_of_the_source() {
    let with_time = line("1.0.0", '1', false, r#","pubtime":"2020-01-01T00:00:00Z""#);
    let file = [with_time, line("1.1.0", '2', false, "")];
    let layers = [registry(1, &file)];
    let times: Vec<_> = merge(&layers).unwrap().iter().map(Listed::published_at).collect();
    assert_eq!(times, [Some(Timestamp(1_577_836_800_000)), None]);
    let layers = [hosted(1, vec![version(&published_in(1), &line("1.0.0", '1', false, ""))])];
    assert_eq!(merge(&layers).unwrap()[0].published_at(), Some(Timestamp(1_700_000_000_000)));
}

#[test]
fn an_unreadable_stored_index_is_the_registry_s_failure() {
    let broken = [registry(1, &["<html>".to_owned()])];
    assert!(matches!(merge(&broken), Err(Error::Upstream { .. })));
}
