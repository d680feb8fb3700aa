use std::sync::Arc;

use bytes::Bytes;
use larder_core::model::{
    AccountId, Digests, DomainId, DomainName, OriginRestrictions, Package, PackageId, Repository, RepositoryId,
    RepositoryName, Revision, Sha256, Timestamp,
};
use larder_core::ports::StoredIndex;

use super::*;
use crate::names::project_key;
use crate::registry_page;

pub(crate) fn connection() -> ExternalConnection {
    ExternalConnection::parse("public:pypi").unwrap()
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

pub(crate) fn asset(name: &str, kind: AssetKind, byte: u8, metadata: &FileMetadata) -> Asset {
    let digests =
        Digests { md5: [byte; 16], sha1: [byte; 20], sha256: Sha256([byte; 32]), sha512: [byte; 64], size_bytes: 10 };
    Asset { name: AssetName::new(name).unwrap(), kind, digests, metadata: metadata.bytes() }
}

pub(crate) fn internal() -> Origin {
    Origin::internal(RepositoryName::new("repo-1").unwrap())
}

pub(crate) fn version(text: &str, origin: &Origin, assets: Vec<Asset>) -> PackageVersion {
    PackageVersion {
        id: VersionId(1),
        version: VersionText::new(text).unwrap(),
        status: VersionStatus::Published,
        revision: Revision("r".to_owned()),
        origin: origin.clone(),
        source_published_at: None,
        first_seen_at: Timestamp(0),
        published_at: Timestamp(1_700_000_000_123),
        metadata: Bytes::new(),
        assets,
    }
}

pub(crate) fn file(name: &str, byte: u8) -> Asset {
    asset(name, AssetKind::Asset, byte, &FileMetadata::default())
}

pub(crate) fn hosted(id: i64, versions: Vec<PackageVersion>) -> Layer {
    let package = Package {
        id: PackageId(id),
        key: project_key("foo").unwrap(),
        display_name: "Foo".to_owned(),
        restrictions: OriginRestrictions::PUBLISHED,
        tags: Vec::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(1_700_000_000_456),
        revision: 3,
    };
    Layer::Hosted { repository: repository(id), package: HostedPackage { package, versions } }
}

/// A registry's page of project `foo` with `(file, SHA-256 byte, yanked)`.
pub(crate) fn registry(id: i64, files: &[(&str, u8, &str)], more: &str) -> Layer {
    let files: Vec<String> = files
        .iter()
        .map(|(name, byte, yanked)| {
            let hash = hex::encode([*byte; 32]);
            format!(
                r#"{{"filename":"{name}","url":"../../f/{name}","hashes":{{"sha256":"{hash}"}},"yanked":{yanked}}}"#
            )
        })
        .collect();
    let body = format!(r#"{{"meta":{{"api-version":"1.0"}},"name":"foo",{more}"files":[{}]}}"#, files.join(","));
    let index = StoredIndex {
        body: Some(body.into()),
        content_type: "application/vnd.pypi.simple.v1+json".to_owned(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 4,
    };
    registry_page::read(&project_key("foo").unwrap(), &index).expect("the test's page is a page");
    Layer::Registry { repository: repository(id), connection: connection(), index: Arc::new(index) }
}

pub(crate) fn merged(layers: &[Layer]) -> Project {
    Project::of(&project_key("foo").unwrap(), layers).unwrap()
}

fn listed(project: &Project) -> Vec<(&str, Vec<&str>)> {
    project
        .releases
        .iter()
        .map(|release| (release.version.as_str(), release.files.iter().map(|file| file.name.as_str()).collect()))
        .collect()
}

#[test]
fn releases_of_all_layers_are_merged_in_version_order() {
    let project = merged(&[
        hosted(1, vec![version("1.10", &internal(), vec![file("foo-1.10.tar.gz", 1)])]),
        registry(2, &[("foo-1.9.tar.gz", 2, "false"), ("foo-2.0.tar.gz", 3, "false")], ""),
    ]);
    assert_eq!(
        listed(&project),
        [("1.9", vec!["foo-1.9.tar.gz"]), ("1.10", vec!["foo-1.10.tar.gz"]), ("2.0", vec!["foo-2.0.tar.gz"])]
    );
    assert_eq!((project.display_name.as_str(), project.serial), ("Foo", 1_700_000_000_456));
    assert_eq!(project.newest().unwrap().version.as_str(), "2.0");
}

#[test]
fn files_of_one_release_never_come_from_two_origins() {
    let project = merged(&[
        hosted(1, vec![version("1.0", &internal(), vec![file("foo-1.0.tar.gz", 1)])]),
        registry(2, &[("foo-1.0.0-py3-none-any.whl", 2, "false"), ("foo-1.0.tar.gz", 9, "\"bad\"")], ""),
    ]);
    assert_eq!(listed(&project), [("1.0", vec!["foo-1.0.tar.gz"])]);
    assert_eq!(project.releases[0].files[0].yanked.reason(), None);
    assert!(project.releases[0].is_internal());
}

#[test]
fn a_retained_release_gains_the_files_and_flags_of_its_own_origin() {
    let external = Origin::external(connection());
    let project = merged(&[
        hosted(1, vec![version("1.0", &external, vec![file("foo-1.0.tar.gz", 1)])]),
        registry(2, &[("foo-1.0.tar.gz", 1, "\"broken\""), ("foo-1.0-py3-none-any.whl", 2, "false")], ""),
    ]);
    assert_eq!(listed(&project), [("1.0", vec!["foo-1.0-py3-none-any.whl", "foo-1.0.tar.gz"])]);
    let sdist = project.find_file("foo-1.0.tar.gz").unwrap();
    assert_eq!(sdist.yanked.reason(), Some("broken"));
    assert_eq!(sdist.relay.as_ref().unwrap().url, "../../f/foo-1.0.tar.gz");
}

#[test]
fn bytes_that_a_registry_changed_do_not_replace_what_is_stored() {
    let external = Origin::external(connection());
    let project = merged(&[
        hosted(1, vec![version("1.0", &external, vec![file("foo-1.0.tar.gz", 1)])]),
        registry(2, &[("foo-1.0.tar.gz", 9, "\"broken\"")], ""),
    ]);
    let sdist = project.find_file("foo-1.0.tar.gz").unwrap();
    assert_eq!((sdist.digests["sha256"].as_str(), sdist.yanked.reason()), (hex::encode([1; 32]).as_str(), None));
}

#[test]
fn a_release_that_is_not_published_hides_the_same_release_further_away() {
    for status in [VersionStatus::Unlisted, VersionStatus::Archived, VersionStatus::Disposed] {
        let near = PackageVersion { status, ..version("1.0", &Origin::external(connection()), vec![]) };
        let project = merged(&[
            hosted(1, vec![near]),
            registry(2, &[("foo-1.0.tar.gz", 1, "false"), ("foo-1.1.tar.gz", 2, "false")], ""),
        ]);
        assert_eq!(listed(&project), [("1.1", vec!["foo-1.1.tar.gz"])], "{status}");
    }
}

#[test]
fn two_spellings_of_a_version_in_one_repository_are_one_release() {
    let project = merged(&[hosted(
        1,
        vec![
            version("1.0", &internal(), vec![file("foo-1.0.tar.gz", 1)]),
            version("1.0.0", &internal(), vec![file("foo-1.0.0-py3-none-any.whl", 2)]),
        ],
    )]);
    assert_eq!(listed(&project), [("1.0", vec!["foo-1.0.0-py3-none-any.whl", "foo-1.0.tar.gz"])]);
    let wheel = project.find_file("foo-1.0.0-py3-none-any.whl").unwrap();
    assert_eq!(wheel.version.as_str(), "1.0.0", "its address keeps the version that it is stored under");
    assert!(project.find_release("v1.0.0.0").is_some());
}

#[test]
fn a_quarantined_project_offers_nothing_of_that_origin() {
    let layers = [
        hosted(1, vec![version("1.0", &Origin::external(connection()), vec![file("foo-1.0.tar.gz", 1)])]),
        hosted(3, vec![version("3.0", &internal(), vec![file("foo-3.0.tar.gz", 1)])]),
        registry(2, &[("foo-1.0.tar.gz", 1, "false")], r#""project-status":{"status":"quarantined"},"#),
    ];
    let project = merged(&layers);
    assert_eq!(listed(&project), [("3.0", vec!["foo-3.0.tar.gz"])]);
    assert!(project.status.unwrap().refuses_uploads());
}

#[test]
fn the_newest_release_is_final_and_not_yanked() {
    let yanked = |files: &[(&str, u8, &str)]| merged(&[registry(1, files, "")]).newest().map(|r| r.version.to_string());
    let files = [("foo-1.0.tar.gz", 1, "false"), ("foo-1.1.tar.gz", 2, "true"), ("foo-2.0rc1.tar.gz", 3, "false")];
    assert_eq!(yanked(&files).as_deref(), Some("1.0"));
    assert_eq!(yanked(&files[1..]).as_deref(), Some("2.0rc1"));
    assert_eq!(yanked(&files[1..2]).as_deref(), Some("1.1"));
}
