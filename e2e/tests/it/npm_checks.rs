//! Checks N-01 to N-30 that npm itself or raw requests show.

use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_testkit::packages::{NpmPackage, integrity};
use larder_testkit::{Client, Fault, Request, tests};
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
    n_16_search_says_that_it_is_off,
    n_17_audit_without_a_source_says_so,
    n_18_audit_signatures,
    n_19_provenance_attachment,
    n_23_a_cold_proxy_asks_once,
    n_24_upstream_dies_in_mid_tarball,
    n_25_upstream_down,
    n_26_internal_name_hides_the_public_one,
    n_27_packument_of_5000_versions,
    n_28_install_before_a_date,
    n_29_head_range_and_wrong_file,
    n_30_names_with_capitals,
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

fn n_16_search_says_that_it_is_off() {
    let world = World::empty();
    let answer = world.npm("GET", "-/v1/search?text=word").send().expect(404);
    assert!(answer.json()["error"].as_str().is_some_and(|error| error.contains("search")), "{}", answer.text());
    let client = world.npm_client();
    client.program("npm").args(["search", "word"]).fails().says("search");
}

fn n_17_audit_without_a_source_says_so() {
    let world = World::empty();
    let client = world.npm_client();
    assert!(world.publish_npm(&NpmPackage::new("lib", "1.0.0")).is_success());
    let _ = client.program("npm").args(["install", "lib", "--no-audit"]).succeeds();
    client.program("npm").arg("audit").fails().does_not_say("found 0 vulnerabilities");
    for path in ["-/npm/v1/security/advisories/bulk", "-/npm/v1/security/audits", "-/npm/v1/security/audits/quick"] {
        let answer = world.npm("POST", path).json(&json!({"lib": ["1.0.0"]})).send().expect(404);
        assert!(answer.json()["error"].is_string());
    }
}

fn n_18_audit_signatures() {
    let world = World::empty();
    let package = NpmPackage::new("signed", "1.0.0");
    world.registry.add_npm(&package);
    let mut entry = package.version_entry(&format!("{}signed/-/signed-1.0.0.tgz", world.registry.npm_url()));
    let signatures = json!([{"keyid": "SHA256:abc", "sig": "MEUCIQ=="}]);
    entry["dist"]["signatures"] = signatures.clone();
    let document = json!({"name": "signed", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": entry}});
    world.registry.replace("/npm/signed", document.to_string().into_bytes());
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "signed", "--no-audit"]).succeeds();
    assert_eq!(world.packument("signed")["versions"]["1.0.0"]["dist"]["signatures"], signatures);
    // The stand-in offers no keys, so there is nothing to verify with, and npm must not claim otherwise.
    let _ = world.npm("GET", "-/npm/v1/keys").send().expect(404);
    client.program("npm").args(["audit", "signatures"]).ends().does_not_say("verified registry signature");
}

fn n_19_provenance_attachment() {
    let world = World::empty();
    let package = NpmPackage::new("proven", "1.0.0");
    let digest = {
        use sha2::Digest;
        hex::encode(sha2::Sha512::digest(package.tarball()))
    };
    let publish = |name: &str, digest: &str| {
        let mut body = package.publish_body();
        body["_attachments"]["proven-1.0.0.sigstore"] = sigstore_attachment(name, digest);
        world.npm("PUT", "proven").json(&body).send()
    };
    let _ = publish("pkg:npm/proven@9.9.9", &digest).expect(400);
    let _ = publish("pkg:npm/proven@1.0.0", &"0".repeat(128)).expect(400);
    let published = publish("pkg:npm/proven@1.0.0", &digest);
    assert!(published.is_success(), "{published:?}");
    let answer = world.npm("GET", "-/npm/v1/attestations/proven@1.0.0").send().expect(200).json();
    let attestation = &answer["attestations"][0];
    assert_eq!(attestation["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(attestation["bundle"]["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    let dist = &world.packument("proven")["versions"]["1.0.0"]["dist"];
    assert!(
        dist["attestations"]["url"].as_str().is_some_and(|url| url.ends_with("/-/npm/v1/attestations/proven@1.0.0"))
    );
}

/// An attachment as `npm publish --provenance` makes it, with a signature that nobody made.
fn sigstore_attachment(subject: &str, sha512: &str) -> Value {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": subject, "digest": {"sha512": sha512}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    });
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"tlogEntries": [], "certificate": {"rawBytes": encode("none")}},
        "dsseEnvelope": {
            "payload": encode(&statement.to_string()),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": encode("none"), "keyid": ""}],
        },
    });
    let data = bundle.to_string();
    json!({"content_type": "application/vnd.dev.sigstore.bundle.v0.3+json", "length": data.len(), "data": data})
}

fn n_23_a_cold_proxy_asks_once() {
    let world = World::empty();
    let package = NpmPackage::new("popular", "1.0.0").file("big.bin", noise(2_000_000));
    world.registry.add_npm(&package);
    world.registry.break_next("popular", Fault::Slow(Duration::from_millis(300)), 2);
    let tarball = package.tarball();
    let install = || {
        let document = world.npm("GET", "popular").send().expect(200).json();
        assert!(document["versions"]["1.0.0"].is_object());
        let answer = world.npm("GET", "popular/-/popular-1.0.0.tgz").send().expect(200);
        assert!(answer.complete && answer.body == tarball, "{} bytes of {}", answer.body.len(), tarball.len());
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..300).map(|_| scope.spawn(install)).collect();
        for one in all {
            one.join().expect("an install");
        }
    });
    assert_eq!(world.registry.count("/npm/popular/-/"), 1, "tarball");
    assert_eq!(world.registry.count("/npm/popular"), 2, "document and tarball");
}

/// Bytes that do not compress, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn n_24_upstream_dies_in_mid_tarball() {
    let world = World::empty();
    let package = NpmPackage::new("cut", "1.0.0").file("big.bin", noise(3_000_000));
    world.registry.add_npm(&package);
    world.registry.break_all("/-/cut", Fault::Truncated);
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "cut", "--fetch-retries=0", "--no-audit"]).fails();
    world.registry.heal();
    let _ = client.program("npm").args(["install", "cut", "--no-audit"]).succeeds();
    assert_eq!(world.npm("GET", "cut/-/cut-1.0.0.tgz").send().expect(200).body, package.tarball());
}

fn n_25_upstream_down() {
    let world = World::empty();
    world.registry.add_npm(&NpmPackage::new("kept", "1.0.0"));
    let client = world.npm_client();
    let install =
        |folder: &str| client.program("npm").args(["install", "kept"]).in_folder(client.folder(folder)).succeeds();
    let _ = install("one");
    world.registry.go_down();
    let _ = client.program("npm").args(["cache", "clean", "--force"]).succeeds();
    let _ = install("two");
    assert_eq!(client.program("npm").args(["view", "kept", "version"]).succeeds().text(), "1.0.0");
    // What was never asked for cannot be had, and the answer says that it is the upstream's fault.
    let unknown = world.npm("GET", "never-asked").send();
    assert!(matches!(unknown.status, 502..=504), "{unknown:?}");
}

fn n_26_internal_name_hides_the_public_one() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("foo", "1.0.0")).is_success());
    world.registry.add_npm(&NpmPackage::new("foo", "99.0.0"));
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "foo"]).succeeds();
    assert!(client.read("node_modules/foo/package.json").contains("1.0.0"));
    assert!(world.packument("foo")["versions"]["99.0.0"].is_null());
    let _ = world.npm("GET", "foo/-/foo-99.0.0.tgz").send().expect(404);
    client.program("npm").args(["install", "foo@99"]).fails().says("ETARGET");
}

fn n_27_packument_of_5000_versions() {
    let world = World::empty();
    for number in 0..5000 {
        world.registry.add_npm(&NpmPackage::new("long", &format!("1.0.{number}")));
    }
    let get = || world.npm("GET", "long").header("accept", CORGI).header("accept-encoding", "gzip").send().expect(200);
    assert_eq!(get().json()["versions"].as_object().map(serde_json::Map::len), Some(5000));
    let started = Instant::now();
    let warm = get();
    let time = started.elapsed();
    assert_eq!(warm.header("content-encoding"), Some("gzip"));
    assert!(time < Duration::from_millis(300), "{time:?}");
}

fn n_28_install_before_a_date() {
    let world = World::empty();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        world.registry.add_npm(&NpmPackage::new("dated", version));
    }
    // The stand-in's versions are a minute apart, from 2020-01-01T00:00 on.
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "dated", "--before=2020-01-01T00:02:30Z"]).succeeds();
    assert!(client.read("node_modules/dated/package.json").contains("1.1.0"));
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

fn n_30_names_with_capitals() {
    let world = World::recorded();
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "JSONStream@1.3.5"]).succeeds();
    let refused = world.publish_npm(&NpmPackage::new("@S/x", "1.0.0")).expect(400);
    assert!(refused.json()["error"].is_string());
}
