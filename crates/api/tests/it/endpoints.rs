//! The table of operations under attack: every operation without credentials, without rights, and with a deny.

use larder_api::codeartifact::operations::{OPERATIONS, Operation};
use larder_auth::sigv4::Payload;
use serde_json::json;

use crate::world::{ALL, Answer, World, request, sha256};

const ARN: &str = "arn%3Aaws%3Acodeartifact%3Aus-west-2%3A111122223333%3Adomain%2Fmy-domain";

/// A good value for each query parameter that an operation requires, so that only rights can be missing.
fn value(param: &str) -> &'static str {
    match param {
        "domain" => "my-domain",
        "repository" | "destination-repository" => "my-repo",
        "source-repository" => "source",
        "format" => "generic&namespace=team",
        "package" => "tool",
        "version" => "1.0",
        "asset" => "a.txt",
        "external-connection" => "public:npmjs",
        "resourceArn" => ARN,
        "package-group" => "%2F%2A",
        "originRestrictionType" => "PUBLISH",
        other => panic!("{other} has no value here"),
    }
}

/// A good body, if the operation needs one.
fn body(operation: &Operation) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "codeartifact:*", "Resource": "*"}]});
    match operation.name() {
        "CopyPackageVersions" | "DeletePackageVersions" | "DisposePackageVersions" => json!({"versions": ["1.0"]}),
        "UpdatePackageVersionsStatus" => json!({"versions": ["1.0"], "targetStatus": "Archived"}),
        "PutDomainPermissionsPolicy" => json!({"domain": "my-domain", "policyDocument": policy.to_string()}),
        "PutRepositoryPermissionsPolicy" => json!({"policyDocument": policy.to_string()}),
        "PutPackageOriginConfiguration" => json!({"restrictions": {"publish": "ALLOW", "upstream": "BLOCK"}}),
        "TagResource" => json!({"tags": [{"key": "a", "value": "b"}]}),
        "CreatePackageGroup" => json!({"packageGroup": "/npm/*"}),
        "UpdatePackageGroup" => json!({"packageGroup": "/*", "description": "all"}),
        "UntagResource" => json!({"tagKeys": ["a"]}),
        _ => return String::new(),
    }
    .to_string()
}

fn call(operation: &Operation) -> String {
    let domain = if operation.name() == "CreateDomain" { "another" } else { "my-domain" };
    let pairs = operation.required.iter().map(|param| {
        let value = if param.name == "domain" { domain } else { value(param.name) };
        let value =
            if operation.name() == "CreateRepository" && param.name == "repository" { "another" } else { value };
        format!("{}={value}", param.name)
    });
    format!("{} {}?{}", operation.method, operation.path, pairs.collect::<Vec<_>>().join("&"))
}

async fn send(world: &World, key: &larder_core::model::AccessKey, operation: &Operation) -> Answer {
    let (call, body) = (call(operation), body(operation));
    let mut signed = request(&call);
    let payload = if operation.name() == "PublishPackageVersion" {
        Payload::Declared(sha256(body.as_bytes()))
    } else {
        Payload::Body(body.as_bytes())
    };
    world.sign(key, "codeartifact", &mut signed, payload);
    world.send(signed, body).await
}

async fn world() -> World {
    let world = World::with_domain().await;
    for name in ["my-repo", "source"] {
        world.create_repository(name, &[]).await;
        world.publish(name, "version=1.0&asset=a.txt", b"one", b"one").await.ok();
    }
    world
}

#[tokio::test]
async fn without_a_signature_every_operation_is_refused() {
    let world = world().await;
    for operation in OPERATIONS {
        let mut unsigned = request(&call(operation));
        unsigned.headers_mut().insert("x-amz-content-sha256", "0".repeat(64).parse().unwrap());
        let answer = world.send(unsigned, body(operation)).await;
        assert_eq!(answer.header("x-amzn-errortype"), Some("MissingAuthenticationToken"), "{}", operation.name());
        assert_eq!(answer.status, 403, "{}", operation.name());
    }
}

#[tokio::test]
async fn without_rights_every_operation_is_denied() {
    let world = world().await;
    let nobody = world.user("111122223333", "nobody", None).await;
    for operation in OPERATIONS {
        let answer = send(&world, &nobody, operation).await;
        assert_eq!(
            answer.header("x-amzn-errortype"),
            Some("AccessDeniedException"),
            "{}: {answer:?}",
            operation.name()
        );
        assert!(answer.text().contains(&format!("codeartifact:{}", operation.name())), "{answer:?}");
    }
}

#[tokio::test]
async fn a_deny_of_the_action_beats_every_allow() {
    let world = world().await;
    for operation in OPERATIONS {
        let deny = format!(r#"{{"Effect":"Deny","Action":"codeartifact:{}","Resource":"*"}}"#, operation.name());
        let policy = ALL.replace("}]}", &format!("}},{deny}]}}"));
        let user = world.user("111122223333", &format!("not-{}", operation.name()), Some(&policy)).await;
        let answer = send(&world, &user, operation).await;
        assert_eq!(
            answer.header("x-amzn-errortype"),
            Some("AccessDeniedException"),
            "{}: {answer:?}",
            operation.name()
        );
    }
}

#[tokio::test]
async fn with_rights_every_operation_is_answered() {
    for operation in OPERATIONS {
        let world = world().await;
        let answer = send(&world, &world.admin, operation).await;
        let expected: &[u16] = match operation.name() {
            // Nothing to find: no policy, no readme, no connection.
            "GetDomainPermissionsPolicy"
            | "GetRepositoryPermissionsPolicy"
            | "DeleteDomainPermissionsPolicy"
            | "DeleteRepositoryPermissionsPolicy"
            | "GetPackageVersionReadme"
            | "DisassociateExternalConnection" => &[404],
            // The domain has repositories; the version is sealed.
            "DeleteDomain" | "PublishPackageVersion" => &[409],
            // The root group.
            "DeletePackageGroup" => &[400],
            _ => &[200],
        };
        assert!(expected.contains(&answer.status), "{}: {answer:?}", operation.name());
        assert_ne!(answer.header("x-amzn-errortype"), Some("UnknownOperationException"), "{}", operation.name());
    }
}
