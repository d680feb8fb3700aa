//! Bad input to npm's endpoints, over raw HTTP: each row its status, a sentence in npm's form, and nothing stored.

use base64::Engine;
use larder_e2e::World;
use larder_testkit::packages::{NpmPackage, integrity, sha1, tarball_of};
use larder_testkit::{Request, Response, tests};
use serde_json::{Value, json};

tests![
    npm_bad_documents,
    npm_bad_names,
    npm_bad_versions,
    npm_bad_attachments,
    npm_bad_archives,
    npm_too_large,
    npm_conflicts,
    npm_reserved_and_foreign,
    npm_bad_dist_tags,
    npm_stale_revisions,
    npm_bad_encodings,
    npm_metadata_without_rights,
    npm_lying_length,
];

fn put(world: &World, path: &str, body: &Value) -> Response {
    world.npm("PUT", path).json(body).send()
}

fn refused(what: &str, answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    let sentence = answer.json()["error"].as_str().unwrap_or_default().to_owned();
    assert!(sentence.len() > 5, "{what} is not explained: {}", answer.text());
}

fn absent(world: &World, name: &str) {
    let answer = world.npm("GET", name).send();
    assert_eq!(answer.status, 404, "something of {name} was stored: {}", answer.text());
}

fn npm_bad_documents() {
    let world = World::empty();
    let body = |change: &dyn Fn(&mut Value)| {
        let mut body = NpmPackage::new("doc", "1.0.0").publish_body();
        change(&mut body);
        body
    };
    let raw = |text: &str| world.npm("PUT", "doc").header("content-type", "application/json").body(text).send();
    for text in ["", "{", "not json", "[]", "null", "\"doc\"", "{\"name\": \"doc\"} {}"] {
        refused(text, &raw(text), 400);
    }
    let deep = format!("{{\"name\": \"doc\", \"_id\": \"doc\", \"x\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    refused("nested 5000 deep", &raw(&deep), 400);
    for (what, change) in [
        ("no versions", (|body: &mut Value| body["versions"] = json!({})) as fn(&mut Value)),
        ("versions is a list", |body| body["versions"] = json!([])),
        ("no name", |body| body["name"] = Value::Null),
        ("another _id", |body| body["_id"] = json!("other")),
        ("another name", |body| body["name"] = json!("other")),
        ("another name in the manifest", |body| body["versions"]["1.0.0"]["name"] = json!("other")),
        ("another version in the manifest", |body| body["versions"]["1.0.0"]["version"] = json!("1.0.1")),
        ("two versions", |body| {
            let mut second = body["versions"]["1.0.0"].clone();
            second["version"] = json!("2.0.0");
            body["versions"]["2.0.0"] = second;
        }),
    ] {
        refused(what, &put(&world, "doc", &body(&change)), 400);
    }
    refused("another name in the path", &put(&world, "elsewhere", &body(&|_| {})), 400);
    absent(&world, "doc");
    absent(&world, "elsewhere");
    // The tarball's own manifest says something else.
    let other = NpmPackage::new("other", "1.0.0");
    let disguised = with_tarball(NpmPackage::new("doc", "1.0.0").publish_body(), "doc", &other.tarball());
    refused("another name in the tarball", &put(&world, "doc", &disguised), 400);
    let other = NpmPackage::new("doc", "1.0.9");
    let disguised = with_tarball(NpmPackage::new("doc", "1.0.0").publish_body(), "doc", &other.tarball());
    refused("another version in the tarball", &put(&world, "doc", &disguised), 400);
    absent(&world, "doc");
}

/// The document with another tarball and hashes that fit it.
fn with_tarball(mut body: Value, name: &str, tarball: &[u8]) -> Value {
    let attachment = &mut body["_attachments"][format!("{name}-1.0.0.tgz")];
    attachment["data"] = json!(base64::engine::general_purpose::STANDARD.encode(tarball));
    attachment["length"] = json!(tarball.len());
    let dist = &mut body["versions"]["1.0.0"]["dist"];
    dist["shasum"] = json!(sha1(tarball));
    dist["integrity"] = json!(integrity(tarball));
    body
}

fn npm_bad_names() {
    let world = World::empty();
    let long = "a".repeat(215);
    for name in [
        "Capital",
        ".dot",
        "_under",
        "-dash",
        "a b",
        "a~b!",
        "a'b",
        "a(b)",
        "a*b",
        "node_modules",
        "favicon.ico",
        "ünï",
        "@a",
        "@/b",
        "@a/",
        "@a/.b",
        "@S/x",
        "@a/b/c",
        "a?b",
        long.as_str(),
    ] {
        let body = NpmPackage::new(name, "1.0.0").publish_body();
        let path = encode(name);
        let answer = put(&world, &path, &body);
        assert!(matches!(answer.status, 400 | 404 | 405), "{name}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{name}: {}", answer.text());
        assert!(!world.npm("GET", &path).send().is_success(), "{name} was stored");
    }
    for name in ["..", "a%00b", "../x"] {
        let body = NpmPackage::new(name, "1.0.0").publish_body();
        refused(name, &put(&world, "fine", &body), 400);
    }
    absent(&world, "fine");
}

/// As npm puts a name into a path.
fn encode(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@!'()*".contains(&byte) {
            encoded.push(byte as char);
        } else {
            encoded += &format!("%{byte:02x}");
        }
    }
    encoded
}

fn npm_bad_versions() {
    let world = World::empty();
    for version in [
        "1", "1.0", "v1.0.0", "=1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "latest", "", " 1.0.0", "1.0.0\n",
        "../1.0.0",
    ] {
        let body = NpmPackage::new("semver", version).publish_body();
        refused(version, &put(&world, "semver", &body), 400);
    }
    absent(&world, "semver");
}

fn npm_bad_attachments() {
    let world = World::empty();
    const FILE: &str = "att-1.0.0.tgz";
    for (what, change) in [
        ("no attachment", (|body: &mut Value| body["_attachments"] = json!({})) as fn(&mut Value)),
        ("not base64", |body| body["_attachments"][FILE]["data"] = json!("%%%")),
        ("cut base64", |body| {
            let data = body["_attachments"][FILE]["data"].as_str().unwrap_or_default().to_owned();
            body["_attachments"][FILE]["data"] = json!(data[..data.len() - 5]);
        }),
        ("data is a number", |body| body["_attachments"][FILE]["data"] = json!(7)),
        ("wrong length", |body| body["_attachments"][FILE]["length"] = json!(7)),
        ("wrong sha1", |body| body["versions"]["1.0.0"]["dist"]["shasum"] = json!("0".repeat(40))),
        ("wrong sha512", |body| body["versions"]["1.0.0"]["dist"]["integrity"] = json!(integrity(b"other"))),
    ] {
        let mut body = NpmPackage::new("att", "1.0.0").publish_body();
        change(&mut body);
        refused(what, &put(&world, "att", &body), 400);
    }
    absent(&world, "att");
}

/// One 512-byte header of a tar archive with any type and link target.
fn tar_entry(name: &str, kind: tar::EntryType, link: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend_from_slice(bytes);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A package's manifest followed by another entry.
fn tarball_with(entry: &[u8]) -> Vec<u8> {
    let manifest = br#"{"name":"arc","version":"1.0.0"}"#;
    let mut tar = tar_entry("package/package.json", tar::EntryType::Regular, "", manifest);
    tar.extend_from_slice(entry);
    tar.resize(tar.len() + 1024, 0);
    gzip(&tar)
}

fn npm_bad_archives() {
    let world = World::empty();
    let good = NpmPackage::new("arc", "1.0.0").tarball();
    let regular = |name: &str| tarball_with(&tar_entry(name, tar::EntryType::Regular, "", b"x"));
    let link = |kind, target: &str| tarball_with(&tar_entry("package/link", kind, target, b""));
    let manifest = |text: String| tarball_of(&[("package/package.json".to_owned(), text.into_bytes())]);
    let twice = tar_entry("package/package.json", tar::EntryType::Regular, "", br#"{"name":"arc","version":"6.6.6"}"#);
    let mut trailing = good.clone();
    trailing.extend_from_slice(b"and something behind it");
    let bomb = tarball_with(&tar_entry("package/zeros", tar::EntryType::Regular, "", &vec![0; 120 << 20]));
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("not gzip", b"not an archive at all, just words".to_vec()),
        ("empty", Vec::new()),
        ("gzip of something else", gzip(b"not a tar archive, but long enough to be looked at; ".repeat(30).as_slice())),
        ("truncated", good[..good.len() / 2].to_vec()),
        ("trailing bytes", trailing),
        ("no package.json", tarball_of(&[("package/index.js".to_owned(), b"1".to_vec())])),
        ("package.json is no JSON", manifest("{".to_owned())),
        (
            "package.json too deep",
            manifest(format!(
                "{{\"name\":\"arc\",\"version\":\"1.0.0\",\"x\":{}{}}}",
                "[".repeat(3000),
                "]".repeat(3000)
            )),
        ),
        (
            "package.json of 11 MiB",
            manifest(format!("{{\"name\":\"arc\",\"version\":\"1.0.0\",\"x\":\"{}\"}}", "y".repeat(11 << 20))),
        ),
        ("two manifests", tarball_with(&twice)),
        ("parent folder", regular("package/../../x")),
        ("absolute path", regular("/etc/passwd")),
        ("drive letter", regular("C:/x")),
        ("backslash", regular("package\\..\\x")),
        ("symbolic link out", link(tar::EntryType::Symlink, "../../../etc/passwd")),
        ("absolute symbolic link", link(tar::EntryType::Symlink, "/etc/passwd")),
        ("hard link out", link(tar::EntryType::Link, "../../etc/passwd")),
        ("device", link(tar::EntryType::Char, "")),
        ("fifo", link(tar::EntryType::Fifo, "")),
        ("bomb", bomb),
    ];
    for (what, tarball) in rows {
        let body = with_tarball(NpmPackage::new("arc", "1.0.0").publish_body(), "arc", &tarball);
        refused(what, &put(&world, "arc", &body), 400);
        absent(&world, "arc");
    }
    let entries: Vec<u8> =
        (0..100_001).flat_map(|i| tar_entry(&format!("package/{i}"), tar::EntryType::Regular, "", b"")).collect();
    let body = with_tarball(NpmPackage::new("arc", "1.0.0").publish_body(), "arc", &tarball_with(&entries));
    refused("100,002 entries", &put(&world, "arc", &body), 400);
    absent(&world, "arc");
    assert!(!world.server.log().contains("panicked"));
}

/// The limit is enforced on what arrives; the sender does not even send it all.
fn npm_too_large() {
    let world = World::empty();
    let answer = world
        .npm("PUT", "big")
        .header("content-type", "application/json")
        .lying_about_its_length("9000000000")
        .try_send();
    let answer = answer.expect("a refusal before the body");
    refused("9 GB", &answer, 413);
}

fn npm_conflicts() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("json-stream", "1.0.0")).is_success());
    refused("the same", &world.publish_npm(&NpmPackage::new("json-stream", "1.0.0")), 409);
    let other = NpmPackage::new("json-stream", "1.0.0").file("more.js", "1");
    refused("other bytes", &world.publish_npm(&other), 409);
    for twin in ["jsonstream", "json.stream", "json_stream"] {
        refused(twin, &world.publish_npm(&NpmPackage::new(twin, "1.0.0")), 403);
    }
    refused("build metadata", &world.publish_npm(&NpmPackage::new("json-stream", "1.0.0+build.7")), 409);
}

fn npm_reserved_and_foreign() {
    let world = World::empty();
    let target = "/v1/package?domain=my-domain&repository=my-repo&format=npm&package=reserved";
    let restrictions = json!({"restrictions": {"publish": "BLOCK", "upstream": "ALLOW"}});
    let _ = world.server.call("POST", target, &restrictions).expect(200);
    refused("publish is blocked", &world.publish_npm(&NpmPackage::new("reserved", "1.0.0")), 403);
    world.registry.add_npm(&NpmPackage::new("public", "1.0.0"));
    let _ = world.npm("GET", "public/-/public-1.0.0.tgz").send().expect(200);
    world.wait_until_retained("npm", "public", "1.0.0");
    refused("came from outside", &world.publish_npm(&NpmPackage::new("public", "2.0.0")), 403);
}

fn npm_bad_dist_tags() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("tags", "1.0.0")).is_success());
    let tag = |tag: &str, body: &str| {
        let path = format!("-/package/tags/dist-tags/{tag}");
        world.npm("PUT", &path).header("content-type", "application/json").body(body).send()
    };
    refused("unknown version", &tag("beta", "\"9.9.9\""), 404);
    for range in ["1.0.0", "1", "%5e1.0.0", "x", "v1"] {
        refused(range, &tag(range, "\"1.0.0\""), 400);
    }
    for body in ["1.0.0", "{}", "[\"1.0.0\"]", "", "null"] {
        refused(body, &tag("beta", body), 400);
    }
    let gone = world.npm("DELETE", "-/package/tags/dist-tags/latest").send();
    assert!(matches!(gone.status, 400 | 403), "{gone:?}");
    assert_eq!(world.packument("tags")["dist-tags"], json!({"latest": "1.0.0"}));
}

fn npm_stale_revisions() {
    let world = World::empty();
    for version in ["1.0.0", "1.1.0"] {
        assert!(world.publish_npm(&NpmPackage::new("rev", version)).is_success());
    }
    let stale = world.packument("rev");
    let revision = stale["_rev"].as_str().expect("a revision").to_owned();
    assert!(world.publish_npm(&NpmPackage::new("rev", "1.2.0")).is_success());
    let mut smaller = stale.clone();
    smaller["versions"].as_object_mut().expect("versions").shift_remove("1.0.0");
    refused("PUT", &put(&world, &format!("rev/-rev/{revision}"), &smaller), 409);
    refused("DELETE", &world.npm("DELETE", &format!("rev/-rev/{revision}")).send(), 409);
    assert_eq!(world.packument("rev")["versions"].as_object().map(serde_json::Map::len), Some(3));
}

fn npm_bad_encodings() {
    let world = World::empty();
    let body = NpmPackage::new("enc", "1.0.0").publish_body().to_string();
    let send = |encoding: &str, body: Vec<u8>| -> Response {
        let request: Request = world.npm("PUT", "enc").header("content-type", "application/json");
        request.header("content-encoding", encoding).body(body).send()
    };
    refused("brotli", &send("br", body.clone().into_bytes()), 415);
    refused("not really gzip", &send("gzip", body.into_bytes()), 400);
    let bomb = gzip(&vec![b' '; 300 << 20]);
    let audit = world.npm("POST", "-/npm/v1/security/advisories/bulk").header("content-type", "application/json");
    let answer = audit.header("content-encoding", "gzip").body(bomb).send();
    assert_eq!(answer.status, 413, "{answer:?}");
    absent(&world, "enc");
}

fn npm_metadata_without_rights() {
    let world = World::empty();
    assert!(world.publish_npm(&NpmPackage::new("mine", "1.0.0")).is_success());
    let mut document = world.packument("mine");
    document["versions"]["1.0.0"]["deprecated"] = json!("do not use");
    let path = format!("{}/mine", world.server.path("npm", "my-repo"));
    let anonymous = world.server.request("PUT", &path).json(&document).send();
    refused("anonymous", &anonymous, 401);
    let reader = world.server.create_user("111122223333", "reader", &json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["codeartifact:ReadFromRepository", "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"],
        "Resource": "*",
    }]}));
    let token = world.server.token_of(&reader, "my-domain");
    refused("read-only", &world.server.request("PUT", &path).token(&token).json(&document).send(), 403);
    let publish = NpmPackage::new("mine", "1.0.1").publish_body();
    refused("read-only publish", &world.server.request("PUT", &path).token(&token).json(&publish).send(), 403);
    // With the right, such a document changes what it may and nothing else.
    document["versions"]["1.0.0"]["dist"]["tarball"] = json!("http://evil.invalid/x.tgz");
    document["versions"]["7.7.7"] = document["versions"]["1.0.0"].clone();
    let changed = world.server.request("PUT", &path).token(&world.token).json(&document).send();
    assert!(changed.is_success(), "{changed:?} {}", changed.text());
    let now = world.packument("mine");
    assert_eq!(now["versions"]["1.0.0"]["deprecated"], "do not use");
    assert!(now["versions"]["7.7.7"].is_null() && !now.to_string().contains("evil.invalid"), "{now}");
}

/// The connection ends before as much came as was promised.
fn npm_lying_length() {
    use std::io::Write;
    let world = World::empty();
    let body = NpmPackage::new("half", "1.0.0").publish_body().to_string();
    let request = world.npm("PUT", "half").header("content-type", "application/json");
    let mut stream = request.lying_about_its_length(&body.len().to_string()).open().expect("a connection");
    stream.write_all(&body.as_bytes()[..body.len() / 2]).expect("half of the body");
    stream.shutdown(std::net::Shutdown::Both).expect("the end");
    absent(&world, "half");
    let stopped = world.server.stop();
    stopped.verify();
}
