//! Checks S-12 to S-18 at the wire, repositories upstream, the AWS side, and the real client where there is one.

use base64::Engine as _;
use larder_e2e::swift::{JSON, SwiftRegistry, ZIP, links, problem};
use larder_testkit::packages::{SwiftPackage, sha256};
use larder_testkit::{Client, Server, tests};
use serde_json::{Value, json};

tests![
    s_12_identifiers,
    s_13_many_releases,
    s_14_archive_head_range_digest,
    s_15_login_with_a_wrong_token,
    s_16_removed_release,
    s_17_no_credentials,
    s_18_file_names,
    swift_whole_packages_come_from_the_first_repository,
    swift_api_describes_releases,
    swift_real_client,
];

fn s_12_identifiers() {
    let registry = SwiftRegistry::start();
    let ask =
        |url: &str| registry.get(JSON, &format!("identifiers?url={}", url.replace(':', "%3A").replace('/', "%2F")));
    let _ = problem(&ask("https://example.test/acme/lib"), 404);
    let metadata = r#"{"repositoryURLs": ["https://example.test/acme/lib.git", "git@mirror.test:acme/lib.git"]}"#;
    let _ = registry.publish(&SwiftPackage::new("acme.Lib", "1.0.0").metadata(metadata)).expect(201);
    for url in [
        "https://example.test/acme/lib",
        "https://example.test/acme/lib.git",
        "https://Example.test/acme/lib/",
        "ssh://git@example.test/acme/lib.git",
        "git@example.test:acme/lib.git",
        "https://mirror.test/acme/lib",
    ] {
        let answer = ask(url).expect(200);
        assert_eq!(answer.json(), json!({"identifiers": ["acme.Lib"]}), "{url}");
        assert_eq!(answer.need_header("content-version"), "1");
    }
    for unknown in ["https://example.test/acme/other", "/not/a/url", "x"] {
        let answer = ask(unknown);
        let _ = problem(&answer, 404);
        assert!(answer.header("cache-control").is_some(), "it is asked for every dependency");
    }
    let _ = problem(&registry.get(JSON, "identifiers"), 400);
    let _ = problem(&registry.get(JSON, "identifiers?url="), 400);
    let list = registry.get(JSON, "acme/Lib").expect(200);
    let found = links(&list);
    let has = |url: &str, relation: &str| found.iter().any(|(have, is)| have == url && is == relation);
    assert!(
        has("https://example.test/acme/lib.git", "canonical") && has("git@mirror.test:acme/lib.git", "alternate"),
        "{found:?}"
    );
    // A package that goes takes its addresses along.
    let target = "/v1/package?domain=my-domain&repository=my-repo&format=swift&namespace=acme&package=lib";
    let _ = registry.server.call("DELETE", target, &Value::Null).expect(200);
    let _ = problem(&ask("https://example.test/acme/lib"), 404);
}

fn s_13_many_releases() {
    let registry = SwiftRegistry::start();
    let versions: Vec<String> = (0..300).map(|n| format!("1.{}.{}", n / 100, n % 100)).collect();
    for version in &versions {
        let _ = registry.publish(&SwiftPackage::new("acme.Many", version)).expect(201);
    }
    let mut newest_first = versions;
    newest_first.reverse();
    assert_eq!(registry.resolvable("acme/Many"), newest_first);
    let relations = |path: &str| -> Vec<String> {
        links(&registry.get(JSON, path).expect(200)).into_iter().map(|(_, relation)| relation).collect()
    };
    assert_eq!(relations("acme/Many"), ["latest-version", "first", "next", "last"]);
    assert_eq!(relations("acme/Many?page=2"), ["latest-version", "first", "prev", "next", "last"]);
    assert_eq!(relations("acme/Many?page=3"), ["latest-version", "first", "prev", "last"]);
    let release = registry.get(JSON, "acme/Many/1.1.0").expect(200);
    let relations = links(&release);
    let end = |relation: &str| {
        relations.iter().find(|(_, is)| is == relation).map(|(url, _)| url.rsplit('/').next().unwrap_or_default())
    };
    assert_eq!(end("latest-version"), Some("1.2.99"));
    assert_eq!((end("successor-version"), end("predecessor-version")), (Some("1.1.1"), Some("1.0.99")));
    let _ = problem(&registry.get(JSON, "acme/Many?page=4"), 404);
    for bad in ["0", "-1", "x", ""] {
        let _ = problem(&registry.get(JSON, &format!("acme/Many?page={bad}")), 400);
    }
}

fn s_14_archive_head_range_digest() {
    let registry = SwiftRegistry::start();
    let package = SwiftPackage::new("acme.Lib", "1.0.0");
    let _ = registry.publish(&package).expect(201);
    let bytes = package.archive();
    let path = "acme/Lib/1.0.0.zip";
    let get = |method: &str| registry.request(method, path).header("Accept", ZIP);
    // The second answer comes from memory.
    for _ in 0..2 {
        let whole = get("GET").send().expect(200);
        let head = get("HEAD").send().expect(200);
        assert_eq!(whole.body, bytes);
        for answer in [&whole, &head] {
            assert_eq!(answer.need_header("content-length"), bytes.len().to_string());
            assert_eq!(answer.need_header("accept-ranges"), "bytes");
            assert_eq!(answer.need_header("content-disposition"), "attachment; filename=\"Lib-1.0.0.zip\"");
            let digest = answer.need_header("digest").strip_prefix("sha-256=").expect("a digest");
            let decoded = base64::engine::general_purpose::STANDARD.decode(digest).expect("base64");
            assert_eq!(hex::encode(decoded), sha256(&bytes));
            assert!(answer.header("content-encoding").is_none());
            assert!(answer.header("x-swift-package-signature").is_none());
        }
    }
    let part = get("GET").header("Range", "bytes=10-19").send().expect(206);
    assert_eq!(
        (part.body.as_slice(), part.need_header("content-range")),
        (&bytes[10..20], format!("bytes 10-19/{}", bytes.len()).as_str())
    );
    let _ = get("GET").header("Range", "bytes=999999-").send().expect(416);
    let tag = get("GET").send().need_header("etag").to_owned();
    let _ = get("GET").header("If-None-Match", tag).send().expect(304);
}

fn s_15_login_with_a_wrong_token() {
    let registry = SwiftRegistry::start();
    let target = format!("{}/login", registry.server.path("swift", "my-repo"));
    for request in [
        registry.server.request("POST", &target).token("wrong"),
        registry.server.request("POST", &target).basic("token", "wrong"),
        registry.server.request("POST", &target),
    ] {
        let answer = request.send();
        assert!(problem(&answer, 401).contains("token"), "{answer:?}");
        assert!(answer.need_header("www-authenticate").starts_with("Basic"));
    }
}

fn s_16_removed_release() {
    let registry = SwiftRegistry::start();
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        let _ = registry.publish(&SwiftPackage::new("acme.Lib", version)).expect(201);
    }
    let change = |path: &str, body: Value| {
        let query = "domain=my-domain&repository=my-repo&format=swift&namespace=acme&package=lib";
        let answer =
            registry.server.call("POST", &format!("/v1/package/versions/{path}?{query}"), &body).expect(200).json();
        assert_eq!(answer["failedVersions"], json!({}), "{answer}");
    };
    change("update_status", json!({"versions": ["1.1.0"], "targetStatus": "Archived"}));
    change("dispose", json!({"versions": ["1.2.0"]}));
    change("update_status", json!({"versions": ["1.3.0"], "targetStatus": "Unlisted"}));
    assert_eq!(registry.resolvable("acme/Lib"), ["1.0.0"]);
    let list = registry.get(JSON, "acme/Lib").expect(200).json();
    for removed in ["1.1.0", "1.2.0"] {
        assert_eq!(list["releases"][removed]["problem"]["status"], 410, "{list}");
        for path in [
            format!("acme/Lib/{removed}"),
            format!("acme/Lib/{removed}.zip"),
            format!("acme/Lib/{removed}/Package.swift"),
        ] {
            assert!(problem(&registry.get("*/*", &path), 404).contains("removed"), "{path}");
        }
        let _ = problem(&registry.publish(&SwiftPackage::new("acme.Lib", removed)), 409);
    }
    assert!(list["releases"]["1.3.0"].is_null(), "unlisted");
    let _ = registry.get(ZIP, "acme/Lib/1.3.0.zip").expect(200);
}

fn s_17_no_credentials() {
    let registry = SwiftRegistry::start();
    let _ = registry.publish(&SwiftPackage::new("acme.Lib", "1.0.0")).expect(201);
    for path in [
        "acme/Lib",
        "acme/Lib/1.0.0",
        "acme/Lib/1.0.0.zip",
        "acme/Lib/1.0.0/Package.swift",
        "identifiers?url=x",
        "nobody/Nothing",
    ] {
        let target = format!("{}/{path}", registry.server.path("swift", "my-repo"));
        let answer = registry.server.request("GET", &target).header("Accept", JSON).send();
        let _ = problem(&answer, 401);
        assert!(answer.need_header("www-authenticate").starts_with("Basic"));
    }
}

fn s_18_file_names() {
    let registry = SwiftRegistry::start();
    let package = SwiftPackage::new("acme.Lib", "1.0.0").metadata(r#"{"description":"d"}"#).with_file_names();
    let _ = registry.publish(&package).expect(201);
    assert_eq!(registry.resolve("acme/Lib", "1.0.0"), package.archive());
    let client = Client::unconfigured();
    client.write("source.zip", SwiftPackage::new("acme.Curl", "1.0.0").archive());
    let ran = client
        .system("curl")
        .args(["-sS", "--fail-with-body", "-i", "-X", "PUT", "-u", &format!("aws:{}", registry.token)])
        .args(["-H", &format!("Accept: {JSON}"), "-F", "source-archive=@source.zip"])
        .arg(format!("{}acme/Curl/1.0.0", registry.server.endpoint("swift", "my-repo")))
        .succeeds();
    ran.says("201 Created");
    let _ = registry.resolve("acme/Curl", "1.0.0");
}

fn swift_whole_packages_come_from_the_first_repository() {
    let registry = SwiftRegistry::start();
    let call = |method: &str, target: &str, body: Value| registry.server.call(method, target, &body).expect(200);
    for name in ["first", "second"] {
        let _ = call("POST", &format!("/v1/repository?domain=my-domain&repository={name}"), json!({}));
    }
    let upstreams = json!({"upstreams": [{"repositoryName": "first"}, {"repositoryName": "second"}]});
    let _ = call("PUT", "/v1/repository?domain=my-domain&repository=my-repo", upstreams);
    for (repository, version) in [("first", "1.0.0"), ("first", "1.1.0"), ("second", "1.1.0"), ("second", "2.0.0")] {
        let package = SwiftPackage::new("acme.Lib", version).file("from.txt", repository);
        let _ = registry.publish_in(repository, &package).expect(201);
    }
    let _ = registry.publish_in("second", &SwiftPackage::new("acme.Other", "3.0.0")).expect(201);
    let from_first = |version| SwiftPackage::new("acme.Lib", version).file("from.txt", "first").archive();
    assert_eq!(registry.resolvable("acme/Lib"), ["1.1.0", "1.0.0"]);
    assert_eq!(registry.resolve("acme/Lib", "1.1.0"), from_first("1.1.0"));
    for path in ["acme/Lib/2.0.0", "acme/Lib/2.0.0.zip", "acme/Lib/2.0.0/Package.swift"] {
        let _ = problem(&registry.get("*/*", path), 404);
    }
    // What was fetched is kept in my-repo now, and stands for where it came from.
    let started = std::time::Instant::now();
    let kept =
        "/v1/package/version?domain=my-domain&repository=my-repo&format=swift&namespace=acme&package=lib&version=1.1.0";
    while registry.server.call("GET", kept, &Value::Null).status != 200 {
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "1.1.0 was not retained");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(registry.resolvable("acme/Lib"), ["1.1.0", "1.0.0"]);
    assert_eq!(registry.resolve("acme/Lib", "1.0.0"), from_first("1.0.0"));
    let _ = problem(&registry.get(ZIP, "acme/Lib/2.0.0.zip"), 404);
    assert_eq!(registry.resolvable("acme/Other"), ["3.0.0"]);
    // A name that comes from upstream is closed to publishing.
    let _ = problem(&registry.publish(&SwiftPackage::new("acme.Lib", "9.0.0")), 403);
    let _ = problem(&registry.publish(&SwiftPackage::new("acme.Other", "3.0.0")), 409);
}

fn swift_api_describes_releases() {
    let registry = SwiftRegistry::start();
    let metadata = r#"{"description": "A library.", "licenseURL": "https://example.test/LICENSE",
        "repositoryURLs": ["https://example.test/acme/lib.git"], "author": {"name": "A"}, "custom": [1.50]}"#;
    let _ = registry.publish(&SwiftPackage::new("Acme.Lib", "1.0.0").metadata(metadata)).expect(201);
    let release = registry.get(JSON, "Acme/Lib/1.0.0").expect(200);
    assert!(release.text().contains("1.50"), "the publisher's metadata is kept as it was sent");
    let query = "domain=my-domain&repository=my-repo&format=swift&namespace=acme&package=lib&version=1.0.0";
    let call = |path: &str, method: &str| {
        registry.server.call(method, &format!("/v1/package/version{path}?{query}"), &Value::Null)
    };
    let described = call("", "GET").expect(200).json();
    let version = &described["packageVersion"];
    assert_eq!((&version["displayName"], &version["summary"]), (&json!("Acme.Lib"), &json!("A library.")));
    assert_eq!(version["sourceCodeRepository"], "https://example.test/acme/lib.git");
    assert_eq!(version["status"], "Published");
    let assets = call("/assets", "POST").expect(200).json();
    let names: Vec<&str> =
        assets["assets"].as_array().expect("assets").iter().filter_map(|asset| asset["name"].as_str()).collect();
    assert_eq!(names, ["Lib-1.0.0.zip"]);
    assert_eq!(call("/readme", "GET").expect(200).json()["readme"], "# Lib\n");
}

/// The script runs the commands of the table where there is a Swift toolchain.
fn swift_real_client() {
    if std::process::Command::new("swift").arg("--version").output().is_err() {
        larder_testkit::skip("there is no swift on this machine; its requests are sent as it makes them instead");
    }
    let server = Server::builder().env("LARDER_TLS", "self-signed").start();
    let authority = server.data().join("tls/ca.pem").to_string_lossy().into_owned();
    let mut client = Client::new(&server);
    for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "URLSessionCertificateAuthorityInfoFile"] {
        client.set(name, &authority);
    }
    let arguments = ["codeartifact", "get-authorization-token", "--domain", "my-domain"];
    let more = ["--query", "authorizationToken", "--output", "text"];
    let token = client.program("aws").args(arguments).args(more).succeeds().text().to_owned();
    let script = larder_testkit::tools::repository().join("e2e/swift/registry.sh");
    let ran = client.system("bash").arg(script).arg(server.endpoint("swift", "my-repo")).arg(token);
    ran.limit(std::time::Duration::from_secs(900)).succeeds().says("all commands did what they should");
}
