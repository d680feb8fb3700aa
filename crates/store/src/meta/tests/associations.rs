//! Packages and their groups: which one, what it lets in, and which packages a group has.

use larder_core::model::{
    Association, AssociationType, DomainId, OriginRestrictions, PackageFormat, PackageKey, PackagePath, PageRequest,
    Repository, RestrictionMode, RestrictionType,
};
use larder_core::ports::{Change, PackageGroupOriginUpdate, PackageGroups};
use larder_core::{Error, RefusalCode, Result};

use super::fixture::{Fixture, npm, npmjs, publication, told, version};
use super::package_groups::{create, delete, origin, pattern, set};
use crate::sql::{Conn, Sql, Work};

async fn associated(fixture: &Fixture, domain: DomainId, key: &PackageKey) -> Association {
    fixture.store.associate_package(domain, key).await.expect("read")
}

fn key(path: &str) -> PackageKey {
    let parts: Vec<_> = path.split('/').collect();
    let [_, format, namespace, name] = parts.as_slice() else { panic!("{path}") };
    let format: PackageFormat = format.parse().expect("a format");
    PackageKey::new(format, Some(*namespace).filter(|text| !text.is_empty()), name).expect("a package")
}

pub(super) async fn a_package_belongs_to_the_most_specific_group(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await.id;
    let groups =
        ["/npm/*", "/npm/space/*", "/npm//lib~", "/npm//lib-ui$", "/npm//Async$", "/npm//async$", "/maven/org.x~"];
    for text in groups {
        fixture.must(create(domain, text)).await;
    }
    let all: Vec<_> = groups.iter().chain(&["/*"]).map(|text| pattern(text)).collect();
    for path in [
        "/npm//react",
        "/npm/space/x",
        "/npm/Space/x",
        "/npm//lib",
        "/npm//lib-x",
        "/npm//library",
        "/npm//lib_ui",
        "/npm//Async",
        "/npm//ASYNC",
        "/pypi//lib",
        "/maven/org.x.y/z",
        "/maven/org.xy/z",
        "/maven/ORG_X/z",
        "/npm//\u{3bb}ib-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z",
    ] {
        let key = key(path);
        let naive = all
            .iter()
            .filter_map(|pattern| Some((pattern.specificity(&PackagePath::new(&key))?, pattern)))
            .max_by(|(a, _), (b, _)| a.0.cmp(&b.0))
            .map(|((_, association), pattern)| (pattern.clone(), association));
        let found = associated(&fixture, domain, &key).await;
        assert_eq!(naive, Some((found.lineage().group().pattern.clone(), found.association_type())), "{path}");
    }
    fixture.must(delete(domain, "/npm//lib~")).await;
    let found = associated(&fixture, domain, &npm("lib")).await;
    assert_eq!(found.lineage().group().pattern.as_str(), "/npm/*");
}

pub(super) async fn an_inherited_list_is_its_owners(fixture: Fixture) {
    use RestrictionType::{ExternalUpstream, Publish};
    let domain = fixture.domain("my-domain").await;
    let (listed, other) = (fixture.repository(&domain, "repo-a").await, fixture.repository(&domain, "repo-b").await);
    fixture.must(create(domain.id, "/npm/*")).await;
    fixture.must(create(domain.id, "/npm//lib~")).await;
    let update = PackageGroupOriginUpdate {
        modes: vec![(Publish, RestrictionMode::AllowSpecificRepositories)],
        add: vec![(Publish, listed.name.clone())],
        ..origin(domain.id, "/npm/*")
    };
    fixture.must(Change::UpdatePackageGroupOrigin(Box::new(update))).await;
    let found = associated(&fixture, domain.id, &npm("lib-x")).await;
    assert_eq!(found.lineage().group().pattern.as_str(), "/npm//lib~");
    assert!(found.admits(Publish, listed.id) && !found.admits(Publish, other.id));
    assert!(found.admits(ExternalUpstream, other.id));
    assert_eq!(found.first_restrictions(OriginRestrictions::PUBLISHED), OriginRestrictions::OPEN);
    let refusal = found.refuses_publish(&npm("lib-x"), other.id, &other.name).expect("refused").to_string();
    assert_eq!(
        refusal,
        "publishing 'npm//lib-x' to repository 'repo-b' is refused by package group '/npm//lib~' \
         (PUBLISH=ALLOW_SPECIFIC_REPOSITORIES, inherited from '/npm/*'); who may UpdatePackageGroupOriginConfiguration \
         can allow it [group-publish]"
    );
}

fn code(error: &Error) -> Option<RefusalCode> {
    error.denial()
}

pub(super) async fn a_group_is_asked_inside_the_transaction(fixture: Fixture) {
    use RestrictionMode::Block;
    let domain = fixture.domain("my-domain").await;
    let (source, into) = (fixture.repository(&domain, "source").await, fixture.repository(&domain, "into").await);
    fixture.published(&source, "lib", &["1.0.0"]).await;
    let found = fixture.version(source.id, "lib", "1.0.0").await.expect("published");
    for restriction in RestrictionType::ALL {
        fixture.must(set(domain.id, "/*", restriction, Block)).await;
    }
    let refused = fixture.publish(publication(&source, "lib", "2.0.0")).await.expect_err("blocked");
    assert_eq!(code(&refused), Some(RefusalCode::GroupPublish));
    let mut ingested = publication(&source, "lib", "2.0.0");
    ingested.origin = larder_core::model::Origin::external(npmjs());
    ingested.requires_publish = None;
    let refused = fixture.publish(ingested).await.expect_err("blocked");
    assert_eq!(code(&refused), Some(RefusalCode::GroupExternalUpstream));
    let retain = Change::Retain { repository: into.id, source: found.id, restrictions: OriginRestrictions::INGESTED };
    assert_eq!(code(&fixture.fails(retain).await), Some(RefusalCode::GroupInternalUpstream));
    let copied = fixture.batch(copy(&into, "lib", found.id)).await;
    let failure = told(&copied)[0].1.clone().expect_err("blocked");
    assert!(failure.starts_with("NOT_ALLOWED: ") && failure.ends_with("[group-internal-upstream]"), "{failure}");
    assert!(fixture.package(into.id, "lib").await.is_none(), "nothing is left behind");
    // What is there is not touched, and is no way in.
    assert!(fixture.batch(copy(&source, "lib", found.id)).await.is_empty());
}

fn copy(into: &Repository, name: &str, source: larder_core::model::VersionId) -> Change {
    Change::CopyVersions {
        sources: vec![(version("1.0.0"), Ok(source))],
        destination: into.id,
        package: npm(name),
        allow_overwrite: false,
        restrictions: OriginRestrictions::PUBLISHED,
    }
}

pub(super) async fn first_settings_are_open_where_a_group_restricts(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let (source, into) = (fixture.repository(&domain, "source").await, fixture.repository(&domain, "into").await);
    let first = fixture.published(&source, "lib", &["1.0.0"]).await;
    assert_eq!(first.restrictions, OriginRestrictions::PUBLISHED);
    fixture.must(set(domain.id, "/*", RestrictionType::ExternalUpstream, RestrictionMode::Block)).await;
    let stored = fixture.published(&source, "lib", &["2.0.0"]).await;
    assert_eq!(stored.restrictions, OriginRestrictions::PUBLISHED, "what is stored stays");
    assert_eq!(fixture.published(&source, "other", &["1.0.0"]).await.restrictions, OriginRestrictions::OPEN);
    let found = fixture.version(source.id, "lib", "1.0.0").await.expect("published");
    fixture
        .must(Change::Retain { repository: into.id, source: found.id, restrictions: OriginRestrictions::INGESTED })
        .await;
    assert_eq!(fixture.package(into.id, "lib").await.expect("retained").restrictions, OriginRestrictions::OPEN);
}

/// All pages of a group's packages.
async fn packages(fixture: &Fixture, domain: DomainId, text: &str, limit: usize) -> Vec<String> {
    let (mut found, mut page) = (Vec::new(), PageRequest::first(limit));
    loop {
        let part = fixture.store.list_associated_packages(domain, &pattern(text), &page).await.expect("read");
        assert!(part.items.len() <= limit);
        found.extend(part.items.into_iter().map(|(key, association)| match association {
            AssociationType::Strong => key.to_string(),
            AssociationType::Weak => format!("{key} weak"),
        }));
        match part.next {
            Some(next) => page.after = Some(next),
            None => return found,
        }
    }
}

pub(super) async fn a_groups_packages_are_listed_once_each(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let repositories = [fixture.repository(&domain, "repo-a").await, fixture.repository(&domain, "repo-b").await];
    for repository in &repositories {
        for name in ["lib", "lib-a", "lib-b", "library", "other"] {
            fixture.published(repository, name, &["1.0.0"]).await;
        }
    }
    fixture.published(&repositories[1], "LIB_B", &["1.0.0"]).await;
    let elsewhere = fixture.domain("elsewhere").await;
    let elsewhere = fixture.repository(&elsewhere, "repo-a").await;
    fixture.published(&elsewhere, "lib-c", &["1.0.0"]).await;

    for limit in [1, 2, 100] {
        let list = |text: &'static str| packages(&fixture, domain.id, text, limit);
        assert_eq!(
            list("/*").await,
            ["npm//lib", "npm//lib-a", "npm//LIB_B", "npm//lib-b", "npm//library", "npm//other"]
        );
        // Groups that are not there are previewed.
        assert_eq!(list("/npm//lib~").await, ["npm//lib", "npm//lib-a", "npm//LIB_B weak", "npm//lib-b"]);
        assert_eq!(list("/npm//lib-b$").await, ["npm//LIB_B weak", "npm//lib-b"]);
        assert!(list("/pypi/*").await.is_empty());
    }
    fixture.must(create(domain.id, "/npm//lib~")).await;
    fixture.must(create(domain.id, "/npm//lib-b$")).await;
    let list = |text: &'static str| packages(&fixture, domain.id, text, 100);
    assert_eq!(list("/*").await, ["npm//library", "npm//other"]);
    assert_eq!(list("/npm//lib~").await, ["npm//lib", "npm//lib-a"]);
    assert_eq!(list("/npm/*").await, ["npm//library", "npm//other"]);
    for repository in &repositories {
        fixture.must(Change::DeleteRepository { repository: repository.id }).await;
    }
    assert!(list("/*").await.is_empty());
}

static FORGET_VARIATIONS: Sql = Sql::new("tests::FORGET_VARIATIONS", "DELETE FROM package_variation");
static SPOIL_GROUPS: Sql = Sql::new("tests::SPOIL_GROUPS", "UPDATE package_group SET folded = 'x'");
static FOLDED_OTHERWISE: Sql = Sql::new("tests::FOLDED_OTHERWISE", "UPDATE folding SET version = 0, next_package = 0");

/// A database whose names were folded by other rules.
struct FoldOtherwise;

impl Work for FoldOtherwise {
    type Output = ();

    async fn run(&self, conn: &mut Conn) -> Result<()> {
        for statement in [&FORGET_VARIATIONS, &SPOIL_GROUPS, &FOLDED_OTHERWISE] {
            conn.execute(statement, &[]).await?;
        }
        Ok(())
    }
}

pub(super) async fn names_are_folded_anew_when_the_rules_have_changed(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let repository = fixture.repository(&domain, "repo-a").await;
    // Before the group is there: a variant is not published beside it.
    for name in ["lib", "LIB", "other"] {
        fixture.published(&repository, name, &["1.0.0"]).await;
    }
    fixture.must(create(domain.id, "/npm//lib$")).await;
    fixture.store.database.write(FoldOtherwise).await.expect("spoiled");
    let again = fixture.another().await;
    let found = again.associate_package(domain.id, &npm("lib")).await.expect("read");
    assert_eq!(found.lineage().group().pattern.as_str(), "/npm//lib$");
    again.fold_packages().await.expect("folded");
    assert_eq!(packages(&fixture, domain.id, "/npm//lib$", 10).await, ["npm//LIB weak", "npm//lib"]);
    assert_eq!(packages(&fixture, domain.id, "/*", 10).await, ["npm//other"]);
}
