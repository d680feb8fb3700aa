//! The public gem registry breaks off, sends something else, or nothing: through two repositories, nothing of it is kept.

use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_e2e::ruby::Gem;
use larder_testkit::packages::{md5, sha256};
use larder_testkit::registry::Fault;
use larder_testkit::{Registry, Response, tests};
use serde_json::Value;

tests![
    ruby_broken_info_is_never_kept,
    ruby_broken_versions_are_never_kept,
    ruby_broken_gems_are_never_kept,
    ruby_a_registry_that_is_away_costs_nothing_that_was_fetched,
];

const BROKEN: [Fault; 7] = [
    Fault::Truncated,
    Fault::Shortened,
    Fault::WrongBytes,
    Fault::WrongLength,
    Fault::Html,
    Fault::Hangup,
    Fault::Status(500),
];

/// A server whose `front` takes from `my-repo`, which takes from `rubygems-store`.
fn set_up() -> World {
    let registry = Registry::start();
    let address = format!("{}/ruby/", registry.url().trim_end_matches('/'));
    let world = World::with(registry, |builder| builder.external("public:ruby-gems-org", &address));
    world.create_repository("front", &["my-repo"]);
    world.registry.replace("/ruby/versions", b"created_at: 2024-04-01T00:00:05Z\n---\n".to_vec());
    world
}

/// Puts a gem into the stand-in registry; answers its file.
fn add(world: &World, name: &str) -> Vec<u8> {
    let bytes = Gem::new(name, "1.2.0").file("noise", name.repeat(3000)).bytes();
    let info = format!("---\n1.2.0 |checksum:{}\n", sha256(&bytes));
    let listed = format!("created_at: 2024-04-01T00:00:05Z\n---\n{name} 1.2.0 {}\n", md5(info.as_bytes()));
    world.registry.replace("/ruby/versions", listed.into_bytes());
    world.registry.replace(&format!("/ruby/info/{name}"), info.into_bytes());
    world.registry.replace(&format!("/ruby/gems/{name}-1.2.0.gem"), bytes.clone());
    bytes
}

fn get(world: &World, path: &str) -> Response {
    let target = format!("{}/{path}", world.server.path("ruby", "front"));
    world.server.request("GET", &target).basic("aws", &world.token).send()
}

fn failed(what: &str, answer: &Response) {
    assert!(matches!(answer.status, 502..=504), "{what}: {} {}", answer.status, answer.text());
}

/// The versions of a gem that a repository holds.
fn held(world: &World, repository: &str, name: &str) -> usize {
    let query = format!("domain=my-domain&repository={repository}&format=ruby&package={name}");
    let answer = world.server.call("POST", &format!("/v1/package/versions?{query}"), &Value::Null);
    if answer.status == 404 { 0 } else { answer.expect(200).json()["versions"].as_array().map_or(0, Vec::len) }
}

fn ruby_broken_info_is_never_kept() {
    let world = set_up();
    // A changed byte of a text is nobody's to see; digests are for gems.
    let faults: Vec<&Fault> = BROKEN.iter().filter(|fault| !matches!(fault, Fault::WrongBytes)).collect();
    for (number, fault) in faults.iter().enumerate() {
        let path = format!("info/doc{number}");
        add(&world, &format!("doc{number}"));
        world.registry.break_file(&path, (*fault).clone());
        failed(&format!("{fault:?}"), &get(&world, &path));
        world.registry.heal();
    }
    // A registry that failed is left alone for a moment, but not by a server that has just started.
    let world = world.restarted();
    for number in 0..faults.len() {
        assert!(get(&world, &format!("info/doc{number}")).expect(200).text().starts_with("---\n1.2.0 |checksum:"));
    }
}

fn ruby_broken_versions_are_never_kept() {
    for fault in BROKEN.iter().filter(|fault| !matches!(fault, Fault::WrongBytes)) {
        let world = set_up();
        add(&world, "base");
        world.registry.break_file("versions", fault.clone());
        for path in ["versions", "names", "specs.4.8.gz"] {
            failed(&format!("{path} {fault:?}"), &get(&world, path));
        }
        world.registry.heal();
        let world = world.restarted();
        let versions = get(&world, "versions").expect(200).text();
        let info = get(&world, "info/base").expect(200).text();
        assert!(versions.ends_with(&format!("---\nbase 1.2.0 {}\n", md5(info.as_bytes()))), "{fault:?}: {versions}");
    }
}

fn ruby_broken_gems_are_never_kept() {
    let world = set_up();
    let other = add(&world, "other");
    let mut whole = Vec::new();
    for (number, fault) in BROKEN.iter().map(Some).chain([None]).enumerate() {
        let name = format!("gem{number}");
        let bytes = add(&world, &name);
        let path = format!("gems/{name}-1.2.0.gem");
        match fault {
            Some(fault) => world.registry.break_file(&path, fault.clone()),
            // The whole gem of another name.
            None => world.registry.replace(&format!("/ruby/{path}"), other.clone()),
        }
        for path in [path.clone(), format!("quick/Marshal.4.8/{name}-1.2.0.gemspec.rz")] {
            let answer = get(&world, &path);
            assert!(!(answer.is_success() && answer.complete), "{path} {fault:?}: {} bytes", answer.body.len());
        }
        world.registry.heal();
        world.registry.replace(&format!("/ruby/{path}"), bytes.clone());
        for repository in ["front", "my-repo", "rubygems-store"] {
            assert_eq!(held(&world, repository, &name), 0, "{fault:?}: {repository} kept something");
        }
        whole.push((path, bytes));
    }
    let world = world.restarted();
    for (path, bytes) in whole {
        assert!(get(&world, &path).expect(200).body == bytes, "{path}");
    }
    world.server.stop().verify();
}

fn ruby_a_registry_that_is_away_costs_nothing_that_was_fetched() {
    let world = set_up();
    let bytes = add(&world, "base");
    let documents = ["versions", "info/base", "names", "quick/Marshal.4.8/base-1.2.0.gemspec.rz"];
    assert!(get(&world, "gems/base-1.2.0.gem").expect(200).body == bytes);
    // The repository that was asked keeps it, and the one with the connection; after the answer.
    let started = Instant::now();
    while held(&world, "front", "base") == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "the gem was not retained");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!((held(&world, "my-repo", "base"), held(&world, "rubygems-store", "base")), (0, 1));
    for path in documents {
        let _ = get(&world, path).expect(200);
    }
    world.registry.go_down();
    let world = world.restarted();
    for path in documents {
        let _ = get(&world, path).expect(200);
    }
    assert!(get(&world, "gems/base-1.2.0.gem").expect(200).body == bytes);
}
