//! Temporary credentials over the API: what is signed with them, and what is refused.

use std::time::Duration;

use http::{HeaderValue, Request};
use larder_auth::sigv4::{Payload, RequestParts, Signer};
use larder_auth::token::RandomSecrets;
use larder_core::access::{Caller, Via};
use larder_core::model::{
    AccessKey, AccessKeyId, Clock as _, Principal, SecretAccessKey, Session, SystemClock, Timestamp,
};
use larder_core::ports::{Change, Secrets as _};

use crate::world::{ALL, Answer, REGION, World, request};

const TOKEN_TEXT: &str = "larder_a-session-token-that-only-its-holder-knows";
const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// A stored session of the administrator, and the secret that belongs to its token.
async fn session(world: &World, id: &str, expires_at: Timestamp) -> (AccessKeyId, SecretAccessKey) {
    let principal = Principal::user(world.admin.user.clone());
    let session = Session {
        access_key: AccessKeyId::new(id).unwrap(),
        token_sha256: RandomSecrets.token_sha256(TOKEN_TEXT),
        principal: principal.clone(),
        created_at: SystemClock.now(),
        expires_at,
    };
    let caller = Caller {
        principal,
        via: Via::Signature(world.admin.id.clone()),
        address: None,
        secure_transport: true,
        request_id: "test".to_owned(),
    };
    let actor = caller.actor("GetSessionToken", SystemClock.now());
    let key = session.access_key.clone();
    world
        .services
        .store
        .apply(&actor, Change::CreateSession { session: Box::new(session), spent: None })
        .await
        .unwrap();
    (key, RandomSecrets.session_secret(TOKEN_TEXT))
}

/// A call with temporary credentials, whose session token may be another one or missing.
async fn call(
    world: &World,
    key: &(AccessKeyId, SecretAccessKey),
    token: Option<&str>,
    service: &str,
    target: &str,
    body: &str,
) -> Answer {
    let mut request = request(target);
    if let Some(token) = token {
        request.headers_mut().insert("x-amz-security-token", HeaderValue::from_str(token).unwrap());
    }
    let signer = Signer { access_key_id: key.0.as_str(), secret: &key.1, region: REGION, service };
    let (parts, ()) = request.into_parts();
    let added = signer.sign(&RequestParts::from(&parts), Payload::Body(body.as_bytes()), SystemClock.now()).unwrap();
    let mut request = Request::from_parts(parts, ());
    request.headers_mut().extend(added);
    world.send(request, body.to_owned()).await
}

fn later() -> Timestamp {
    SystemClock.now().plus(Duration::from_secs(3600))
}

#[tokio::test]
async fn a_session_signs_for_every_service_until_it_ends() {
    let world = World::with_domain().await;
    let key = session(&world, "ASIA0000000000000001", later()).await;
    let ended = session(&world, "ASIA0000000000000002", SystemClock.now()).await;
    let token = Some(TOKEN_TEXT);
    let answer = call(&world, &key, token, "codeartifact", "GET /v1/domain?domain=my-domain", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = call(&world, &key, token, "sts", "POST /", IDENTITY).await;
    assert!(answer.text().contains(":user/admin</Arn>"), "{}", answer.text());

    let answer = call(&world, &ended, token, "codeartifact", "GET /v1/domain?domain=my-domain", "").await;
    answer.fails(403, "ExpiredTokenException");
    let answer = call(&world, &ended, token, "sts", "POST /", IDENTITY).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>ExpiredToken</Code>"), "{}", answer.text());
}

#[tokio::test]
async fn a_session_token_is_its_keys_own_and_no_other_will_do() {
    let world = World::with_domain().await;
    let key = session(&world, "ASIA0000000000000001", later()).await;
    let unknown = (AccessKeyId::new("ASIA0000000000000009").unwrap(), key.1.clone());
    let admin = (world.admin.id.clone(), world.admin.secret.clone());
    let target = "GET /v1/domain?domain=my-domain";
    for (what, key, token) in [
        ("no token", &key, None),
        ("another token", &key, Some("larder_another")),
        ("an empty token", &key, Some("")),
        ("a token of another key", &unknown, Some(TOKEN_TEXT)),
        ("a token with a user's own key", &admin, Some(TOKEN_TEXT)),
    ] {
        let answer = call(&world, key, token, "codeartifact", target, "").await;
        println!("{what}: {}", answer.text());
        answer.fails(403, "UnrecognizedClientException");
    }
    // The right token with a secret that is not made from it.
    let wrong = (key.0.clone(), world.admin.secret.clone());
    let answer = call(&world, &wrong, Some(TOKEN_TEXT), "codeartifact", target, "").await;
    answer.fails(403, "InvalidSignatureException");
}

#[tokio::test]
async fn a_presigned_request_carries_the_session_token_in_its_query() {
    let world = World::with_domain().await;
    let (id, secret) = session(&world, "ASIA0000000000000001", later()).await;
    let presigned = |token: &str| {
        let signer = Signer { access_key_id: id.as_str(), secret: &secret, region: REGION, service: "sts" };
        let query = format!("{IDENTITY}&X-Amz-Security-Token={token}");
        let (parts, ()) = request("GET /").into_parts();
        let signed = RequestParts { query: Some(&query), ..RequestParts::from(&parts) };
        signer.presign(&signed, Duration::from_secs(60), SystemClock.now())
    };
    let query = presigned(TOKEN_TEXT);
    let answer = world.send(request(&format!("GET /?{query}")), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = world.send(request(&format!("GET /?{}", query.replace("larder_a", "larder_b"))), "").await;
    assert!(answer.text().contains("<Code>InvalidClientTokenId</Code>"), "{}", answer.text());
}

#[tokio::test]
async fn what_is_not_signed_is_answered_only_with_a_web_identity_token() {
    let world = World::new().await;
    let post = |body: &str| world.send(request("POST /"), body.to_owned());
    let answer = post(IDENTITY).await;
    assert!(answer.text().contains("<Code>MissingAuthenticationToken</Code>"), "{}", answer.text());
    let answer = post("Action=AssumeRole&Version=2011-06-15&RoleArn=x&RoleSessionName=yy").await;
    assert!(answer.text().contains("<Code>MissingAuthenticationToken</Code>"), "{}", answer.text());
    let web = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
    let answer = post(web).await;
    assert!(answer.text().contains("<Code>ValidationError</Code>"), "{}", answer.text());
    let role = "arn:aws:iam::111122223333:role/builder";
    let answer = post(&format!("{web}&RoleArn={role}&RoleSessionName=run&WebIdentityToken=a.b.c")).await;
    assert_eq!(answer.status, 400);
    // This world has no identity providers at all.
    assert!(answer.text().contains("<Code>InvalidIdentityToken</Code>"), "{}", answer.text());
}

#[tokio::test]
async fn a_deny_of_get_session_token_counts_although_it_takes_no_permission() {
    let world = World::new().await;
    let ask = |key: AccessKey| {
        let world = &world;
        async move {
            let key = (key.id.clone(), key.secret.clone());
            call(world, &key, None, "sts", "POST /", "Action=GetSessionToken&Version=2011-06-15").await
        }
    };
    let plain = world.user("111122223333", "plain", None).await;
    assert_eq!(ask(plain).await.status, 200);
    let deny = ALL.replace("Allow", "Deny");
    let denied = world.user("111122223333", "denied", Some(&deny)).await;
    let answer = ask(denied).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>AccessDenied</Code>"), "{}", answer.text());
}
