use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{
    AccountId, Arn, Domain, ExternalConnection, PageRequest, Repository, RepositoryId, Revision, VersionStatus,
};
use larder_core::ports::{Change, Domains, Journal, MetadataStore, NewRepository, Repositories, RepositoryFilter};

use super::fixture::{Fixture, REGION, account, new_domain, new_repository, npmjs, publication, selection, tag, user};

fn set_upstreams(repository: &Repository, upstreams: &[RepositoryId]) -> Change {
    Change::UpdateRepository { repository: repository.id, description: None, upstreams: Some(upstreams.to_vec()) }
}

fn message_of_validation(error: Error) -> String {
    match error {
        Error::Validation { message, .. } => message,
        other => panic!("not a validation: {other:?}"),
    }
}

pub(super) async fn a_domain_with_repositories_is_not_deleted(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let repository = fixture.repository(&domain, "my-repo").await;
    let error = fixture.fails(Change::DeleteDomain { domain: domain.id }).await;
    assert!(matches!(error, Error::Conflict { kind: ConflictKind::State, .. }));
    assert_eq!(error.to_string(), "Domain must contain 0 repositories before deletion");
    fixture.must(Change::DeleteRepository { repository: repository.id }).await;
    fixture.must(Change::DeleteDomain { domain: domain.id }).await;
    assert!(fixture.store.find_domain(&account(), &domain.name).await.expect("read").is_none());
    assert!(fixture.fails(Change::DeleteDomain { domain: domain.id }).await.is_not_found());
}

pub(super) async fn quotas_limit_domains_and_repositories(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let create = |name: &str| Change::CreateDomain { domain: new_domain(name), tags: Vec::new(), limit: 2 };
    fixture.must(create("second")).await;
    assert!(matches!(fixture.fails(create("third")).await, Error::QuotaExceeded { .. }));
    // A name that is taken is the better answer.
    assert!(matches!(fixture.fails(create("second")).await, Error::Conflict { kind: ConflictKind::Exists, .. }));

    let create = |name: &str| Change::CreateRepository(NewRepository { limit: 1, ..new_repository(&domain, name) });
    fixture.must(create("first")).await;
    assert!(matches!(fixture.fails(create("second")).await, Error::QuotaExceeded { .. }));
    assert!(matches!(fixture.fails(create("first")).await, Error::Conflict { kind: ConflictKind::Exists, .. }));
    let usage = fixture.store.domain_usage(domain.id).await.expect("read");
    assert_eq!((usage.repository_count, usage.asset_size_bytes), (1, 0));
}

pub(super) async fn upstreams_and_an_external_connection_exclude_each_other(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let upstream = fixture.repository(&domain, "upstream").await;
    let repository = fixture.repository(&domain, "repository").await;
    let attach = |connection| Change::AssociateExternalConnection { repository: repository.id, connection };
    let detach = |connection| Change::DisassociateExternalConnection { repository: repository.id, connection };
    let other = ExternalConnection::parse("public:pypi").expect("a connection");

    fixture.must(set_upstreams(&repository, &[upstream.id])).await;
    assert!(message_of_validation(fixture.fails(attach(npmjs())).await).contains("not both"));
    fixture.must(set_upstreams(&repository, &[])).await;
    fixture.must(attach(npmjs())).await;
    for connection in [npmjs(), other] {
        let message = message_of_validation(fixture.fails(attach(connection)).await);
        assert_eq!(message, "ExternalConnections for repositories are currently limited to 1");
    }
    assert!(
        message_of_validation(fixture.fails(set_upstreams(&repository, &[upstream.id])).await).contains("not both")
    );
    // Removing all upstreams is no contradiction.
    fixture.must(set_upstreams(&repository, &[])).await;
    assert!(fixture.fails(detach(other)).await.is_not_found());
    let found = fixture.find_repository(domain.id, "repository").await.expect("there");
    assert_eq!(found.external_connection, Some(npmjs()));
    fixture.must(detach(npmjs())).await;
    let found = fixture.find_repository(domain.id, "repository").await.expect("there");
    assert_eq!(found.external_connection, None);
}

pub(super) async fn a_deleted_upstream_dangles_until_the_list_is_written_again(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let first = fixture.repository(&domain, "first").await;
    let second = fixture.repository(&domain, "second").await;
    let mut new = new_repository(&domain, "downstream");
    new.upstreams = vec![second.id, first.id];
    fixture.must(Change::CreateRepository(new)).await;
    let upstreams = || async {
        let found = fixture.find_repository(domain.id, "downstream").await.expect("there");
        found.upstreams.iter().map(|link| (link.name.to_string(), link.dangling)).collect::<Vec<_>>()
    };
    assert_eq!(upstreams().await, [("second".to_owned(), false), ("first".to_owned(), false)]);

    fixture.must(Change::DeleteRepository { repository: second.id }).await;
    assert_eq!(upstreams().await, [("second".to_owned(), true), ("first".to_owned(), false)]);
    let again = fixture.repository(&domain, "second").await;
    assert_ne!(again.id, second.id);
    assert_eq!(upstreams().await, [("second".to_owned(), true), ("first".to_owned(), false)]);

    let downstream = fixture.find_repository(domain.id, "downstream").await.expect("there");
    assert!(fixture.fails(set_upstreams(&downstream, &[second.id])).await.is_not_found());
    fixture.must(set_upstreams(&downstream, &[again.id, first.id])).await;
    assert_eq!(upstreams().await, [("second".to_owned(), false), ("first".to_owned(), false)]);
    assert!(fixture.store.find_repository_by_id(second.id).await.expect("read").is_none());
    assert!(fixture.store.find_repository_by_id(again.id).await.expect("read").is_some());
}

pub(super) async fn upstreams_are_of_the_same_domain(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let other = fixture.domain("other-domain").await;
    let foreign = fixture.repository(&other, "foreign").await;
    let repository = fixture.repository(&domain, "repository").await;
    message_of_validation(fixture.fails(set_upstreams(&repository, &[foreign.id])).await);
}

pub(super) async fn policies_are_guarded_by_their_revision(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let repository = fixture.repository(&domain, "repository").await;
    let revision = |text: &str| Revision(text.to_owned());
    let document = |text: &str| Some((format!("document {text}"), revision(text)));
    let on_domain = |expected, document| Change::PutDomainPolicy { domain: domain.id, expected, document };
    let on_repository =
        |expected, document| Change::PutRepositoryPolicy { repository: repository.id, expected, document };
    let mismatch = |error: Error| matches!(error, Error::Conflict { kind: ConflictKind::Revision, .. });

    assert!(fixture.fails(on_domain(None, None)).await.is_not_found());
    fixture.must(on_domain(None, document("a"))).await;
    assert!(mismatch(fixture.fails(on_domain(Some(revision("b")), document("c"))).await));
    fixture.must(on_domain(Some(revision("a")), document("b"))).await;
    let found = fixture.store.find_domain(&account(), &domain.name).await.expect("read").expect("there");
    assert_eq!(found.policy, Some(("document b".into(), revision("b"))));
    assert!(mismatch(fixture.fails(on_domain(Some(revision("a")), None)).await));
    fixture.must(on_domain(None, None)).await;

    fixture.must(on_repository(None, document("a"))).await;
    assert!(mismatch(fixture.fails(on_repository(Some(revision("b")), None)).await));
    let found = fixture.find_repository(domain.id, "repository").await.expect("there");
    assert_eq!(found.policy, Some(("document a".into(), revision("a"))));
    fixture.must(on_repository(Some(revision("a")), None)).await;
    assert!(fixture.find_repository(domain.id, "repository").await.expect("there").policy.is_none());
}

pub(super) async fn tags_hang_on_resources_that_exist(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let mut new = new_repository(&domain, "repository");
    new.tags = vec![tag("team", "blue")];
    fixture.must(Change::CreateRepository(new)).await;
    let of_domain = Arn::domain(REGION, &account(), &domain.name).to_string();
    let repository = fixture.find_repository(domain.id, "repository").await.expect("there");
    let of_repository = Arn::repository(REGION, &account(), &domain.name, &repository.name).to_string();

    let put = |resource: &String, tags| Change::Tag { resource: resource.clone(), tags };
    fixture.must(put(&of_domain, vec![tag("b", "1"), tag("a", "2")])).await;
    fixture.must(put(&of_domain, vec![tag("b", "3")])).await;
    let store = &fixture.store;
    assert_eq!(store.list_tags(&of_domain).await.expect("read"), [tag("a", "2"), tag("b", "3")]);
    assert_eq!(store.list_tags(&of_repository).await.expect("read"), [tag("team", "blue")]);
    let keys = vec!["team".to_owned(), "unknown".to_owned()];
    fixture.must(Change::Untag { resource: of_repository.clone(), keys }).await;
    assert!(store.list_tags(&of_repository).await.expect("read").is_empty());

    for missing in [of_domain.replace("my-domain", "no-domain"), of_domain.replace(REGION, "us-west-2")] {
        assert!(fixture.fails(put(&missing, vec![tag("a", "1")])).await.is_not_found());
        assert!(store.list_tags(&missing).await.expect("read").is_empty());
    }
    let many = (0..=200).map(|number| tag(&number.to_string(), "")).collect();
    assert!(matches!(fixture.fails(put(&of_domain, many)).await, Error::QuotaExceeded { .. }));

    // A namesake does not inherit them.
    fixture.must(put(&of_repository, vec![tag("a", "1")])).await;
    fixture.must(Change::DeleteRepository { repository: repository.id }).await;
    fixture.repository(&domain, "repository").await;
    assert!(store.list_tags(&of_repository).await.expect("read").is_empty());
}

pub(super) async fn repositories_are_listed_by_prefix_and_administrator(fixture: Fixture) {
    let domains = [fixture.domain("first-domain").await, fixture.domain("second-domain").await];
    let other = AccountId::new("210987654321").expect("an account");
    for (domain, name, administrator) in [
        (0, "team-a", account()),
        (0, "team-b", other.clone()),
        (0, "Team-c", account()),
        (0, "teal", account()),
        (1, "team-a", account()),
        (1, "zebra", other.clone()),
    ] {
        let new = NewRepository { administrator, ..new_repository(&domains[domain], name) };
        fixture.must(Change::CreateRepository(new)).await;
    }
    let list = |domain: Option<&Domain>, administrator: Option<&AccountId>, prefix: Option<&str>| {
        let filter = RepositoryFilter {
            domain: domain.map(|domain| domain.id),
            administrator: administrator.cloned(),
            prefix: prefix.map(str::to_owned),
        };
        let store = &fixture.store;
        async move {
            let mut page = PageRequest::first(1);
            let mut found = Vec::new();
            loop {
                let part = store.list_repositories(&filter, &page).await.expect("read");
                found.extend(part.items.iter().map(|item| format!("{}/{}", item.domain_name, item.name)));
                let Some(next) = part.next else { return found };
                page.after = Some(next);
            }
        }
    };
    let (first, account) = (&domains[0], &account());
    assert_eq!(
        list(Some(first), None, None).await,
        ["first-domain/Team-c", "first-domain/teal", "first-domain/team-a", "first-domain/team-b"]
    );
    assert_eq!(list(Some(first), Some(&other), Some("te")).await, ["first-domain/team-b"]);
    assert_eq!(list(None, Some(account), Some("team-")).await, ["first-domain/team-a", "second-domain/team-a"]);
    assert_eq!(list(None, None, Some("z")).await, ["second-domain/zebra"]);
    assert_eq!(list(None, None, None).await.len(), 6);
    assert!(list(None, None, Some("_")).await.is_empty());
    let domains = fixture.store.list_domains(account, &PageRequest::first(1)).await.expect("read");
    assert_eq!(domains.items[0].name.as_str(), "first-domain");
    let rest = PageRequest { limit: 1, after: domains.next };
    let domains = fixture.store.list_domains(account, &rest).await.expect("read");
    assert_eq!(domains.items[0].name.as_str(), "second-domain");
    assert!(domains.next.is_none());
}

pub(super) async fn deleting_a_repository_frees_what_it_held(fixture: Fixture) {
    let domain = fixture.domain("my-domain").await;
    let repository = fixture.repository(&domain, "repository").await;
    let versions: Vec<_> = (0..250).map(|number| format!("{number}.0.0")).collect();
    let versions: Vec<_> = versions.iter().map(String::as_str).collect();
    let package = fixture.published(&repository, "left-pad", &versions).await;
    fixture.published(&repository, "right-pad", &["1.0.0"]).await;
    assert!(fixture.size(domain.id).await > 0);
    fixture.must(Change::DeleteRepository { repository: repository.id }).await;
    assert!(fixture.fails(Change::DeletePackage { package: package.id }).await.is_not_found());
    fixture.store.purge().await.expect("purged");
    assert_eq!(fixture.size(domain.id).await, 0);
    let again = fixture.repository(&domain, "repository").await;
    assert!(fixture.package(again.id, "left-pad").await.is_none());
    assert!(fixture.package(repository.id, "left-pad").await.is_none());
    let error = fixture.publish(publication(&repository, "left-pad", "3.0.0")).await.expect_err("it is gone");
    assert!(error.is_not_found());
    assert!(fixture.fails(Change::DeleteRepository { repository: repository.id }).await.is_not_found());
}

pub(super) async fn only_control_changes_move_the_control_generation(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    let generation = || async { fixture.store.control_generation().await.expect("read") };
    let before = generation().await;
    let package = fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    let (selection, target) = (selection(&["1.0.0"]), VersionStatus::Archived);
    fixture.batch(Change::UpdateVersionsStatus { package: package.id, selection, target }).await;
    assert_eq!(generation().await, before);
    fixture.must(Change::CreateAccount { account: account() }).await;
    let then = generation().await;
    assert!(then > before);
    fixture.must(Change::CreateUser { user: user("alice") }).await;
    assert!(generation().await > then);
    let then = generation().await;
    fixture.fails(Change::CreateUser { user: user("alice") }).await;
    assert_eq!(generation().await, then, "nothing changed");
}

pub(super) async fn every_change_is_journaled(fixture: Fixture) {
    let repository = fixture.some_repository().await;
    fixture.published(&repository, "left-pad", &["1.0.0"]).await;
    fixture.fails(Change::DeleteDomain { domain: repository.domain }).await;
    fixture.must(Change::DeleteRepository { repository: repository.id }).await;
    let records = fixture.store.list_journal(0, 100).await.expect("read");
    let told: Vec<_> = records
        .iter()
        .map(|record| {
            (record.resource.rsplit(':').next().unwrap_or(""), record.before.is_some(), record.after.is_some())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("domain/some-domain", false, true),
            ("repository/some-domain/some-repository", false, true),
            ("package/some-domain/some-repository/npm//left-pad#1.0.0", false, true),
            ("repository/some-domain/some-repository", true, false),
        ]
    );
    assert!(records.windows(2).all(|pair| pair[0].sequence < pair[1].sequence && pair[0].at < pair[1].at));
    let record = &records[2];
    assert_eq!(record.principal, "arn:aws:iam::123456789012:user/alice");
    assert_eq!((record.address.as_deref(), &*record.operation), (Some("127.0.0.1"), "Test"));
    assert_eq!(record.request_id, "request-1");
    assert!(record.after.as_deref().is_some_and(|after| after.starts_with("Published ")));
    let rest = fixture.store.list_journal(records[0].sequence, 2).await.expect("read");
    assert_eq!(rest, records[1..3]);
}
