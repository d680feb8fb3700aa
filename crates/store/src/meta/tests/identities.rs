//! Groups, managed policies, attachments and tags of IAM.

use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{
    Identity, IdentityKind, IdentityName, ManagedPolicy, PageRequest, Tag, TagHolder, Timestamp, User,
};
use larder_core::ports::{Change, Identities, IdentityChange, MetadataStore, Sessions};

use super::fixture::{Fixture, account, user};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/AWSCodeArtifactReadOnlyAccess";

fn name(kind: IdentityKind, name: &str) -> IdentityName {
    IdentityName { kind, account: account(), name: name.to_owned() }
}

fn changed(change: IdentityChange) -> Change {
    Change::Identity(Box::new(change))
}

async fn people(fixture: &Fixture) -> User {
    let alice = user("alice");
    fixture.must(Change::CreateAccount { account: account() }).await;
    fixture.must(Change::CreateUser { user: alice.clone() }).await;
    for group in ["readers", "writers"] {
        let group = Identity {
            kind: IdentityKind::Group,
            account: account(),
            id: format!("AGPA{group}"),
            path: "/teams/".to_owned(),
            name: group.to_owned(),
            created_at: Timestamp(1),
        };
        fixture.must(changed(IdentityChange::CreateGroup { group })).await;
    }
    alice
}

async fn create_policy(fixture: &Fixture, name: &str, document: &str) -> String {
    let arn = format!("arn:aws:iam::{}:policy/{name}", account());
    let policy = ManagedPolicy {
        arn: arn.clone(),
        id: format!("ANPA{name}"),
        path: "/".to_owned(),
        name: name.to_owned(),
        description: String::new(),
        default_version: 1,
        last_version: 1,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
        attachments: 0,
    };
    let document = document.to_owned();
    let change = IdentityChange::CreatePolicy { account: account(), policy, document, tags: Vec::new() };
    fixture.must(changed(change)).await;
    arn
}

fn attach(kind: IdentityKind, identity: &str, arn: &str, attached: bool) -> Change {
    changed(IdentityChange::SetAttached { identity: name(kind, identity), policy_arn: arn.to_owned(), attached })
}

fn member(group: &str, member: bool) -> Change {
    let (group, user) = (group.to_owned(), "alice".to_owned());
    changed(IdentityChange::SetMember { account: account(), group, user, member })
}

fn inline(kind: IdentityKind, identity: &str, document: Option<&str>) -> Change {
    let (policy, document) = ("p".to_owned(), document.map(str::to_owned));
    changed(IdentityChange::PutInlinePolicy { identity: name(kind, identity), policy, document })
}

pub(super) async fn a_user_has_the_policies_of_its_groups(fixture: Fixture) {
    let alice = people(&fixture).await;
    let documents = async || {
        let found = fixture.store.list_user_documents(&alice).await.expect("read");
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let arn = create_policy(&fixture, "m", "managed 1").await;
    fixture.must(inline(IdentityKind::User, "alice", Some("own"))).await;
    fixture.must(inline(IdentityKind::Group, "readers", Some("group"))).await;
    fixture.must(attach(IdentityKind::Group, "readers", &arn, true)).await;
    assert_eq!(documents().await, ["own"]);
    let before = fixture.store.control_generation().await.expect("read");
    fixture.must(member("readers", true)).await;
    assert!(fixture.store.control_generation().await.expect("read") > before);
    assert_eq!(documents().await, ["own", "group", "managed 1"]);
    let (document, number) = ("managed 2".to_owned(), 2);
    fixture
        .must(changed(IdentityChange::CreatePolicyVersion { arn: arn.clone(), number, document, default: true }))
        .await;
    assert_eq!(documents().await, ["own", "group", "managed 2"]);
    fixture.must(attach(IdentityKind::User, "alice", READ_ONLY, true)).await;
    let found = documents().await;
    assert!(found.len() == 4 && found[1].contains("codeartifact:Describe*"), "{found:?}");
    assert!(fixture.store.find_managed_document(READ_ONLY).await.expect("read").is_some());
    fixture.must(attach(IdentityKind::User, "alice", READ_ONLY, false)).await;
    fixture.must(member("readers", false)).await;
    fixture.must(inline(IdentityKind::User, "alice", None)).await;
    assert!(documents().await.is_empty());
}

pub(super) async fn identities_that_something_hangs_on_stay(fixture: Fixture) {
    people(&fixture).await;
    let arn = create_policy(&fixture, "m", "managed").await;
    fixture.must(member("readers", true)).await;
    fixture.must(attach(IdentityKind::Group, "writers", &arn, true)).await;
    let delete = |kind, identity| changed(IdentityChange::Delete { identity: name(kind, identity) });
    let in_the_way = [
        delete(IdentityKind::User, "alice"),
        delete(IdentityKind::Group, "readers"),
        delete(IdentityKind::Group, "writers"),
        changed(IdentityChange::DeletePolicy { arn: arn.clone() }),
        changed(IdentityChange::DeletePolicyVersion { arn: arn.clone(), number: 1 }),
    ];
    for change in in_the_way {
        let refused = fixture.apply(change).await.expect_err("something hangs on it");
        assert!(matches!(refused, Error::Conflict { kind: ConflictKind::State, .. }), "{refused:?}");
    }
    let page = PageRequest::first(10);
    let found = fixture.store.list_attached_to(IdentityKind::Group, &account(), &arn, &page).await.expect("read");
    assert_eq!(found.items.iter().map(|group| &*group.name).collect::<Vec<_>>(), ["writers"]);
    fixture.must(attach(IdentityKind::Group, "writers", &arn, false)).await;
    fixture.must(member("readers", false)).await;
    fixture.must(delete(IdentityKind::User, "alice")).await;
    fixture.must(delete(IdentityKind::Group, "readers")).await;
    fixture.must(changed(IdentityChange::DeletePolicy { arn })).await;
}

pub(super) async fn identities_are_listed_by_name_and_path(fixture: Fixture) {
    people(&fixture).await;
    let groups = async |prefix: &str, limit| {
        let (mut found, mut page) = (Vec::new(), PageRequest::first(limit));
        loop {
            let read =
                fixture.store.list_identities(IdentityKind::Group, &account(), prefix, &page).await.expect("read");
            found.extend(read.items.into_iter().map(|group| group.name));
            match read.next {
                Some(next) => page.after = Some(next),
                None => return found,
            }
        }
    };
    let rename = IdentityChange::Rename {
        identity: name(IdentityKind::Group, "writers"),
        name: Some("authors".to_owned()),
        path: Some("/".to_owned()),
    };
    fixture.must(changed(rename)).await;
    assert_eq!(groups("/", 1).await, ["authors", "readers"]);
    assert_eq!(groups("/teams/", 10).await, ["readers"]);
    let rename = IdentityChange::Rename {
        identity: name(IdentityKind::Group, "authors"),
        name: Some("readers".to_owned()),
        path: None,
    };
    let refused = fixture.apply(changed(rename)).await.expect_err("the name is taken");
    assert!(matches!(refused, Error::Conflict { kind: ConflictKind::Exists, .. }), "{refused:?}");
}

pub(super) async fn tags_of_identities_are_limited_and_removed(fixture: Fixture) {
    people(&fixture).await;
    let holder = TagHolder::Identity(name(IdentityKind::User, "alice"));
    let tags: Vec<Tag> = (0..50).map(|number| Tag { key: format!("k{number:02}"), value: "v".to_owned() }).collect();
    fixture.must(changed(IdentityChange::Tag { holder: holder.clone(), tags: tags.clone() })).await;
    let more = vec![Tag { key: "one more".to_owned(), value: String::new() }];
    let refused = fixture.apply(changed(IdentityChange::Tag { holder: holder.clone(), tags: more })).await;
    assert!(matches!(refused, Err(Error::QuotaExceeded { .. })), "{refused:?}");
    assert_eq!(fixture.store.list_identity_tags(&holder).await.expect("read"), tags);
    let keys = tags.iter().map(|tag| tag.key.clone()).collect();
    fixture.must(changed(IdentityChange::Untag { holder: holder.clone(), keys })).await;
    assert!(fixture.store.list_identity_tags(&holder).await.expect("read").is_empty());
    let missing = TagHolder::Policy("arn:aws:iam::123456789012:policy/missing".to_owned());
    let refused = fixture.apply(changed(IdentityChange::Tag { holder: missing, tags: Vec::new() })).await;
    assert!(matches!(refused, Err(Error::ResourceNotFound { .. })), "{refused:?}");
}
