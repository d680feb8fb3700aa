//! Authorization tokens over the API.

use larder_core::model::{AccountId, Clock as _, SystemClock};

use crate::world::{ALL, World};

const TOKEN: &str = "POST /v1/authorization-token?domain=my-domain";

#[tokio::test]
async fn a_token_lives_as_long_as_it_was_asked_for() {
    let world = World::with_domain().await;
    for (more, seconds) in [("", 43_200), ("&duration=0", 43_200), ("&duration=900", 900), ("&duration=3600", 3600)] {
        let before = SystemClock.now().seconds();
        let token = world.admin(&format!("{TOKEN}{more}"), "").await.ok();
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
        let expires = token["expiration"].as_f64().unwrap() as i64;
        assert!((expires - before - seconds).abs() <= 5, "{more}");
        let text = token["authorizationToken"].as_str().unwrap();
        let caller = world.services.tokens.authenticate(text, None, false, "r").await.unwrap().unwrap();
        assert_eq!(caller.principal.account, AccountId::new("111122223333").unwrap());
    }
    for bad in ["1", "899", "43201", "x"] {
        world.admin(&format!("{TOKEN}&duration={bad}"), "").await.fails(400, "ValidationException");
    }
}

#[tokio::test]
async fn a_token_needs_two_rights_and_a_duration_that_both_allow() {
    let world = World::with_domain().await;
    let token = r#"{"Effect":"Allow","Action":"codeartifact:GetAuthorizationToken","Resource":"*"}"#;
    let bearer = r#"{"Effect":"Allow","Action":"sts:GetServiceBearerToken","Resource":"*",
        "Condition":{"StringEquals":{"sts:AWSServiceName":"codeartifact.amazonaws.com"},
                     "NumericLessThanEquals":{"sts:DurationSeconds":3600}}}"#;
    let policy = |statements: &[&str]| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let one = world.user("111122223333", "one", Some(&policy(&[token]))).await;
    world.call(&one, TOKEN, "").await.fails(403, "AccessDeniedException");
    let other = world.user("111122223333", "other", Some(&policy(&[bearer]))).await;
    world.call(&other, TOKEN, "").await.fails(403, "AccessDeniedException");
    let both = world.user("111122223333", "both", Some(&policy(&[token, bearer]))).await;
    world.call(&both, TOKEN, "").await.fails(403, "AccessDeniedException");
    world.call(&both, &format!("{TOKEN}&duration=3601"), "").await.fails(403, "AccessDeniedException");
    world.call(&both, &format!("{TOKEN}&duration=3600"), "").await.ok();
    world.call(&both, &format!("{TOKEN}&duration=0"), "").await.ok();
}

#[tokio::test]
async fn deleting_the_user_ends_its_token_at_once() {
    let world = World::with_domain().await;
    let user = world.user("111122223333", "leaver", Some(ALL)).await;
    let token = world.call(&user, TOKEN, "").await.ok();
    let text = token["authorizationToken"].as_str().unwrap();
    assert!(world.services.tokens.authenticate(text, None, false, "r").await.unwrap().is_some());
    let (account, name) = (user.user.account.clone(), user.user.name.clone());
    world.services.identities.delete_user(&world.machine(), account, name).await.unwrap();
    assert!(world.services.tokens.authenticate(text, None, false, "r").await.unwrap().is_none());
    world.call(&user, TOKEN, "").await.fails(403, "UnrecognizedClientException");
}
