//! Larder on PostgreSQL: the workflow, two nodes on one database, and a database that goes away.

use std::time::{Duration, Instant};

use larder_testkit::packages::NpmPackage;
use larder_testkit::postgres::Postgres;
use larder_testkit::{Client, Response, Server, tests};
use serde_json::Value;

tests![
    postgres_publish_install_and_restart,
    postgres_two_nodes_see_each_other_at_once,
    postgres_goes_away_and_returns,
    postgres_that_does_not_answer_is_not_waited_for
];

fn publish(server: &Server, token: &str, name: &str, version: &str) -> Response {
    let target = format!("{}/{name}", server.path("npm", "my-repo"));
    server.request("PUT", &target).token(token).json(&NpmPackage::new(name, version).publish_body()).send()
}

fn get(server: &Server, token: &str, name: &str) -> Response {
    server.request("GET", &format!("{}/{name}", server.path("npm", "my-repo"))).token(token).send()
}

fn postgres_publish_install_and_restart() {
    let database = Postgres::start();
    let server = Server::builder().database(&database.url()).start();
    let client = Client::new(&server);
    let login = "codeartifact login --tool npm --domain my-domain --repository my-repo";
    let _ = client.program("aws").args(login.split(' ')).succeeds();
    NpmPackage::new("kept", "1.0.0").write_to(&client.folder("kept"));
    let _ = client.program("npm").arg("publish").in_folder(client.home().join("kept")).succeeds();
    let _ = client.program("npm").args(["install", "kept"]).succeeds();
    let stopped = server.stop();
    stopped.verify();
    let server = stopped.start();
    let token = server.token();
    assert_eq!(get(&server, &token, "kept").expect(200).json()["dist-tags"]["latest"], "1.0.0");
}

fn postgres_two_nodes_see_each_other_at_once() {
    let database = Postgres::start();
    let blobs = tempfile::tempdir().expect("a folder");
    let storage = format!("file:{}", blobs.path().display());
    let node = || Server::builder().database(&database.url()).env("LARDER_STORAGE_URL", &storage).start();
    let (first, second) = (node(), node());
    let token = first.token();
    for number in 0..30 {
        let (writer, reader) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let version = format!("1.0.{number}");
        assert!(publish(writer, &token, "shared", &version).is_success());
        let seen = get(reader, &token, "shared").expect(200).json();
        assert_eq!(seen["dist-tags"]["latest"], version, "the other node shows an older document");
        let target = format!("{}/shared/-/shared-{version}.tgz", reader.path("npm", "my-repo"));
        let tarball = reader.request("GET", &target).token(&token).send().expect(200);
        assert!(tarball.body == NpmPackage::new("shared", &version).tarball());
    }
    // The same version on both at once: one of them wins, and both then show it.
    let answers = std::thread::scope(|scope| {
        let both = [&first, &second].map(|node| scope.spawn(|| publish(node, &token, "race", "1.0.0").status));
        both.map(|one| one.join().expect("an answer"))
    });
    let won = answers.iter().filter(|status| (200..300).contains(*status)).count();
    assert!(won == 1 && answers.contains(&409), "{answers:?}");
}

/// Every kind of request that needs the database, all at once.
fn ask_everything(server: &Server, token: &str) -> Vec<(&'static str, Response)> {
    let npm =
        |path: &str| server.request("GET", &format!("{}/{path}", server.path("npm", "my-repo"))).token(token).send();
    let pypi = |path: &str| {
        server.request("GET", &format!("{}/{path}", server.path("pypi", "my-repo"))).basic("aws", token).send()
    };
    let requests: [(&str, &(dyn Fn() -> Response + Sync)); 6] = [
        ("publishing", &|| publish(server, token, "during", "1.0.0")),
        ("a document seen before", &|| npm("before")),
        ("a tarball seen before", &|| npm("before/-/before-1.0.0.tgz")),
        ("a document not seen before", &|| npm("other")),
        ("a page", &|| pypi("simple/")),
        ("an operation", &|| server.call("GET", "/v1/domain?domain=my-domain", &Value::Null)),
    ];
    std::thread::scope(|scope| {
        let asked = requests.map(|(what, ask)| (what, scope.spawn(ask)));
        asked.map(|(what, answer)| (what, answer.join().expect("an answer"))).into()
    })
}

/// All say that the database is not there, in words and without its address, and soon.
fn all_are_refused(server: &Server, token: &str, limit: Duration) {
    let started = Instant::now();
    for (what, answer) in ask_everything(server, token) {
        assert_eq!(answer.status, 503, "{what}: {answer:?}");
        let text = format!("{} {}", answer.reason, answer.text());
        assert!(text.contains("database") && !text.contains("postgres"), "{what}: {text}");
    }
    assert_eq!(server.request("GET", "/-/health/ready").send().status, 503);
    assert_eq!(server.request("GET", "/-/health/live").send().status, 200);
    assert!(started.elapsed() < limit, "the clients waited {:?}", started.elapsed());
}

fn postgres_goes_away_and_returns() {
    let database = Postgres::start();
    let server = Server::builder().database(&database.url()).start();
    let token = server.token();
    assert!(publish(&server, &token, "before", "1.0.0").is_success());
    let _ = ask_everything(&server, &token);
    for round in 0..3 {
        database.stop();
        all_are_refused(&server, &token, Duration::from_secs(30));
        database.resume();
        let until = Instant::now() + Duration::from_secs(20);
        while !publish(&server, &token, "after", &format!("{round}.0.0")).is_success() {
            assert!(Instant::now() < until, "the server did not find its database again");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(get(&server, &token, "before").status, 200);
        assert_eq!(server.request("GET", "/-/health/ready").send().status, 200);
    }
    assert!(!server.log().contains("panicked"));
    server.stop().verify();
}

fn postgres_that_does_not_answer_is_not_waited_for() {
    let database = Postgres::start();
    let server = Server::builder().database(&database.url()).start();
    let token = server.token();
    assert!(publish(&server, &token, "before", "1.0.0").is_success());
    database.freeze();
    let refused = std::panic::catch_unwind(|| all_are_refused(&server, &token, Duration::from_secs(60)));
    database.thaw();
    refused.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert!(publish(&server, &token, "after", "1.0.0").is_success());
    assert!(!server.log().contains("panicked"));
    server.stop().verify();
}
