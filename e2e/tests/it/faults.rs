//! Public registries that are slow, down, lying or malicious: what was kept is still served, nothing wrong is kept, and
//! nobody else is asked.

use std::time::Duration;

use larder_e2e::World;
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::{Fault, Registry, Response, tests};
use serde_json::json;

tests![
    fault_slow,
    fault_broken_tarballs_are_never_kept,
    fault_broken_wheels_are_never_kept,
    fault_broken_documents_are_never_kept,
    fault_changed_bytes_under_a_known_version,
    fault_redirect_elsewhere_is_not_followed,
    fault_document_that_names_another_host,
    fault_upstream_credentials_are_not_asked_of_the_client,
    fault_stays_with_its_upstream,
    fault_upstream_deletes_a_version,
];

fn tarball(world: &World, name: &str) -> Option<Response> {
    world.npm("GET", &format!("{name}/-/{name}-1.0.0.tgz")).try_send().ok()
}

/// Whether the client can tell that the answer is not the file.
fn is_failure(answer: Option<&Response>) -> bool {
    answer.is_none_or(|answer| !answer.is_success() || !answer.complete)
}

fn fault_slow() {
    let world = World::empty();
    let package = NpmPackage::new("slow", "1.0.0");
    world.registry.add_npm(&package);
    world.registry.break_all("slow", Fault::Slow(Duration::from_secs(2)));
    assert_eq!(tarball(&world, "slow").expect("an answer").expect(200).body, package.tarball());
    // What is kept does not wait.
    world.registry.forget();
    let started = std::time::Instant::now();
    assert_eq!(tarball(&world, "slow").expect("an answer").expect(200).body, package.tarball());
    assert!(started.elapsed() < Duration::from_secs(1) && world.registry.count("/-/") == 0);
}

/// Every way in which bytes can be wrong.
const BROKEN: &[Fault] = &[
    Fault::Truncated,
    Fault::Shortened,
    Fault::WrongBytes,
    Fault::WrongLength,
    Fault::Html,
    Fault::Hangup,
    Fault::Status(500),
];

fn fault_broken_tarballs_are_never_kept() {
    let world = World::empty();
    for (number, fault) in BROKEN.iter().enumerate() {
        let package = NpmPackage::new(&format!("pkg{number}"), "1.0.0").file("data", vec![number as u8; 100_000]);
        world.registry.add_npm(&package);
        world.registry.break_all("/-/", fault.clone());
        let answer = tarball(&world, &package.name);
        assert!(is_failure(answer.as_ref()), "{fault:?}: {:?}", answer.map(|answer| answer.status));
        world.registry.heal();
        let answer = tarball(&world, &package.name).expect("an answer").expect(200);
        assert!(answer.body == package.tarball(), "{fault:?} was kept");
    }
    world.server.stop().verify();
}

fn fault_broken_wheels_are_never_kept() {
    let world = World::empty();
    for (number, fault) in BROKEN.iter().enumerate() {
        let package = PythonPackage::new(&format!("pkg{number}"), "1.0").file("data", vec![number as u8; 100_000]);
        let wheel = package.wheel();
        world.registry.add_python(&package, &wheel);
        world.registry.break_all("/files/", fault.clone());
        let page = world.page(&package.name);
        let url = page["files"][0]["url"].as_str().expect("a URL").to_owned();
        let path = url
            .split_once("/pypi/my-repo/")
            .map_or_else(|| format!("simple/{}/{url}", package.name), |(_, path)| path.to_owned());
        let get = || world.pypi("GET", path.split('#').next().unwrap_or_default()).try_send().ok();
        let answer = get();
        assert!(is_failure(answer.as_ref()), "{fault:?}: {:?}", answer.map(|answer| answer.status));
        world.registry.heal();
        assert!(get().expect("an answer").expect(200).body == wheel.bytes, "{fault:?} was kept");
    }
    world.server.stop().verify();
}

fn fault_broken_documents_are_never_kept() {
    let mut world = World::empty();
    let faults = [
        Fault::Truncated,
        Fault::Shortened,
        Fault::Html,
        Fault::Hangup,
        Fault::Status(500),
        Fault::Status(403),
        Fault::Status(429),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let package = NpmPackage::new(&format!("doc{number}"), "1.0.0");
        world.registry.add_npm(&package);
        world.registry.break_all("/npm/doc", fault.clone());
        let answer = world.npm("GET", &package.name).send();
        assert!(matches!(answer.status, 502..=504), "{fault:?}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{fault:?}: {answer:?}");
        // A failing registry is left alone for some seconds; a new server knows nothing of that.
        world.registry.heal();
        world = world.restarted();
        assert!(world.packument(&package.name)["versions"]["1.0.0"].is_object(), "{fault:?} was kept");
    }
}

fn fault_changed_bytes_under_a_known_version() {
    let world = World::empty();
    let before = NpmPackage::new("fickle", "1.0.0");
    let after = before.clone().file("more.js", "1");
    world.registry.add_npm(&before);
    assert_eq!(tarball(&world, "fickle").expect("an answer").expect(200).body, before.tarball());
    // The registry now has other bytes and a document that agrees with them.
    world.registry.add_npm(&after);
    assert_eq!(tarball(&world, "fickle").expect("an answer").expect(200).body, before.tarball());

    // Other bytes than the document promises, for a version that was never fetched.
    let promised = NpmPackage::new("liar", "1.0.0");
    world.registry.add_npm(&promised);
    world
        .registry
        .replace("/npm/liar/-/liar-1.0.0.tgz", NpmPackage::new("liar", "1.0.0").file("evil.js", "1").tarball());
    let answer = tarball(&world, "liar");
    assert!(is_failure(answer.as_ref()), "{answer:?}");
    world.server.stop().verify();
}

fn fault_redirect_elsewhere_is_not_followed() {
    let world = World::empty();
    let elsewhere = Registry::start();
    for (number, path) in ["document", "tarball"].into_iter().enumerate() {
        let package = NpmPackage::new(path, "1.0.0");
        world.registry.add_npm(&package);
        elsewhere.add_npm(&package);
        let (target, away) = match number {
            0 => ("/npm/document", format!("{}document", elsewhere.npm_url())),
            _ => ("/npm/tarball/-/", format!("{}tarball/-/tarball-1.0.0.tgz", elsewhere.npm_url())),
        };
        world.registry.break_all(target, Fault::Redirect(away));
        let answer = tarball(&world, path);
        assert!(is_failure(answer.as_ref()), "{path}: {answer:?}");
    }
    assert_eq!(elsewhere.asked("").len(), 0, "another host was asked");
}

/// A document may not send Larder, with or without a token, to an address that nobody configured.
fn fault_document_that_names_another_host() {
    let registry = Registry::start();
    let elsewhere = Registry::start();
    let package = NpmPackage::new("sly", "1.0.0");
    registry.add_npm(&package);
    elsewhere.add_npm(&package);
    let mut document = json!({"name": "sly", "dist-tags": {"latest": "1.0.0"}, "versions": {}});
    document["versions"]["1.0.0"] = package.version_entry(&format!("{}sly/-/sly-1.0.0.tgz", elsewhere.npm_url()));
    registry.replace("/npm/sly", document.to_string().into_bytes());
    let world = World::with(registry, |builder| builder);
    let answer = tarball(&world, "sly");
    assert!(is_failure(answer.as_ref()), "{answer:?}");
    assert_eq!(elsewhere.asked("").len(), 0, "another host was asked");
}

/// A 401 of the registry is not the client's business: it would send its Larder token, or ask a person for one.
fn fault_upstream_credentials_are_not_asked_of_the_client() {
    let world = World::empty();
    for status in [401, 403, 407] {
        world.registry.break_all("", Fault::Status(status));
        let npm = world.npm("GET", &format!("locked{status}")).send();
        let pypi = world.pypi("GET", &format!("simple/locked{status}/")).send();
        for answer in [npm, pypi] {
            assert!(matches!(answer.status, 502..=504 | 404), "{status}: {answer:?}");
            assert!(answer.header("www-authenticate").is_none(), "{answer:?}");
        }
        world.registry.heal();
    }
    for asked in world.registry.asked("") {
        assert!(asked.header("authorization").is_none() && asked.header("cookie").is_none(), "{asked:?}");
    }
}

/// What is hosted here is served while the registry behind it fails.
fn fault_stays_with_its_upstream() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("ours", "1.0.0")).is_success());
    let package = PythonPackage::new("ours", "1.0");
    let _ = world.upload(&package, &package.wheel()).expect(200);
    world.registry.go_down();
    assert_eq!(world.packument("ours")["dist-tags"]["latest"], "1.0.0");
    assert_eq!(world.page("ours")["versions"], json!(["1.0"]));
    let _ = tarball(&world, "ours").expect("an answer").expect(200);
}

fn fault_upstream_deletes_a_version() {
    let world = World::empty();
    for version in ["1.0.0", "1.1.0"] {
        world.registry.add_npm(&NpmPackage::new("dropped", version));
    }
    let kept = tarball(&world, "dropped").expect("an answer").expect(200).body;
    world.registry.remove_npm("dropped", "1.0.0");
    world.registry.break_all("dropped-1.0.0", Fault::Status(404));
    assert_eq!(tarball(&world, "dropped").expect("an answer").expect(200).body, kept);
    // A new server has no document of it in memory, and still has the version.
    let world = world.restarted();
    assert_eq!(tarball(&world, "dropped").expect("an answer").expect(200).body, kept);
    assert!(world.packument("dropped")["versions"]["1.0.0"].is_object());
}
