use std::sync::Arc;

use larder_core::Error;
use larder_core::error::ConflictKind;
use larder_core::model::{
    AccessKey, AccessKeyId, AccessKeyStatus, AccountId, AuthorizationToken, Credential, Domain, KeyUse, PageRequest,
    Principal, SecretAccessKey, Timestamp, TokenId, User,
};
use larder_core::ports::{Accounts, Change, MetadataStore, Tokens};

use super::fixture::{Fixture, account, user};

fn key(user: &User, id: &str) -> AccessKey {
    AccessKey {
        id: AccessKeyId::new(id).expect("an id"),
        secret: SecretAccessKey::new("a secret of many letters".replace(' ', "-")).expect("a secret"),
        status: AccessKeyStatus::Active,
        user: user.clone(),
        created_at: Timestamp(1),
    }
}

fn token(key: &AccessKey, domain: &Domain, number: u8, expires_at: i64) -> AuthorizationToken {
    AuthorizationToken {
        id: TokenId(format!("token-{number}")),
        sha256: [number; 32],
        principal: Principal::user(key.user.clone()),
        credential: Credential::AccessKey(key.id.clone()),
        domain: domain.id,
        domain_owner: domain.owner.clone(),
        read_only: number.is_multiple_of(2),
        label: "laptop".to_owned(),
        created_at: Timestamp(i64::from(number)),
        expires_at: Timestamp(expires_at),
    }
}

/// An account with alice, who has a key and a token.
async fn alice(fixture: &Fixture) -> (User, AccessKey, AuthorizationToken) {
    let domain = fixture.domain("my-domain").await;
    let alice = user("alice");
    let key = key(&alice, "AKIA0000000000000001");
    let token = token(&key, &domain, 1, i64::MAX);
    fixture.must(Change::CreateAccount { account: account() }).await;
    fixture.must(Change::CreateUser { user: alice.clone() }).await;
    fixture.must(Change::CreateAccessKey { key: key.clone(), limit: None }).await;
    fixture.must(Change::CreateToken { token: token.clone() }).await;
    (alice, key, token)
}

pub(super) async fn the_latest_use_of_a_key_is_known_until_the_key_is_deleted(fixture: Fixture) {
    let (alice, key, _) = alice(&fixture).await;
    let store = &fixture.store;
    let key_use = |at, service: &str| KeyUse {
        at: Timestamp(at),
        service: service.to_owned(),
        region: "eu-central-1".to_owned(),
    };
    assert_eq!(store.find_key_use(&key.id).await.expect("read"), None);
    // Another node's clock may be behind, and its write late.
    for (put, known) in [(key_use(20, "sts"), key_use(20, "sts")), (key_use(10, "iam"), key_use(20, "sts"))] {
        store.put_key_use(&key.id, &put).await.expect("written");
        assert_eq!(store.find_key_use(&key.id).await.expect("read"), Some(known));
    }
    fixture.must(delete_user(&alice)).await;
    store.put_key_use(&key.id, &key_use(30, "sts")).await.expect("nothing is written");
    assert_eq!(store.find_key_use(&key.id).await.expect("read"), None);
}

fn delete_user(user: &User) -> Change {
    Change::DeleteUser { account: user.account.clone(), name: user.name.clone() }
}

pub(super) async fn deleting_a_user_removes_its_keys_policies_and_tokens(fixture: Fixture) {
    let (alice, key, token) = alice(&fixture).await;
    let (policy, document) = ("all".to_owned(), "{}".to_owned());
    let name = alice.name.clone();
    fixture.must(Change::PutUserPolicy { account: account(), user: name, policy, document }).await;
    let store = &fixture.store;
    assert_eq!(store.find_user(&account(), &alice.name).await.expect("read"), Some(alice.clone()));
    assert_eq!(store.find_access_key(&key.id).await.expect("read").expect("the key").user, alice);
    let found = store.find_token(&token.sha256).await.expect("read").expect("the token");
    assert_eq!((found.id, found.principal, found.domain_owner), (token.id, Principal::user(alice.clone()), account()));

    fixture.must(delete_user(&alice)).await;
    assert!(store.find_user(&account(), &alice.name).await.expect("read").is_none());
    assert!(store.find_access_key(&key.id).await.expect("read").is_none());
    assert!(store.find_token(&token.sha256).await.expect("read").is_none());
    assert!(store.list_user_policies(&alice).await.expect("read").is_empty());
    assert!(fixture.fails(delete_user(&alice)).await.is_not_found());
}

pub(super) async fn a_key_without_its_user_is_not_created(fixture: Fixture) {
    fixture.must(Change::CreateAccount { account: account() }).await;
    let bob = user("bob");
    let key = key(&bob, "AKIA0000000000000002");
    assert!(fixture.fails(Change::CreateAccessKey { key: key.clone(), limit: None }).await.is_not_found());
    // A namesake is another user.
    fixture.must(Change::CreateUser { user: User { id: "AIDAother".to_owned(), ..bob } }).await;
    assert!(fixture.fails(Change::CreateAccessKey { key, limit: None }).await.is_not_found());
}

pub(super) async fn keys_made_at_once_do_not_exceed_the_limit(fixture: Fixture) {
    let (alice, first, _) = alice(&fixture).await;
    let stores = [Arc::new(fixture.another().await), Arc::new(fixture.another().await)];
    let mut tasks = tokio::task::JoinSet::new();
    for (number, store) in (2..8).zip(stores.iter().cycle()) {
        let (store, actor) = (Arc::clone(store), fixture.actor());
        let change =
            Change::CreateAccessKey { key: key(&alice, &format!("AKIA000000000000000{number}")), limit: Some(2) };
        tasks.spawn(async move { store.apply(&actor, change).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, Error::QuotaExceeded { .. }), "{error:?}");
    }
    assert_eq!(fixture.store.list_access_keys(&account(), &alice.name).await.expect("read").len(), 2);
    let delete = Change::DeleteAccessKey { account: account(), user: alice.name.clone(), id: first.id };
    fixture.must(delete).await;
    fixture.must(Change::CreateAccessKey { key: key(&alice, "AKIA0000000000000009"), limit: Some(2) }).await;
}

pub(super) async fn tokens_work_while_their_key_is_active(fixture: Fixture) {
    let (alice, key, token) = alice(&fixture).await;
    let store = &fixture.store;
    for (status, works) in [(AccessKeyStatus::Inactive, false), (AccessKeyStatus::Active, true)] {
        let (user, id) = (alice.name.clone(), key.id.clone());
        fixture.must(Change::SetAccessKeyStatus { account: account(), user, id, status }).await;
        assert_eq!(store.find_token(&token.sha256).await.expect("read").is_some(), works);
        assert_eq!(store.find_access_key(&key.id).await.expect("read").map(|key| key.status), Some(status));
    }
    let (user, id) = (alice.name.clone(), key.id.clone());
    fixture.must(Change::DeleteAccessKey { account: account(), user, id }).await;
    assert!(store.find_token(&token.sha256).await.expect("read").is_none());
    let page = store.list_tokens(&alice, &PageRequest::first(10)).await.expect("read");
    assert!(page.items.is_empty());
}

pub(super) async fn tokens_are_listed_newest_first_and_expired_ones_are_forgotten(fixture: Fixture) {
    let (alice, key, first) = alice(&fixture).await;
    let domain = fixture.domain("another-domain").await;
    for number in 2..=5 {
        let token = token(&key, &domain, number, if number == 2 { 0 } else { i64::MAX });
        fixture.must(Change::CreateToken { token }).await;
    }
    let mut page = PageRequest::first(3);
    let mut seen = Vec::new();
    loop {
        let tokens = fixture.store.list_tokens(&alice, &page).await.expect("read");
        seen.extend(tokens.items.into_iter().map(|token| token.id.0));
        let Some(next) = tokens.next else { break };
        page.after = Some(next);
    }
    // The second had expired long before the third was made.
    assert_eq!(seen, ["token-5", "token-4", "token-3", "token-1"]);
    let delete = |user: User| Change::DeleteToken { principal: Principal::user(user), id: first.id.clone() };
    assert!(fixture.fails(delete(user("mallory"))).await.is_not_found());
    fixture.must(delete(alice)).await;
    assert!(fixture.store.find_token(&first.sha256).await.expect("read").is_none());
}

pub(super) async fn user_policies_are_listed_by_name(fixture: Fixture) {
    let (alice, ..) = alice(&fixture).await;
    let put = |policy: &str, document: &str| Change::PutUserPolicy {
        account: account(),
        user: alice.name.clone(),
        policy: policy.to_owned(),
        document: document.to_owned(),
    };
    for (policy, document) in [("read", "1"), ("all", "2"), ("read", "3")] {
        fixture.must(put(policy, document)).await;
    }
    let listed = || async { fixture.store.list_user_policies(&alice).await.expect("read") };
    assert_eq!(listed().await, [("all".to_owned(), "2".into()), ("read".to_owned(), "3".into())]);
    let delete = || Change::DeleteUserPolicy { account: account(), user: alice.name.clone(), policy: "all".into() };
    fixture.must(delete()).await;
    assert_eq!(listed().await.len(), 1);
    assert!(fixture.fails(delete()).await.is_not_found());
}

pub(super) async fn names_are_taken_once(fixture: Fixture) {
    let (alice, key, token) = alice(&fixture).await;
    let conflicts = |error: Error| matches!(error, Error::Conflict { kind: ConflictKind::Exists, .. });
    assert!(conflicts(fixture.fails(Change::CreateAccount { account: account() }).await));
    let namesake = User { id: "AIDA2".to_owned(), ..alice.clone() };
    assert!(conflicts(fixture.fails(Change::CreateUser { user: namesake }).await));
    assert!(conflicts(fixture.fails(Change::CreateAccessKey { key, limit: None }).await));
    assert!(matches!(fixture.fails(Change::CreateToken { token }).await, Error::Conflict { .. }));
    let stranger = User { account: AccountId::new("999999999999").expect("an account"), ..alice };
    assert!(fixture.fails(Change::CreateUser { user: stranger }).await.is_not_found());
    assert_eq!(fixture.store.list_accounts().await.expect("read"), [account()]);
    assert_eq!(fixture.store.list_users(&account()).await.expect("read").len(), 1);
}
