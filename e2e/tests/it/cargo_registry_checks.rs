//! Checks C-15 to C-19 and C-21 with cargo itself, a real workspace, and faults: what concerns the public registry.

use std::fs;
use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_e2e::cargo::{Crate, add_crates, download_path, index_path, recording};
use larder_testkit::client::Run;
use larder_testkit::{Client, Fault, Registry, Response, tests, tools};
use serde_json::{Value, json};

tests![
    c_15_source_replacement_with_a_long_lock_file,
    c_15_real_workspace,
    c_16_a_thousand_crates_cold,
    c_17_members_of_lines_come_through,
    c_18_upstream_down,
    c_19_damaged_crate,
    c_21_internal_name_hides_the_public_one,
    cargo_fault_broken_crates_are_never_kept,
    cargo_fault_broken_index_files_are_never_kept,
    cargo_fault_broken_config,
    cargo_fault_config_that_names_another_host,
    cargo_fault_slow_and_redirected,
    cargo_fault_through_two_repositories,
    cargo_fault_credentials_are_not_asked_of_the_client,
];

fn cargo<'a>(client: &'a Client, arguments: &str) -> Run<'a> {
    client.system("cargo").args(arguments.split(' ')).limit(Duration::from_secs(400))
}

/// The workspace whose crates were recorded, with the lock file that was made then.
fn write_workspace(client: &Client) {
    let fixture = tools::repository().join("e2e/fixtures/crates");
    for file in ["Cargo.toml", "app/Cargo.toml", "app/src/main.rs", "many/Cargo.toml", "many/src/lib.rs"] {
        client.write(&format!("workspace/{file}"), fs::read(fixture.join(file)).expect("a file of the fixture"));
    }
    client.write("workspace/Cargo.lock", fs::read(recording().join("Cargo.lock")).expect("the recorded lock file"));
}

fn host(client: &Client) -> String {
    let version = client.system("rustc").arg("-vV").succeeds();
    let host = version.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc knows its host").to_owned()
}

/// A lock file that was made with the public registry itself is good for its mirror, crate by crate.
fn c_15_source_replacement_with_a_long_lock_file() {
    let world = World::cargo_recorded();
    let client = world.cargo_client();
    write_workspace(&client);
    let before = client.read("workspace/Cargo.lock");
    assert!(before.matches("checksum").count() > 100 && !before.contains(&world.cargo_index()));
    let fetch = format!("fetch --locked --target {}", host(&client));
    let _ = cargo(&client, &fetch).in_folder(client.home().join("workspace")).succeeds();
    assert_eq!(client.read("workspace/Cargo.lock"), before);
    // Each file was asked for once, and so was the address of the files.
    assert_eq!(world.registry.count("/cargo/config.json"), 1);
    let files = world.registry.asked("/download");
    assert!(files.len() > 100);
    for asked in &files {
        assert_eq!(world.registry.count(&asked.target), 1, "{}", asked.target);
        assert!(asked.header("authorization").is_none());
    }
}

/// A real workspace is built through `my-repo` and `cargo-store`, and once more by somebody else while nothing else can be
/// reached.
fn c_15_real_workspace() {
    let world = World::cargo_recorded();
    let workspace = |arguments: &str, client: &Client| {
        write_workspace(client);
        cargo(client, arguments).in_folder(client.home().join("workspace")).succeeds()
    };
    let client = world.cargo_client();
    assert_eq!(workspace("run --quiet --locked -p app", &client).text(), "42");
    world.wait_until_retained("cargo", "serde_json", &locked_version(&client, "serde_json"));
    world.registry.go_down();
    let _ = workspace("check --quiet --locked -p app", &world.cargo_client());
    world.server.stop().verify();
}

fn locked_version(client: &Client, name: &str) -> String {
    let lock = client.read("workspace/Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).expect("a locked crate");
    rest.split('"').next().expect("a version").to_owned()
}

fn c_16_a_thousand_crates_cold() {
    let world = World::cargo();
    // Ten that need a hundred each.
    let leaves: Vec<Crate> = (0..1000).map(|number| Crate::new(&format!("leaf-{number}"), "1.0.0")).collect();
    add_crates(&world.registry, &leaves);
    let mut app = Crate::new("app", "0.1.0").section("[dependencies]");
    for group in 0..10 {
        let name = format!("group-{group}");
        let leaves = group * 100..(group + 1) * 100;
        let one = leaves.fold(Crate::new(&name, "1.0.0"), |one, leaf| one.depends_on(&format!("leaf-{leaf}"), "^1"));
        add_crates(&world.registry, &[one]);
        app = app.section(&format!("{name} = \"1\""));
    }
    let client = world.cargo_client();
    app.write_to(&client.folder("app"));
    let started = Instant::now();
    let _ = cargo(&client, "generate-lockfile").in_folder(client.home().join("app")).succeeds();
    let time = started.elapsed();
    assert!(time < Duration::from_secs(60), "{time:?}");
    assert_eq!(client.read("app/Cargo.lock").matches("name = \"leaf-").count(), 1000);
    assert_eq!(world.registry.count("/cargo/config.json"), 1);
    for number in [0, 500, 999] {
        let path = format!("/cargo/{}", index_path(&format!("leaf-{number}")));
        assert_eq!(world.registry.asked(&path).iter().filter(|asked| asked.target == path).count(), 1);
    }
}

fn c_17_members_of_lines_come_through() {
    let world = World::cargo();
    let time = json!("2024-05-06T07:08:09Z");
    let old =
        Crate::new("msrv", "1.0.0").line_member("rust_version", json!("1.56")).line_member("pubtime", time.clone());
    let new = Crate::new("msrv", "1.1.0")
        .line_member("rust_version", json!("1.999"))
        .line_member("links", json!("msrv"))
        .line_member("later", json!({"unknown": [1, null]}));
    add_crates(&world.registry, &[old.clone(), new.clone()]);
    let text = world.cargo_request("GET", &index_path("msrv")).send().expect(200).text();
    assert_eq!(text, format!("{}\n{}\n", old.index_line(), new.index_line()), "verbatim");
    let versions = world.cargo_request("GET", "api/v1/crates/msrv/versions").send().expect(200).json();
    assert_eq!(versions["versions"][1]["created_at"], "2024-05-06T07:08:09.000Z");

    // The resolver that looks at the compiler's version takes the old one.
    let client = world.cargo_client();
    let app = Crate::new("app", "0.1.0").package("rust-version = \"1.60\"").section("[dependencies]\nmsrv = \"1\"");
    app.write_to(&client.folder("app"));
    let lock = cargo(&client, "generate-lockfile").env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
    let _ = lock.in_folder(client.home().join("app")).succeeds();
    assert!(client.read("app/Cargo.lock").contains("name = \"msrv\"\nversion = \"1.0.0\""));
}

fn application(client: &Client, dependency: &str) {
    let code = "fn main() {\n    println!(\"{}\", kept::who());\n}\n".replace("kept", dependency);
    let needs = format!("[dependencies]\n{dependency} = \"1\"");
    Crate::new("app", "0.1.0").file("src/main.rs", &code).section(&needs).write_to(&client.folder("app"));
}

fn runs(client: &Client) -> String {
    cargo(client, "run --quiet").in_folder(client.home().join("app")).succeeds().text().to_owned()
}

fn c_18_upstream_down() {
    let world = World::cargo();
    add_crates(&world.registry, &[Crate::new("kept", "1.0.0")]);
    let client = world.cargo_client();
    application(&client, "kept");
    assert_eq!(runs(&client), "kept 1.0.0");
    world.registry.go_down();
    let fresh = world.cargo_client();
    application(&fresh, "kept");
    assert_eq!(runs(&fresh), "kept 1.0.0");
    // What was never asked for cannot be had, and the answer says that it is the upstream's fault.
    let unknown = world.cargo_request("GET", &index_path("never-asked")).send();
    assert!(matches!(unknown.status, 502..=504), "{unknown:?}");
    assert!(unknown.json()["errors"][0]["detail"].is_string());
}

fn c_19_damaged_crate() {
    let world = World::cargo();
    let one = Crate::new("kept", "1.0.0");
    assert!(world.publish_crate(&one).is_success());
    // Damaged on the server's disk: what is small enough to be held in memory is checked when it is read.
    let stopped = world.server.stop();
    let mut folders = vec![stopped.data().join("storage/blobs")];
    let mut damaged = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if fs::read(&entry).is_ok_and(|bytes| bytes == one.archive()) {
                let mut bytes = one.archive();
                bytes[20] ^= 1;
                fs::remove_file(&entry).expect("the blob");
                fs::write(&entry, bytes).expect("the blob");
                damaged += 1;
            }
        }
    }
    assert_eq!(damaged, 1);
    assert_eq!(stopped.larder(&["verify"]).status.code(), Some(1));
    let server = stopped.start();
    let token = server.token();
    let world = World { registry: world.registry, server, token };
    let client = world.cargo_client();
    application(&client, "kept");
    let build = cargo(&client, "build").in_folder(client.home().join("app"));
    let _ = build.fails();
    let _ = world.cargo_request("GET", "api/v1/crates/kept/1.0.0/download").send().expect(500);
}

fn c_21_internal_name_hides_the_public_one() {
    let world = World::cargo();
    assert!(world.publish_crate(&Crate::new("internal", "1.0.0")).is_success());
    add_crates(&world.registry, &[Crate::new("internal", "1.9.0")]);
    let client = world.cargo_client();
    application(&client, "internal");
    assert_eq!(runs(&client), "internal 1.0.0");
    assert_eq!(world.index_lines("internal").len(), 1);
    let _ = world.cargo_request("GET", "api/v1/crates/internal/1.9.0/download").send().expect(404);
    // The other way round: who publishes a public name is told.
    add_crates(&world.registry, &[Crate::new("famous", "1.0.0")]);
    let refused = world.publish_crate(&Crate::new("famous", "9.0.0")).expect(409).json();
    assert!(refused["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("public registry")));
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

fn download(world: &World, repository: &str, name: &str) -> Option<Response> {
    let path = format!("api/v1/crates/{name}/1.0.0/download");
    world.cargo_request_to(repository, "GET", &path).try_send().ok()
}

/// Whether the client can tell that the answer is not the file.
fn is_failure(answer: Option<&Response>) -> bool {
    answer.is_none_or(|answer| !answer.is_success() || !answer.complete)
}

fn large(name: &str) -> Crate {
    let text: String = (0..20_000).map(|number| format!("// {}\n", number * 7919 % 10_007)).collect();
    Crate::new(name, "1.0.0").file("src/data.rs", &text)
}

fn cargo_fault_broken_crates_are_never_kept() {
    let world = World::cargo();
    for (number, fault) in BROKEN.iter().enumerate() {
        let one = large(&format!("broken{number}"));
        add_crates(&world.registry, std::slice::from_ref(&one));
        world.registry.break_all("/download", fault.clone());
        let answer = download(&world, "my-repo", &one.name);
        assert!(is_failure(answer.as_ref()), "{fault:?}: {:?}", answer.map(|answer| answer.status));
        world.registry.heal();
        let answer = download(&world, "my-repo", &one.name).expect("an answer").expect(200);
        assert!(answer.body == one.archive(), "{fault:?} was kept");
    }
    world.server.stop().verify();
}

fn cargo_fault_broken_index_files_are_never_kept() {
    let mut world = World::cargo();
    let faults = BROKEN.iter().filter(|fault| !matches!(fault, Fault::WrongBytes)).cloned();
    for (number, fault) in faults.chain([Fault::Status(403), Fault::Status(429)]).enumerate() {
        let name = format!("broken{number}");
        add_crates(&world.registry, &[Crate::new(&name, "1.0.0")]);
        let path = index_path(&name);
        world.registry.break_all(&path, fault.clone());
        let answer = world.cargo_request("GET", &path).send();
        assert!(matches!(answer.status, 502..=504), "{fault:?}: {answer:?}");
        assert!(answer.json()["errors"][0]["detail"].is_string(), "{fault:?}: {answer:?}");
        // A failing registry is left alone for some seconds; a new server knows nothing of that.
        world.registry.heal();
        world = world.restarted();
        assert_eq!(world.index_lines(&name).len(), 1, "{fault:?} was kept");
    }
}

fn cargo_fault_broken_config() {
    let mut world = World::cargo();
    add_crates(&world.registry, &[Crate::new("kept", "1.0.0")]);
    for fault in [Fault::Html, Fault::Status(404), Fault::Status(500), Fault::Truncated] {
        world.registry.break_all("/cargo/config.json", fault.clone());
        let answer = world.cargo_request("GET", &index_path("kept")).send();
        assert!(matches!(answer.status, 502..=504), "{fault:?}: {answer:?}");
        world.registry.heal();
        world = world.restarted();
    }
    assert_eq!(world.index_lines("kept").len(), 1);
}

/// `config.json` may not send Larder, with or without a token, to an address that nobody configured.
fn cargo_fault_config_that_names_another_host() {
    let world = World::cargo();
    let elsewhere = Registry::start();
    let one = Crate::new("sly", "1.0.0");
    for registry in [&world.registry, &elsewhere] {
        add_crates(registry, std::slice::from_ref(&one));
    }
    let config = json!({"dl": format!("{}/crates", elsewhere.url())});
    world.registry.replace("/cargo/config.json", config.to_string().into_bytes());
    assert!(is_failure(download(&world, "my-repo", "sly").as_ref()));
    assert_eq!(elsewhere.asked("").len(), 0, "another host was asked");
}

fn cargo_fault_slow_and_redirected() {
    let world = World::cargo();
    let elsewhere = Registry::start();
    for name in ["slow", "away"] {
        add_crates(&world.registry, &[Crate::new(name, "1.0.0")]);
        add_crates(&elsewhere, &[Crate::new(name, "1.0.0")]);
    }
    world.registry.break_all("slow", Fault::Slow(Duration::from_secs(1)));
    let answer = download(&world, "my-repo", "slow").expect("an answer").expect(200);
    assert_eq!(answer.body, Crate::new("slow", "1.0.0").archive());
    let there = format!("{}{}", elsewhere.url(), download_path("away", "1.0.0"));
    world.registry.break_all("/crates/away", Fault::Redirect(there));
    assert!(is_failure(download(&world, "my-repo", "away").as_ref()));
    assert_eq!(elsewhere.asked("").len(), 0, "another host was asked");
}

/// Faults three repositories away, and what is kept where.
fn cargo_fault_through_two_repositories() {
    let world = World::cargo();
    let create = "/v1/repository?domain=my-domain&repository=app-repo";
    let body = json!({"upstreams": [{"repositoryName": "my-repo"}]});
    let _ = world.server.call("POST", create, &body).expect(200);
    for (number, fault) in BROKEN.iter().enumerate() {
        let one = large(&format!("far{number}"));
        add_crates(&world.registry, std::slice::from_ref(&one));
        world.registry.break_next("/download", fault.clone(), 2);
        assert!(is_failure(download(&world, "app-repo", &one.name).as_ref()), "{fault:?}");
        world.registry.heal();
        let answer = download(&world, "app-repo", &one.name).expect("an answer").expect(200);
        assert!(answer.body == one.archive(), "{fault:?} was kept");
    }
    let client = world.cargo_client_of("app-repo", "[\"cargo:token\"]");
    client.write(".cargo/credentials.toml", format!("[registries.larder]\ntoken = \"{}\"\n", world.token));
    application(&client, "far0");
    assert_eq!(runs(&client), "far0 1.0.0");
    let held = |repository: &str| {
        let target = format!(
            "/v1/package/version?domain=my-domain&repository={repository}&format=cargo&package=far0&version=1.0.0"
        );
        world.server.call("GET", &target, &Value::Null).status
    };
    let started = Instant::now();
    while held("app-repo") != 200 {
        assert!(started.elapsed() < Duration::from_secs(10), "far0 was not retained");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!((held("cargo-store"), held("my-repo")), (200, 404), "only the ends of the chain keep it");
    world.server.stop().verify();
}

/// A 401 of the registry is not the client's business: cargo would send its Larder token, or ask a person for one.
fn cargo_fault_credentials_are_not_asked_of_the_client() {
    let world = World::cargo();
    add_crates(&world.registry, &[Crate::new("locked", "1.0.0")]);
    for status in [401, 403] {
        world.registry.break_all("", Fault::Status(status));
        let answer = world.cargo_request("GET", &index_path(&format!("locked{status}"))).send();
        assert!(matches!(answer.status, 502..=504), "{status}: {answer:?}");
        assert!(answer.header("www-authenticate").is_none(), "{answer:?}");
        world.registry.heal();
    }
    for asked in world.registry.asked("") {
        assert!(asked.header("authorization").is_none() && asked.header("cookie").is_none(), "{asked:?}");
    }
}
