//! Whole builds with nothing but Larder to take from, and public registries that lie to two layers of repositories.

use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_e2e::maven::{copy_build, mvn, pom};
use larder_testkit::{Fault, Response, tests};
use serde_json::Value;

tests![
    maven_whole_build,
    maven_broken_files_are_never_kept,
    maven_broken_metadata_is_never_kept,
    maven_wrong_checksum_of_a_registry,
    maven_slow_registry,
];

/// Issue 3, shown by 2: every plugin and dependency of a build of several modules comes through `my-repo` and
/// `maven-central-store`; it deploys a snapshot and a release, which a build with an empty local repository consumes.
fn maven_whole_build() {
    let world = World::maven_recorded();
    let client = world.maven_client();
    for version in ["1.0-SNAPSHOT", "1.0"] {
        copy_build(&client, "app", version);
        let ran = mvn(&client).args(["-f", "app/pom.xml", "clean", "deploy", &world.deployment()]).succeeds();
        ran.says("Tests run: 1, Failures: 0");
    }
    assert_eq!(world.maven_status("org.apache.commons", "commons-lang3", "3.14.0").as_deref(), Some("Published"));
    let details = world.describe_maven("com.acme.app", "app-lib", "1.0").expect(200).json();
    assert_eq!(details["packageVersion"]["displayName"], "App library");
    let query = "domain=my-domain&repository=my-repo&format=maven&namespace=com.acme.app&package=app-lib&version=1.0";
    let target = format!("/v1/package/version/dependencies?{query}");
    let listed = world.server.call("POST", &target, &Value::Null).expect(200).json();
    let kinds: Vec<&str> = listed["dependencies"]
        .as_array()
        .expect("dependencies")
        .iter()
        .filter_map(|dependency| dependency["dependencyType"].as_str())
        .collect();
    assert_eq!(kinds, ["parent", "compile", "test"]);

    let consumer = world.maven_client();
    for version in ["1.0-SNAPSHOT", "1.0"] {
        copy_build(&consumer, "consumer", version);
        let _ = mvn(&consumer).args(["-f", "consumer/pom.xml", "package"]).succeeds();
    }
    world.server.stop().verify();
}

const BROKEN: &[Fault] = &[
    Fault::Truncated,
    Fault::Shortened,
    Fault::WrongBytes,
    Fault::WrongLength,
    Fault::Html,
    Fault::Hangup,
    Fault::Status(500),
];

/// Whether the client can tell that the answer is not the file.
fn is_failure(answer: Option<&Response>) -> bool {
    answer.is_none_or(|answer| !answer.is_success() || !answer.complete)
}

fn maven_broken_files_are_never_kept() {
    let world = World::maven_empty();
    world.create_repository("front", &["my-repo"]);
    for (number, fault) in BROKEN.iter().enumerate() {
        let (artifact, jar) = (format!("lib{number}"), format!("{number}").repeat(100_000));
        world.registry.add_maven("org.public", &artifact, "1.0", ".jar", jar.clone());
        world.registry.add_maven("org.public", &artifact, "1.0", ".pom", pom("org.public", &artifact, "1.0"));
        let path = format!("org/public/{artifact}/1.0/{artifact}-1.0.jar");
        let get = || world.maven_in("front", "GET", &path).try_send().ok();
        // The checksum is right and the file is not.
        world.registry.break_file(&path, fault.clone());
        let answer = get();
        assert!(is_failure(answer.as_ref()), "{fault:?}: {:?}", answer.map(|answer| answer.status));
        world.registry.heal();
        let answer = get().expect("an answer").expect(200);
        assert!(answer.text() == jar, "{fault:?} was kept");
        // Who asked and who owns the connection keep it, nobody between them.
        wait_until_kept(&world, "front", &artifact);
        assert!(keeps(&world, "maven-central-store", &artifact) && !keeps(&world, "my-repo", &artifact));
    }
}

/// The checksum was wrong and the file was not: neither is believed, and both are asked for again.
fn maven_wrong_checksum_of_a_registry() {
    let world = World::maven_empty();
    world.registry.add_maven("org.public", "lib", "1.0", ".jar", "jar".repeat(1000));
    let path = "org/public/lib/1.0/lib-1.0.jar";
    let get = || world.maven("GET", path).try_send().ok();
    let wrong = "0".repeat(40);
    world.registry.replace(&format!("/maven/{path}.sha1"), wrong.into_bytes());
    assert!(is_failure(get().as_ref()));
    world.registry.restore(&format!("/maven/{path}.sha1"));
    let started = Instant::now();
    while is_failure(get().as_ref()) {
        assert!(started.elapsed() < Duration::from_secs(10), "the wrong checksum was kept");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn keeps(world: &World, repository: &str, artifact: &str) -> bool {
    let query = format!(
        "domain=my-domain&repository={repository}&format=maven&namespace=org.public&package={artifact}&version=1.0"
    );
    world.server.call("GET", &format!("/v1/package/version?{query}"), &Value::Null).status == 200
}

fn wait_until_kept(world: &World, repository: &str, artifact: &str) {
    let started = Instant::now();
    while !keeps(world, repository, artifact) {
        assert!(started.elapsed() < Duration::from_secs(10), "{artifact} was not kept in {repository}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn maven_broken_metadata_is_never_kept() {
    let world = World::maven_empty();
    for (number, fault) in
        [Fault::Truncated, Fault::Shortened, Fault::Html, Fault::Hangup, Fault::Status(503)].iter().enumerate()
    {
        let artifact = format!("meta{number}");
        world.registry.add_maven("org.public", &artifact, "1.0", ".pom", pom("org.public", &artifact, "1.0"));
        let path = format!("org/public/{artifact}/maven-metadata.xml");
        world.registry.break_all(&artifact, fault.clone());
        let answer = world.maven("GET", &path).send();
        assert!(answer.status >= 500, "{fault:?}: {}", answer.status);
        world.registry.heal();
    }
}

fn maven_slow_registry() {
    let world = World::maven_empty();
    world.registry.add_maven("org.public", "slow", "1.0", ".jar", "jar");
    world.registry.break_all("slow-1.0.jar", Fault::Slow(Duration::from_secs(1)));
    let path = "org/public/slow/1.0/slow-1.0.jar";
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(world.maven("GET", path).send().expect(200).text(), "jar"));
        }
    });
    let files = world.registry.asked("slow-1.0.jar").iter().filter(|asked| asked.target.ends_with(".jar")).count();
    assert_eq!(files, 1, "one download for all who wait");
}
