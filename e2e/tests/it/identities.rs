//! Who may do what: signatures, tokens, two accounts, and the commands that manage identities.

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, succeeds};
use larder_testkit::sigv4::{AccessKey, Signer};
use larder_testkit::{Client, Response, Server, tests};
use serde_json::{Value, json};

tests![
    identity_get_caller_identity,
    identity_bad_signatures,
    identity_tokens_end_with_what_they_came_from,
    identity_foreign_and_garbled_tokens,
    identity_token_durations,
    identity_cross_account_by_domain_policy,
    identity_explicit_deny_wins,
    identity_larder_env,
    identity_secrets_are_not_logged,
];

const OTHER: &str = "444455556666";

fn allow(actions: &[&str]) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
}

fn everything() -> Value {
    allow(&["*"])
}

fn error_name(answer: &Response) -> String {
    let header = answer.header("x-amzn-errortype").unwrap_or_default();
    header.split(':').next().unwrap_or_default().to_owned()
}

fn identity_get_caller_identity() {
    let server = Server::start();
    let client = Client::new(&server);
    let ran = client.program("aws").args(["sts", "get-caller-identity", "--output", "json"]).succeeds();
    let answer: Value = serde_json::from_str(ran.text()).expect("JSON");
    assert_eq!(answer["Account"], ACCOUNT);
    assert_eq!(answer["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/admin"));
    assert!(answer["UserId"].as_str().is_some_and(|id| !id.is_empty()));
}

fn identity_bad_signatures() {
    let server = Server::start();
    let target = "/v1/domain?domain=my-domain";
    let good = Signer::new(server.admin_key());
    let send = |signer: &Signer| signer.sign(server.request("GET", target)).send();
    assert_eq!(send(&good).status, 200);

    let key = |id: &str, secret: &str| Signer::new(AccessKey { id: id.to_owned(), secret: secret.to_owned() });
    let admin = server.admin_key();
    let cases = [
        ("an unknown key", send(&key("AKIAUNKNOWNUNKNOWN01", "x")), "UnrecognizedClientException"),
        ("a wrong secret", send(&key(&admin.id, "wrong")), "InvalidSignatureException"),
        ("an hour ago", send(&Signer { clock_offset: -3600, ..good.clone() }), "InvalidSignatureException"),
        ("in an hour", send(&Signer { clock_offset: 3600, ..good.clone() }), "InvalidSignatureException"),
        (
            "another region",
            send(&Signer { region: "eu-west-1".to_owned(), ..good.clone() }),
            "InvalidSignatureException",
        ),
        ("no signature", server.request("GET", target).send(), "MissingAuthenticationTokenException"),
        (
            "half a signature",
            server.request("GET", target).header("authorization", "AWS4-HMAC-SHA256 Credential=x").send(),
            "IncompleteSignatureException",
        ),
    ];
    for (what, answer, name) in cases {
        assert_eq!(answer.status, 403, "{what}: {answer:?}");
        let given = error_name(&answer);
        assert!(
            given == name || given == name.trim_end_matches("Exception") || format!("{given}Exception") == name,
            "{what}: {given}"
        );
        assert!(
            answer.json()["message"].as_str().or(answer.json()["Message"].as_str()).is_some_and(|text| text.len() > 10),
            "{what}"
        );
        assert!(answer.header("x-amzn-requestid").is_some(), "{what}");
    }
    // The signature covers the body and the query.
    let signed = good.sign(server.request("POST", "/v1/domains").json(&json!({"maxResults": 1})));
    let changed = signed.clone().body(json!({"maxResults": 2}).to_string()).send();
    assert!(matches!(changed.status, 400 | 403), "{changed:?}");
    assert_eq!(signed.send().status, 200);
    assert_eq!(send(&Signer { clock_offset: -800, ..good }).status, 200, "13 minutes are within the window");
}

fn read(server: &Server, token: &str) -> u16 {
    let target = format!("{}/-/ping", server.path("npm", "my-repo"));
    server.request("GET", &target).token(token).send().status
}

fn identity_tokens_end_with_what_they_came_from() {
    let server = Server::start();
    let user = |name: &str| {
        let key = server.create_user(ACCOUNT, name, &everything());
        let token = server.token_of(&key, "my-domain");
        assert_eq!(read(&server, &token), 200, "{name}");
        (key, token)
    };
    let (key, token) = user("keyless");
    let _ = succeeds(&server.larder(&["user", "access-key", "deactivate", "keyless", &key.id, "--account", ACCOUNT]));
    assert_eq!(read(&server, &token), 401);
    let (key, token) = user("key-deleted");
    let _ = succeeds(&server.larder(&["user", "access-key", "delete", "key-deleted", &key.id, "--account", ACCOUNT]));
    assert_eq!(read(&server, &token), 401);
    let (_, token) = user("deleted");
    let _ = succeeds(&server.larder(&["user", "delete", "deleted", "--account", ACCOUNT]));
    assert_eq!(read(&server, &token), 401);
    let (_, token) = user("denied");
    let _ = succeeds(&server.larder(&["user", "policy", "delete", "denied", "test", "--account", ACCOUNT]));
    assert_eq!(read(&server, &token), 403);
}

fn identity_foreign_and_garbled_tokens() {
    let server = Server::start();
    let other = Server::start();
    let foreign = other.token();
    let token = server.token();
    let mut changed = token.clone();
    let last = changed.pop();
    changed.push(if last == Some('A') { 'B' } else { 'A' });
    for wrong in [foreign.as_str(), changed.as_str(), &token[..token.len() / 2], "x", ""] {
        for request in [
            server.request("GET", &format!("{}/-/ping", server.path("npm", "my-repo"))),
            server.request("GET", &format!("{}/simple/x/", server.path("pypi", "my-repo"))),
        ] {
            assert_eq!(request.clone().token(wrong).send().status, 401, "bearer {wrong:?}");
            assert_eq!(request.basic("aws", wrong).send().status, 401, "basic {wrong:?}");
        }
    }
    // A token is for one domain.
    let _ = server.call("POST", "/v1/domain?domain=second", &json!({})).expect(200);
    let _ = server.call("POST", "/v1/repository?domain=second&repository=repo", &json!({})).expect(200);
    let target = format!("/d/second-{ACCOUNT}/npm/repo/-/ping");
    let answer = server.request("GET", &target).token(&token).send();
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    let second = server.token_of(&server.admin_key(), "second");
    assert_eq!(server.request("GET", &target).token(&second).send().status, 200);
    // What is not there is not told to those who may not ask.
    let missing = format!("/d/missing-{ACCOUNT}/npm/repo/-/ping");
    assert_eq!(server.request("GET", &missing).send().status, 401);
}

fn identity_token_durations() {
    let server = Server::start();
    let ask = |duration: &str| {
        let target = format!("/v1/authorization-token?domain=my-domain&duration={duration}");
        server.call("POST", &target, &Value::Null)
    };
    for good in ["0", "900", "43200"] {
        assert_eq!(ask(good).status, 200, "{good}");
    }
    for bad in ["1", "899", "43201", "-1", "x"] {
        let answer = ask(bad);
        assert_eq!((answer.status, error_name(&answer).as_str()), (400, "ValidationException"), "{bad}");
    }
}

fn identity_cross_account_by_domain_policy() {
    let world = World::empty();
    let server = &world.server;
    assert!(world.publish_npm(&NpmPackage::new("shared", "1.0.0")).is_success());
    let _ = succeeds(&server.larder(&["account", "create", OTHER]));
    let guest = server.create_user(OTHER, "guest", &everything());

    let token_target = format!("/v1/authorization-token?domain=my-domain&domain-owner={ACCOUNT}");
    let refused = server.call_as(&guest, "POST", &token_target, &Value::Null);
    assert_eq!((refused.status, error_name(&refused).as_str()), (403, "AccessDeniedException"));

    let domain_policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{OTHER}:root")},
        "Action": ["codeartifact:GetAuthorizationToken", "codeartifact:DescribeDomain", "codeartifact:ListRepositoriesInDomain",
                   "codeartifact:CreateRepository"],
        "Resource": "*",
    }]});
    let body = json!({"domain": "my-domain", "policyDocument": domain_policy.to_string()});
    let _ = server.call("PUT", "/v1/domain/permissions/policy", &body).expect(200);

    // With the real CLI, as the guest's build would.
    let client = Client::with_key(server, &guest);
    let arguments =
        format!("codeartifact login --tool npm --domain my-domain --domain-owner {ACCOUNT} --repository my-repo");
    client.program("aws").args(arguments.split(' ')).fails().says("AccessDenied");
    let token = server.token_of(&guest, "my-domain");
    let read = |token: &str| {
        server.request("GET", &format!("{}/shared", server.path("npm", "my-repo"))).token(token).send().status
    };
    assert_eq!(read(&token), 403, "a token is not yet a right to read");

    let repository_policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{OTHER}:root")},
        "Action": ["codeartifact:ReadFromRepository", "codeartifact:GetRepositoryEndpoint", "codeartifact:DescribeRepository"],
        "Resource": "*",
    }]});
    let target = "/v1/repository/permissions/policy?domain=my-domain&repository=my-repo";
    let body = json!({"policyDocument": repository_policy.to_string()});
    let _ = server.call("PUT", target, &body).expect(200);
    assert_eq!(read(&token), 200);
    let _ = client.program("aws").args(arguments.split(' ')).succeeds();
    let _ = client.program("npm").args(["install", "shared"]).succeeds();
    NpmPackage::new("from-guest", "1.0.0").write_to(&client.folder("from-guest"));
    client.program("npm").arg("publish").in_folder(client.home().join("from-guest")).fails().says("403");

    // A repository of the guest's own account in the shared domain.
    let target = format!("/v1/repository?domain=my-domain&domain-owner={ACCOUNT}&repository=guest-repo");
    let made = server.call_as(&guest, "POST", &target, &json!({})).expect(200).json();
    assert_eq!(made["repository"]["administratorAccount"], OTHER);
    assert_eq!(made["repository"]["domainOwner"], ACCOUNT);
    let publish = server.request("PUT", &format!("{}/from-guest", server.path("npm", "guest-repo"))).token(&token);
    assert!(publish.json(&NpmPackage::new("from-guest", "1.0.0").publish_body()).send().is_success());

    let target = format!("/v1/domain/permissions/policy?domain=my-domain&domain-owner={ACCOUNT}");
    let _ = server.call("DELETE", &target, &Value::Null).expect(200);
    let refused = server.call_as(&guest, "POST", &token_target, &Value::Null);
    assert_eq!(refused.status, 403, "the grant was taken back");
}

fn identity_explicit_deny_wins() {
    let server = Server::start();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "codeartifact:PublishPackageVersion",
         "Resource": format!("arn:aws:codeartifact:*:*:package/my-domain/my-repo/npm/team/*")},
    ]});
    let key = server.create_user(ACCOUNT, "careful", &policy);
    let token = server.token_of(&key, "my-domain");
    let publish = |name: &str| {
        let target = format!("{}/{}", server.path("npm", "my-repo"), name.replace('/', "%2f"));
        server.request("PUT", &target).token(&token).json(&NpmPackage::new(name, "1.0.0").publish_body()).send()
    };
    let refused = publish("@team/tool");
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(publish("@other/tool").is_success());
    assert!(publish("tool").is_success());
}

fn identity_larder_env() {
    let server = Server::start();
    let printed = succeeds(&server.larder(&["env"]));
    let client = Client::unconfigured();
    let script = format!("{printed}\naws codeartifact list-domains --query 'domains[0].name' --output text");
    assert_eq!(client.shell(&script).succeeds().text(), "my-domain");
    use std::os::unix::fs::PermissionsExt;
    for file in ["aws/credentials", "aws/config"] {
        let mode = std::fs::metadata(server.data().join(file)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // A stopped server's data tells the same but for the port.
    let stopped = server.stop();
    let printed = succeeds(&stopped.larder(&["env"]));
    assert!(printed.contains("AWS_ACCESS_KEY_ID") && printed.contains("AWS_ENDPOINT_URL"), "{printed}");
}

fn identity_secrets_are_not_logged() {
    let world = World::empty();
    let package = NpmPackage::new("quiet", "1.0.0");
    assert!(world.publish_npm(&package).is_success());
    let _ = world.npm("GET", "none").send();
    let _ = world.pypi("GET", "simple/none/").send();
    let _ = world.npm("DELETE", &format!("-/user/token/{}", world.token)).send();
    let wrong = Signer::new(AccessKey { secret: "guessedSecret".to_owned(), ..world.server.admin_key() });
    let _ = wrong.sign(world.server.request("GET", "/v1/domain?domain=my-domain")).send();
    let log = world.server.log();
    assert!(!log.is_empty());
    for secret in [world.token.as_str(), &world.server.admin_key().secret, "guessedSecret", "AWS4-HMAC"] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
