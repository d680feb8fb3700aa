//! Checks M-14, M-15, M-17 to M-20, M-24 to M-26, and what newer clients send, as raw requests or with curl.

use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_e2e::maven::{consumer, metadata, mvn, names, pom};
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY};
use larder_testkit::{Client, tests};

tests![
    m_14_head_and_resume,
    m_15_checksums_of_four_kinds,
    m_17_metadata_of_nothing,
    m_18_release_here_snapshot_there,
    m_19_upstream_down,
    m_20_prefixes,
    m_24_no_credentials,
    m_25_odd_paths,
    m_26_ten_thousand_versions,
    maven_rights,
    maven_gradle_module_metadata,
    maven_snapshot_of_repository_and_upstream,
];

fn m_14_head_and_resume() {
    let world = World::maven_empty();
    let jar = "0123456789".repeat(10_000);
    world.deploy("com.acme", "large", "1.0", &jar);
    let path = "com/acme/large/1.0/large-1.0.jar";
    let head = world.maven("HEAD", path).send().expect(200);
    assert_eq!(head.need_header("content-length"), jar.len().to_string());
    let client = Client::new(&world.server);
    client.write("large.jar", &jar[..12_345]);
    let url = format!("{}{path}", world.server.endpoint("maven", "my-repo"));
    let arguments = ["-fsS", "-C", "-", "-u", &format!("aws:{}", world.token), "-o", "large.jar", &url];
    let _ = client.system("curl").args(arguments).succeeds();
    assert_eq!(client.read("large.jar"), jar);
    let part = world.maven("GET", path).header("range", "bytes=99990-").send().expect(206);
    assert_eq!(part.text(), "0123456789");
    assert_eq!(part.need_header("x-checksum-sha1").len(), 40);
}

fn m_15_checksums_of_four_kinds() {
    let world = World::maven_empty();
    world.deploy("com.acme", "summed", "1.0", "jar");
    let client = Client::new(&world.server);
    for path in ["1.0/summed-1.0.jar", "1.0/summed-1.0.pom", "maven-metadata.xml"] {
        let path = format!("com/acme/summed/{path}");
        client.write("file", world.maven("GET", &path).send().expect(200).body);
        for algorithm in ["md5", "sha1", "sha256", "sha512"] {
            let computed = client.shell(&format!("{algorithm}sum file")).succeeds().text().to_owned();
            let computed = computed.split_whitespace().next().unwrap_or_default().to_owned();
            let served = world.maven("GET", &format!("{path}.{algorithm}")).send().expect(200);
            assert_eq!(served.text(), computed, "{path}.{algorithm}");
            let file = world.maven("GET", &path).send().expect(200);
            assert_eq!(file.need_header(&format!("x-checksum-{algorithm}")), computed);
        }
    }
}

fn m_17_metadata_of_nothing() {
    let world = World::maven_empty();
    for path in
        ["com/acme/none/maven-metadata.xml", "com/acme/none/1-SNAPSHOT/maven-metadata.xml", "com/maven-metadata.xml"]
    {
        for suffix in ["", ".sha1"] {
            let answer = world.maven("GET", &format!("{path}{suffix}")).send().expect(404);
            assert!(!answer.text().contains('<'), "{}", answer.text());
        }
    }
}

fn m_18_release_here_snapshot_there() {
    let world = World::maven_recorded();
    world.create_repository("releases", &[]);
    world.create_repository("both", &["releases", "my-repo"]);
    let put = |path: &str, body: String| world.maven_in("releases", "PUT", path).body(body).send().expect(201);
    put("com/acme/split/1.0/split-1.0.jar", "release".to_owned());
    put("com/acme/split/1.0/split-1.0.pom", pom("com.acme", "split", "1.0"));
    put("com/acme/split/maven-metadata.xml", metadata("com.acme", "split", "1.0"));
    world.put_build("my-repo", "split", "1.1", 1, "snapshot");
    let file = world.maven_in("both", "GET", "com/acme/split/maven-metadata.xml").send().expect(200).text();
    assert!(file.contains("<release>1.0</release>") && file.contains("<latest>1.1-SNAPSHOT</latest>"), "{file}");
    let client = world.maven_client_of("both");
    larder_e2e::maven::seed(&client);
    for (version, name) in [("1.0", "split-1.0.jar"), ("1.1-SNAPSHOT", "split-1.1-SNAPSHOT.jar")] {
        client.write("pom.xml", consumer("com.acme", "split", version));
        let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
        let out = format!("-DoutputDirectory=out-{version}");
        let _ = mvn(&client).args([goal, &out, "-Dmdep.useBaseVersion=true"]).succeeds();
        assert_eq!(names(&client, &format!("out-{version}")), [name]);
    }
}

fn m_19_upstream_down() {
    let world = World::maven_empty();
    for (rest, bytes) in [(".jar", "jar".to_owned()), (".pom", pom("org.public", "lib", "1.0"))] {
        world.registry.add_maven("org.public", "lib", "1.0", rest, bytes);
    }
    let jar = "org/public/lib/1.0/lib-1.0.jar";
    let _ = world.maven("GET", jar).send().expect(200);
    let _ = world.maven("GET", "org/public/lib/maven-metadata.xml").send().expect(200);
    wait_until_retained(&world, "org.public", "lib", "1.0");
    world.registry.go_down();
    assert_eq!(world.maven("GET", jar).send().expect(200).text(), "jar");
    assert_eq!(world.maven("GET", &format!("{jar}.sha256")).send().expect(200).text().len(), 64);
    let _ = world.maven("GET", "org/public/lib/maven-metadata.xml").send().expect(200);
    for path in
        ["org/public/lib/1.0/lib-1.0.pom", "org/public/other/1/other-1.pom", "org/public/other/maven-metadata.xml"]
    {
        let answer = world.maven("GET", path).send();
        assert!(answer.status >= 500, "{path}: {}", answer.status);
    }
}

fn wait_until_retained(world: &World, group: &str, artifact: &str, version: &str) {
    let started = Instant::now();
    while world.maven_status(group, artifact, version).is_none() {
        assert!(started.elapsed() < Duration::from_secs(10), "{artifact} {version} was not retained");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn m_20_prefixes() {
    let world = World::maven_empty();
    let _ = world.maven("GET", ".meta/prefixes.txt").send().expect(404);
}

fn m_24_no_credentials() {
    let world = World::maven_empty();
    world.deploy("com.acme", "closed", "1.0", "jar");
    let path = format!("{}/com/acme/closed/1.0/closed-1.0.jar", world.server.path("maven", "my-repo"));
    for method in ["GET", "HEAD", "PUT"] {
        let answer = world.server.request(method, &path).send().expect(401);
        assert_eq!(answer.need_header("www-authenticate"), "Basic realm=\"larder\"");
    }
    let _ = world.server.request("GET", &path).basic("aws", "wrong").send().expect(401);
}

fn m_25_odd_paths() {
    let world = World::maven_empty();
    for path in ["site/index.html", "a/b/c.txt", "com/acme/lib/1.0/readme.md", "com/acme/lib/", "x"] {
        let _ = world.put(path, "x").expect(400);
        let _ = world.maven("GET", path).send().expect(404);
    }
    for path in [
        "com/acme/../x/1/x-1.jar",
        "com/acme/%2e%2e/1/x-1.jar",
        "com/a%5cb/1/x-1.jar",
        "com/acme;x=1/l/1/l-1.jar",
        "c/%00/1/x-1.jar",
    ] {
        for method in ["PUT", "GET"] {
            let answer = world.maven(method, path).send();
            assert_eq!(answer.status, 400, "{method} {path}");
        }
    }
    assert_eq!(world.maven("DELETE", "com/acme/lib/1.0/lib-1.0.jar").send().status, 405);
}

fn m_26_ten_thousand_versions() {
    let world = World::maven_empty();
    for number in 0..10_000 {
        world.registry.add_maven("org.public", "many", &format!("1.{number}"), ".pom", "");
    }
    let path = "org/public/many/maven-metadata.xml";
    let file = world.maven("GET", path).send().expect(200).text();
    assert!(file.matches("<version>").count() == 10_000 && file.contains("<release>1.9999</release>"));
    let started = Instant::now();
    let _ = world.maven("GET", path).send().expect(200);
    assert!(started.elapsed() < Duration::from_millis(300), "{:?}", started.elapsed());
}

/// Files and metadata are two rights, and neither is that to read.
fn maven_rights() {
    let world = World::maven_empty();
    let statement = |actions: &[&str]| {
        let actions: Vec<String> = actions.iter().map(|action| format!("codeartifact:{action}")).collect();
        serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"},
            {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}]})
    };
    let token = |name: &str, actions: &[&str]| {
        let key = world.server.create_user(ACCOUNT, name, &statement(&[&["GetAuthorizationToken"], actions].concat()));
        world.server.token_of(&key, DOMAIN)
    };
    let put = |token: &str, path: &str, body: String| {
        let target = format!("{}/com/acme/lib/{path}", world.server.path("maven", REPOSITORY));
        world.server.request("PUT", &target).basic("aws", token).body(body).send().status
    };
    let reader = token("reader", &["ReadFromRepository"]);
    let files = token("files", &["PublishPackageVersion"]);
    let all = token("all", &["PublishPackageVersion", "PutPackageMetadata"]);
    let (jar, listed) = ("1.0/lib-1.0.jar", metadata("com.acme", "lib", "1.0"));
    assert_eq!(put(&reader, jar, "jar".to_owned()), 403);
    assert_eq!(put(&reader, &format!("{jar}.sha1"), "0".repeat(40)), 403);
    assert_eq!(put(&files, jar, "jar".to_owned()), 201);
    for token in [&reader, &files] {
        assert_eq!(put(token, "maven-metadata.xml", listed.clone()), 403);
    }
    assert_eq!(put(&all, "maven-metadata.xml", listed), 201);
    let _ = world.maven("GET", &format!("com/acme/lib/{jar}")).send().expect(200);
    let target = format!("{}/com/acme/lib/{jar}", world.server.path("maven", REPOSITORY));
    let _ = world.server.request("GET", &target).basic("aws", &all).send().expect(403);
}

/// M-08 and M-10 for what Gradle 6 and later send: module metadata, four checksums per file, one after the other.
fn maven_gradle_module_metadata() {
    let world = World::maven_empty();
    let folder = "com/acme/variants";
    let client = Client::new(&world.server);
    for (extension, body) in [
        ("jar", "jar".to_owned()),
        ("module", "{\"formatVersion\":\"1.1\"}".to_owned()),
        ("pom", pom("com.acme", "variants", "1.0")),
    ] {
        let path = format!("{folder}/1.0/variants-1.0.{extension}");
        let _ = world.put(&path, body.clone()).expect(201);
        client.write("file", &body);
        for algorithm in ["md5", "sha1", "sha256", "sha512"] {
            let sum = client.shell(&format!("{algorithm}sum file")).succeeds().text().to_owned();
            let _ = world.put(&format!("{path}.{algorithm}"), sum.split(' ').next().unwrap_or_default()).expect(201);
        }
    }
    let _ = world.put(&format!("{folder}/maven-metadata.xml"), metadata("com.acme", "variants", "1.0")).expect(201);
    let module = world.maven("GET", &format!("{folder}/1.0/variants-1.0.module")).send().expect(200);
    assert_eq!(module.need_header("content-type"), "application/vnd.org.gradle.module+json");
    assert_eq!(module.text(), "{\"formatVersion\":\"1.1\"}");
}

/// Reference 6.3: the upstream's newest build is what clients of the repository in front get.
fn maven_snapshot_of_repository_and_upstream() {
    let world = World::maven_empty();
    world.create_repository("front", &["my-repo"]);
    world.put_build("front", "shared", "1.0", 2, "front");
    world.put_build("my-repo", "shared", "1.0", 1, "upstream");
    // A package that was published in front takes nothing from upstream before that is allowed.
    let jar = "com/acme/shared/1.0-SNAPSHOT/shared-1.0-SNAPSHOT.jar";
    assert_eq!(world.maven_in("front", "GET", jar).send().expect(200).text(), "front");
    let query = "domain=my-domain&repository=front&format=maven&namespace=com.acme&package=shared";
    let allow = serde_json::json!({"restrictions": {"publish": "ALLOW", "upstream": "ALLOW"}});
    let _ = world.server.call("POST", &format!("/v1/package?{query}"), &allow).expect(200);
    assert_eq!(world.maven_in("front", "GET", jar).send().expect(200).text(), "upstream");
    let file =
        world.maven_in("front", "GET", "com/acme/shared/1.0-SNAPSHOT/maven-metadata.xml").send().expect(200).text();
    assert!(file.contains("<buildNumber>1</buildNumber>"), "{file}");
}
