//! The bad-input table of protocol reference 4.11, over raw HTTP: each refusal has its status and says why in the status
//! line, and nothing of it is stored.

use larder_e2e::nuget::{NugetWorld, Nupkg, chunked, form, push_form};
use larder_testkit::packages::zip_of;
use larder_testkit::{Response, tests};
use serde_json::json;

tests![
    nuget_bad_packages,
    nuget_bad_manifests,
    nuget_taken_versions,
    nuget_bad_forms,
    nuget_too_large,
    nuget_missing_and_powerless_keys,
    nuget_blocked_by_origin_controls,
    nuget_wrong_methods_and_paths,
];

/// A package with this manifest and more files.
fn with_manifest(manifest: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries = vec![("Bad.nuspec".to_owned(), manifest.as_bytes().to_vec())];
    entries.extend(more.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())));
    zip_of(&entries)
}

fn refused(answer: &Response, status: u16, reason: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {} {}", answer.reason, answer.text());
    assert!(answer.reason.contains(reason), "{what}: the status line says {:?}", answer.reason);
    assert!(answer.text().contains(reason), "{what}: the body says {:?}", answer.text());
}

fn nuget_bad_packages() {
    let world = NugetWorld::start();
    let good = Nupkg::new("Bad", "1.0.0");
    let whole = good.bytes();
    let manifest = good.nuspec();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no zip", b"hello".to_vec(), "not a zip"),
        ("an empty file", Vec::new(), "not a zip"),
        ("half of a zip", whole[..whole.len() / 2].to_vec(), "not a zip"),
        ("bytes after the end", [&whole[..], b"more"].concat(), "bytes after its end"),
        ("bytes before the start", [b"#!/bin/sh\n", &whole[..]].concat(), "central directory"),
        ("no manifest", zip_of(&[("lib/a.dll".to_owned(), vec![1])]), "no .nuspec"),
        ("two manifests", with_manifest(&manifest, &[("Other.nuspec", manifest.as_bytes())]), "more than one .nuspec"),
        ("traversal", with_manifest(&manifest, &[("../../evil.dll", b"MZ")]), "not a plain path"),
        ("escaped traversal", with_manifest(&manifest, &[("lib/%2E%2E/%2e%2e/evil.dll", b"MZ")]), "not a plain path"),
        ("an absolute path", with_manifest(&manifest, &[("/etc/cron.d/evil", b"x")]), "not a plain path"),
        (
            "names that differ in case",
            with_manifest(&manifest, &[("lib/a.dll", b"1"), ("LIB/A.dll", b"2")]),
            "two entries",
        ),
        ("a bomb", with_manifest(&manifest, &[("zeros", &vec![0; 80 << 20])]), "times its size"),
    ];
    for (what, bytes, reason) in cases {
        refused(&world.push(&bytes), 400, reason, what);
    }
    assert!(world.versions("bad").is_empty());
}

fn nuget_bad_manifests() {
    let world = NugetWorld::start();
    let manifest = |id: &str, version: &str, more: &str| Nupkg::new(id, version).says(more).nuspec();
    let doctype = "<!DOCTYPE package [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><package><metadata><id>&x;</id></metadata></package>";
    let laughs = "<!DOCTYPE p [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><package><metadata><id>&b;</id></metadata></package>";
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    let long = "x".repeat(101);
    let cases = [
        ("no XML", "{\"id\": 1}".to_owned(), "well-formed"),
        ("a DTD", doctype.to_owned(), "DTD"),
        ("entities in entities", laughs.to_owned(), "DTD"),
        ("too deep", deep, "too deep"),
        ("no metadata", "<package/>".to_owned(), "no <metadata>"),
        ("no id", manifest("", "1.0.0", ""), "no <id>"),
        ("no version", manifest("Bad", "", ""), "no <version>"),
        ("a bad version", manifest("Bad", "1.0.0.0.0", ""), "not a NuGet version"),
        ("a version over the range", manifest("Bad", "2147483648.0.0", ""), "not a NuGet version"),
        ("an id with a slash", manifest("../Bad", "1.0.0", ""), "not a package id"),
        ("an id with a blank", manifest("Bad id", "1.0.0", ""), "not a package id"),
        ("a long id", manifest(&long, "1.0.0", ""), "not a package id"),
        (
            "a floating dependency",
            manifest("Bad", "1.0.0", "<dependencies><dependency id='a' version='1.*'/></dependencies>"),
            "dependency 'a'",
        ),
        ("a missing README", manifest("Bad", "1.0.0", "<readme>README.md</readme>"), "readme file"),
    ];
    for (what, text, reason) in cases {
        refused(&world.push(&with_manifest(&text, &[])), 400, reason, what);
    }
    assert!(world.versions("bad").is_empty());
    // Either slash leads to a file.
    let slashes = Nupkg::new("Slashes", "1.0.0").says("<icon>images\\icon.png</icon>").file("images/icon.png", vec![1]);
    world.publish(&slashes);
}

fn nuget_taken_versions() {
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Taken", "1.0.0-Beta"));
    for version in ["1.0.0-Beta", "1.0.0-beta", "1.0-BETA", "1.0.0.0-beta+other"] {
        refused(&world.push(&Nupkg::new("TAKEN", version).bytes()), 409, "1.0.0-beta", version);
    }
    // A number is used up, whatever became of the version.
    let body = json!({"versions": ["1.0.0-beta"]});
    let dispose = "/v1/package/versions/dispose?domain=my-domain&repository=my-repo&format=nuget&package=taken";
    let _ = world.server.call("POST", dispose, &body).expect(200);
    refused(&world.push(&Nupkg::new("Taken", "1.0.0-beta").bytes()), 409, "1.0.0-beta", "disposed");
    let _ = world.download("taken", "1.0.0-beta").expect(404);
    assert!(world.versions("taken").is_empty());
}

fn nuget_bad_forms() {
    let world = NugetWorld::start();
    let package = Nupkg::new("Form", "1.0.0").bytes();
    let put = |content_type: &str, body: Vec<u8>| {
        world.request("PUT", "v3/publish").header("content-type", content_type).body(body).send()
    };
    refused(&put("application/octet-stream", package.clone()), 415, "multipart/form-data", "no form");
    refused(&put("multipart/form-data", package.clone()), 415, "multipart/form-data", "no boundary");
    refused(&put("multipart/form-data; boundary=x", b"--x--\r\n".to_vec()), 400, "no file", "an empty form");
    refused(&put("multipart/form-data; boundary=x", Vec::new()), 400, "form", "nothing");
    let (content_type, body) = form(&[("comment", None, b"hello")]);
    refused(&put(&content_type, body), 400, "no file", "no file part");
    let (content_type, body) = push_form(&package);
    refused(&put(&content_type, body[..body.len() / 2].to_vec()), 400, "form", "a form without end");
    let many: Vec<(&str, Option<&str>, &[u8])> = vec![("x", None, b"1"); 40];
    let (content_type, body) = form(&many);
    refused(&put(&content_type, body), 400, "too many parts", "forty parts");
    // The first file part is the package, whatever it is called and whatever stands before it.
    let (content_type, body) = form(&[("note", None, b"x"), ("upload", Some("a.nupkg"), &package)]);
    let _ = put(&content_type, body).expect(201);
}

fn nuget_too_large() {
    let world = NugetWorld::configured("[limits]\nasset-size-bytes = 100000\n");
    let noise: Vec<u8> = (0_u32..60_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let (content_type, body) = push_form(&Nupkg::new("Large", "1.0.0").file("data", noise).bytes());
    let push = world
        .request("PUT", "v3/publish/")
        .header("content-type", content_type)
        .header("transfer-encoding", "chunked")
        .body(chunked(&body));
    refused(&push.send(), 413, "larger than", "a chunked body over the limit");
    assert!(world.versions("large").is_empty());
}

fn nuget_missing_and_powerless_keys() {
    let world = NugetWorld::start();
    let (content_type, body) = push_form(&Nupkg::new("Key", "1.0.0").bytes());
    let target = format!("{}/v3/publish/", world.server.path("nuget", "my-repo"));
    let bare = || world.server.request("PUT", &target).header("content-type", content_type.clone()).body(body.clone());
    let answer = bare().send().expect(401);
    assert!(answer.need_header("www-authenticate").starts_with("Basic realm="));
    let _ = bare().header("x-nuget-apikey", "wrong").send().expect(401);
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action":
        ["codeartifact:ReadFromRepository", "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]}]});
    let reader = world.server.create_user(larder_testkit::server::ACCOUNT, "reader", &policy);
    let read_only = world.server.token_of(&reader, "my-domain");
    refused(
        &bare().header("x-nuget-apikey", read_only.clone()).send(),
        403,
        "PublishPackageVersion",
        "a read-only key",
    );
    // The key says who writes, whoever reads.
    refused(
        &bare().basic("aws", &world.token).header("x-nuget-apikey", read_only.clone()).send(),
        403,
        "Publish",
        "both",
    );
    let _ = bare().basic("aws", &read_only).header("x-nuget-apikey", world.token.clone()).send().expect(201);
    let unlist = format!("{target}key/1.0.0");
    let _ = world.server.request("DELETE", &unlist).basic("aws", &read_only).send().expect(403);
    let _ = world.server.request("DELETE", &unlist).header("x-nuget-apikey", world.token.clone()).send().expect(204);
    assert!(!world.server.log().contains(&world.token), "no key is logged");
}

fn nuget_blocked_by_origin_controls() {
    let mut world = NugetWorld::start();
    world.gallery.add(&Nupkg::new("Guarded", "1.0.0"));
    let origin = "/v1/package?domain=my-domain&repository=my-repo&format=nuget&package=Guarded";
    let set = |publish: &str, upstream: &str| {
        let body = json!({"restrictions": {"publish": publish, "upstream": upstream}});
        let _ = world.server.call("POST", origin, &body).expect(200);
    };
    set("BLOCK", "ALLOW");
    refused(&world.push(&Nupkg::new("guarded", "2.0.0").bytes()), 403, "blocked", "publishing is blocked");
    assert_eq!(world.versions("guarded"), ["1.0.0"]);
    set("ALLOW", "BLOCK");
    for path in [
        "flatcontainer/guarded/index.json",
        "flatcontainer/guarded/1.0.0/guarded.1.0.0.nupkg",
        "flatcontainer/guarded/1.0.0/guarded.nuspec",
        "registration4/guarded/index.json",
        "registration4/guarded/1.0.0.json",
    ] {
        assert_eq!(world.get(&format!("v3/{path}")).status, 404, "{path}");
    }
    assert_eq!(world.get("v3/autocomplete?id=guarded").expect(200).json()["data"], json!([]));
    set("ALLOW", "ALLOW");
    refused(&world.push(&Nupkg::new("Guarded", "1.0.0").bytes()), 409, "upstream", "a version that the gallery has");
}

fn nuget_wrong_methods_and_paths() {
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Here", "1.0.0"));
    for (method, path, allow) in [
        ("GET", "v3/publish", "PUT"),
        ("GET", "v3/publish/here/1.0.0", "DELETE, POST"),
        ("PUT", "v3/index.json", "GET, HEAD"),
        ("DELETE", "v3/flatcontainer/here/index.json", "GET, HEAD"),
        ("POST", "v3/registration4/here/index.json", "GET, HEAD"),
    ] {
        let answer = world.request(method, path).send();
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}");
    }
    for path in [
        "v3/flatcontainer/none/index.json",
        "v3/flatcontainer/here/2.0.0/here.2.0.0.nupkg",
        "v3/flatcontainer/here/1.0.0/other.1.0.0.nupkg",
        "v3/flatcontainer/here/1.0.0/readme",
        "v3/flatcontainer/here/one/here.one.nupkg",
        "v3/flatcontainer/he%20re/index.json",
        "v3/registration4/here/2.0.0.json",
        "v3/registration4/here/page/5.0.0/6.0.0.json",
        "v3/registration4/here/page/one/two.json",
        "v3/symbols/here.pdb/0000/here.pdb",
        "v3/nothing",
        "",
    ] {
        let answer = world.get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(!answer.reason.is_empty() && answer.reason != "Not Found", "{path} says why");
    }
    for path in ["v3/flatcontainer/here/..%2f..%2fetc/index.json", "v3/flatcontainer//index.json", "v3/%2e%2e/x"] {
        assert_eq!(world.get(path).status, 400, "{path}");
    }
}
