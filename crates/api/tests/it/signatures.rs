//! What is let in, and how the rest is refused, in each service's form.

use http::HeaderValue;
use larder_auth::sigv4::Payload;
use larder_core::model::AccessKeyStatus;

use crate::world::{World, request};

#[tokio::test]
async fn keys_that_are_unknown_inactive_or_deleted_do_not_sign() {
    let world = World::with_domain().await;
    let call = "GET /v1/domain?domain=my-domain";
    let mut unknown = world.admin.clone();
    unknown.id = "AKIAIOSFODNN7EXAMPLE".parse().unwrap();
    world.call(&unknown, call, "").await.fails(403, "UnrecognizedClientException");

    let user = &world.admin.user;
    let set = |status| {
        let (account, name, id) = (user.account.clone(), user.name.clone(), world.admin.id.clone());
        let (proof, identities) = (world.machine(), &world.services.identities);
        async move { identities.set_access_key_status(&proof, account, name, id, status).await.unwrap() }
    };
    set(AccessKeyStatus::Inactive).await;
    world.admin(call, "").await.fails(403, "UnrecognizedClientException");
    set(AccessKeyStatus::Active).await;
    world.admin(call, "").await.ok();

    let mut forged = world.admin.clone();
    forged.secret = larder_core::model::SecretAccessKey::new("not the secret at all".replace(' ', "-")).unwrap();
    let body = world.call(&forged, call, "").await.fails(403, "InvalidSignatureException");
    assert!(!body.to_string().contains(world.admin.secret.expose()));
}

#[tokio::test]
async fn a_changed_request_does_not_verify() {
    let world = World::with_domain().await;
    let mut signed = request("GET /v1/domain?domain=my-domain");
    world.sign(&world.admin, "codeartifact", &mut signed, Payload::Body(b""));
    *signed.uri_mut() = "/v1/domain?domain=other".parse().unwrap();
    world.send(signed, "").await.fails(403, "InvalidSignatureException");

    let mut signed = request("POST /v1/domain?domain=second");
    world.sign(&world.admin, "codeartifact", &mut signed, Payload::Body(b"{}"));
    world.send(signed, r#"{"encryptionKey":"alias/x"}"#).await.fails(403, "InvalidSignatureException");

    let mut unsigned_body = request("POST /v1/domain?domain=second");
    world.sign(&world.admin, "codeartifact", &mut unsigned_body, Payload::Unsigned);
    world.send(unsigned_body, r#"{"encryptionKey":"alias/x"}"#).await.ok();
}

#[tokio::test]
async fn a_signature_is_for_one_service() {
    let world = World::with_domain().await;
    for service in ["s3", "execute-api"] {
        let mut signed = request("GET /v1/domain?domain=my-domain");
        world.sign(&world.admin, service, &mut signed, Payload::Body(b""));
        world.send(signed, "").await.fails(403, "InvalidSignatureException");
    }
}

#[tokio::test]
async fn bodies_have_limits() {
    let world = World::with_domain().await;
    let large = format!(r#"{{"description":"{}"}}"#, "x".repeat(1 << 20));
    let answer = world.admin("POST /v1/repository?domain=my-domain&repository=my-repo", &large).await;
    answer.fails(413, "RequestEntityTooLargeException");
}

#[tokio::test]
async fn sts_says_who_is_calling() {
    let world = World::new().await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    for (call, body) in [("POST /", form), (&format!("GET /?{form}"), "")] {
        let mut signed = request(call);
        if !body.is_empty() {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
            signed.headers_mut().insert("content-type", form);
        }
        world.sign(&world.admin, "sts", &mut signed, Payload::Body(body.as_bytes()));
        let answer = world.send(signed, body.to_owned()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml")));
        assert!(answer.text().contains("<Arn>arn:aws:iam::111122223333:user/admin</Arn>"));
        assert!(answer.text().contains("<Account>111122223333</Account>"));
    }
}

#[tokio::test]
async fn query_services_refuse_in_xml() {
    let world = World::new().await;
    let refused = async |service: &str, body: &str| {
        let mut signed = request("POST /");
        world.sign(&world.admin, service, &mut signed, Payload::Body(body.as_bytes()));
        let answer = world.send(signed, body.to_owned()).await;
        (answer.status, answer.text().to_owned())
    };
    let (status, text) = refused("sts", "Action=GetFederationToken&Version=2011-06-15").await;
    assert_eq!(status, 400);
    assert!(text.contains("<Code>InvalidAction</Code>"), "{text}");
    let (status, text) = refused("iam", "Action=CreateServiceLinkedRole&Version=2010-05-08").await;
    assert_eq!(status, 400);
    assert!(text.contains("<Code>InvalidAction</Code>") && text.contains("CreateRole"), "{text}");

    let answer = world.send(request("POST /"), "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>MissingAuthenticationToken</Code>"));
    assert!(answer.text().contains("<RequestId>request-1</RequestId>"));
}
