//! The audit log: what npm, pip and the AWS CLI did, as its records tell it.

use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, succeeds};
use larder_testkit::{Client, Registry, Server, tests};
use serde_json::{Value, json};

tests![
    audit_tells_of_npm_pip_and_the_aws_cli,
    audit_of_writes_is_completed_after_kill_9,
    audit_without_reads_keeps_refusals,
    audit_log_is_filtered,
];

/// The records of `larder audit log --files` once there are enough.
fn wait_for(server: &Server, what: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let records = lines(&succeeds(&server.larder(&["audit", "log", "--files", "--json"])));
        if enough(&records) {
            return records;
        }
        assert!(Instant::now() < until, "{what}: {records:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn audit_tells_of_npm_pip_and_the_aws_cli() {
    let world = World::with(Registry::start(), |builder| builder.configuration("[audit]\n"));
    let client = world.npm_client();
    let folder = client.folder("audited");
    NpmPackage::new("audited", "1.0.0").write_to(&folder);
    let _ = client.program("npm").arg("publish").in_folder(folder).succeeds();
    let _ = client.program("npm").args(["view", "audited", "version"]).succeeds();
    // The second answer comes from memory.
    let _ = client.program("npm").args(["view", "audited", "version", "--prefer-online"]).succeeds();
    let list = "codeartifact list-packages --domain my-domain --repository my-repo";
    let _ = client.program("aws").args(list.split(' ')).succeeds();
    let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    let nobody = world.server.create_user(ACCOUNT, "nobody", &nothing);
    let refused = Client::with_key(&world.server, &nobody);
    let _ = refused.program("aws").args(list.split(' ')).fails();
    let index = format!("{}simple/", world.server.endpoint("pypi", "my-repo"));
    let index = index.replacen("http://", &format!("http://aws:{}@", world.token), 1);
    let pip = Client::new(&world.server);
    let _ = pip.program("pip").args(["download", "no-such-project", "--index-url", &index, "--no-deps"]).fails();

    let of = |record: &Value, name: &str, principal: &str| {
        record["eventName"] == name && record["userIdentity"]["userName"] == principal
    };
    let records = wait_for(&world.server, "all", |records| {
        records.iter().any(|record| of(record, "ListPackages", "nobody"))
            && records.iter().any(|record| record["requestParameters"]["packageFormat"] == "pypi")
            && records.iter().any(|record| of(record, "PublishPackageVersion", "admin"))
    });
    let find = |what: &str, is: &dyn Fn(&Value) -> bool| -> Value {
        records.iter().find(|record| is(record)).unwrap_or_else(|| panic!("{what}: {records:#?}")).clone()
    };
    let published = find("the publish", &|record| of(record, "PublishPackageVersion", "admin"));
    assert_eq!(
        published["requestParameters"],
        json!({"domainName": "my-domain", "domainOwner": ACCOUNT, "repositoryName": "my-repo", "packageFormat": "npm",
               "packageName": "audited", "packageVersion": "1.0.0"})
    );
    assert_eq!(
        (&published["readOnly"], &published["eventSource"]),
        (&json!(false), &json!("codeartifact.amazonaws.com"))
    );
    assert!(published["userAgent"].as_str().is_some_and(|agent| agent.contains("npm/")), "{published}");
    assert_eq!(published["additionalEventData"]["httpMethod"], "PUT");

    let read = find("the read", &|record| {
        of(record, "ReadFromRepository", "admin") && record["requestParameters"]["packageName"] == "audited"
    });
    assert_eq!(
        (&read["readOnly"], &read["sourceIPAddress"], &read["eventType"]),
        (&json!(true), &json!("127.0.0.1"), &json!("AwsApiCall"))
    );
    assert_eq!(read["responseElements"], Value::Null);
    let listed = find("the list", &|record| of(record, "ListPackages", "admin"));
    assert!(listed["userAgent"].as_str().is_some_and(|agent| agent.contains("aws-cli")), "{listed}");
    let denied = find("the refusal", &|record| of(record, "ListPackages", "nobody"));
    assert_eq!(denied["errorCode"], "AccessDeniedException");
    assert!(denied["additionalEventData"]["denial"].is_string(), "{denied}");
    let token = find("the token", &|record| record["eventName"] == "GetAuthorizationToken");
    assert_eq!(token["responseElements"], json!({"sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}));
    assert_eq!(token["requestParameters"], json!({"domainName": "my-domain", "domainOwner": ACCOUNT}));
    assert!(!records.iter().any(|record| record.to_string().contains(&world.token)), "a token is in the audit log");

    // One record for each request: what the journal tells is not told again.
    let mut ids: Vec<_> = records.iter().map(|record| record["eventID"].to_string()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let of_publish = |record: &&Value| record["requestID"] == published["requestID"];
    assert_eq!(records.iter().filter(of_publish).count(), 1);
}

fn publish(server: &Server, name: &str) -> bool {
    let target = format!("{}/{name}", server.path("npm", "my-repo"));
    let body = NpmPackage::new(name, "1.0.0").publish_body();
    server.request("PUT", &target).token(&server.token()).json(&body).try_send().is_ok_and(|answer| answer.is_success())
}

fn audit_of_writes_is_completed_after_kill_9() {
    let configuration = "[audit]\nfile-bytes = 4000\n";
    let mut server = Server::builder().configuration(configuration).start();
    let mut published = Vec::new();
    for round in 0..5_u64 {
        for number in 0..6 {
            let name = format!("package-{round}-{number}");
            if publish(&server, &name) {
                published.push(name);
            }
        }
        std::thread::sleep(Duration::from_millis(round * 170));
        server = server.kill().start();
    }
    let name = |record: &Value| record["requestParameters"]["packageName"].as_str().unwrap_or_default().to_owned();
    let records = wait_for(&server, "all writes", |records| {
        published.iter().all(|wanted| records.iter().any(|record| name(record) == *wanted))
    });
    let leaves: Vec<u64> =
        records.iter().filter_map(|record| record["additionalEventData"]["leafIndex"].as_u64()).collect();
    assert!(
        leaves.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "nothing is missing and nothing is there twice: {leaves:?}"
    );
    assert_eq!(leaves.first(), Some(&0));
    server.stop().verify();
}

fn audit_without_reads_keeps_refusals() {
    let server = Server::builder().configuration("[audit]\nreads = false\n").start();
    assert!(publish(&server, "there"));
    let path = server.path("npm", "my-repo");
    let _ = server.request("GET", &format!("{path}/there")).token(&server.token()).send().expect(200);
    let _ = server.request("GET", &format!("{path}/there")).token("nonsense").send().expect(401);
    let _ = server.request("GET", &format!("{path}/missing")).token(&server.token()).send().expect(404);
    let records = wait_for(&server, "refusals", |records| {
        records.iter().any(|record| record["errorCode"] == "ResourceNotFoundException")
    });
    assert!(records.iter().any(|record| record["errorCode"] == "UnrecognizedClientException"), "{records:#?}");
    let read = |record: &&Value| record["readOnly"] == true && record.get("errorCode").is_none();
    assert_eq!(records.iter().filter(read).count(), 0, "{records:#?}");
}

fn audit_log_is_filtered() {
    let server = Server::start();
    assert!(publish(&server, "wanted") && publish(&server, "other"));
    let log = |arguments: &[&str]| {
        let all: Vec<&str> = ["audit", "log"].into_iter().chain(arguments.iter().copied()).collect();
        succeeds(&server.larder(&all))
    };
    let published = log(&["--operation", "PublishPackageVersion", "--principal", "user/admin"]);
    assert_eq!(published.lines().count(), 2, "{published}");
    let wanted = log(&["--resource", "//wanted", "--since", "5m"]);
    assert!(
        wanted.lines().count() == 1 && wanted.contains("//wanted#1.0.0") && wanted.contains("127.0.0.1"),
        "{wanted}"
    );
    assert_eq!(log(&["--until", "2020-01-01T00:00:00Z"]), "");
    let json = lines(&log(&["--json", "--operation", "CreateRepository"]));
    assert!(json.iter().any(|record| record["requestParameters"]["repositoryName"] == "my-repo"), "{json:#?}");
    assert_eq!(server.larder(&["audit", "log", "--since", "yesterday"]).status.code(), Some(2));
}
