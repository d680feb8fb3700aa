use bytes::Bytes;
use larder_core::Error;
use larder_core::model::{
    AllowPublish, AllowUpstream, AssetKind, NewAsset, Origin, OriginRestrictions, OriginType, PackageFormat,
    PackageKey, PageRequest, PageToken, Publication, Repository, Timestamp, VersionStatus,
};
use larder_core::ports::{Change, PackageFilter, Packages, Sightings, StoredIndex, UpstreamIndexes, VersionFilter};

use super::fixture::{Fixture, asset, new_asset, npm, npmjs, publication, selection};

async fn put(fixture: &Fixture, repository: &Repository, package: PackageKey, restrictions: OriginRestrictions) {
    fixture.must(Change::PutOriginRestrictions { repository: repository.id, package, restrictions }).await;
}

fn key(text: &str) -> PackageKey {
    let parts: Vec<_> = text.split('/').collect();
    let format: PackageFormat = parts[0].parse().expect("a format");
    PackageKey::new(format, Some(parts[1]).filter(|part| !part.is_empty()), parts[2]).expect("a key")
}

/// Every page of the list, one row each.
async fn packages(fixture: &Fixture, repository: &Repository, filter: PackageFilter) -> Vec<String> {
    let mut page = PageRequest::first(1);
    let mut found = Vec::new();
    loop {
        let part = fixture.store.list_packages(repository.id, &filter, &page).await.expect("read");
        found.extend(part.items.iter().map(|package| package.key.to_string()));
        let Some(next) = part.next else { return found };
        page.after = Some(next);
    }
}

pub(super) async fn packages_are_listed_by_format_namespace_and_prefix(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let all =
        ["generic/tools/zip", "npm//a", "npm//left-pad", "npm//left-pad2", "npm/abc/ui", "npm/ä/left", "pypi//left"];
    for text in all {
        put(&fixture, &repository, key(text), OriginRestrictions::PUBLISHED).await;
    }
    let list = |format: Option<PackageFormat>, namespace: Option<&str>, prefix: Option<&str>| {
        let namespace = namespace.map(str::to_owned);
        let prefix = prefix.map(str::to_owned);
        packages(&fixture, &repository, PackageFilter { format, namespace, prefix, ..PackageFilter::default() })
    };
    let npm = Some(PackageFormat::Npm);
    assert_eq!(list(None, None, None).await, all);
    assert_eq!(list(npm, None, None).await, all[1..6]);
    assert_eq!(list(npm, Some("a"), None).await, ["npm/abc/ui"]);
    assert_eq!(list(npm, Some("ä"), None).await, ["npm/ä/left"]);
    // A prefix is found over all formats and namespaces, by name.
    let left = ["npm/ä/left", "pypi//left", "npm//left-pad", "npm//left-pad2"];
    assert_eq!(list(None, None, Some("left")).await, left);
    assert_eq!(list(npm, None, Some("left")).await, [left[0], left[2], left[3]]);
    assert_eq!(list(npm, Some("ä"), Some("left")).await, ["npm/ä/left"]);
    assert!(list(npm, None, Some("LEFT")).await.is_empty());
    assert!(list(None, None, Some("%")).await.is_empty());
}

pub(super) async fn packages_are_filtered_by_origin_settings(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let both = OriginRestrictions { publish: AllowPublish::Allow, upstream: AllowUpstream::Allow };
    for (name, restrictions) in [("a", OriginRestrictions::PUBLISHED), ("b", OriginRestrictions::INGESTED), ("c", both)]
    {
        put(&fixture, &repository, npm(name), restrictions).await;
    }
    let list = |publish, upstream| {
        packages(&fixture, &repository, PackageFilter { publish, upstream, ..PackageFilter::default() })
    };
    assert_eq!(list(Some(AllowPublish::Allow), None).await, ["npm//a", "npm//c"]);
    assert_eq!(list(None, Some(AllowUpstream::Allow)).await, ["npm//b", "npm//c"]);
    assert_eq!(list(Some(AllowPublish::Allow), Some(AllowUpstream::Allow)).await, ["npm//c"]);
    assert!(list(Some(AllowPublish::Block), Some(AllowUpstream::Block)).await.is_empty());
}

pub(super) async fn versions_are_listed_by_text_or_time(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["10.0.0", "2.0.0"]).await;
    let restrictions = OriginRestrictions { publish: AllowPublish::Allow, upstream: AllowUpstream::Allow };
    put(&fixture, &repository, npm("left-pad"), restrictions).await;
    let external = Publication {
        origin: Origin::external(npmjs()),
        requires_publish: None,
        ..publication(&repository, "left-pad", "1.0.0")
    };
    fixture.publish(external).await.expect("ingested");
    let package = fixture.package(repository.id, "left-pad").await.expect("the package");
    let (status, target) = (Some(VersionStatus::Unlisted), VersionStatus::Unlisted);
    let selection = selection(&["2.0.0"]);
    fixture.batch(Change::UpdateVersionsStatus { package: package.id, selection, target }).await;
    let list = |filter: VersionFilter| {
        let (store, package) = (&fixture.store, &package);
        async move {
            let mut page = PageRequest::first(2);
            let mut found = Vec::new();
            loop {
                let part = store.list_versions(package, &filter, &page).await.expect("read");
                found.extend(part.items.iter().map(|version| version.version.to_string()));
                let Some(next) = part.next else { return found };
                page.after = Some(next);
            }
        }
    };
    let newest_first = VersionFilter { newest_first: true, ..VersionFilter::default() };
    assert_eq!(list(VersionFilter::default()).await, ["1.0.0", "10.0.0", "2.0.0"]);
    assert_eq!(list(newest_first).await, ["1.0.0", "2.0.0", "10.0.0"]);
    assert_eq!(list(VersionFilter { status, ..VersionFilter::default() }).await, ["2.0.0"]);
    let origin = Some(OriginType::Internal);
    assert_eq!(list(VersionFilter { origin, ..newest_first }).await, ["2.0.0", "10.0.0"]);

    let newest = || async { fixture.store.newest_version(&package).await.expect("read").map(|v| v.to_string()) };
    assert_eq!(newest().await.as_deref(), Some("1.0.0"));
    let archive = |versions: &[&str]| Change::UpdateVersionsStatus {
        package: package.id,
        selection: super::fixture::selection(versions),
        target: VersionStatus::Archived,
    };
    fixture.batch(archive(&["1.0.0"])).await;
    assert_eq!(newest().await.as_deref(), Some("10.0.0"), "the unlisted one does not count");
    fixture.batch(archive(&["10.0.0"])).await;
    assert_eq!(newest().await, None);
}

pub(super) async fn names_of_several_repositories_are_merged(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let first = fixture.repository(&domain, "first").await;
    let second = fixture.repository(&domain, "second").await;
    for (repository, name, display_name) in
        [(&first, "b", "B"), (&first, "d", "D"), (&second, "a", "A"), (&second, "b", "other"), (&second, "c", "C")]
    {
        let publication =
            Publication { display_name: display_name.to_owned(), ..publication(repository, name, "1.0.0") };
        fixture.publish(publication).await.expect("published");
    }
    put(&fixture, &first, key("pypi//other"), OriginRestrictions::PUBLISHED).await;
    put(&fixture, &second, key("npm/scope/z"), OriginRestrictions::PUBLISHED).await;
    for limit in [1, 2, 100] {
        let mut page = PageRequest::first(limit);
        let mut found = Vec::new();
        loop {
            let repositories = [first.id, second.id];
            let part = fixture.store.list_package_names(&repositories, PackageFormat::Npm, &page).await.expect("read");
            assert!(part.items.len() <= limit);
            found.extend(part.items.into_iter().map(|(key, display_name)| format!("{key} {display_name}")));
            let Some(next) = part.next else { break };
            page.after = Some(next);
        }
        assert_eq!(found, ["npm//a A", "npm//b B", "npm//c C", "npm//d D", "npm/scope/z z"], "limit {limit}");
    }
}

pub(super) async fn revisions_are_those_of_repositories_that_have_the_package(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let mut ids = Vec::new();
    let mut expected = Vec::new();
    // More than fit into one statement.
    for number in 0..20 {
        let repository = fixture.repository(&domain, &format!("repository-{number}")).await;
        if number % 3 == 0 {
            let package = fixture.published(&repository, "left-pad", &["1.0.0", "2.0.0"][..=number % 2]).await;
            expected.push((repository.id, package.revision));
        }
        ids.insert(0, repository.id);
    }
    assert_eq!(fixture.store.package_revisions(&ids, &npm("left-pad")).await.expect("read"), expected);
    assert!(fixture.store.package_revisions(&ids, &npm("no-pad")).await.expect("read").is_empty());
    assert!(fixture.store.package_revisions(&[], &npm("left-pad")).await.expect("read").is_empty());
}

pub(super) async fn assets_are_listed_without_sidecars(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let sidecar = NewAsset { kind: AssetKind::Sidecar, ..new_asset(asset("b.metadata", "m")) };
    let mut assets: Vec<_> = ["c", "a", "b"].map(|name| new_asset(asset(name, name))).into();
    assets.push(sidecar);
    fixture.publish(Publication { assets, ..publication(&repository, "left-pad", "1.0.0") }).await.expect("published");
    let version = fixture.version(repository.id, "left-pad", "1.0.0").await.expect("the version");
    assert_eq!(version.assets.len(), 4);
    let first = fixture.store.list_assets(version.id, &PageRequest::first(2)).await.expect("read");
    assert_eq!(first.items, [asset("a", "a"), asset("b", "b")]);
    let rest = PageRequest { limit: 2, after: first.next };
    let rest = fixture.store.list_assets(version.id, &rest).await.expect("read");
    assert_eq!(rest.items, [asset("c", "c")]);
    assert!(rest.next.is_none());
}

pub(super) async fn blobs_are_listed_in_pages(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["1.0.0", "2.0.0", "3.0.0"]).await;
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let part = fixture.store.list_blob_references(after, 2).await.expect("read");
        let Some((domain, sha256, _)) = part.last().copied() else { break };
        after = Some((domain, sha256));
        found.extend(part);
    }
    let mut expected: Vec<_> = ["1.0.0", "2.0.0", "3.0.0"]
        .map(|text| asset("x", &format!("left-pad {text}")).digests)
        .map(|digests| (repository.domain, digests.sha256, digests.size_bytes))
        .into();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

fn index(body: Option<&str>, checked_at: i64) -> StoredIndex {
    StoredIndex {
        body: body.map(|body| Bytes::copy_from_slice(body.as_bytes())),
        content_type: "application/json".to_owned(),
        etag: Some(format!("etag {checked_at}")),
        last_modified: None,
        checked_at: Timestamp(checked_at),
        revision: 0,
    }
}

pub(super) async fn index_documents_keep_their_revision_while_the_body_stays(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let (id, key) = (repository.id, npm("left-pad"));
    assert!(fixture.store.find_index(id, npmjs(), &key).await.expect("read").is_none());
    for (body, revision) in
        [(Some("one"), 1), (Some("one"), 1), (Some("two"), 2), (None, 3), (None, 3), (Some("two"), 4), (Some(""), 5)]
    {
        let checked_at = 100 + revision;
        let stored = fixture.store.put_index(id, npmjs(), &key, &index(body, checked_at)).await.expect("stored");
        assert_eq!(stored.revision, revision);
        let found = fixture.store.find_index(id, npmjs(), &key).await.expect("read").expect("there");
        assert_eq!((found.revision, found.checked_at), (revision, Timestamp(checked_at)));
        assert_eq!(found.body.as_deref(), body.map(str::as_bytes));
        assert_eq!(found.etag, Some(format!("etag {checked_at}")));
    }
    fixture.must(Change::DeleteRepository { repository: id }).await;
    fixture.store.purge().await.expect("purged");
    assert!(fixture.store.find_index(id, npmjs(), &key).await.expect("read").is_none());
}

pub(super) async fn sightings_are_kept_with_their_index(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let (id, key) = (repository.id, npm("left-pad"));
    let store = &fixture.store;
    let seen = |versions: &[(&str, i64)]| -> Sightings {
        versions.iter().map(|(version, at)| ((*version).to_owned(), Timestamp(*at))).collect()
    };
    store.put_sightings(id, npmjs(), &key, &seen(&[("1.0.0", 1)])).await.expect("nothing to keep them with");
    assert_eq!(store.find_sightings(id, npmjs(), &key).await.expect("read"), seen(&[]));
    store.put_index(id, npmjs(), &key, &index(Some("one"), 1)).await.expect("stored");
    for versions in [seen(&[("1.0.0", 1)]), seen(&[("1.0.0", 1), ("2.0.0 \"x\"", i64::MAX)])] {
        store.put_sightings(id, npmjs(), &key, &versions).await.expect("kept");
        assert_eq!(store.find_sightings(id, npmjs(), &key).await.expect("read"), versions);
    }
    store.put_index(id, npmjs(), &key, &index(Some("two"), 2)).await.expect("stored");
    assert_eq!(store.find_sightings(id, npmjs(), &key).await.expect("read").len(), 2);
    fixture.must(Change::DeleteRepository { repository: id }).await;
    store.purge().await.expect("purged");
    assert_eq!(store.find_sightings(id, npmjs(), &key).await.expect("read"), seen(&[]));
}

pub(super) async fn foreign_page_tokens_are_refused(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let filter = VersionFilter { newest_first: true, ..VersionFilter::default() };
    let page = PageRequest { limit: 1, after: Some(PageToken(vec!["left-pad".to_owned()])) };
    let result = fixture.store.list_versions(&package, &filter, &page).await;
    assert!(matches!(result, Err(Error::Validation { .. })));
}

pub(super) async fn a_twin_differs_in_case_and_punctuation_only(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    put(&fixture, &repository, npm("left-pad"), OriginRestrictions::PUBLISHED).await;
    put(&fixture, &repository, npm("right-pad"), OriginRestrictions::INGESTED).await;
    put(&fixture, &repository, key("npm/scope/up-pad"), OriginRestrictions::PUBLISHED).await;
    let twin = |name: &'static str| {
        let store = &fixture.store;
        async move { store.find_package_twin(repository.id, &npm(name)).await.expect("read") }
    };
    for name in ["leftpad", "LeftPad", "left_pad", "left.pad-"] {
        assert_eq!(twin(name).await, Some(npm("left-pad")), "{name}");
    }
    // The same name is no twin, one that nobody may publish to is none, nor is one of another scope.
    for name in ["left-pad", "left-pads", "rightpad", "uppad"] {
        assert_eq!(twin(name).await, None, "{name}");
    }
}
