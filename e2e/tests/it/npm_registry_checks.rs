//! Checks N-17 to N-30 with npm itself and raw requests: what concerns the public registry and large documents.

use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_testkit::packages::NpmPackage;
use larder_testkit::{Fault, tests};
use serde_json::{Value, json};

tests![
    n_17_audit_without_a_source_says_so,
    n_17_audit_tells_the_registry_of_no_private_package,
    n_18_signatures_are_relayed,
    n_19_provenance_attachment,
    n_23_a_cold_proxy_asks_once,
    n_24_upstream_dies_in_mid_tarball,
    n_25_upstream_down,
    n_26_internal_name_hides_the_public_one,
    n_27_packument_of_5000_versions,
    n_28_install_before_a_date,
    n_30_names_with_capitals,
];

const CORGI: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

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

fn n_17_audit_tells_the_registry_of_no_private_package() {
    let world = World::empty();
    let client = world.npm_client();
    world.registry.add_npm(&NpmPackage::new("public-lib", "1.0.0"));
    assert!(world.publish_npm(&NpmPackage::new("@acme/private-lib", "1.0.0")).is_success());
    // A new name may not be that of a public package, so a publish asks once.
    world.registry.forget();
    let bulk = "/npm/-/npm/v1/security/advisories/bulk";
    let advisory = json!({"id": 1, "url": "http://advisories.test/1", "title": "It breaks", "severity": "high",
        "vulnerable_versions": "<2.0.0", "cwe": [], "cvss": {"score": 8.1, "vectorString": null}});
    world.registry.replace(bulk, json!({"public-lib": [advisory]}).to_string().into_bytes());
    let _ = client.program("npm").args(["install", "public-lib", "@acme/private-lib", "--no-audit"]).succeeds();
    client.program("npm").arg("audit").fails().says("It breaks").says("1 high severity vulnerability");
    let asked = world.registry.asked(bulk);
    assert!(!asked.is_empty());
    for asked in asked {
        let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
        assert_eq!(body, json!({"public-lib": ["1.0.0"]}));
    }
    assert_eq!(world.registry.count("private-lib"), 0, "not a word of it");
}

fn n_18_signatures_are_relayed() {
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
    // Nobody signed here, so there are no keys to offer. npm itself is not run: it asks the public trust root first.
    let _ = world.npm("GET", "-/npm/v1/keys").send().expect(404);
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

fn n_30_names_with_capitals() {
    let world = World::recorded();
    let client = world.npm_client();
    let _ = client.program("npm").args(["install", "JSONStream@1.3.5"]).succeeds();
    let refused = world.publish_npm(&NpmPackage::new("@S/x", "1.0.0")).expect(400);
    assert!(refused.json()["error"].is_string());
}
