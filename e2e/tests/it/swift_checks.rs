//! Checks S-01 to S-11 at the wire, in the requests that SwiftPM makes.

use larder_e2e::swift::{JSON, MANIFEST, SwiftRegistry, ZIP, problem};
use larder_testkit::packages::SwiftPackage;
use larder_testkit::{Client, Server, tests};
use serde_json::json;

tests![
    s_01_login,
    s_02_publish,
    s_03_publish_again,
    s_04_resolve,
    s_05_resolve_with_a_clean_cache,
    s_06_pre_release_and_build,
    s_07_manifest_variants,
    s_08_other_spelling,
    s_09_signed_publish,
    s_10_unsigned_when_required,
    s_11_accept,
];

/// SwiftPM sends no `Accept` and no body.
fn s_01_login() {
    let registry = SwiftRegistry::start();
    let target = format!("{}/login", registry.server.path("swift", "my-repo"));
    let login = || registry.server.request("POST", &target);
    assert_eq!(login().token(&registry.token).send().expect(200).need_header("content-version"), "1");
    for user in ["token", "aws"] {
        let _ = login().basic(user, &registry.token).send().expect(200);
    }
    let _ = registry.request("GET", "availability").send().expect(200);
    let client = Client::new(&registry.server);
    let arguments = ["codeartifact", "get-repository-endpoint", "--format", "swift", "--domain", "my-domain"];
    let more = ["--repository", "my-repo", "--query", "repositoryEndpoint", "--output", "text"];
    let endpoint = client.program("aws").args(arguments).args(more).succeeds();
    assert_eq!(endpoint.text(), registry.server.endpoint("swift", "my-repo"));
    // The CLI would run these; it does not look for the program beforehand.
    client.write("Package.swift", "");
    let arguments = ["codeartifact", "login", "--tool", "swift", "--domain", "my-domain", "--repository", "my-repo"];
    let dry = client.program("aws").args(arguments).arg("--dry-run").succeeds();
    dry.says(&format!("swift package-registry login {}login", endpoint.text())).says("login token password");
}

fn s_02_publish() {
    let registry = SwiftRegistry::start();
    let answer = registry.publish(&SwiftPackage::new("acme.Lib", "1.0.0")).expect(201);
    let location = format!("{}acme/Lib/1.0.0", registry.server.endpoint("swift", "my-repo"));
    assert_eq!(answer.need_header("location"), location);
    assert_eq!(answer.need_header("content-version"), "1");
    let release = registry.get(JSON, "acme/Lib/1.0.0").expect(200).json();
    assert_eq!((&release["id"], &release["version"]), (&json!("acme.Lib"), &json!("1.0.0")));
    assert_eq!(release["metadata"], json!({}));
    let published_at = release["publishedAt"].as_str().expect("a time");
    assert!(published_at.len() == 20 && published_at.ends_with('Z'), "{published_at}");
}

fn s_03_publish_again() {
    let registry = SwiftRegistry::start();
    let package = SwiftPackage::new("acme.Lib", "1.0.0");
    let _ = registry.publish(&package).expect(201);
    let detail = problem(&registry.publish(&package), 409);
    assert!(detail.contains("1.0.0") && detail.contains("exists"), "{detail}");
    let _ = problem(&registry.publish(&package.file("more.swift", "// more")), 409);
}

fn s_04_resolve() {
    let registry = SwiftRegistry::start();
    let package = SwiftPackage::new("acme.Lib", "1.0.0");
    let _ = registry.publish(&package).expect(201);
    assert_eq!(registry.resolve("acme/Lib", "1.0.0"), package.archive());
}

/// What was recorded on first use is the same after a restart and with other releases beside it.
fn s_05_resolve_with_a_clean_cache() {
    let registry = SwiftRegistry::start();
    let package =
        SwiftPackage::new("acme.Lib", "1.0.0").file("Package@swift-5.5.swift", "// swift-tools-version:5.5\n");
    let _ = registry.publish(&package).expect(201);
    let pinned = |registry: &SwiftRegistry| {
        let manifest = |query| registry.get(MANIFEST, &format!("acme/Lib/1.0.0/Package.swift{query}")).expect(200).body;
        (registry.resolve("acme/Lib", "1.0.0"), manifest(""), manifest("?swift-version=5.5"))
    };
    let first = pinned(&registry);
    let _ = registry.publish(&SwiftPackage::new("acme.Lib", "1.0.1")).expect(201);
    let registry = SwiftRegistry::of(registry.server.stop().start());
    assert!(pinned(&registry) == first);
}

fn s_06_pre_release_and_build() {
    let registry = SwiftRegistry::start();
    for version in ["1.0.0", "1.1.0-rc.1", "1.1.0+5", "1.1.0+5.zip", "0.0.0-g1234"] {
        let package = SwiftPackage::new("acme.Lib", version);
        let _ = registry.publish(&package).expect(201);
        assert_eq!(registry.resolve("acme/Lib", version), package.archive(), "{version}");
    }
    let newest_first = ["1.1.0+5.zip", "1.1.0+5", "1.1.0-rc.1", "1.0.0", "0.0.0-g1234"];
    assert_eq!(registry.resolvable("acme/Lib"), newest_first);
    // The address is the release 1.1.0+5.zip and the archive of 1.1.0+5: the client says which it wants.
    let release = registry.get(JSON, "acme/Lib/1.1.0+5.zip").expect(200).json();
    assert_eq!(release["version"], "1.1.0+5.zip");
    let archive = registry.get(ZIP, "acme/Lib/1.1.0+5.zip").expect(200);
    assert_eq!(archive.body, SwiftPackage::new("acme.Lib", "1.1.0+5").archive());
    let _ = registry.get(JSON, "acme/Lib/1.1.0%2B5.json").expect(200);
}

fn s_07_manifest_variants() {
    let registry = SwiftRegistry::start();
    let variant = "// swift-tools-version:5.9\n// for newer tools\n// signature: cms-1.0.0;QUJD";
    let package = SwiftPackage::new("acme.Lib", "1.0.0")
        .file("Package@swift-5.9.swift", variant)
        .file("Package@swift-6.swift", "// swift-tools-version:6.0\n")
        .file("Nested/Package@swift-5.8.swift", "no manifest of this package");
    let _ = registry.publish(&package).expect(201);
    let path = "acme/Lib/1.0.0/Package.swift";
    let plain = registry.get(MANIFEST, path).expect(200);
    assert_eq!(plain.need_header("content-disposition"), "attachment; filename=\"Package.swift\"");
    assert_eq!(plain.need_header("content-length"), plain.body.len().to_string());
    let url = format!("{}{path}", registry.server.endpoint("swift", "my-repo"));
    let alternates = [("5.9", "Package@swift-5.9.swift", "5.9"), ("6", "Package@swift-6.swift", "6.0")].map(|(version, file, tools)| {
        format!("<{url}?swift-version={version}>; rel=\"alternate\"; filename=\"{file}\"; swift-tools-version=\"{tools}\"")
    });
    assert_eq!(plain.need_header("link"), alternates.join(", "));
    // SwiftPM asks with all three numbers.
    for asked in ["5.9", "5.9.0"] {
        let found = registry.get(MANIFEST, &format!("{path}?swift-version={asked}")).expect(200);
        assert_eq!(found.text(), variant, "the signature in its last line is kept");
        assert_eq!(found.need_header("content-disposition"), "attachment; filename=\"Package@swift-5.9.swift\"");
    }
    for missing in ["5.8", "5.10", "4", "x"] {
        let answer = registry.get(MANIFEST, &format!("{path}?swift-version={missing}")).expect(303);
        assert_eq!(answer.need_header("location"), url, "{missing}");
    }
    let head = registry.request("HEAD", path).header("Accept", MANIFEST).send().expect(200);
    assert_eq!(head.need_header("content-length"), plain.body.len().to_string());
}

fn s_08_other_spelling() {
    let registry = SwiftRegistry::start();
    let package = SwiftPackage::new("Acme.Lib", "1.0.0");
    let _ = registry.publish(&package).expect(201);
    for spelling in ["acme/lib", "ACME/LIB", "Acme/Lib"] {
        assert_eq!(registry.resolve(spelling, "1.0.0"), package.archive());
        assert_eq!(registry.get(JSON, &format!("{spelling}/1.0.0")).json()["id"], "Acme.Lib");
        let list = registry.get(JSON, spelling).expect(200);
        assert!(list.need_header("link").contains("/Acme/Lib/1.0.0>"), "the spelling of the first publish is shown");
    }
    let _ = problem(&registry.publish(&SwiftPackage::new("ACME.lib", "1.0.0")), 409);
    let other = registry.publish(&SwiftPackage::new("ACME.lib", "1.1.0")).expect(201);
    assert!(other.need_header("location").ends_with("/Acme/Lib/1.1.0"));
}

fn s_09_signed_publish() {
    let registry = SwiftRegistry::start();
    let client = Client::unconfigured();
    let certificate = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=signer \
                       -keyout key.pem -out cert.pem";
    let _ = client.system("openssl").args(certificate.split_whitespace()).succeeds();
    let sign = |name: &str| {
        let arguments =
            format!("cms -sign -binary -outform DER -signer cert.pem -inkey key.pem -in {name} -out {name}.sig");
        let _ = client.system("openssl").args(arguments.split_whitespace()).succeeds();
        std::fs::read(client.home().join(format!("{name}.sig"))).expect("a signature")
    };
    let metadata = r#"{"description": "signed"}"#;
    let package = SwiftPackage::new("acme.Signed", "1.0.0").metadata(metadata);
    client.write("archive", package.archive());
    client.write("metadata", metadata);
    let package = package.signed(sign("archive"), Some(sign("metadata")));
    let _ = registry.publish(&package).expect(201);

    let release = registry.get(JSON, "acme/Signed/1.0.0").expect(200).json();
    let signing = &release["resources"][0]["signing"];
    assert_eq!(signing["signatureFormat"], "cms-1.0.0");
    assert_eq!(release["metadata"]["description"], "signed");
    let archive = registry.get(ZIP, "acme/Signed/1.0.0.zip").expect(200);
    assert_eq!(archive.need_header("x-swift-package-signature-format"), "cms-1.0.0");
    let signature = archive.need_header("x-swift-package-signature");
    assert_eq!(signing["signatureBase64Encoded"], signature);
    client.write("kept.sig.base64", signature);
    client.write("kept", &archive.body);
    let verify = "base64 -d kept.sig.base64 > kept.sig && openssl cms -verify -binary -inform DER -in kept.sig \
                  -content kept -CAfile cert.pem -purpose any -out /dev/null";
    let _ = client.shell(verify).succeeds();
    let again = registry.get(ZIP, "acme/Signed/1.0.0.zip").expect(200);
    assert_eq!(again.header("x-swift-package-signature"), Some(signature), "also when it is answered from memory");
}

fn s_10_unsigned_when_required() {
    let stopped = Server::start().stop();
    std::fs::write(stopped.data().join("larder.toml"), "[swift]\nrequire-signatures = true\n").expect("the file");
    let registry = SwiftRegistry::of(stopped.start());
    let detail = problem(&registry.publish(&SwiftPackage::new("acme.Lib", "1.0.0")), 422);
    assert!(detail.contains("signed"), "{detail}");
}

fn s_11_accept() {
    let registry = SwiftRegistry::start();
    let _ = registry.publish(&SwiftPackage::new("acme.Lib", "1.0.0")).expect(201);
    let vendor = "application/vnd.swift.registry";
    for path in ["acme/Lib", "acme/Lib.json", "acme/Lib/1.0.0", "acme/Lib/1.0.0.json"] {
        for accept in ["*/*", JSON, "application/vnd.swift.registry.v1", "application/json"] {
            assert_eq!(registry.get(accept, path).expect(200).need_header("content-version"), "1", "{path} {accept}");
        }
        let _ = registry.request("GET", path).send().expect(200);
        let _ = problem(&registry.get(&format!("{vendor}.v2+json"), path), 400);
        let _ = problem(&registry.get(&format!("{vendor}.v1+zip"), path), 415);
    }
    let _ = problem(&registry.get(JSON, "acme/Lib/1.0.0.zip"), 415);
    let _ = problem(&registry.get(JSON, "acme/Lib/1.0.0/Package.swift"), 415);
    let _ = problem(&registry.get(&format!("{vendor}.v3+zip"), "acme/Lib/1.0.0.zip"), 400);
    let _ = problem(&registry.get(&format!("{vendor}.v2+json"), "identifiers?url=https://example.test/a/b"), 400);
}
