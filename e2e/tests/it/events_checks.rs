//! Events: what npm and the AWS CLI do to versions, as a webhook's receiver sees it.

use std::collections::BTreeMap;
use std::time::Duration;

use larder_e2e::World;
use larder_e2e::receiver::Receiver;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::succeeds;
use larder_testkit::{Registry, Server, tests, tools};
use serde_json::Value;

tests![
    events_of_npm_and_the_aws_cli_reach_a_webhook,
    events_are_filtered_by_repository_and_format,
    events_survive_kill_9_and_a_failing_receiver,
    events_that_nobody_takes_are_dead_until_they_are_retried,
];

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA==";

fn configuration(receiver: &Receiver, more: &str) -> String {
    format!(
        "[[webhooks]]\nname = \"test\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nfirst-retry-ms = 20\n{more}\n",
        receiver.url()
    )
}

/// Version, operation and state of each event of a package, in the order in which they came.
fn told(events: &[Value], repository: &str, package: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_package =
        |event: &&Value| event["detail"]["packageName"] == package && event["detail"]["repositoryName"] == repository;
    let told = |event: &Value| {
        let detail = &event["detail"];
        let (version, kind) = (text(&detail["packageVersion"]), text(&detail["operationType"]));
        format!("{version} {kind} {}", text(&detail["packageVersionState"]))
    };
    events.iter().filter(of_package).map(told).collect()
}

fn events_of_npm_and_the_aws_cli_reach_a_webhook() {
    let receiver = Receiver::start(|_, _| 204);
    let registry = Registry::start();
    let world = World::with(registry, |builder| {
        builder.configuration(&configuration(&receiver, "headers = { x-from = \"larder\" }"))
    });
    let client = world.npm_client();
    for version in ["1.0.0", "2.0.0"] {
        let folder = client.folder(&format!("src-{version}"));
        NpmPackage::new("eventful", version).write_to(&folder);
        let _ = client.program("npm").arg("publish").in_folder(folder).succeeds();
    }
    let aws = |arguments: &str| {
        let arguments = format!("codeartifact {arguments} --domain my-domain --format npm --package eventful");
        let _ = client.program("aws").args(arguments.split(' ')).succeeds();
    };
    aws("update-package-versions-status --repository my-repo --versions 1.0.0 --target-status Unlisted");
    let create = "codeartifact create-repository --domain my-domain --repository copies";
    let _ = client.program("aws").args(create.split(' ')).succeeds();
    aws("copy-package-versions --source-repository my-repo --destination-repository copies --versions 2.0.0");
    aws("dispose-package-versions --repository my-repo --versions 1.0.0");
    aws("delete-package-versions --repository my-repo --versions 1.0.0");
    aws("delete-package --repository my-repo");

    let events = receiver.wait_for("seven events", |events| {
        told(events, "my-repo", "eventful").len() + told(events, "copies", "eventful").len() == 7
    });
    assert_eq!(
        told(&events, "my-repo", "eventful"),
        [
            "1.0.0 Created Published",
            "2.0.0 Created Published",
            "1.0.0 Updated Unlisted",
            "1.0.0 Updated Disposed",
            "1.0.0 Deleted Disposed",
            "2.0.0 Deleted Published",
        ]
    );
    assert_eq!(told(&events, "copies", "eventful"), ["2.0.0 Created Published"]);
    let first = receiver.received().into_iter().find(|received| received.event["detail"]["packageName"] == "eventful");
    let first = first.expect("an event");
    assert_eq!(first.event["source"], "aws.codeartifact");
    assert_eq!(first.event["detail-type"], "CodeArtifact Package Version State Change");
    assert!(first.event["detail"]["changes"]["assetsAdded"] == 1 && first.headers["x-from"] == "larder");
    let script = tools::repository().join("e2e/journal/check_signature.py");
    let check = |body: &str| {
        let of = |name: &str| first.headers[name].clone();
        let arguments =
            [SECRET.to_owned(), of("webhook-id"), of("webhook-timestamp"), of("webhook-signature"), body.to_owned()];
        client.system("python3").arg(script.clone()).args(arguments)
    };
    check(&first.body).succeeds().says("verified");
    let _ = check(&first.body.replace("eventful", "innocent")).fails();
}

fn events_are_filtered_by_repository_and_format() {
    let receiver = Receiver::start(|_, _| 200);
    let more = "repositories = [\"my-repo\"]\nformats = [\"npm\"]\ndomains = [\"my-domain\"]";
    let world = World::with(Registry::start(), |builder| builder.configuration(&configuration(&receiver, more)));
    // Ingested from the registry into npm-store and retained in my-repo: the latter only is asked for.
    let package = NpmPackage::new("from-outside", "1.0.0");
    world.registry.add_npm(&package);
    let _ = world.npm("GET", "from-outside/-/from-outside-1.0.0.tgz").send().expect(200);
    let events = receiver.wait_for("the retention", |events| !events.is_empty());
    assert_eq!(told(&events, "my-repo", "from-outside"), ["1.0.0 Created Published"]);
    assert!(world.publish_npm(&NpmPackage::new("after", "1.0.0")).is_success());
    let events = receiver.wait_for("the publish", |events| events.len() >= 2);
    assert!(events.iter().all(|event| event["detail"]["repositoryName"] == "my-repo"), "{events:#?}");
}

fn publish(server: &Server, name: &str, version: &str) -> bool {
    let target = format!("{}/{name}", server.path("npm", "my-repo"));
    let body = NpmPackage::new(name, version).publish_body();
    server.request("PUT", &target).token(&server.token()).json(&body).try_send().is_ok_and(|answer| answer.is_success())
}

fn events_survive_kill_9_and_a_failing_receiver() {
    // Every third request fails, whatever it is.
    let receiver = Receiver::start(|count, _| if count % 3 == 1 { 500 } else { 200 });
    let mut server = Server::builder().configuration(&configuration(&receiver, "attempts = 30")).start();
    let mut published = Vec::new();
    for round in 0..6_u64 {
        for number in 0..8 {
            let (name, version) = (format!("package-{}", number % 3), format!("1.{round}.{number}"));
            if publish(&server, &name, &version) {
                published.push((name, version));
            }
        }
        // Killed at another moment each time: before sealing, while delivering, after.
        std::thread::sleep(Duration::from_millis(round * 130));
        server = server.kill().start();
    }
    let key = |event: &Value| {
        let text = |name: &str| event["detail"][name].as_str().unwrap_or_default().to_owned();
        (text("packageName"), text("packageVersion"))
    };
    let events = receiver.wait_for("everything", |events| {
        published.iter().all(|wanted| events.iter().any(|event| key(event) == *wanted))
    });
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for event in &events {
        let sequence = event["detail"]["sequenceNumber"].as_i64().expect("a number");
        let before = last.insert(key(event).0, sequence);
        assert!(before.is_none_or(|before| before < sequence), "{:?} came after {before:?}", key(event));
    }
    let stopped = server.stop();
    stopped.verify();
    assert!(succeeds(&stopped.larder(&["events", "list"])).contains("waiting 0\tdead 0"));
}

fn events_that_nobody_takes_are_dead_until_they_are_retried() {
    let receiver = Receiver::start(|_, event| if event["detail"]["packageVersion"] == "1.0.0" { 503 } else { 200 });
    let server = Server::builder().configuration(&configuration(&receiver, "attempts = 3")).start();
    for version in ["1.0.0", "1.0.1"] {
        assert!(publish(&server, "stuck", version));
    }
    assert!(publish(&server, "free", "9.0.0"));
    let events = receiver.wait_for("those after the dead one", |events| events.len() == 2);
    assert_eq!(told(&events, "my-repo", "free"), ["9.0.0 Created Published"]);
    assert_eq!(told(&events, "my-repo", "stuck"), ["1.0.1 Created Published"]);
    let attempts = receiver.received().iter().filter(|received| received.status == 503).count();
    assert_eq!(attempts, 3);
    let dead = succeeds(&server.larder(&["events", "dead", "test"]));
    assert!(dead.contains("3 attempts") && dead.contains("503") && dead.contains("//stuck"), "{dead}");
    let event: Value =
        serde_json::from_str(&succeeds(&server.larder(&["events", "dead", "test", "--json"]))).expect("JSON");
    assert_eq!(event["detail"]["packageVersion"], "1.0.0");

    receiver.decide(|_, _| 200);
    let number = dead.split('\t').next().expect("a number");
    let _ = succeeds(&server.larder(&["events", "retry", "test", number]));
    let events = receiver.wait_for("the dead one", |events| events.len() == 3);
    assert_eq!(told(&events, "my-repo", "stuck"), ["1.0.1 Created Published", "1.0.0 Created Published"]);
    assert_eq!(server.larder(&["events", "retry", "test"]).status.code(), Some(1), "none is left");
}
