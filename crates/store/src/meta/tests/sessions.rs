//! Roles, their sessions, and what those obtained.

use std::time::Duration;

use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{
    AccessKeyId, AuthorizationToken, Credential, Domain, Principal, RoleArn, RoleSession, Session, SessionName,
    SessionRole, SessionScope, SessionTag, Tag, Timestamp, TokenId,
};
use larder_core::ports::{Change, IdentityProvider, MetadataStore, NewRole, Sessions, SpentToken, Tokens};

use super::fixture::{Fixture, account, user};

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

async fn role(fixture: &Fixture) -> NewRole {
    let role = SessionRole {
        account: account(),
        path: "/ci/".to_owned(),
        name: "builder".to_owned(),
        id: "AROAbuilder".to_owned(),
    };
    let new = NewRole {
        role,
        trust_policy: "{\"trust\": 1}".to_owned(),
        description: String::new(),
        max_session: Duration::from_secs(7200),
        tags: vec![tag("team", "web"), tag("stage", "test")],
    };
    fixture.must(Change::CreateAccount { account: account() }).await;
    fixture.must(Change::CreateRole(Box::new(new.clone()))).await;
    new
}

fn session_of(new: &NewRole, number: u8, expires_at: i64) -> Session {
    let access_key = AccessKeyId::new(format!("ASIA00000000000000{number:02}")).expect("an id");
    Session {
        access_key: access_key.clone(),
        token_sha256: [number; 32],
        principal: Principal::assumed_role(RoleSession {
            role: new.role.clone(),
            name: SessionName::new("run-7").expect("a name"),
            user_id: format!("{}:run-7", new.role.id),
            access_key,
            issued_at: Timestamp(5),
            scope: SessionScope {
                policy: Some("{}".into()),
                policy_arns: vec!["arn:aws:iam::123456789012:policy/p".to_owned()],
                tags: vec![SessionTag { key: "k".to_owned(), value: "v".to_owned(), transitive: true }],
                source_identity: Some("alice".to_owned()),
                provider: None,
            },
            role_tags: vec![tag("stage", "test"), tag("team", "web")],
        }),
        created_at: Timestamp(5),
        expires_at: Timestamp(expires_at),
    }
}

fn token_of(session: &Session, domain: &Domain, number: u8, expires_at: i64) -> AuthorizationToken {
    AuthorizationToken {
        id: TokenId(format!("token-{number}")),
        sha256: [number; 32],
        principal: session.principal.clone(),
        credential: Credential::Session(session.access_key.clone()),
        domain: domain.id,
        domain_owner: domain.owner.clone(),
        read_only: false,
        label: String::new(),
        created_at: Timestamp(6),
        expires_at: Timestamp(expires_at),
    }
}

fn create(session: &Session) -> Change {
    Change::CreateSession { session: Box::new(session.clone()), spent: None }
}

pub(super) async fn a_session_is_read_as_it_was_made(fixture: Fixture) {
    let new = role(&fixture).await;
    let session = session_of(&new, 1, i64::MAX);
    fixture.must(create(&session)).await;
    let store = &fixture.store;
    assert_eq!(store.find_session(&session.access_key).await.expect("read"), Some(session));
    let unknown = AccessKeyId::new("ASIA0000000000000099").expect("an id");
    assert_eq!(store.find_session(&unknown).await.expect("read"), None);

    let alice = user("alice");
    fixture.must(Change::CreateUser { user: alice.clone() }).await;
    let of_user = Session { principal: Principal::user(alice), ..session_of(&new, 2, i64::MAX) };
    fixture.must(create(&of_user)).await;
    assert_eq!(store.find_session(&of_user.access_key).await.expect("read"), Some(of_user));
}

pub(super) async fn sessions_and_their_tokens_end_with_their_role_or_user(fixture: Fixture) {
    let new = role(&fixture).await;
    let domain = fixture.domain("my-domain").await;
    let alice = user("alice");
    fixture.must(Change::CreateUser { user: alice.clone() }).await;
    let of_role = session_of(&new, 1, i64::MAX);
    let of_user = Session { principal: Principal::user(alice.clone()), ..session_of(&new, 2, i64::MAX) };
    let tokens = [token_of(&of_role, &domain, 1, i64::MAX), token_of(&of_user, &domain, 2, i64::MAX)];
    for (session, token) in [&of_role, &of_user].into_iter().zip(&tokens) {
        fixture.must(create(session)).await;
        fixture.must(Change::CreateToken { token: token.clone() }).await;
    }
    let store = &fixture.store;
    for token in &tokens {
        let found = store.find_token(&token.sha256).await.expect("read").expect("the token");
        assert_eq!((&found.principal, &found.credential), (&token.principal, &token.credential));
    }
    let before = store.control_generation().await.expect("read");
    fixture.must(Change::DeleteRole { account: account(), name: "builder".to_owned() }).await;
    assert!(store.control_generation().await.expect("read") > before);
    assert!(store.find_session(&of_role.access_key).await.expect("read").is_none());
    assert!(store.find_token(&tokens[0].sha256).await.expect("read").is_none());
    assert!(store.find_token(&tokens[1].sha256).await.expect("read").is_some());
    fixture.must(Change::DeleteUser { account: account(), name: alice.name }).await;
    assert!(store.find_session(&of_user.access_key).await.expect("read").is_none());
    assert!(store.find_token(&tokens[1].sha256).await.expect("read").is_none());
}

pub(super) async fn a_session_is_kept_as_long_as_a_token_that_it_obtained(fixture: Fixture) {
    let new = role(&fixture).await;
    let domain = fixture.domain("my-domain").await;
    // The instants of the fixture are a few milliseconds after 1970; these have ended long before.
    let ended = |number| session_of(&new, number, -200_000_000);
    for (number, token_until) in [(1, None), (2, Some(i64::MAX)), (3, Some(-100_000_000))] {
        let session = ended(number);
        fixture.must(create(&session)).await;
        if let Some(until) = token_until {
            fixture.must(Change::CreateToken { token: token_of(&session, &domain, number, until) }).await;
        }
    }
    fixture.must(create(&session_of(&new, 4, i64::MAX))).await;
    let mut left = Vec::new();
    for number in 1..=4 {
        let key = ended(number).access_key;
        if fixture.store.find_session(&key).await.expect("read").is_some() {
            left.push(number);
        }
    }
    assert_eq!(left, [2, 4]);
    assert!(fixture.store.find_token(&[2; 32]).await.expect("read").is_some());
}

pub(super) async fn a_sessions_token_is_ended_by_that_session_only(fixture: Fixture) {
    let new = role(&fixture).await;
    let domain = fixture.domain("my-domain").await;
    let (mine, other) = (session_of(&new, 1, i64::MAX), session_of(&new, 2, i64::MAX));
    fixture.must(create(&mine)).await;
    fixture.must(create(&other)).await;
    let token = token_of(&mine, &domain, 1, i64::MAX);
    fixture.must(Change::CreateToken { token: token.clone() }).await;
    let delete = |session: &Session| Change::DeleteToken { principal: session.principal.clone(), id: token.id.clone() };
    assert!(fixture.fails(delete(&other)).await.is_not_found());
    fixture.must(delete(&mine)).await;
    assert!(fixture.store.find_token(&token.sha256).await.expect("read").is_none());
}

pub(super) async fn a_web_identity_token_is_spent_once(fixture: Fixture) {
    let new = role(&fixture).await;
    let spend = |number: u8, issuer: &str, id: &str, expires_at: i64| {
        let spent = SpentToken { issuer: issuer.to_owned(), id: id.to_owned(), expires_at: Timestamp(expires_at) };
        Change::CreateSession { session: Box::new(session_of(&new, number, i64::MAX)), spent: Some(spent) }
    };
    fixture.must(spend(1, "https://a.example", "one", i64::MAX)).await;
    let refused = fixture.fails(spend(2, "https://a.example", "one", i64::MAX)).await;
    assert!(matches!(refused, Error::Conflict { kind: ConflictKind::Exists, .. }), "{refused}");
    let key = session_of(&new, 2, 0).access_key;
    assert!(fixture.store.find_session(&key).await.expect("read").is_none(), "nothing was made");
    fixture.must(spend(2, "https://b.example", "one", -5)).await;
    fixture.must(spend(3, "https://a.example", "two", i64::MAX)).await;
    // What has ended is forgotten: its own time refuses it.
    fixture.must(spend(4, "https://b.example", "one", i64::MAX)).await;
}

pub(super) async fn roles_and_providers_are_found_as_they_were_made(fixture: Fixture) {
    let new = role(&fixture).await;
    let store = &fixture.store;
    let arn = |path: &str| RoleArn { account: account(), path: path.to_owned(), name: "builder".to_owned() };
    let found = store.find_assumable_role(&arn("/ci/")).await.expect("read").expect("the role");
    assert_eq!((found.role, found.max_session), (new.role.clone(), new.max_session));
    assert_eq!((&*found.trust_policy, found.tags.len()), (new.trust_policy.as_str(), 2));
    assert!(store.find_assumable_role(&arn("/")).await.expect("read").is_none(), "the path belongs to the name");
    assert!(matches!(fixture.fails(Change::CreateRole(Box::new(new.clone()))).await, Error::Conflict { .. }));

    let put = |document: Option<&str>| Change::PutRolePolicy {
        account: account(),
        role: "builder".to_owned(),
        policy: "rights".to_owned(),
        document: document.map(str::to_owned),
    };
    fixture.must(put(Some("{}"))).await;
    assert_eq!(store.list_role_documents(&new.role.id).await.expect("read"), ["{}".into()]);
    fixture.must(put(None)).await;
    assert!(fixture.fails(put(None)).await.is_not_found());
    assert!(store.list_role_documents(&new.role.id).await.expect("read").is_empty());

    let provider = IdentityProvider {
        arn: "arn:aws:iam::123456789012:oidc-provider/issuer.example".to_owned(),
        issuer: "https://issuer.example".to_owned(),
        client_ids: vec!["a".to_owned(), "b".to_owned()],
    };
    let create = || Change::CreateIdentityProvider {
        account: account(),
        provider: provider.clone(),
        thumbprints: Vec::new(),
        tags: Vec::new(),
    };
    fixture.must(create()).await;
    assert!(matches!(fixture.fails(create()).await, Error::Conflict { .. }));
    let find =
        |issuer: &'static str| async move { store.find_identity_provider(&account(), issuer).await.expect("read") };
    assert_eq!(find("https://issuer.example").await, Some(provider.clone()));
    assert_eq!(find("https://issuer.example/").await, None);
    fixture.must(Change::DeleteIdentityProvider { arn: provider.arn.clone() }).await;
    assert_eq!(find("https://issuer.example").await, None);
}
