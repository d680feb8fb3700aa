//! Checks G-04, G-14, G-17, G-20 and G-21 of packages that come from a public gallery.

use std::time::{Duration, Instant};

use larder_e2e::nuget::{Gallery, NugetWorld, Nupkg, reference};
use larder_testkit::{Server, tests};
use serde_json::{Value, json};

tests![
    g_04_locked_mode_through_the_proxy,
    g_14_as_other_clients_ask,
    g_17_signed_package_is_untouched,
    g_20_internal_id_shadows_the_public_one,
    g_21_parallel_restores_on_a_cold_proxy,
    nuget_through_two_upstreams,
    nuget_another_larder_as_gallery,
    nuget_gallery_down,
    nuget_gallery_unlists_and_removes,
    nuget_no_address_of_the_gallery_is_shown,
];

fn g_04_locked_mode_through_the_proxy() {
    let mut world = NugetWorld::start();
    let package = Nupkg::new("Public.Lib", "1.2.3").needs("Public.Base", "1.0.0");
    world.gallery.add(&package);
    world.gallery.add(&Nupkg::new("Public.Base", "1.0.0"));
    let dotnet = world.client();
    // The lock file is made on the gallery itself.
    dotnet.project_with(
        "<RestorePackagesWithLockFile>true</RestorePackagesWithLockFile>",
        &reference("Public.Lib", "1.2.3"),
    );
    dotnet.write_config(&world.gallery.index_url(), None, "");
    let _ = dotnet.in_project(&["restore"]).succeeds();
    let lock = dotnet.client.read("app/packages.lock.json");
    assert!(lock.contains(&package.content_hash()), "{lock}");
    dotnet.forget();
    dotnet.log_in(&world.source(), &world.token);
    for _ in 0..2 {
        let _ = dotnet.in_project(&["restore", "--locked-mode"]).succeeds();
        assert_eq!(dotnet.client.read("app/packages.lock.json"), lock);
        dotnet.forget();
        // The second time from what was kept.
        world.gallery.registry.go_down();
    }
}

fn g_14_as_other_clients_ask() {
    // Paket and PSResourceGet are published on the gallery only. What they ask, in their order: the service index, then
    // registrations (Paket reads the gzip hive, PSResourceGet searches and reads the newest) and the package.
    let mut world = NugetWorld::start();
    world.gallery.add(&Nupkg::new("Mod", "1.0.0"));
    world.publish(&Nupkg::new("Here", "2.0.0"));
    let index = world.get("v3/index.json").expect(200).json();
    let resource = |kind: &str| -> String {
        let resources = index["resources"].as_array().expect("resources").iter();
        let found =
            resources.filter(|resource| resource["@type"] == kind).map(|resource| resource["@id"].clone()).next();
        let address = found.unwrap_or_else(|| panic!("no {kind}"));
        address.as_str().and_then(|address| address.strip_prefix(world.server.base_url())).expect("ours").to_owned()
    };
    let get = |path: &str| world.server.request("GET", path).basic("aws", &world.token).send().expect(200);
    for (id, version) in [("mod", "1.0.0"), ("here", "2.0.0")] {
        let registration = get(&format!("{}{id}/index.json", resource("RegistrationsBaseUrl/3.6.0")));
        assert_eq!(registration.header("content-encoding"), Some("gzip"));
        let leaf = registration.json()["items"][0]["items"][0].clone();
        assert_eq!(leaf["catalogEntry"]["version"], version);
        let content =
            leaf["packageContent"].as_str().and_then(|url| url.strip_prefix(world.server.base_url())).expect("ours");
        let _ = get(content);
        let one = leaf["@id"].as_str().and_then(|url| url.strip_prefix(world.server.base_url())).expect("ours");
        assert_eq!(get(one).json()["listed"], json!(true));
    }
    let search = get(&format!("{}?q=here&prerelease=false&semVerLevel=2.0.0", resource("SearchQueryService/3.5.0")));
    assert_eq!(search.json()["data"][0]["versions"][0]["version"], "2.0.0");
    // Old PowerShellGet and Chocolatey speak v2, as with CodeArtifact in vain.
    let answer = world.get("FindPackagesById()?id='Here'").expect(404);
    assert!(answer.reason.contains("v3/index.json"), "{}", answer.reason);
}

fn g_17_signed_package_is_untouched() {
    // This SDK has no `nuget verify`. A signature lies in the package; the package that comes out is the one that went in.
    let mut world = NugetWorld::start();
    let signed = Nupkg::new("Signed", "1.0.0").file(".signature.p7s", b"signature of everything else".to_vec());
    world.gallery.add(&signed);
    let _ = world.push(&Nupkg::new("Mine", "1.0.0").file(".signature.p7s", b"signature".to_vec()).bytes()).expect(201);
    for _ in 0..2 {
        assert_eq!(world.download("signed", "1.0.0").expect(200).body, signed.bytes());
    }
    let index = world.get("v3/index.json").expect(200).text();
    assert!(!index.contains("RepositorySignatures"), "who claims them makes clients refuse everything else");
}

fn g_20_internal_id_shadows_the_public_one() {
    let mut world = NugetWorld::start();
    world.publish(&Nupkg::new("Acme.Internal", "1.0.0"));
    world.gallery.add(&Nupkg::new("acme.internal", "99.0.0"));
    world.gallery.registry.forget();
    let dotnet = world.client();
    dotnet.project(&reference("Acme.Internal", "*"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    assert_eq!(dotnet.restored("acme.internal").as_deref(), Some("1.0.0"));
    assert_eq!(world.versions("acme.internal"), ["1.0.0"]);
    let _ = world.download("acme.internal", "99.0.0").expect(404);
    assert_eq!(world.gallery.registry.count("acme.internal"), 0, "the gallery is not even asked");

    // And a public id that was taken from there cannot be published under.
    world.gallery.add(&Nupkg::new("Public.Lib", "1.0.0"));
    let _ = world.download("public.lib", "1.0.0").expect(200);
    world.gallery.registry.forget();
    // Retaining happens after the answer; until then the id is not the gallery's here.
    let kept = "/v1/package/version?domain=my-domain&repository=my-repo&format=nuget&package=public.lib&version=1.0.0";
    let started = Instant::now();
    while world.server.call("GET", kept, &Value::Null).status != 200 {
        assert!(started.elapsed() < Duration::from_secs(30), "the version was not retained");
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = world.push(&Nupkg::new("Public.Lib", "2.0.0").bytes()).expect(403);
    assert!(refused.reason.contains("origin"), "{}", refused.reason);
}

fn g_21_parallel_restores_on_a_cold_proxy() {
    let mut world = NugetWorld::start();
    let package = Nupkg::new("Hot", "1.0.0").file("data", vec![1; 300_000]);
    world.gallery.add(&package);
    let expected = package.bytes();
    std::thread::scope(|scope| {
        let restores: Vec<_> = (0..1000)
            .map(|number| {
                let (world, expected) = (&world, &expected);
                std::thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, move || {
                    // In waves, or the machine's listen queue is what is tested.
                    std::thread::sleep(Duration::from_millis(number / 10));
                    assert_eq!(world.versions("hot"), ["1.0.0"]);
                    assert!(world.download("hot", "1.0.0").expect(200).body == *expected);
                })
            })
            .collect();
        for restore in restores {
            restore.expect("a thread").join().expect("a restore");
        }
    });
    assert_eq!(world.gallery.registry.count(".nupkg"), 1, "one download for all");
    assert_eq!(world.gallery.registry.count("v3-flatcontainer/hot/index.json"), 1, "one index for all");
}

/// Repositories `team` → `my-repo` → `nuget-store` → gallery.
fn nuget_through_two_upstreams() {
    let mut world = NugetWorld::start();
    let body = json!({"upstreams": [{"repositoryName": "my-repo"}]});
    let _ = world.server.call("POST", "/v1/repository?domain=my-domain&repository=team", &body).expect(200);
    world.gallery.add(&Nupkg::new("Far", "1.0.0"));
    world.publish(&Nupkg::new("Near", "1.0.0"));
    for id in ["far", "near"] {
        let list = world.request_in("team", "GET", &format!("v3/flatcontainer/{id}/index.json")).send().expect(200);
        assert_eq!(list.json()["versions"], json!(["1.0.0"]));
        let path = format!("v3/flatcontainer/{id}/1.0.0/{id}.1.0.0.nupkg");
        let _ = world.request_in("team", "GET", &path).send().expect(200);
    }
    let manifest = world.request_in("team", "GET", "v3/flatcontainer/far/1.0.0/far.nuspec").send().expect(200);
    assert_eq!(manifest.text(), Nupkg::new("Far", "1.0.0").nuspec());
    let hits = world.request_in("team", "GET", "v3/search?q=near").send().expect(200).json();
    assert_eq!(hits["data"][0]["id"], "Near");
    world.server.stop().verify();
}

/// What one Larder publishes, another takes for a gallery: with digests in its registrations and pages of its own.
fn nuget_another_larder_as_gallery() {
    let first = NugetWorld::start();
    for number in 0..130 {
        first.publish(&Nupkg::new("Wide", &format!("1.{number}.0")));
    }
    first.publish(&Nupkg::new("Wide", "2.0.0-a.1+b").says("<tags>x</tags>"));
    let _ = first.request("DELETE", "v3/publish/wide/1.5.0").send().expect(204);
    let url = first.source().replace("http://", &format!("http://aws:{}@", first.token));
    let server = Server::builder().external("public:nuget-org", &url).start();
    let token = server.token();
    let second = NugetWorld { gallery: Gallery::start(), server, token };
    assert_eq!(second.versions("wide"), first.versions("wide"));
    let index = second.get("v3/registration-gz-semver2/wide/index.json").expect(200).json();
    assert_eq!(index["count"], 3);
    let leaf = second.get("v3/registration4/wide/1.5.0.json").expect(200).json();
    assert_eq!(leaf["listed"], json!(false));
    assert_eq!(leaf["catalogEntry"]["packageHash"], json!(Nupkg::new("Wide", "1.5.0").content_hash()));
    let entry = second.get("v3/registration4/wide/2.0.0-a.1.json").expect(200).json()["catalogEntry"].clone();
    assert_eq!((&entry["version"], &entry["tags"]), (&json!("2.0.0-a.1+b"), &json!(["x"])));
    assert_eq!(second.download("wide", "1.7.0").expect(200).body, Nupkg::new("Wide", "1.7.0").bytes());
}

fn nuget_gallery_down() {
    let mut world = NugetWorld::start();
    world.gallery.add(&Nupkg::new("Kept", "1.0.0"));
    let dotnet = world.client();
    dotnet.project(&reference("Kept", "1.0.0"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    world.gallery.registry.go_down();
    dotnet.forget();
    let _ = dotnet.in_project(&["restore"]).succeeds();
    // What nobody asked for yet cannot be had now, and the client is told so.
    let answer = world.get("v3/flatcontainer/unknown/index.json").expect(502);
    assert!(answer.reason.contains("public:nuget-org"), "{}", answer.reason);
    // Publishing goes on.
    world.publish(&Nupkg::new("Mine", "1.0.0"));
}

fn nuget_gallery_unlists_and_removes() {
    let mut world = NugetWorld::configured("[limits]\nindex-fresh-seconds = 0\n");
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        world.gallery.add(&Nupkg::new("Aging", version));
    }
    let _ = world.download("aging", "1.0.0").expect(200);
    let _ = world.download("aging", "1.1.0").expect(200);
    let kept = |version: &str| {
        let query = format!("domain=my-domain&repository=my-repo&format=nuget&package=aging&version={version}");
        world.server.call("GET", &format!("/v1/package/version?{query}"), &Value::Null).status == 200
    };
    let started = Instant::now();
    while !(kept("1.0.0") && kept("1.1.0")) {
        assert!(started.elapsed() < Duration::from_secs(10), "the versions were not retained");
        std::thread::sleep(Duration::from_millis(10));
    }
    let unlisted = json!({"listed": false, "published": "1900-01-01T00:00:00+00:00"});
    world.gallery.add_with(&Nupkg::new("Aging", "1.1.0"), &unlisted);
    world.gallery.remove("Aging", "1.0.0");
    world.gallery.remove("Aging", "1.3.0");
    assert_eq!(world.versions("aging"), ["1.0.0", "1.1.0", "1.2.0"], "what was kept stays, what was not goes");
    let listed: Vec<_> = world
        .leaves("registration4", "aging")
        .iter()
        .map(|leaf| leaf["catalogEntry"]["listed"].as_bool().expect("a flag"))
        .collect();
    assert_eq!(listed, [true, false, true]);
    assert_eq!(world.download("aging", "1.0.0").expect(200).body, Nupkg::new("Aging", "1.0.0").bytes());

    // What is archived here is not there, though the gallery has it.
    let target = "/v1/package/versions/update_status?domain=my-domain&repository=my-repo&format=nuget&package=aging";
    let body = json!({"versions": ["1.1.0"], "targetStatus": "Archived"});
    let _ = world.server.call("POST", target, &body).expect(200);
    assert_eq!(world.versions("aging"), ["1.0.0", "1.2.0"]);
    let _ = world.download("aging", "1.1.0").expect(404);
    let _ = world.get("v3/registration4/aging/1.1.0.json").expect(404);
    let _ = world.request("POST", "v3/publish/aging/1.1.0").send().expect(404);
}

fn nuget_no_address_of_the_gallery_is_shown() {
    let mut world = NugetWorld::start();
    let leaks = json!({"iconUrl": "https://icons.example/x.png", "licenseUrl": "", "tags": "one two",
        "dependencyGroups": [{"@id": "http://gallery.example/g", "targetFramework": "net6.0", "dependencies":
            [{"@id": "http://gallery.example/d", "id": "Dep", "range": "[1.0.0, )", "registration": "http://gallery.example/r"}]}]});
    world.gallery.add_with(&Nupkg::new("Leaky", "1.0.0"), &leaks);
    for path in [
        "registration/leaky/index.json",
        "registration-gz/leaky/index.json",
        "registration4/leaky/1.0.0.json",
        "registration4/leaky/page/1.0.0/1.0.0.json",
        "index.json",
        "flatcontainer/leaky/index.json",
    ] {
        let text = world.get(&format!("v3/{path}")).expect(200).text();
        assert!(!text.contains(&world.gallery.registry.url()) && !text.contains("gallery.example"), "{path}: {text}");
    }
    let entry = world.leaves("registration4", "leaky")[0]["catalogEntry"].clone();
    let dependency = &entry["dependencyGroups"][0]["dependencies"][0];
    let ours = format!("{}v3/registration4/dep/index.json", world.server.endpoint("nuget", "my-repo"));
    assert_eq!((&dependency["id"], &dependency["registration"]), (&json!("Dep"), &json!(ours)));
    assert_eq!((&entry["tags"], &entry["iconUrl"]), (&json!(["one", "two"]), &json!("https://icons.example/x.png")));
    assert_eq!(entry["published"], "2020-05-06T07:08:09.123Z");
}
