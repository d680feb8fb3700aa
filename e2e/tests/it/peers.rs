//! Policies that look at where a request comes from, behind a proxy that says so: what was answered to one client is not
//! answered to another, however often either asks.

use larder_e2e::World;
use larder_e2e::roles::policy;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::{Registry, Response, tests};
use serde_json::{Value, json};

tests![
    peers_are_told_apart_by_a_policy_with_their_address,
    peers_are_told_apart_by_a_policy_with_their_encryption,
    peers_behind_one_proxy_are_told_their_own_addresses,
];

/// With a package that one user may read under a condition.
fn world(condition: &Value) -> (World, String) {
    let world = World::with(Registry::start(), |server| server.configuration("trusted-proxies = [\"127.0.0.1\"]\n"));
    assert!(world.publish_npm(&NpmPackage::new("left-pad", "1.0.0")).is_success());
    let token = json!({"Effect": "Allow", "Action": ["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"], "Resource": "*"});
    let read = json!({"Effect": "Allow", "Action": "codeartifact:ReadFromRepository", "Resource": "*", "Condition": condition});
    let document = json!({"Version": "2012-10-17", "Statement": [token, read]});
    let key = world.server.create_user(ACCOUNT, "reader", &document);
    let token = world.server.token_of(&key, DOMAIN);
    (world, token)
}

fn get(world: &World, token: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = world.server.request("GET", &format!("{}/{path}", world.server.path("npm", REPOSITORY)));
    headers.iter().fold(request.token(token), |request, (name, value)| request.header(name, *value)).send()
}

/// What a document and an asset are answered with.
fn statuses(world: &World, token: &str, headers: &[(&str, &str)]) -> [u16; 2] {
    ["left-pad", "left-pad/-/left-pad-1.0.0.tgz"].map(|path| get(world, token, path, headers).status)
}

fn peers_are_told_apart_by_a_policy_with_their_address() {
    let (world, token) = world(&json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}));
    for _ in 0..3 {
        for (client, status) in [("198.51.100.1", 200), ("192.0.2.1", 403), ("198.51.100.2", 200)] {
            let seen = statuses(&world, &token, &[("x-forwarded-for", client)]);
            assert_eq!(seen, [status; 2], "{client}");
        }
        assert_eq!(statuses(&world, &token, &[]), [403; 2], "the proxy itself");
        let pretended = [("x-forwarded-for", "198.51.100.1, 192.0.2.1")];
        assert_eq!(statuses(&world, &token, &pretended), [403; 2], "what a client says of itself");
    }
    // The policy is changed, and that counts at once.
    let everywhere = policy(&json!({"Principal": "*", "Action": "codeartifact:ReadFromRepository", "Resource": "*"}));
    let target = format!("/v1/repository/permissions/policy?domain={DOMAIN}&repository={REPOSITORY}");
    let _ = world.server.call("PUT", &target, &json!({"policyDocument": everywhere.to_string()})).expect(200);
    assert_eq!(statuses(&world, &token, &[("x-forwarded-for", "192.0.2.1")]), [200; 2]);
}

fn peers_are_told_apart_by_a_policy_with_their_encryption() {
    let (world, token) = world(&json!({"Bool": {"aws:SecureTransport": "true"}}));
    for _ in 0..3 {
        for (protocol, status) in [("https", 200), ("http", 403)] {
            let headers = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", protocol)];
            assert_eq!(statuses(&world, &token, &headers), [status; 2], "{protocol}");
        }
    }
}

fn peers_behind_one_proxy_are_told_their_own_addresses() {
    let (world, token) = world(&json!({}));
    for _ in 0..3 {
        for (host, protocol) in [("a.example", "https"), ("b.example", "https"), ("a.example", "http")] {
            let headers =
                [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", protocol), ("x-forwarded-host", host)];
            let document = get(&world, &token, "left-pad", &headers).expect(200).json();
            let tarball = document["versions"]["1.0.0"]["dist"]["tarball"].as_str().expect("an address").to_owned();
            assert!(tarball.starts_with(&format!("{protocol}://{host}/")), "{tarball}");
        }
    }
}
