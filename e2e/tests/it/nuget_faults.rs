//! A public gallery that is broken or lying: nothing wrong is ever kept, and nobody else is asked.

use larder_e2e::nuget::{NugetWorld, Nupkg};
use larder_testkit::{Fault, Response, tests};
use serde_json::json;

tests![
    nuget_broken_packages_are_never_kept,
    nuget_broken_documents_are_never_kept,
    nuget_package_without_a_promised_digest,
    nuget_documents_of_other_hosts_are_not_read,
];

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

fn try_download(world: &NugetWorld, id: &str) -> Option<Response> {
    world.request("GET", &format!("v3/flatcontainer/{id}/1.0.0/{id}.1.0.0.nupkg")).try_send().ok()
}

/// Bytes that do not compress, the same each time.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut state = seed as u64 + 0x9e37_79b9;
    let next = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next(&mut state)).collect()
}

/// Whether the client can tell that the answer is not the file.
fn is_failure(answer: Option<&Response>) -> bool {
    answer.is_none_or(|answer| !answer.is_success() || !answer.complete)
}

fn nuget_broken_packages_are_never_kept() {
    let mut world = NugetWorld::start();
    for (number, fault) in BROKEN.iter().enumerate() {
        let package = Nupkg::new(&format!("pkg{number}"), "1.0.0").file("data", noise(number, 100_000));
        world.gallery.add(&package);
        world.gallery.registry.break_all(".nupkg", fault.clone());
        let answer = try_download(&world, &package.id);
        assert!(is_failure(answer.as_ref()), "{fault:?}: {:?}", answer.map(|answer| answer.status));
        world.gallery.registry.heal();
        let answer = try_download(&world, &package.id).expect("an answer").expect(200);
        assert!(answer.body == package.bytes(), "{fault:?} was kept");
    }
    world.server.stop().verify();
}

fn nuget_broken_documents_are_never_kept() {
    let mut world = NugetWorld::start();
    let mut asked = Vec::new();
    let documents = ["v3/index.json", "v3-flatcontainer", "registration/", "page/all.json"];
    for (number, (document, fault)) in
        documents.iter().flat_map(|document| BROKEN.iter().map(move |fault| (document, fault))).enumerate()
    {
        // A byte of JSON may change without anybody seeing it; digests are for packages.
        if matches!(fault, Fault::WrongBytes) {
            continue;
        }
        let id = format!("doc{number}");
        world.gallery.add(&Nupkg::new(&id, "1.0.0"));
        world.gallery.registry.break_all(document, fault.clone());
        let answer = world.get(&format!("v3/flatcontainer/{id}/index.json"));
        assert!(matches!(answer.status, 502..=504), "{document} {fault:?}: {} {}", answer.status, answer.text());
        world.gallery.registry.heal();
        asked.push((id, document, fault));
    }
    // A registry that failed is left alone for a moment, but not by a server that has just started.
    let NugetWorld { gallery, server, .. } = world;
    let server = server.stop().start();
    let token = server.token();
    let world = NugetWorld { gallery, server, token };
    for (id, document, fault) in asked {
        assert_eq!(world.versions(&id), ["1.0.0"], "{document} {fault:?} was kept");
    }
}

fn nuget_package_without_a_promised_digest() {
    let mut world = NugetWorld::start();
    for id in ["good", "other", "broken"] {
        world.gallery.add(&Nupkg::new(id, "1.0.0").file("data", noise(7, 50_000)));
        // A gallery without a catalog.
        let path = format!("v3/registration/{id}/1.0.0.json");
        let content = format!("{}/gallery/v3-flatcontainer/{id}/1.0.0/{id}.1.0.0.nupkg", world.gallery.registry.url());
        world.gallery.put(&path, &json!({"catalogEntry": {"id": id, "version": "1.0.0"}, "packageContent": content}));
    }
    let put = |id: &str, bytes: Vec<u8>| {
        world.gallery.registry.replace(&format!("/gallery/v3-flatcontainer/{id}/1.0.0/{id}.1.0.0.nupkg"), bytes);
    };
    put("other", Nupkg::new("elsewhere", "1.0.0").bytes());
    let mut flipped = Nupkg::new("broken", "1.0.0").file("data", noise(7, 50_000)).bytes();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    put("broken", flipped);
    assert_eq!(
        try_download(&world, "good").expect("an answer").expect(200).body.len(),
        Nupkg::new("good", "1.0.0").file("data", noise(7, 50_000)).bytes().len()
    );
    for id in ["other", "broken"] {
        let answer = try_download(&world, id);
        assert!(is_failure(answer.as_ref()), "{id}: {:?}", answer.map(|answer| answer.status));
    }
    world.server.stop().verify();
}

fn nuget_documents_of_other_hosts_are_not_read() {
    let mut world = NugetWorld::start();
    world.gallery.add(&Nupkg::new("Strayed", "1.0.0"));
    let elsewhere = larder_testkit::Registry::start();
    let page = format!("{}/page.json", elsewhere.url());
    world.gallery.put("v3/registration/strayed/index.json", &json!({"count": 1, "items": [{"@id": page, "count": 1}]}));
    let answer = world.get("v3/flatcontainer/strayed/index.json").expect(502);
    assert!(answer.reason.contains("allow_hosts"), "{}", answer.reason);
    assert_eq!(elsewhere.count("/"), 0, "nobody was asked who is not configured");
}
