//! Two nodes on one PostgreSQL database and one object store: what one of them acknowledged or decided holds on the
//! other from the next request on, whatever the other remembers.

use std::time::{Duration, Instant};

use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, DOMAIN, succeeds};
use larder_testkit::{ObjectStore, Postgres, Response, Server, skip, tests};
use serde_json::{Value, json};

tests![
    cluster_a_publish_is_seen_and_downloaded_on_the_other_node,
    cluster_changed_packages_are_not_served_from_memory,
    cluster_rights_end_on_the_other_node,
    cluster_a_deleted_repository_is_gone_on_the_other_node,
    cluster_collected_bytes_can_be_published_again,
];

/// The nodes and what they share.
struct Cluster {
    first: Server,
    second: Server,
    token: String,
    _database: Postgres,
    _objects: ObjectStore,
}

impl Cluster {
    fn start() -> Self {
        let database = Postgres::start();
        let objects = ObjectStore::try_start().unwrap_or_else(|reason| skip(format!("an object store: {reason}")));
        let storage = format!("s3://{}/larder", objects.bucket());
        let node = || {
            Server::builder()
                .database(&database.url())
                .env("LARDER_STORAGE_URL", &storage)
                .env("AWS_ENDPOINT_URL_S3", objects.endpoint())
                .env("AWS_ACCESS_KEY_ID", "object-store")
                .env("AWS_SECRET_ACCESS_KEY", "object-store")
                .start()
        };
        let (first, second) = (node(), node());
        let token = first.token();
        Self { first, second, token, _database: database, _objects: objects }
    }

    fn publish(&self, node: &Server, package: &NpmPackage) {
        let target = format!("{}/{}", node.path("npm", "my-repo"), package.name);
        let answer = node.request("PUT", &target).token(&self.token).json(&package.publish_body()).send();
        assert!(answer.is_success(), "{answer:?}");
    }
}

fn get(node: &Server, token: &str, path: &str) -> Response {
    node.request("GET", &format!("{}/{path}", node.path("npm", "my-repo"))).token(token).send()
}

/// The query of a call about `my-repo`.
fn repository() -> String {
    format!("domain={DOMAIN}&domain-owner={ACCOUNT}&repository=my-repo")
}

fn package_query(name: &str) -> String {
    format!("{}&format=npm&package={name}", repository())
}

fn cluster_a_publish_is_seen_and_downloaded_on_the_other_node() {
    let cluster = Cluster::start();
    for number in 0..10_usize {
        let (writer, reader) = if number.is_multiple_of(2) {
            (&cluster.first, &cluster.second)
        } else {
            (&cluster.second, &cluster.first)
        };
        // Small ones are served from memory, large ones are not.
        let data: Vec<u8> = (0..number * 100_000).map(|at| (at * at % 251) as u8).collect();
        let package = NpmPackage::new("shared", &format!("1.0.{number}")).file("data", data);
        cluster.publish(writer, &package);
        let document = get(reader, &cluster.token, "shared").expect(200).json();
        assert_eq!(document["dist-tags"]["latest"], package.version, "the other node shows an older document");
        let tarball = get(reader, &cluster.token, &format!("shared/-/shared-1.0.{number}.tgz")).expect(200);
        assert!(tarball.body == package.tarball());
    }
    cluster.first.stop().verify();
}

fn cluster_changed_packages_are_not_served_from_memory() {
    let cluster = Cluster::start();
    let versions = ["1.0.0", "1.0.1", "1.0.2"];
    for version in versions {
        cluster.publish(&cluster.first, &NpmPackage::new("fading", version));
    }
    let (first, second) = (&cluster.first, &cluster.second);
    let seen = || -> (Vec<String>, String) {
        let answer = get(second, &cluster.token, "fading").expect(200);
        let versions = answer.json()["versions"].as_object().expect("versions").keys().cloned().collect();
        (versions, answer.need_header("etag").to_owned())
    };
    let (listed, etag) = seen();
    assert_eq!(listed, versions);
    let change = |target: &str, body: &Value| {
        let _ = first.call("POST", &format!("{target}?{}", package_query("fading")), body).expect(200);
    };
    change("/v1/package/versions/update_status", &json!({"versions": ["1.0.1"], "targetStatus": "Archived"}));
    let (listed, changed) = seen();
    assert_eq!(listed, ["1.0.0", "1.0.2"]);
    assert_ne!(changed, etag);
    assert_eq!(get(second, &cluster.token, "fading/-/fading-1.0.1.tgz").status, 404);
    let conditional = second.request("GET", &format!("{}/fading", second.path("npm", "my-repo")));
    let conditional = conditional.token(&cluster.token).header("if-none-match", etag);
    assert_eq!(conditional.send().status, 200, "the client's copy is out of date");

    assert_eq!(get(second, &cluster.token, "fading/-/fading-1.0.2.tgz").status, 200);
    change("/v1/package/versions/delete", &json!({"versions": ["1.0.2"]}));
    assert_eq!(seen().0, ["1.0.0"]);
    assert_eq!(get(second, &cluster.token, "fading/-/fading-1.0.2.tgz").status, 404);
}

fn cluster_rights_end_on_the_other_node() {
    let cluster = Cluster::start();
    let (first, second) = (&cluster.first, &cluster.second);
    cluster.publish(first, &NpmPackage::new("guarded", "1.0.0"));
    let everything =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let key = first.create_user(ACCOUNT, "alice", &everything);
    let token = first.token_of(&key, DOMAIN);
    let status = |token: &str| {
        let document = get(second, token, "guarded").status;
        assert_eq!(get(second, token, "guarded/-/guarded-1.0.0.tgz").status, document);
        document
    };
    assert_eq!(status(&token), 200);

    let deny = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/alice")},
        "Action": "codeartifact:ReadFromRepository", "Resource": "*",
    }]});
    for _ in 0..5 {
        let body = json!({"policyDocument": deny.to_string()});
        let _ = first.call("PUT", &format!("/v1/repository/permissions/policy?{}", repository()), &body).expect(200);
        assert_eq!(status(&token), 403, "the repository's policy denies it");
        let target = format!("/v1/repository/permissions/policies?{}", repository());
        let _ = first.call("DELETE", &target, &Value::Null).expect(200);
        assert_eq!(status(&token), 200, "the denial is gone");
    }

    let tokens = get(first, &token, "-/npm/v1/tokens").expect(200).json();
    let id = tokens["objects"][0]["key"].as_str().expect("the key of a token");
    let target = format!("{}/-/npm/v1/tokens/token/{id}", first.path("npm", "my-repo"));
    let _ = first.request("DELETE", &target).token(&token).send().expect(204);
    assert_eq!(status(&token), 401, "the token was revoked");

    let token = first.token_of(&key, DOMAIN);
    assert_eq!(status(&token), 200);
    let _ = succeeds(&first.larder(&["user", "policy", "delete", "alice", "test", "--account", ACCOUNT]));
    assert_eq!(status(&token), 403, "the user's policy is gone");
    let _ = succeeds(&first.larder(&["user", "delete", "alice", "--account", ACCOUNT]));
    assert_eq!(status(&token), 401, "the user is gone");
    let signed = second.call_as(&key, "GET", &format!("/v1/domain?domain={DOMAIN}"), &Value::Null);
    assert_eq!(signed.status, 403, "its key signs nothing any more");
}

fn cluster_a_deleted_repository_is_gone_on_the_other_node() {
    let cluster = Cluster::start();
    let (first, second) = (&cluster.first, &cluster.second);
    cluster.publish(first, &NpmPackage::new("orphan", "1.0.0"));
    assert_eq!(get(second, &cluster.token, "orphan").status, 200);
    let target = format!("/v1/repository?{}", repository());
    let _ = first.call("DELETE", &target, &Value::Null).expect(200);
    assert_eq!(get(second, &cluster.token, "orphan").status, 404);
    assert_eq!(get(second, &cluster.token, "orphan/-/orphan-1.0.0.tgz").status, 404);
    // Another one of the same name is not the old one.
    let _ = first.call("POST", &target, &json!({})).expect(200);
    assert_eq!(get(second, &cluster.token, "orphan").status, 404);
}

fn cluster_collected_bytes_can_be_published_again() {
    let cluster = Cluster::start();
    let (first, second) = (&cluster.first, &cluster.second);
    let package = NpmPackage::new("again", "1.0.0");
    let path = format!("again/-/{}", package.file_name());
    cluster.publish(first, &package);
    // The second node remembers the bytes, and both that they are stored.
    let _ = get(second, &cluster.token, &path).expect(200);
    let target = format!("/v1/package/versions/delete?{}", package_query("again"));
    let _ = first.call("POST", &target, &json!({"versions": ["1.0.0"]})).expect(200);
    let collect = || succeeds(&first.larder(&["gc", "--grace-hours", "0"]));
    // The object store counts whole seconds, and what was stored in the present one stays.
    let started = Instant::now();
    while collect().starts_with("0 of") {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing was collected");
    }
    cluster.publish(second, &package);
    assert!(get(first, &cluster.token, &path).expect(200).body == package.tarball());
    cluster.first.stop().verify();
}
