//! Package groups: their tree, their lists, their tags.

use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{
    Arn, DomainId, Lineage, PackageGroup, PackageGroupPattern, PageRequest, RestrictionMode, RestrictionType,
};
use larder_core::ports::{
    Applied, Change, Domains, Journal, MetadataStore, NewPackageGroup, PackageGroupOriginUpdate, PackageGroups,
};

use super::fixture::{Fixture, REGION, account, repository_name, tag};

pub(super) fn pattern(text: &str) -> PackageGroupPattern {
    PackageGroupPattern::new(text).unwrap_or_else(|rule| panic!("{text}: {rule}"))
}

pub(super) fn create(domain: DomainId, text: &str) -> Change {
    Change::CreatePackageGroup(Box::new(NewPackageGroup {
        domain,
        pattern: pattern(text),
        contact_info: None,
        description: None,
        tags: Vec::new(),
        limit: 1000,
    }))
}

pub(super) fn delete(domain: DomainId, text: &str) -> Change {
    Change::DeletePackageGroup { domain, pattern: pattern(text) }
}

pub(super) fn origin(domain: DomainId, text: &str) -> PackageGroupOriginUpdate {
    PackageGroupOriginUpdate { domain, pattern: pattern(text), modes: vec![], add: vec![], remove: vec![] }
}

/// Sets one mode.
pub(super) fn set(domain: DomainId, text: &str, restriction: RestrictionType, mode: RestrictionMode) -> Change {
    let update = PackageGroupOriginUpdate { modes: vec![(restriction, mode)], ..origin(domain, text) };
    Change::UpdatePackageGroupOrigin(Box::new(update))
}

async fn lineage(fixture: &Fixture, domain: DomainId, text: &str) -> Lineage {
    let found = fixture.store.find_package_group(domain, &pattern(text)).await.expect("read");
    found.unwrap_or_else(|| panic!("no group {text}"))
}

/// The patterns from a group to the root.
async fn line(fixture: &Fixture, domain: DomainId, text: &str) -> Vec<String> {
    let mut found = vec![text.to_owned()];
    let mut lineage = lineage(fixture, domain, text).await;
    while let Some(parent) = lineage.parent() {
        found.push(parent.pattern.to_string());
        lineage = fixture.store.find_lineage(parent.id).await.expect("read").expect("the parent");
    }
    found
}

fn patterns(groups: &[PackageGroup]) -> Vec<&str> {
    groups.iter().map(|group| group.pattern.as_str()).collect()
}

pub(super) async fn every_domain_has_the_root_group(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let root = lineage(&fixture, domain.id, "/*").await;
    assert!(root.parent().is_none());
    for restriction in RestrictionType::ALL {
        assert_eq!(root.effective(restriction).mode, RestrictionMode::Allow);
    }
    assert!(matches!(fixture.fails(delete(domain.id, "/*")).await, Error::Validation { .. }));
    let inherit = set(domain.id, "/*", RestrictionType::Publish, RestrictionMode::Inherit);
    assert!(matches!(fixture.fails(inherit).await, Error::Validation { .. }));
    fixture.must(set(domain.id, "/*", RestrictionType::Publish, RestrictionMode::Block)).await;
    fixture.must(Change::DeleteDomain { domain: domain.id }).await;
}

pub(super) async fn groups_find_their_place_in_the_tree(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await.id;
    for text in ["/npm//react$", "/npm/*", "/npm/space/lib~", "/npm/sp~", "/npm/space/*", "/npm//react~"] {
        fixture.must(create(domain, text)).await;
    }
    assert_eq!(line(&fixture, domain, "/npm//react$").await, ["/npm//react$", "/npm//react~", "/npm/*", "/*"]);
    assert_eq!(line(&fixture, domain, "/npm/space/lib~").await, ["/npm/space/lib~", "/npm/space/*", "/npm/*", "/*"]);
    assert_eq!(line(&fixture, domain, "/npm/sp~").await, ["/npm/sp~", "/npm/*", "/*"]);

    fixture.must(delete(domain, "/npm/*")).await;
    fixture.must(delete(domain, "/npm/space/*")).await;
    assert_eq!(line(&fixture, domain, "/npm/space/lib~").await, ["/npm/space/lib~", "/*"]);
    assert_eq!(line(&fixture, domain, "/npm//react$").await, ["/npm//react$", "/npm//react~", "/*"]);
    assert!(fixture.fails(delete(domain, "/npm/*")).await.is_not_found());

    let again = fixture.fails(create(domain, "/npm/sp~")).await;
    assert!(matches!(again, Error::Conflict { kind: ConflictKind::Exists, .. }), "{again:?}");
    fixture.must(create(domain, "/npm/Sp~")).await;
    let Change::CreatePackageGroup(mut many) = create(domain, "/npm/x$y~") else { panic!("a creation") };
    many.limit = 5;
    assert!(matches!(fixture.fails(Change::CreatePackageGroup(many)).await, Error::QuotaExceeded { .. }));
}

pub(super) async fn the_tree_is_what_the_patterns_say_after_any_changes(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await.id;
    let all = [
        "/npm/*",
        "/npm//*",
        "/npm/a~",
        "/npm/a/*",
        "/npm/a-b~",
        "/npm/a-*",
        "/npm/a/x~",
        "/npm/a/x-y~",
        "/npm/a/x$",
        "/npm/a/x-y$",
        "/npm//x~",
        "/npm//x-*",
        "/npm//x-y$",
        "/maven/*",
        "/maven/a.b~",
        "/maven/a~",
        "/maven/a.b/c$",
    ];
    let mut there: Vec<&str> = vec!["/*"];
    let mut state = 7_usize;
    for _ in 0..120 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let text = all[(state >> 33) % all.len()];
        if let Some(index) = there.iter().position(|known| *known == text) {
            there.remove(index);
            fixture.must(delete(domain, text)).await;
        } else {
            there.push(text);
            fixture.must(create(domain, text)).await;
        }
    }
    assert!(there.len() > 4, "{there:?}");
    for text in &there {
        let own = pattern(text);
        let mut ancestors: Vec<_> = there.iter().map(|text| pattern(text)).filter(|other| other.covers(&own)).collect();
        ancestors.sort_by(|a, b| b.compare_ancestors(a));
        let expected: Vec<_> = std::iter::once(own).chain(ancestors).map(|pattern| pattern.to_string()).collect();
        assert_eq!(line(&fixture, domain, text).await, expected);
    }
}

pub(super) async fn groups_are_listed_by_prefix_and_by_parent(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await.id;
    for text in ["/npm/*", "/npm//*", "/npm//react$", "/npm/space/*", "/pypi/*"] {
        fixture.must(create(domain, text)).await;
    }
    let other = fixture.domain("other-domain").await.id;
    fixture.must(create(other, "/npm/other/*")).await;

    let store = &fixture.store;
    let first = store.list_package_groups(domain, "/npm", &PageRequest::first(2)).await.expect("read");
    assert_eq!(patterns(&first.items), ["/npm/*", "/npm//*"]);
    let page = PageRequest { limit: 2, after: first.next };
    let second = store.list_package_groups(domain, "/npm", &page).await.expect("read");
    assert_eq!(patterns(&second.items), ["/npm//react$", "/npm/space/*"]);
    assert!(second.next.is_none());
    let all = store.list_package_groups(domain, "", &PageRequest::first(100)).await.expect("read");
    assert_eq!(all.items.len(), 6);

    let root = lineage(&fixture, domain, "/*").await.group().id;
    let children = store.list_sub_package_groups(root, &PageRequest::first(1)).await.expect("read");
    assert_eq!(patterns(&children.items), ["/npm/*"]);
    let page = PageRequest { limit: 1, after: children.next };
    let children = store.list_sub_package_groups(root, &page).await.expect("read");
    assert_eq!(patterns(&children.items), ["/pypi/*"]);
    assert!(children.next.is_none());
}

pub(super) async fn lists_of_repositories_tell_what_changed(fixture: Fixture) {
    use RestrictionType::{ExternalUpstream, Publish};
    let domain = fixture.domain("my-domain").await;
    for name in ["repo-a", "repo-b", "repo-c"] {
        fixture.repository(&domain, name).await;
    }
    fixture.must(create(domain.id, "/npm/*")).await;
    let named = |kind, names: &[&str]| names.iter().map(|name| (kind, repository_name(name))).collect::<Vec<_>>();
    let update = |update: PackageGroupOriginUpdate| async {
        match fixture.apply(Change::UpdatePackageGroupOrigin(Box::new(update))).await.expect("updated") {
            Applied::AllowedRepositories(lists) => lists
                .into_iter()
                .map(|list| {
                    let text = |names: Vec<_>| names.iter().map(ToString::to_string).collect::<Vec<String>>().join(",");
                    format!("{}+{}-{}", list.restriction.as_aws(), text(list.added), text(list.removed))
                })
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let add = [named(Publish, &["repo-b", "repo-a"]), named(ExternalUpstream, &["repo-c"])].concat();
    let told = update(PackageGroupOriginUpdate { add, ..origin(domain.id, "/npm/*") }).await;
    assert_eq!(told, ["PUBLISH+repo-a,repo-b-", "EXTERNAL_UPSTREAM+repo-c-"]);
    // Named on both sides, it is where it was; what is not there is not removed.
    let add = named(Publish, &["repo-a", "repo-c"]);
    let remove = named(Publish, &["repo-a", "repo-b", "no-such"]);
    let told = update(PackageGroupOriginUpdate { add, remove, ..origin(domain.id, "/npm/*") }).await;
    assert_eq!(told, ["PUBLISH+repo-c-repo-b"]);
    let add = named(Publish, &["no-such"]);
    let missing = PackageGroupOriginUpdate { add, ..origin(domain.id, "/npm/*") };
    assert!(fixture.fails(Change::UpdatePackageGroupOrigin(Box::new(missing))).await.is_not_found());

    let group = lineage(&fixture, domain.id, "/npm/*").await.group().clone();
    assert_eq!(group.restriction(Publish).repositories_count, 2);
    let store = &fixture.store;
    let list = |after| async move {
        let page = PageRequest { limit: 1, after };
        store.list_allowed_repositories(group.id, Publish, &page).await.expect("read")
    };
    let first = list(None).await;
    let second = list(first.next.clone()).await;
    assert_eq!([&first.items[..], &second.items[..]].concat(), [repository_name("repo-a"), repository_name("repo-c")]);
    assert!(second.next.is_none());
}

pub(super) async fn a_deleted_repository_is_on_no_list(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let repository = fixture.repository(&domain, "repo-a").await;
    let add = vec![(RestrictionType::Publish, repository.name.clone())];
    let update = PackageGroupOriginUpdate { add, ..origin(domain.id, "/*") };
    fixture.must(Change::UpdatePackageGroupOrigin(Box::new(update))).await;
    fixture.must(Change::DeleteRepository { repository: repository.id }).await;
    let count = |lineage: Lineage| lineage.group().restriction(RestrictionType::Publish).repositories_count;
    assert_eq!(count(lineage(&fixture, domain.id, "/*").await), 0);
    fixture.repository(&domain, "repo-a").await;
    assert_eq!(count(lineage(&fixture, domain.id, "/*").await), 0, "a namesake is another repository");
}

pub(super) async fn groups_have_tags_and_are_journaled(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let Change::CreatePackageGroup(mut new) = create(domain.id, "/npm//react$") else { panic!("a creation") };
    new.tags = vec![tag("team", "blue")];
    let before = fixture.store.control_generation().await.expect("read");
    fixture.must(Change::CreatePackageGroup(new)).await;
    assert!(fixture.store.control_generation().await.expect("read") > before);
    let arn = Arn::package_group(REGION, &account(), &domain.name, &pattern("/npm//react$")).to_string();
    fixture.must(Change::Tag { resource: arn.clone(), tags: vec![tag("a", "b")] }).await;
    fixture.must(Change::Untag { resource: arn.clone(), keys: vec!["team".to_owned()] }).await;
    assert_eq!(fixture.store.list_tags(&arn).await.expect("read"), [tag("a", "b")]);

    let update = Change::UpdatePackageGroup {
        domain: domain.id,
        pattern: pattern("/npm//react$"),
        contact_info: Some("me".to_owned()),
        description: None,
    };
    fixture.must(update).await;
    fixture.must(delete(domain.id, "/npm//react$")).await;
    assert!(fixture.store.list_tags(&arn).await.expect("read").is_empty());
    assert!(fixture.fails(Change::Tag { resource: arn.clone(), tags: vec![tag("a", "b")] }).await.is_not_found());

    let records = fixture.store.list_journal(0, 100).await.expect("read");
    let of_group: Vec<_> = records.iter().filter(|record| record.resource == arn).collect();
    let told: Vec<_> = of_group.iter().map(|record| (record.before.is_some(), record.after.is_some())).collect();
    assert_eq!(told, [(false, true), (true, true), (true, true), (true, true), (true, false)]);
    assert_eq!(
        of_group[3].after.as_deref(),
        Some(
            "PUBLISH=INHERIT(0) EXTERNAL_UPSTREAM=INHERIT(0) INTERNAL_UPSTREAM=INHERIT(0) contact_info=\"me\" \
             description=\"\""
        )
    );
}
