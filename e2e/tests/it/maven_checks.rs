//! Checks M-01 to M-07, M-12, M-13, M-16, M-21 to M-23 with real Maven: what is deployed and what is resolved.

use larder_e2e::World;
use larder_e2e::maven::{DEPLOY_FILE, GET, OLD_DEPLOY_FILE, consumer, copy_build, metadata, mvn, mvn39, names, pom};
use larder_testkit::{Client, tests};
use serde_json::Value;

tests![
    m_01_deploy_a_release,
    m_02_deploy_again,
    m_03_snapshots,
    m_04_parallel_deployments,
    m_05_strict_checksums,
    m_06_version_ranges,
    m_07_plugin_prefix,
    m_12_deploy_plugin_2_and_at_end,
    m_13_signatures,
    m_16_wrong_checksum,
    m_21_classifiers_and_long_extensions,
    m_22_repository_of_one_kind,
    m_23_internal_group,
];

const GROUP: &str = "com.acme";

fn m_01_deploy_a_release() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    let ran = world.deploy_file(&client, DEPLOY_FILE, [GROUP, "first", "1.0"], "jar").succeeds();
    ran.says("BUILD SUCCESS");
    assert_eq!(world.maven_status(GROUP, "first", "1.0").as_deref(), Some("Published"));
    let challenges = world.server.log().lines().filter(|line| line.contains("\"status\":401")).count();
    assert!(challenges <= 1, "asked once, Maven keeps sending its credentials");
}

fn m_02_deploy_again() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    let deploy = |jar: &str| world.deploy_file(&client, DEPLOY_FILE, [GROUP, "again", "1.0"], jar);
    let _ = deploy("jar").succeeds();
    let _ = deploy("jar").succeeds();
    deploy("other").fails().says("409").says("already exists with other content");
}

fn m_03_snapshots() {
    let world = World::maven_recorded();
    let (client, reader) = (world.seeded_maven_client(), world.seeded_maven_client());
    for number in 1..=3 {
        let jar = format!("jar {number}");
        let _ = world.deploy_file(&client, DEPLOY_FILE, [GROUP, "snap", "1.0-SNAPSHOT"], &jar).succeeds();
        let file = world.maven_metadata("com/acme/snap/1.0-SNAPSHOT");
        assert!(file.contains(&format!("<buildNumber>{number}</buildNumber>")), "{file}");
        let arguments = [GET, "-U", "-Dartifact=com.acme:snap:1.0-SNAPSHOT", "-Dtransitive=false"];
        let _ = mvn(&reader).args(arguments).succeeds();
        assert_eq!(reader.read(".m2/repository/com/acme/snap/1.0-SNAPSHOT/snap-1.0-SNAPSHOT.jar"), jar);
    }
    let query = "domain=my-domain&repository=my-repo&format=maven&namespace=com.acme&package=snap";
    let listed = world.server.call("POST", &format!("/v1/package/versions?{query}"), &Value::Null).expect(200).json();
    let count = |status: &str| {
        let versions = listed["versions"].as_array().expect("versions");
        versions.iter().filter(|version| version["status"] == status).count()
    };
    assert_eq!((count("Published"), count("Unlisted")), (1, 3), "n builds are n + 1 versions: {listed}");
}

/// Twenty deployments to one group at once: four by a Maven that uploads in parallel, the others as fast as raw requests are.
fn m_04_parallel_deployments() {
    let world = World::maven_recorded();
    let clients: Vec<Client> = (0..4).map(|_| world.seeded_maven_client()).collect();
    std::thread::scope(|scope| {
        for (number, client) in clients.iter().enumerate() {
            let world = &world;
            scope.spawn(move || {
                let artifact = format!("module{number}");
                for classifier in ["sources", "javadoc"] {
                    client.write(&format!("{classifier}.jar"), classifier);
                }
                client.write("main.jar", "main");
                let ran = mvn39(client)
                    .args([DEPLOY_FILE, "-Dfile=main.jar", "-Dsources=sources.jar", "-Djavadoc=javadoc.jar"])
                    .args(["-DgroupId=com.acme", "-Dversion=1.0", "-Dpackaging=jar", "-DrepositoryId=larder"])
                    .arg(format!("-DartifactId={artifact}"))
                    .arg(format!("-Durl={}", world.server.endpoint("maven", "my-repo")))
                    .ends();
                assert!(ran.success, "{}", ran.all());
            });
        }
        for number in 4..20 {
            let world = &world;
            scope.spawn(move || world.deploy(GROUP, &format!("module{number}"), "1.0", "main"));
        }
    });
    for number in 0..20 {
        assert!(world.maven_metadata(&format!("com/acme/module{number}")).contains("<version>1.0</version>"));
    }
    for rest in ["-sources.jar", "-javadoc.jar"] {
        let _ = world.maven("GET", &format!("com/acme/module0/1.0/module0-1.0{rest}")).send().expect(200);
    }
    let failures = world.server.log().lines().filter(|line| line.contains("\"status\":5")).count();
    assert_eq!(failures, 0);
}

fn m_05_strict_checksums() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    for version in ["1.0", "2.0-SNAPSHOT"] {
        let _ = world.deploy_file(&client, DEPLOY_FILE, [GROUP, "strict", version], "jar").succeeds();
    }
    let reader = world.seeded_maven_client();
    let get = |version: &str| [GET.to_owned(), "-C".to_owned(), format!("-Dartifact=com.acme:strict:{version}")];
    for version in ["1.0", "2.0-SNAPSHOT"] {
        let _ = mvn(&reader).args(get(version)).succeeds();
    }
    let newer = world.seeded_maven_client();
    let before = world.server.log().len();
    for version in ["1.0", "2.0-SNAPSHOT"] {
        let _ = mvn39(&newer).args(get(version)).succeeds();
    }
    let log = world.server.log()[before..].to_owned();
    assert!(log.contains("strict-1.0.jar") && !log.contains("strict-1.0.jar.sha1"), "checksums come in headers: {log}");
}

fn m_06_version_ranges() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    for version in ["1.0", "1.9", "1.10", "2.0-rc1", "2.0"] {
        world.deploy(GROUP, "ranged", version, version);
    }
    for (wanted, expected) in [("[1,2-alpha)", "1.10"), ("[1.9,1.9]", "1.9"), ("[1,)", "2.0"), ("RELEASE", "2.0")] {
        client.write("pom.xml", consumer(GROUP, "ranged", wanted));
        let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
        let _ = client.shell("rm -rf out").succeeds();
        let _ = mvn(&client).args([goal, "-DoutputDirectory=out"]).succeeds();
        assert_eq!(names(&client, "out"), [format!("ranged-{expected}.jar")], "{wanted}");
    }
    let _ = mvn(&client).args([GET, "-Dartifact=com.acme:ranged:LATEST"]).succeeds();
}

fn m_07_plugin_prefix() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    copy_build(&client, "plugin", "1.0");
    let _ = mvn(&client).args(["-f", "plugin/pom.xml", "deploy", &world.deployment()]).succeeds();
    let group = world.maven_metadata("com/acme/build");
    assert!(group.contains("<prefix>acme</prefix>") && group.contains("acme-maven-plugin"), "{group}");
    let caller = world.seeded_maven_client();
    mvn(&caller).arg("acme:greet").succeeds().says("greetings from acme");
}

fn m_12_deploy_plugin_2_and_at_end() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    let _ = world.deploy_file(&client, OLD_DEPLOY_FILE, [GROUP, "old", "1.0"], "jar").succeeds();
    let _ = world.deploy_file(&client, OLD_DEPLOY_FILE, [GROUP, "old", "2.0-SNAPSHOT"], "jar").succeeds();
    assert_eq!(world.maven_status(GROUP, "old", "1.0").as_deref(), Some("Published"));
    assert_eq!(world.maven_status(GROUP, "old", "2.0-SNAPSHOT").as_deref(), Some("Published"));
    copy_build(&client, "app", "3.0");
    let arguments = ["-f", "app/pom.xml", "deploy", "-DskipTests", "-DdeployAtEnd=true", &world.deployment()];
    let _ = mvn(&client).args(arguments).succeeds();
    for artifact in ["app-parent", "app-lib", "app-cli"] {
        assert_eq!(world.maven_status("com.acme.app", artifact, "3.0").as_deref(), Some("Published"), "{artifact}");
    }
}

fn m_13_signatures() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    client.write("jar.asc", "-----BEGIN PGP SIGNATURE-----");
    client.write("jar.sigstore.json", "{}");
    let _ = world
        .deploy_file(&client, DEPLOY_FILE, [GROUP, "signed", "1.0"], "jar")
        .args(["-Dfiles=jar.asc,jar.sigstore.json", "-Dtypes=jar.asc,jar.sigstore.json", "-Dclassifiers=,"])
        .succeeds();
    let path = "com/acme/signed/1.0/signed-1.0.jar";
    let signature = world.maven("GET", &format!("{path}.asc")).send().expect(200);
    assert_eq!(signature.text(), "-----BEGIN PGP SIGNATURE-----");
    let _ = world.maven("GET", &format!("{path}.sigstore.json")).send().expect(200);
    // Without a checksum too.
    let _ = world.put(&format!("{path}.sigstore"), "bundle").expect(201);
}

fn m_16_wrong_checksum() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    let jar = "com/acme/wrong/1.0/wrong-1.0.jar";
    let _ = world.put(jar, "jar").expect(201);
    let refused = world.put(&format!("{jar}.sha1"), "0".repeat(40)).expect(400);
    assert!(refused.text().contains("deploy it again"), "{}", refused.text());
    let refused = world.put("com/acme/wrong/maven-metadata.xml", metadata(GROUP, "wrong", "1.0"));
    assert_eq!((refused.status, world.maven_status(GROUP, "wrong", "1.0").as_deref()), (400, Some("Unfinished")));
    // Deploying again is the cure.
    let _ = world.deploy_file(&client, DEPLOY_FILE, [GROUP, "wrong", "1.0"], "jar").succeeds();
    assert_eq!(world.maven_status(GROUP, "wrong", "1.0").as_deref(), Some("Published"));
    let _ = world.put(&format!("{jar}.md5"), "0".repeat(32)).expect(400);
    assert_eq!(world.maven("GET", jar).send().expect(200).text(), "jar");
}

fn m_21_classifiers_and_long_extensions() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    for version in ["1.0-rc-1", "1.0-SNAPSHOT"] {
        client.write("dist.tar.gz", version);
        let _ = world
            .deploy_file(&client, DEPLOY_FILE, [GROUP, "dist", version], "jar")
            .args(["-Dfiles=dist.tar.gz", "-Dtypes=tar.gz", "-Dclassifiers=linux-x86.64"])
            .succeeds();
        let reader = world.seeded_maven_client();
        let artifact = format!("-Dartifact=com.acme:dist:{version}:tar.gz:linux-x86.64");
        let _ = mvn(&reader).args([GET, &artifact, "-Dtransitive=false"]).succeeds();
        let file = format!(".m2/repository/com/acme/dist/{version}/dist-{version}-linux-x86.64.tar.gz");
        assert_eq!(reader.read(&file), version);
    }
    let query = "domain=my-domain&repository=my-repo&format=maven&namespace=com.acme&package=dist&version=1.0-rc-1";
    let assets =
        world.server.call("POST", &format!("/v1/package/version/assets?{query}"), &Value::Null).expect(200).json();
    let listed: Vec<&str> =
        assets["assets"].as_array().expect("assets").iter().filter_map(|asset| asset["name"].as_str()).collect();
    assert_eq!(listed, ["dist-1.0-rc-1-linux-x86.64.tar.gz", "dist-1.0-rc-1.jar", "dist-1.0-rc-1.pom"]);
}

fn m_22_repository_of_one_kind() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    world.tag_repository("larder:maven", "snapshots");
    let refused = world.deploy_file(&client, DEPLOY_FILE, [GROUP, "kind", "1.0"], "jar").fails();
    refused.says("400").says("takes snapshots only");
    let _ = world.deploy_file(&client, DEPLOY_FILE, [GROUP, "kind", "1.0-SNAPSHOT"], "jar").succeeds();
}

fn m_23_internal_group() {
    let world = World::maven_recorded();
    let client = world.seeded_maven_client();
    world.deploy(GROUP, "internal", "1.0", "ours");
    for (rest, bytes) in [(".jar", "theirs".to_owned()), (".pom", pom(GROUP, "internal", "99.0"))] {
        world.registry.add_maven(GROUP, "internal", "99.0", rest, bytes);
    }
    client.write("pom.xml", consumer(GROUP, "internal", "[1,)"));
    let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
    let _ = mvn(&client).args([goal, "-DoutputDirectory=out"]).succeeds();
    assert_eq!(names(&client, "out"), ["internal-1.0.jar"]);
    let _ = world.maven("GET", "com/acme/internal/99.0/internal-99.0.jar").send().expect(404);
}
