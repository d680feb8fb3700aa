//! How often may be asked: `[rates]` of `larder.toml`.

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::DOMAIN;
use larder_testkit::sigv4::{AccessKey, Signer};
use larder_testkit::{Client, Registry, Response, Server, tests};

tests![
    rates_of_a_token_also_count_what_is_answered_from_memory,
    rates_of_strangers,
    rates_of_an_operation_as_boto3_sees_them,
    rates_are_none_by_default,
];

fn world(configuration: &str) -> World {
    World::with(Registry::start(), |builder| builder.configuration(configuration))
}

/// How many of so many at once were served, and the last refusal.
fn ask(times: usize, send: impl Fn() -> Response) -> (usize, Option<Response>) {
    let (served, refused): (Vec<_>, Vec<_>) = (0..times).map(|_| send()).partition(|answer| answer.status != 429);
    (served.len(), refused.into_iter().next_back())
}

fn rates_of_a_token_also_count_what_is_answered_from_memory() {
    let world = world("[rates]\nper-token = 20\n");
    let published = world.publish_npm(&NpmPackage::new("lib", "1.0.0"));
    assert_eq!(published.status, 201, "{}", published.text());
    let (served, refused) = ask(400, || world.npm("GET", "lib").send());
    assert!((1..400).contains(&served), "{served} were served");
    let refused = refused.expect("a refusal");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.json()["error"].is_string(), "npm's form: {}", refused.text());
    // Another token has a rate of its own.
    let other = world.server.token();
    let target = format!("{}/lib", world.server.path("npm", "my-repo"));
    assert_eq!(world.server.request("GET", &target).token(&other).send().status, 200);
    // npm waits and asks again.
    let client = Client::new(&world.server);
    let _ = client
        .program("aws")
        .args(["codeartifact", "login", "--tool", "npm", "--domain", DOMAIN, "--repository", "my-repo"])
        .succeeds();
    for _ in 0..3 {
        let _ = client.program("npm").args(["view", "lib", "version"]).succeeds().says("1.0.0");
    }
}

fn rates_of_strangers() {
    let server = Server::builder().configuration("[rates]\nper-address = 5\n").start();
    let package = format!("{}/lib", server.path("npm", "my-repo"));
    for target in [&package as &str, "/v1/domain?domain=my-domain", "/"] {
        let (served, refused) = ask(100, || server.request("GET", target).send());
        assert!(served < 100, "{target}: {served} were served");
        assert!(refused.is_some(), "{target}");
    }
    let (served, _) = ask(100, || server.request("GET", &package).token("unknown").send());
    assert!(served < 100, "unknown tokens: {served} were served");
    // Keys that are not known, and known ones whose secret is not.
    let admin = server.admin_key();
    let unknown = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: admin.secret.clone() };
    let guessed = AccessKey { id: admin.id, secret: "guessed".to_owned() };
    for key in [&unknown, &guessed] {
        let call = || server.call_as(key, "GET", "/v1/domain?domain=my-domain", &serde_json::Value::Null);
        let (served, refused) = ask(100, call);
        assert!(served < 100, "{}: {served} were answered", key.id);
        let refused = refused.expect("a refusal");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.header("x-amzn-errortype"), Some("ThrottlingException"));
    }
    for service in ["sts", "iam"] {
        let mut signer = Signer::new(unknown.clone());
        signer.service = service.to_owned();
        let (served, refused) = ask(100, || signer.sign(server.request("POST", "/")).send());
        assert!(served < 100, "{service}: {served} were answered");
        let refused = refused.expect("a refusal");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(refused.text().contains("<Code>Throttling</Code>"), "{}", refused.text());
    }
    // Whoever is known is not in the same queue.
    assert_eq!(server.call("GET", "/v1/domain?domain=my-domain", &serde_json::Value::Null).status, 200);
}

fn rates_of_an_operation_as_boto3_sees_them() {
    let world = world("[rates.operations]\nGetAuthorizationToken = 2\n");
    let client = Client::new(&world.server);
    let script = r#"
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def tokens(number, attempts):
    client = boto3.client("codeartifact", config=Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    for _ in range(number):
        client.get_authorization_token(domain="my-domain")

try:
    tokens(200, 1)
    print("no refusal")
except ClientError as error:
    assert isinstance(error, boto3.client("codeartifact").exceptions.ThrottlingException), error
    print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["retryAfterSeconds"])
tokens(8, 10)
print("retries get through")
"#;
    let ran = client.program("boto3-python").args(["-c", script]).succeeds();
    ran.says("ThrottlingException 429 1").says("retries get through");
}

fn rates_are_none_by_default() {
    let world = World::empty();
    let (served, _) = ask(300, || world.npm("GET", "-/ping").send());
    assert_eq!(served, 300);
}
