//! Bad input to Swift's endpoints, over raw HTTP: each row its status, a problem that explains it, and nothing stored.

use larder_e2e::swift::{JSON, SwiftRegistry};
use larder_testkit::packages::SwiftPackage;
use larder_testkit::{Response, Server, tests};
use serde_json::json;

tests![
    swift_bad_names_and_versions,
    swift_bad_forms,
    swift_bad_archives,
    swift_bad_metadata,
    swift_bad_signatures,
    swift_conflicts_and_blocks,
    swift_too_large,
    swift_wrong_methods_and_addresses,
    swift_early_answers,
];

fn refused(what: &str, answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert_eq!(answer.need_header("content-type"), "application/problem+json", "{what}");
    assert_eq!(answer.need_header("content-version"), "1", "{what}");
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{what}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{what} is not explained: {problem}");
    assert!(problem["type"].is_string() && problem["title"].is_string(), "{what}: {problem}");
}

fn absent(registry: &SwiftRegistry, package: &str) {
    assert_eq!(registry.get(JSON, package).status, 404, "something of {package} was stored");
}

fn lib() -> SwiftPackage {
    SwiftPackage::new("acme.Lib", "1.0.0")
}

fn swift_bad_names_and_versions() {
    let registry = SwiftRegistry::start();
    let (headers, body) = lib().publish_form();
    let long = "a".repeat(101);
    for path in [
        "-acme/Lib/1.0.0",
        "acme-/Lib/1.0.0",
        "ac--me/Lib/1.0.0",
        "ac_me/Lib/1.0.0",
        "ac.me/Lib/1.0.0",
        "acme/_Lib/1.0.0",
        "acme/Lib_/1.0.0",
        "acme/L.ib/1.0.0",
        "acme/L%C3%AFb/1.0.0",
        "acme/L%20b/1.0.0",
        &format!("{}/Lib/1.0.0", &long[..40]),
        &format!("acme/{long}/1.0.0"),
        "acme/Lib/v1.0.0",
        "acme/Lib/1.0",
        "acme/Lib/1",
        "acme/Lib/01.0.0",
        "acme/Lib/1.0.0-",
        "acme/Lib/1.0.0-01",
        "acme/Lib/latest",
        "acme/Lib/..",
        "acme/Lib/1.0.0%2F..",
        "acme/Lib/1.0.0%00",
    ] {
        let request = registry.request("PUT", path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        refused(path, &request.body(body.clone()).send(), 400);
        refused(path, &registry.get("*/*", path), 400);
    }
    for path in ["acme/Lib/v1.0.0.zip", "acme/Lib/1.0/Package.swift", "ac_me/Lib", "acme/L.ib.json"] {
        refused(path, &registry.get("*/*", path), 400);
    }
    absent(&registry, "acme/Lib");
}

fn swift_bad_forms() {
    let registry = SwiftRegistry::start();
    let put = |content_type: &str, body: Vec<u8>| {
        registry
            .request("PUT", "acme/Lib/1.0.0")
            .header("accept", JSON)
            .header("content-type", content_type)
            .body(body)
            .send()
    };
    refused("a bare zip", &put("application/zip", lib().archive()), 415);
    refused("json", &put("application/json", b"{}".to_vec()), 415);
    refused("no boundary", &put("multipart/form-data", lib().publish_form().1), 415);
    refused("no type", &registry.request("PUT", "acme/Lib/1.0.0").body(lib().archive()).send(), 415);
    let form = "multipart/form-data; boundary=b";
    let part = |name: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nx\r\n");
    refused("no parts", &put(form, b"--b--\r\n".to_vec()), 422);
    refused("no archive", &put(form, format!("{}--b--\r\n", part("metadata")).into_bytes()), 422);
    let twice = format!("{}{}--b--\r\n", part("source-archive"), part("source-archive"));
    refused("two archives", &put(form, twice.into_bytes()), 422);
    let twice = format!("{}{}{}--b--\r\n", part("source-archive"), part("metadata"), part("metadata"));
    refused("two metadata", &put(form, twice.into_bytes()), 422);
    refused("many parts", &put(form, format!("{}--b--\r\n", part("other").repeat(40)).into_bytes()), 422);
    refused("cut off", &put(form, part("source-archive").into_bytes()), 422);
    refused("no form at all", &put(form, b"nothing".to_vec()), 422);
    absent(&registry, "acme/Lib");
}

fn swift_bad_archives() {
    let registry = SwiftRegistry::start();
    let zip = lib().archive();
    for (what, package) in [
        ("empty", lib().with_archive("")),
        ("not a zip", lib().with_archive("not a zip")),
        ("cut off", lib().with_archive(&zip[..zip.len() - 9])),
        ("bytes in front", lib().with_archive([b"#!/bin/sh\n".as_slice(), &zip].concat())),
        ("bytes behind", lib().with_archive([zip.as_slice(), b"tail"].concat())),
        ("no manifest", lib().without("Package.swift")),
        (
            "a nested manifest only",
            lib().without("Package.swift").file("Sub/Package.swift", "// swift-tools-version:5.9\n"),
        ),
        ("two top folders", lib().entry("Other/x.swift", "")),
        ("a file beside the top folder", lib().entry("x.swift", "")),
        ("no tools version", lib().file("Package.swift", "import PackageDescription\n")),
        ("a bad tools version", lib().file("Package.swift", "// swift-tools-version:latest\n")),
        ("a variant without tools version", lib().file("Package@swift-5.9.swift", "import PackageDescription\n")),
        ("a name that climbs", lib().entry("Lib/../../evil", "x")),
        ("an absolute name", lib().entry("/etc/evil", "x")),
        ("a backslash", lib().entry("Lib\\evil", "x")),
        ("a link that climbs", lib().link("link", "../../etc/passwd")),
        ("an absolute link", lib().link("link", "/etc/passwd")),
        ("a bomb", lib().file("zeros", vec![0; 70 << 20])),
        (
            "a manifest without end",
            lib().file("Package.swift", [b"// swift-tools-version:5.9\n".to_vec(), vec![b' '; 11 << 20]].concat()),
        ),
    ] {
        refused(what, &registry.publish(&package), 422);
    }
    absent(&registry, "acme/Lib");
    let _ = registry.publish(&lib().link("link", "README.md")).expect(201);
}

fn swift_bad_metadata() {
    let registry = SwiftRegistry::start();
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100), "]".repeat(100));
    for metadata in [
        "",
        "no json",
        "[]",
        "null",
        "{",
        r#"{"description": 1}"#,
        r#"{"author": "name"}"#,
        r#"{"author": {}}"#,
        r#"{"repositoryURLs": "url"}"#,
        r#"{"repositoryURLs": [1]}"#,
        r#"{"licenseURL": {}}"#,
        r#"{"originalPublicationTime": 5}"#,
        &deep,
    ] {
        refused(metadata, &registry.publish(&lib().metadata(metadata)), 422);
    }
    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(300 << 10));
    refused("large metadata", &registry.publish(&lib().metadata(large)), 413);
    absent(&registry, "acme/Lib");
}

/// The outermost form of a CMS signature.
fn signature(content: u16) -> Vec<u8> {
    let identifier = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let length = (11 + content).to_be_bytes();
    [&[0x30, 0x82], &length[..], &identifier, &vec![0xa0; usize::from(content)]].concat()
}

fn swift_bad_signatures() {
    let registry = SwiftRegistry::start();
    for (what, package) in [
        ("no CMS", lib().signed("signature", None)),
        ("empty", lib().signed("", None)),
        ("too large for a header", lib().signed(signature(13 << 10), None)),
        ("far too large", lib().signed(vec![0x30; 200 << 10], None)),
        ("metadata signed with nothing", lib().metadata("{}").signed(signature(40), Some(b"x".to_vec()))),
        ("a signature of no metadata", lib().signed(signature(40), Some(signature(40)))),
    ] {
        refused(what, &registry.publish(&package), 422);
    }
    let send = |package: &SwiftPackage, format: Option<&str>| {
        let (headers, body) = package.publish_form();
        let kept = headers.into_iter().filter(|(name, _)| !name.starts_with("X-Swift"));
        let request =
            kept.fold(registry.request("PUT", "acme/Lib/1.0.0"), |request, (name, value)| request.header(name, value));
        let request = match format {
            Some(format) => request.header("X-Swift-Package-Signature-Format", format),
            None => request,
        };
        request.body(body).send()
    };
    refused("no format", &send(&lib().signed(signature(40), None), None), 422);
    refused("another format", &send(&lib().signed(signature(40), None), Some("pgp-1.0.0")), 422);
    refused("a format and no signature", &send(&lib(), Some("cms-1.0.0")), 422);
    absent(&registry, "acme/Lib");
}

fn swift_conflicts_and_blocks() {
    let registry = SwiftRegistry::start();
    let _ = registry.publish(&lib()).expect(201);
    refused("again", &registry.publish(&lib()), 409);
    refused("a twin in case", &registry.publish(&SwiftPackage::new("ACME.LIB", "1.0.0")), 409);
    let target = "/v1/package?domain=my-domain&repository=my-repo&format=swift&namespace=acme&package=blocked";
    let body = json!({"restrictions": {"publish": "BLOCK", "upstream": "ALLOW"}});
    let _ = registry.server.call("POST", target, &body).expect(200);
    refused("blocked", &registry.publish(&SwiftPackage::new("acme.Blocked", "1.0.0")), 403);
    absent(&registry, "acme/Blocked");
}

fn swift_too_large() {
    let stopped = Server::start().stop();
    std::fs::write(stopped.data().join("larder.toml"), "[limits]\nasset-size-bytes = 100000\n").expect("the file");
    let registry = SwiftRegistry::of(stopped.start());
    refused("a large archive", &registry.publish(&lib().with_archive(vec![b'x'; 200_000])), 413);
    refused("a very large archive", &registry.publish(&lib().with_archive(vec![b'x'; 5_000_000])), 413);
    absent(&registry, "acme/Lib");
}

fn swift_wrong_methods_and_addresses() {
    let registry = SwiftRegistry::start();
    for (method, path, allow) in [
        ("GET", "login", "POST"),
        ("POST", "identifiers", "GET, HEAD"),
        ("PUT", "availability", "GET, HEAD"),
        ("PUT", "acme/Lib", "GET, HEAD"),
        ("DELETE", "acme/Lib/1.0.0", "GET, HEAD, PUT"),
        ("PATCH", "acme/Lib/1.0.0", "GET, HEAD, PUT"),
        ("DELETE", "acme/Lib/1.0.0/Package.swift", "GET, HEAD"),
    ] {
        let answer = registry.request(method, path).send();
        refused(path, &answer, 405);
        assert_eq!(answer.need_header("allow"), allow, "{method} {path}");
    }
    for path in ["", "acme", "acme/Lib/1.0.0/other", "acme/Lib/1.0.0/Package.swift/x", "a/b/c/d/e"] {
        refused(path, &registry.request("GET", path).send(), 404);
    }
    refused("nothing there", &registry.get(JSON, "acme/Lib"), 404);
    let bad_query = registry.get(JSON, "identifiers?url=%ff");
    refused("a query that is no text", &bad_query, 400);
}

/// With `Expect: 100-continue` a refusal that needs no body comes before any is sent.
fn swift_early_answers() {
    use std::io::{Read as _, Write as _};
    let registry = SwiftRegistry::start();
    let _ = registry.publish(&lib()).expect(201);
    let (headers, body) = lib().publish_form();
    let ask = |version: &str| {
        let request = registry.request("PUT", &format!("acme/Lib/{version}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let mut stream = request.lying_about_its_length(&body.len().to_string()).open().expect("a connection");
        let mut first = [0; 12];
        stream.read_exact(&mut first).expect("an answer");
        (String::from_utf8_lossy(&first).into_owned(), stream)
    };
    assert_eq!(ask("1.0.0").0, "HTTP/1.1 409");
    let (first, mut stream) = ask("1.1.0");
    assert_eq!(first, "HTTP/1.1 100");
    stream.write_all(&body).expect("the body is taken");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the answer");
    assert!(rest.contains("HTTP/1.1 201 Created"), "{rest}");
}
