//! The minimum age of public versions with real clients: what is too young is neither offered nor served, by any path, and
//! the client prints which rule refused.

use std::process::Command;

use larder_e2e::World;
use larder_e2e::cargo::{Crate, add_crates};
use larder_e2e::maven::{GET, mvn};
use larder_e2e::nuget::{NugetWorld, Nupkg};
use larder_e2e::python::{installed_version, pip_install};
use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::{Registry, Response, Server, tests};
use serde_json::{Value, json};

tests![
    cooldown_npm_installs_the_newest_version_that_is_old_enough,
    cooldown_npm_lock_file_with_a_young_version,
    cooldown_npm_emergency_line_and_unknown_ages,
    cooldown_counts_on_every_repository_of_the_way,
    cooldown_pip_installs_the_newest_version_that_is_old_enough,
    cooldown_mvn_is_told_which_rule_refused,
    cooldown_cargo_locks_the_newest_version_that_is_old_enough,
    cooldown_nuget_lists_and_serves_what_is_old_enough,
    cooldown_gems_list_and_serve_what_is_old_enough,
    cooldown_settings_are_checked_when_they_are_set,
];

const AGE: &str = "larder:minimum-release-age";
const EXEMPT: &str = "larder:minimum-release-age-exempt";
const NEWEST: &str = "larder:newest-release";

/// So many days ago, in a format of `date`.
fn days_ago(days: u32, format: &str) -> String {
    let output =
        Command::new("date").env("LC_ALL", "C").args(["-u", "-d", &format!("{days} days ago"), format]).output();
    String::from_utf8(output.expect("date runs").stdout).expect("text").trim().to_owned()
}

fn rfc3339(days: u32) -> String {
    days_ago(days, "+%Y-%m-%dT%H:%M:%S.000Z")
}

fn http_date(days: u32) -> String {
    days_ago(days, "+%a, %d %b %Y %H:%M:%S GMT")
}

fn arn(repository: &str) -> String {
    format!("arn:aws:codeartifact:us-east-1:{ACCOUNT}:repository/{DOMAIN}/{repository}")
}

fn escaped(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

fn tag(server: &Server, repository: &str, key: &str, value: &str) {
    let tags = json!({"tags": [{"key": key, "value": value}]});
    let target = format!("/v1/tag?resourceArn={}", escaped(&arn(repository)));
    let _ = server.call("POST", &target, &tags).expect(200);
}

fn untag(server: &Server, repository: &str, key: &str) {
    let target = format!("/v1/untag?resourceArn={}", escaped(&arn(repository)));
    let _ = server.call("POST", &target, &json!({"tagKeys": [key]})).expect(200);
}

/// A refusal under this code.
fn refused(answer: &Response, code: &str) -> String {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.header("x-larder-denial"), Some(code), "{}", answer.text());
    let text = answer.text();
    assert!(text.contains(&format!("[{code}]")), "{text}");
    text
}

/// Versions 1.0.0, two years old, and 2.0.0, a day old.
fn add_aged(world: &World, name: &str) {
    for (version, days) in [("1.0.0", 730), ("2.0.0", 1)] {
        world.registry.add_npm(&NpmPackage::new(name, version));
        world.registry.date_npm(name, version, Some(&rfc3339(days)));
    }
}

fn versions(packument: &Value) -> Vec<String> {
    packument["versions"].as_object().expect("versions").keys().cloned().collect()
}

fn cooldown_npm_installs_the_newest_version_that_is_old_enough() {
    let world = World::empty();
    add_aged(&world, "aged");
    let mut client = world.npm_client();
    client.set("AWS_PAGER", "");
    let tags = format!("key={AGE},value=7d");
    let arguments = ["codeartifact", "tag-resource", "--resource-arn", &arn("npm-store"), "--tags", &tags];
    let _ = client.program("aws").args(arguments).succeeds();
    let _ = client.program("npm").args(["install", "aged", "--no-audit"]).succeeds();
    assert!(client.read("node_modules/aged/package.json").contains("\"1.0.0\""));
    client.program("npm").args(["view", "aged", "versions", "dist-tags", "time"]).succeeds().does_not_say("2.0.0");
    client.program("npm").args(["install", "aged@2.0.0", "--no-audit"]).fails().says("No matching version found");

    let packument = world.packument("aged");
    assert_eq!((versions(&packument), &packument["dist-tags"]["latest"]), (vec!["1.0.0".to_owned()], &json!("1.0.0")));
    for path in ["aged/2.0.0", "-/package/aged/dist-tags"] {
        assert!(!world.npm("GET", path).send().text().contains("\"2.0.0\":"), "{path}");
    }
    let sentence = refused(&world.npm("GET", "aged/-/aged-2.0.0.tgz").send(), "cooldown-too-young");
    for part in
        ["version '2.0.0' of 'npm//aged'", "24 hours ago", "repository 'npm-store'", "7 days old", "TagResource"]
    {
        assert!(
            sentence.contains(part) || part == "24 hours ago" && sentence.contains("1 day ago"),
            "{part}: {sentence}"
        );
    }
    assert_eq!(world.registry.count("/npm/aged/-/aged-2.0.0.tgz"), 0);
    // An exempt name passes, and what was stored then stays when it is no longer exempt.
    tag(&world.server, "npm-store", EXEMPT, "/npm/acme/* /npm//aged");
    let _ = client.program("npm").args(["install", "aged@latest", "--no-audit"]).succeeds();
    assert!(client.read("node_modules/aged/package.json").contains("\"2.0.0\""));
    world.wait_until_retained("npm", "aged", "2.0.0");
    untag(&world.server, "npm-store", EXEMPT);
    assert_eq!(versions(&world.packument("aged")).len(), 2);
    let _ = world.npm("GET", "aged/-/aged-2.0.0.tgz").send().expect(200);
}

fn cooldown_npm_lock_file_with_a_young_version() {
    let world = World::empty();
    add_aged(&world, "aged");
    tag(&world.server, "npm-store", AGE, "72h");
    let client = world.npm_client();
    let resolved = format!("{}aged/-/aged-2.0.0.tgz", world.server.endpoint("npm", REPOSITORY));
    let dependencies = json!({"aged": "2.0.0"});
    client.write("package.json", json!({"name": "app", "version": "1.0.0", "dependencies": dependencies}).to_string());
    let lock = json!({
        "name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": {"name": "app", "version": "1.0.0", "dependencies": dependencies},
            "node_modules/aged": {"version": "2.0.0", "resolved": resolved},
        },
    });
    client.write("package-lock.json", lock.to_string());
    let ran = client.program("npm").args(["ci", "--no-audit"]).fails();
    ran.says("version '2.0.0' of 'npm//aged' was published at its source on").says("[cooldown-too-young]");
    // From when on it is served is in the sentence.
    ran.says("repository 'npm-store' takes versions that are 3 days old, so this one from");
}

fn cooldown_npm_emergency_line_and_unknown_ages() {
    let world = World::empty();
    add_aged(&world, "aged");
    world.registry.add_npm(&NpmPackage::new("undated", "1.0.0"));
    world.registry.date_npm("undated", "1.0.0", None);
    tag(&world.server, "npm-store", NEWEST, &days_ago(30, "+%Y-%m-%d"));
    assert_eq!(versions(&world.packument("aged")), ["1.0.0"]);
    let sentence = refused(&world.npm("GET", "aged/-/aged-2.0.0.tgz").send(), "cooldown-after-cut-off");
    assert!(sentence.contains("takes nothing published after"), "{sentence}");
    let _ = refused(&world.npm("GET", "undated/-/undated-1.0.0.tgz").send(), "cooldown-age-unknown");
    let hidden = world.npm("GET", "undated").send().expect(404);
    assert_eq!(hidden.header("x-larder-denial"), Some("cooldown-age-unknown"));
    // The line is lifted at once, also for documents that were answered before.
    untag(&world.server, "npm-store", NEWEST);
    assert_eq!(versions(&world.packument("aged")).len(), 2);
    let _ = world.npm("GET", "undated/-/undated-1.0.0.tgz").send().expect(200);
}

fn cooldown_counts_on_every_repository_of_the_way() {
    let world = World::empty();
    add_aged(&world, "aged");
    world.create_repository("strict", &["my-repo"]);
    world.create_repository("side", &["my-repo"]);
    tag(&world.server, "strict", AGE, "7d");
    // Who asks `my-repo` is not held back, and what it stores is not for `strict` yet.
    let _ = world.npm("GET", "aged/-/aged-2.0.0.tgz").send().expect(200);
    world.wait_until_retained("npm", "aged", "2.0.0");
    let document = |repository: &str| world.npm_in(repository, "GET", "aged").send().expect(200).json();
    let tarball = |repository: &str| world.npm_in(repository, "GET", "aged/-/aged-2.0.0.tgz").send();
    assert_eq!(versions(&document("strict")), ["1.0.0"]);
    assert!(refused(&tarball("strict"), "cooldown-too-young").contains("repository 'strict'"));
    assert_eq!(versions(&document("side")).len(), 2);
    let _ = tarball("side").expect(200);
    // Copying is a way, too.
    let target = "/v1/package/versions/copy?domain=my-domain&source-repository=strict&destination-repository=side&format=npm&package=aged";
    let body = json!({"versions": ["2.0.0"], "includeFromUpstream": true});
    let copied = world.server.call("POST", target, &body).expect(200).json();
    assert_eq!(copied["failedVersions"]["2.0.0"]["errorCode"], "NOT_FOUND", "{copied}");
    // What was published here has no age to wait for.
    assert!(world.publish_npm(&NpmPackage::new("ours", "1.0.0")).is_success());
    let _ = world.npm_in("strict", "GET", "ours/-/ours-1.0.0.tgz").send().expect(200);
}

fn cooldown_pip_installs_the_newest_version_that_is_old_enough() {
    let world = World::empty();
    let client = world.python_client();
    for (version, days) in [("1.0", 730), ("2.0", 1)] {
        let package = PythonPackage::new("aged", version);
        world.registry.add_python(&package, &package.wheel());
        world.registry.change_python("aged", &package.wheel().name, "upload-time", &json!(rfc3339(days)));
    }
    let page = world.page("aged");
    let young = page["files"]
        .as_array()
        .and_then(|files| files.iter().find(|file| file["filename"].as_str().is_some_and(|name| name.contains("2.0"))));
    let url = young.and_then(|file| file["url"].as_str()).expect("an address").to_owned();
    tag(&world.server, "pypi-store", AGE, "7d");
    let ran = pip_install(&client, "venv", &["aged"]);
    assert!(ran.success, "{}", ran.all());
    assert_eq!(installed_version(&client, "venv", "aged"), "1.0");
    assert_eq!(world.page("aged")["versions"], json!(["1.0"]));
    // A lock file names files by their address.
    let base = format!("{}aged/", world.index_url());
    let address =
        if url.contains("://") { url.replacen("://", &format!("://aws:{}@", world.token), 1) } else { base + &url };
    client.write("requirements.txt", format!("aged @ {address}\n"));
    let ran = pip_install(&client, "locked", &["-r", "requirements.txt"]);
    assert!(!ran.success);
    ran.says("version '2.0' of 'pypi//aged' was published at its source on").says("[cooldown-too-young]");
}

fn cooldown_mvn_is_told_which_rule_refused() {
    let world = World::maven_empty();
    let pom = |version: &str| larder_e2e::maven::pom("com.acme", "aged", version);
    for (version, days) in [("1.0", 730), ("2.0", 1)] {
        for (rest, bytes) in [(".pom", pom(version)), (".jar", format!("jar {version}"))] {
            world.registry.add_maven("com.acme", "aged", version, rest, bytes);
            world.registry.date_maven(&format!("com/acme/aged/{version}/aged-{version}{rest}"), &http_date(days));
        }
    }
    world.registry.update_maven("com.acme", "aged", &days_ago(1, "+%Y%m%d%H%M%S"));
    tag(&world.server, "maven-central-store", AGE, "7d");
    let metadata = world.maven_metadata("com/acme/aged");
    assert!(metadata.contains("<version>1.0</version>") && !metadata.contains("2.0"), "{metadata}");
    for path in ["aged-2.0.pom", "aged-2.0.jar", "aged-2.0.jar.sha1"] {
        let _ = refused(&world.maven("GET", &format!("com/acme/aged/2.0/{path}")).send(), "cooldown-too-young");
    }
    let client = world.seeded_maven_client();
    let get =
        |version: &str| mvn(&client).args([GET, &format!("-Dartifact=com.acme:aged:{version}"), "-Dtransitive=false"]);
    let _ = get("1.0").succeeds();
    let ran = get("2.0").fails();
    ran.says("version '2.0' of 'maven/com.acme/aged' was published at its source on").says("[cooldown-too-young]");
}

fn cooldown_cargo_locks_the_newest_version_that_is_old_enough() {
    let world = World::cargo();
    let of = |version: &str, days: u32| {
        Crate::new("aged", version).line_member("pubtime", json!(days_ago(days, "+%Y-%m-%dT%H:%M:%SZ")))
    };
    add_crates(&world.registry, &[of("1.0.0", 730), of("1.1.0", 1)]);
    tag(&world.server, "cargo-store", AGE, "7d");
    let client = world.cargo_client();
    Crate::new("app", "0.1.0").depends_on("aged", "1").write_to(&client.home().join("app"));
    let _ = client.system("cargo").args(["generate-lockfile"]).in_folder(client.home().join("app")).succeeds();
    let lock = client.read("app/Cargo.lock");
    assert!(lock.contains("1.0.0") && !lock.contains("1.1.0"), "{lock}");
    let _ = client.system("cargo").args(["fetch", "--locked"]).in_folder(client.home().join("app")).succeeds();
    let lines = world.index_lines("aged");
    assert_eq!(lines.iter().map(|line| &line["vers"]).collect::<Vec<_>>(), ["1.0.0"]);
    let answer = world.cargo_request("GET", "api/v1/crates/aged/1.1.0/download").send();
    let _ = refused(&answer, "cooldown-too-young");
    assert!(answer.json()["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("7 days old")));
}

fn cooldown_nuget_lists_and_serves_what_is_old_enough() {
    let mut world = NugetWorld::start();
    world.gallery.add(&Nupkg::new("Aged", "1.0.0"));
    world.gallery.add_with(&Nupkg::new("Aged", "2.0.0"), &json!({"published": rfc3339(1)}));
    tag(&world.server, "nuget-store", AGE, "7d");
    assert_eq!(world.versions("aged"), ["1.0.0"]);
    assert_eq!(world.leaves("registration-gz-semver2", "aged").len(), 1);
    let answer = world.download("aged", "2.0.0");
    assert!(refused(&answer, "cooldown-too-young").contains("repository 'nuget-store'"));
    assert!(answer.reason.contains("[cooldown-too-young]"), "{}", answer.reason);
    let _ = world.download("aged", "1.0.0").expect(200);
}

fn cooldown_gems_list_and_serve_what_is_old_enough() {
    let registry = Registry::start();
    let address = format!("{}/ruby/", registry.url());
    let world = World::with(registry, |builder| builder.external("public:ruby-gems-org", &address));
    let checksum = "0".repeat(64);
    let line = |version: &str, days: u32| {
        format!("{version} |checksum:{checksum},created_at:{}\n", days_ago(days, "+%Y-%m-%dT%H:%M:%SZ"))
    };
    let info = format!("---\n{}{}", line("1.0.0", 730), line("2.0.0", 1));
    world.registry.replace("/ruby/info/aged", info.into_bytes());
    let md5 = "0".repeat(32);
    let listed = format!("created_at: {}\n---\naged 1.0.0 {md5}\nother 1.0.0 {md5}\naged 2.0.0 {md5}\n", rfc3339(20));
    world.registry.replace("/ruby/versions", listed.into_bytes());
    world.registry.replace("/ruby/gems/aged-2.0.0.gem", b"gem".to_vec());
    let get = |path: &str| {
        let target = format!("{}/{path}", world.server.path("ruby", REPOSITORY));
        world.server.request("GET", &target).basic("aws", &world.token).send()
    };
    tag(&world.server, "rubygems-store", AGE, "7d");
    for path in ["info/aged", "versions", "api/v1/versions/aged.json"] {
        let text = get(path).expect(200).text();
        assert!(text.contains("1.0.0") && !text.contains("2.0.0"), "{path}: {text}");
    }
    let sentence = refused(&get("gems/aged-2.0.0.gem"), "cooldown-too-young");
    assert!(sentence.contains("version '2.0.0' of 'ruby//aged'"), "{sentence}");
    untag(&world.server, "rubygems-store", AGE);
    assert!(get("versions").expect(200).text().contains("aged 2.0.0"));
}

fn cooldown_settings_are_checked_when_they_are_set() {
    let world = World::empty();
    let call = |target: &str, tags: &[(&str, &str)]| {
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        world.server.call("POST", target, &json!({"tags": tags}))
    };
    let repository = format!("/v1/tag?resourceArn={}", escaped(&arn("npm-store")));
    for (key, value, says) in [
        (AGE, "a week", "'7d' or '72h'"),
        (NEWEST, "now", "2026-11-20"),
        (EXEMPT, "left-pad", "'/npm//react'"),
        ("larder:minimum-release", "7d", AGE),
    ] {
        let answer = call(&repository, &[(key, value)]).expect(400);
        assert!(answer.text().contains(says), "{}", answer.text());
        let created = call("/v1/repository?domain=my-domain&repository=new", &[(key, value)]).expect(400);
        assert!(created.text().contains(says), "{}", created.text());
    }
    let domain = format!("arn:aws:codeartifact:us-east-1:{ACCOUNT}:domain/{DOMAIN}");
    let answer = call(&format!("/v1/tag?resourceArn={}", escaped(&domain)), &[(AGE, "7d")]).expect(400);
    assert!(answer.text().contains("repositories and package groups"), "{}", answer.text());
    let _ = call("/v1/repository?domain=my-domain&repository=new", &[(AGE, "7d"), (NEWEST, "2026-01-01")]).expect(200);
}
