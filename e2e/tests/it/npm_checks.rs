//! Checks N-01 to N-16 and N-29 with npm itself and raw requests: publishing, installing, tags, login.

use larder_e2e::World;
use larder_testkit::packages::{NpmPackage, integrity};
use larder_testkit::{Client, Request, tests};
use serde_json::{Value, json};

tests![
    n_01_ping,
    n_02_publish_and_view,
    n_03_scoped_publish_with_a_plain_slash,
    n_04_publishing_again_conflicts,
    n_05_install_in_a_clean_cache,
    n_06_ci_from_another_host_name,
    n_07_ci_with_a_public_lock_file,
    n_08_install_without_credentials,
    n_09_two_forms_of_a_packument,
    n_10_conditional_get,
    n_11_dist_tags,
    n_12_deprecate,
    n_13_unpublish,
    n_14_login_whoami_logout,
    n_15_tokens_and_profile,
    n_16_search_finds_what_is_held,
    n_29_head_range_and_wrong_file,
];

const CORGI: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

fn publish_with_npm(client: &Client, package: &NpmPackage) {
    let folder = client.folder(&format!("src-{}-{}", package.basename(), package.version));
    package.write_to(&folder);
    let _ = client.program("npm").arg("publish").in_folder(folder).succeeds();
}

fn n_01_ping() {
    let world = World::empty();
    let client = world.npm_client();
    let endpoint = world.server.endpoint("npm", "my-repo");
    client.program("npm").args(["ping", "--registry", &endpoint]).succeeds().says("PONG");
}

fn n_02_publish_and_view() {
    let world = World::empty();
    let client = world.npm_client();
    NpmPackage::new("first", "1.0.0").write_to(&client.folder("first"));
    client.program("npm").arg("publish").in_folder(client.home().join("first")).succeeds().says("+ first@1.0.0");
    let ran = client.program("npm").args(["view", "first", "version"]).succeeds();
    assert_eq!(ran.text(), "1.0.0");
}

fn n_03_scoped_publish_with_a_plain_slash() {
    let world = World::empty();
    let client = world.npm_client();
    publish_with_npm(&client, &NpmPackage::new("@team/tool", "1.0.0"));
    // What a proxy that decodes makes of the next publish.
    let next = NpmPackage::new("@team/tool", "1.1.0");
    let published = world.npm("PUT", "@team/tool").json(&next.publish_body()).send();
    assert!(published.is_success(), "{published:?}");
    for spelling in ["@team/tool", "@team%2ftool", "@team%2Ftool", "%40team%2ftool"] {
        let versions = world.npm("GET", spelling).send().expect(200).json()["versions"].clone();
        assert_eq!(versions.as_object().map(serde_json::Map::len), Some(2), "{spelling}");
        assert!(world.npm("GET", &format!("-/package/{spelling}/dist-tags")).send().is_success(), "{spelling}");
        let tarball = world.npm("GET", &format!("{spelling}/-/tool-1.1.0.tgz")).send().expect(200);
        assert_eq!(tarball.body, next.tarball(), "{spelling}");
    }
    let _ = world.npm("GET", "@team/tool/-/@team/tool-1.0.0.tgz").send().expect(200);
}

fn n_04_publishing_again_conflicts() {
    let world = World::empty();
    let client = world.npm_client();
    let package = NpmPackage::new("once", "1.0.0");
    publish_with_npm(&client, &package);
    let before = world.npm("GET", "once/-/once-1.0.0.tgz").send().expect(200).body;
    let ran = client.program("npm").arg("publish").in_folder(client.home().join("src-once-1.0.0")).fails();
    assert!(
        ["EPUBLISHCONFLICT", "E409", "E403", "previously published"].iter().any(|word| ran.all().contains(word)),
        "{ran:?}"
    );
    for changed in [package.clone(), package.file("more.js", "1")] {
        let refused = world.publish_npm(&changed).expect(409);
        assert!(refused.json()["error"].is_string(), "{}", refused.text());
    }
    assert_eq!(world.npm("GET", "once/-/once-1.0.0.tgz").send().expect(200).body, before);
}

fn n_05_install_in_a_clean_cache() {
    let world = World::empty();
    let publisher = world.npm_client();
    publish_with_npm(&publisher, &NpmPackage::new("lib", "1.0.0"));
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "lib"]).succeeds();
    let lock: Value = serde_json::from_str(&client.read("package-lock.json")).expect("a lock file");
    let entry = &lock["packages"]["node_modules/lib"];
    assert_eq!(entry["resolved"], format!("{}lib/-/lib-1.0.0.tgz", world.server.endpoint("npm", "my-repo")));
    let served = world.npm("GET", "lib/-/lib-1.0.0.tgz").send().expect(200).body;
    assert_eq!(entry["integrity"], integrity(&served));
}

fn n_06_ci_from_another_host_name() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("lib", "1.0.0")).is_success());
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "lib"]).succeeds();
    let other_name = |text: String| text.replace("//127.0.0.1:", "//localhost:");
    client.write(".npmrc", other_name(client.read(".npmrc")));
    std::fs::remove_dir_all(client.home().join("node_modules")).expect("node_modules");
    let _ = client.program("npm").args(["cache", "clean", "--force"]).succeeds();
    // The lock file says 127.0.0.1; npm is to put the configured name in its place.
    let _ = client.program("npm").args(["ci", "--replace-registry-host=always", "--allow-remote=all"]).succeeds();
    assert!(client.home().join("node_modules/lib/index.js").is_file());
}

fn n_07_ci_with_a_public_lock_file() {
    let world = World::recorded();
    let client = world.npm_client();
    let app = client.folder("app");
    let fixtures = larder_testkit::tools::repository().join("e2e/fixtures/app");
    std::fs::copy(fixtures.join("package.json"), app.join("package.json")).expect("package.json");
    let lock = larder_testkit::tools::folder().join("fixtures/npm/public-lock.json");
    std::fs::copy(lock, app.join("package-lock.json")).expect("the lock file");
    let _ = client.program("npm").args(["ci", "--no-audit"]).in_folder(&app).succeeds();
    assert!(app.join("node_modules/express/package.json").is_file());
    assert!(world.registry.count("/-/") > 100, "the tarballs came from somewhere else");
}

fn n_08_install_without_credentials() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("secret", "1.0.0")).is_success());
    let client = Client::unconfigured();
    let endpoint = world.server.endpoint("npm", "my-repo");
    client.write(".npmrc", format!("registry={endpoint}\n"));
    client.program("npm").args(["install", "secret"]).fails().says("E401");
    let refused =
        world.server.request("GET", &format!("{}/secret", world.server.path("npm", "my-repo"))).send().expect(401);
    assert!(refused.need_header("www-authenticate").starts_with("Basic"));
    assert!(refused.json()["error"].is_string());
    world.npm_login(&client, "my-repo", &world.token);
    let _ = client.program("npm").args(["install", "secret"]).succeeds();
}

fn n_09_two_forms_of_a_packument() {
    let world = World::empty();
    let package = NpmPackage::new("forms", "1.0.0").with("scripts", json!({"postinstall": "node index.js"}));
    assert!(world.publish_npm(&package).is_success());
    let short = world.npm("GET", "forms").header("accept", CORGI).send().expect(200);
    let full = world.npm("GET", "forms").header("accept", "application/json").send().expect(200);
    let any = world.npm("GET", "forms").header("accept", "*/*").send().expect(200);
    assert!(short.need_header("content-type").starts_with("application/vnd.npm.install-v1+json"));
    assert!(full.need_header("content-type").starts_with("application/json"));
    assert_eq!(any.body, full.body);
    assert_ne!(short.need_header("etag"), full.need_header("etag"));
    for answer in [&short, &full] {
        let vary = answer.need_header("vary").to_lowercase();
        assert!(vary.contains("accept") && vary.contains("accept-encoding"), "{vary}");
    }
    let short = short.json();
    assert!(short["modified"].is_string() && short["readme"].is_null());
    assert_eq!(short["versions"]["1.0.0"]["hasInstallScript"], true);
    assert!(short["versions"]["1.0.0"]["scripts"].is_null());
    assert!(full.json()["time"]["1.0.0"].is_string());
    let head = world.npm("HEAD", "forms").header("accept", "application/json").send().expect(200);
    assert_eq!(head.header("content-length"), full.header("content-length"));
    let packed = world.npm("GET", "forms").header("accept-encoding", "gzip").send().expect(200);
    assert_eq!(packed.decoded(), full.body);
}

fn n_10_conditional_get() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("fresh", "1.0.0")).is_success());
    let tag = world.npm("GET", "fresh").send().expect(200).need_header("etag").to_owned();
    let ask = |tag: &str| world.npm("GET", "fresh").header("if-none-match", tag).send();
    let same = ask(&tag).expect(304);
    assert!(same.body.is_empty() && same.header("etag") == Some(tag.as_str()) && same.header("vary").is_some());
    let _ = ask(&format!("\"other\", {tag}")).expect(304);
    let _ = ask("*").expect(304);
    assert!(world.publish_npm(&NpmPackage::new("fresh", "1.0.1")).is_success());
    assert_ne!(ask(&tag).expect(200).need_header("etag"), tag);
}

fn n_11_dist_tags() {
    let world = World::empty();
    let client = world.npm_client();
    for version in ["1.0.0", "2.0.0"] {
        assert!(world.publish_npm(&NpmPackage::new("tagged", version)).is_success());
    }
    let _ = client.program("npm").args(["dist-tag", "add", "tagged@1.0.0", "beta"]).succeeds();
    client.program("npm").args(["dist-tag", "ls", "tagged"]).succeeds().says("beta: 1.0.0").says("latest: 2.0.0");
    let _ = client.program("npm").args(["install", "tagged@beta"]).succeeds();
    assert!(client.read("node_modules/tagged/package.json").contains("1.0.0"));
    let _ = client.program("npm").args(["dist-tag", "rm", "tagged", "beta"]).succeeds();
    client.program("npm").args(["dist-tag", "ls", "tagged"]).succeeds().does_not_say("beta");
}

fn n_12_deprecate() {
    let world = World::empty();
    let client = world.npm_client();
    assert!(world.publish_npm(&NpmPackage::new("old", "1.0.0")).is_success());
    let _ = client.program("npm").args(["deprecate", "old@1", "use new instead"]).succeeds();
    let install =
        |folder: &str| client.program("npm").args(["install", "old"]).in_folder(client.folder(folder)).succeeds();
    install("one").says("use new instead");
    let _ = client.program("npm").args(["deprecate", "old@1", ""]).succeeds();
    install("two").does_not_say("use new instead");
    assert!(world.packument("old")["versions"]["1.0.0"]["deprecated"].is_null());
}

fn n_13_unpublish() {
    let world = World::empty();
    let client = world.npm_client();
    for version in ["1.0.0", "1.1.0"] {
        assert!(world.publish_npm(&NpmPackage::new("gone", version)).is_success());
    }
    let _ = client.program("npm").args(["unpublish", "gone@1.0.0", "--force"]).succeeds();
    let document = world.packument("gone");
    assert!(document["versions"]["1.0.0"].is_null() && document["versions"]["1.1.0"].is_object());
    let _ = world.npm("GET", "gone/-/gone-1.0.0.tgz").send().expect(404);
    let again = world.publish_npm(&NpmPackage::new("gone", "1.0.0"));
    assert!(matches!(again.status, 403 | 409), "{again:?}");
    let _ = client.program("npm").args(["unpublish", "gone", "--force"]).succeeds();
    let _ = world.npm("GET", "gone").send().expect(404);
    let _ = world.npm("GET", "gone/-/gone-1.1.0.tgz").send().expect(404);
    let again = world.publish_npm(&NpmPackage::new("gone", "1.1.0"));
    assert!(matches!(again.status, 403 | 409), "{again:?}");
}

/// The web login is off, so npm falls back to asking for a name and a password: the secret access key.
fn n_14_login_whoami_logout() {
    let world = World::empty();
    let client = Client::unconfigured();
    let endpoint = world.server.endpoint("npm", "my-repo");
    let secret = world.server.admin_key().secret;
    let login = |password: &str| {
        let program = larder_testkit::tools::repository().join("e2e/fixtures/answer.py");
        let _ = larder_testkit::tools::need("npm");
        let answers = ["Username:=admin".to_owned(), format!("Password:={password}"), "--".to_owned()];
        let npm = ["npm", "login", "--auth-type=legacy", "--registry", &endpoint];
        client.system("python3").arg(program).args(answers).args(npm)
    };
    let _ = login(&secret).succeeds();
    client.write(".npmrc", format!("{}\nregistry={endpoint}\n", client.read(".npmrc")));
    let token = client
        .read(".npmrc")
        .split_once(":_authToken=")
        .expect("a token")
        .1
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(client.program("npm").arg("whoami").succeeds().text(), "admin");
    let whoami = |token: &str| {
        let target = format!("{}/-/whoami", world.server.path("npm", "my-repo"));
        world.server.request("GET", &target).token(token).send().status
    };
    assert_eq!(whoami(&token), 200);
    let _ = client.program("npm").arg("logout").succeeds();
    assert_eq!(whoami(&token), 401);
    client.program("npm").arg("whoami").fails().says("ENEEDAUTH");
    login("guessed").fails().says("401");
    let anonymous = world.server.request("GET", &format!("{}/-/whoami", world.server.path("npm", "my-repo"))).send();
    assert_eq!(anonymous.status, 401);
}

fn n_15_tokens_and_profile() {
    let world = World::empty();
    let client = world.npm_client();
    let list = || {
        let ran = client.program("npm").args(["token", "list", "--json"]).succeeds();
        serde_json::from_str::<Value>(ran.text()).expect("JSON").as_array().cloned().expect("a list")
    };
    let before = list();
    assert_eq!(before.len(), 1, "{before:?}");
    let body = json!({"password": world.server.admin_key().secret, "readonly": false, "cidr_whitelist": []});
    let made = world.npm("POST", "-/npm/v1/tokens").json(&body).send();
    assert!(made.is_success(), "{made:?} {}", made.text());
    let made = made.json();
    let token = made["token"].as_str().expect("a token").to_owned();
    let use_it = || {
        let target = format!("{}/-/ping", world.server.path("npm", "my-repo"));
        world.server.request("GET", &target).token(&token).send().status
    };
    assert_eq!((use_it(), list().len()), (200, 2));
    let key = made["key"].as_str().expect("a key");
    let _ = client.program("npm").args(["token", "revoke", key]).succeeds();
    assert_eq!((use_it(), list().len()), (401, 1));
    client.program("npm").args(["profile", "get", "--json"]).succeeds().says("\"name\": \"admin\"");
}

fn n_16_search_finds_what_is_held() {
    let world = World::empty();
    let client = world.npm_client();
    assert!(world.publish_npm(&NpmPackage::new("our-words", "1.2.3")).is_success());
    assert!(world.publish_npm(&NpmPackage::new("@acme/word-list", "2.0.0")).is_success());
    client.program("npm").args(["search", "word"]).succeeds().says("our-words").says("@acme/word-list").says("1.2.3");
    let found = client.program("npm").args(["search", "list", "--json"]).succeeds();
    let found: Value = serde_json::from_str(&found.stdout).expect("JSON");
    assert_eq!((found.as_array().map(Vec::len), &found[0]["name"]), (Some(1), &json!("@acme/word-list")));
    client.program("npm").args(["search", "nothing-like-it"]).succeeds().does_not_say("our-words");
}

fn n_29_head_range_and_wrong_file() {
    let world = World::empty();
    let package = NpmPackage::new("bytes", "1.0.0");
    assert!(world.publish_npm(&package).is_success());
    let tarball = package.tarball();
    let ask = |method: &str, range: &str| -> Request {
        let request = world.npm(method, "bytes/-/bytes-1.0.0.tgz");
        if range.is_empty() { request } else { request.header("range", range) }
    };
    let head = ask("HEAD", "").send().expect(200);
    assert_eq!(head.need_header("content-length"), tarball.len().to_string());
    assert_eq!(head.header("content-encoding"), None);
    assert!(head.need_header("cache-control").contains("immutable"));
    let length = tarball.len();
    for (range, start, end) in [("bytes=0-9", 0, 10), ("bytes=5-", 5, length), ("bytes=-7", length - 7, length)] {
        let part = ask("GET", range).send().expect(206);
        assert_eq!(part.body, tarball[start..end], "{range}");
        assert_eq!(part.need_header("content-range"), format!("bytes {start}-{}/{length}", end - 1));
    }
    let beyond = ask("GET", &format!("bytes={length}-")).send().expect(416);
    assert_eq!(beyond.need_header("content-range"), format!("bytes */{length}"));
    let tag = head.need_header("etag").to_owned();
    assert_eq!(ask("GET", "bytes=0-9").header("if-range", tag).send().status, 206);
    assert_eq!(ask("GET", "bytes=0-9").header("if-range", "\"other\"").send().status, 200);
    let wrong = world.npm("GET", "bytes/-/bytes-9.9.9.tgz").send().expect(404);
    assert!(wrong.json()["error"].is_string());
}
