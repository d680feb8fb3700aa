//! Larder on PostgreSQL: the workflow, two nodes on one database, and a database that goes away.

use std::time::{Duration, Instant};

use larder_testkit::packages::NpmPackage;
use larder_testkit::postgres::Postgres;
use larder_testkit::{Client, Response, Server, tests};

tests![postgres_publish_install_and_restart, postgres_two_nodes_see_each_other_at_once, postgres_goes_away_and_returns];

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

fn postgres_goes_away_and_returns() {
    let database = Postgres::start();
    let server = Server::builder().database(&database.url()).start();
    let token = server.token();
    assert!(publish(&server, &token, "before", "1.0.0").is_success());
    database.stop();
    let started = Instant::now();
    let refused = publish(&server, &token, "during", "1.0.0");
    assert!(matches!(refused.status, 500 | 503), "{refused:?}");
    assert!(refused.json()["error"].as_str().is_some_and(|error| !error.contains("postgres://")), "{}", refused.text());
    assert!(started.elapsed() < Duration::from_secs(30), "the client waited {:?}", started.elapsed());
    assert_eq!(server.request("GET", "/-/health/ready").send().status, 503);
    assert_eq!(server.request("GET", "/-/health/live").send().status, 200);
    database.resume();
    let until = Instant::now() + Duration::from_secs(20);
    while !publish(&server, &token, "after", "1.0.0").is_success() {
        assert!(Instant::now() < until, "the server did not find its database again");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(get(&server, &token, "before").status, 200);
    assert_eq!(get(&server, &token, "during").status, 404);
    assert!(!server.log().contains("panicked"));
    server.stop().verify();
}
